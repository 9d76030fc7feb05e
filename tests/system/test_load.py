# SPDX-License-Identifier: Apache-2.0
"""The load itself: against an honest proxy all is well, and it notices each thing it should."""

import os
import re
import signal
import socket

import pytest

import load_speech
from harness import FakeServer, free_port, pool, reset, wait_until
from hostile import take_memcached_request, take_resp_request
from load import Group, Load, long_lived, short_lived


# ---- an honest proxy -----------------------------------------------------------------------------


@pytest.mark.slow
def test_an_undisturbed_proxy_is_clean(start_proxy, redis_servers, memcached_servers, folder):
    proxy = start_proxy({"r": pool(redis_servers, redis=True, timeout=5000),
                         "u": pool(redis_servers, redis=True, listen=str(folder / "u.sock")),
                         "m": pool(memcached_servers, timeout=5000)})
    with Load([long_lived("r", proxy.address("r"), large_bytes=300_000),
               short_lived("r-short", proxy.address("r")),
               long_lived("r-piece", proxy.address("r"), piece_bytes=37, clients=2, depth=8),
               long_lived("unix", proxy.address("u")),
               long_lived("m", proxy.address("m"), "memcached", large_bytes=300_000),
               short_lived("m-short", proxy.address("m"), "memcached")]) as load:
        load.wait_served(200)
        summary = load.stop()
    summary.assert_clean()
    for name in ("r", "unix", "m"):
        summary.assert_never_reconnected(name, clients=4)
    assert summary.count("vanished") == 0
    assert summary.latency_ms("r")["max"] > 0


@pytest.mark.slow
def test_a_killed_worker_costs_only_what_was_open_at_it(start_proxy, redis_servers):
    """No connect is refused, nothing is wrong; long-lived clients come back."""
    clients = 6
    proxy = start_proxy({"r": pool(redis_servers, redis=True, timeout=5000)}, workers=2)
    with Load([long_lived("long", proxy.address(), clients=clients),
               short_lived("short", proxy.address())]) as load:
        load.wait_all_connected()
        for _ in range(2):  # every worker dies, as the kernel may have given one all the clients
            for victim in proxy.wait_workers(2):
                load.wait_served(100)
                os.kill(victim, signal.SIGKILL)
                proxy.wait_workers(2, without=[victim])
        load.wait_served(100)
        summary = load.stop()
    summary.assert_clean(allow=("lost", "unserved", "closed_idle", "reset_idle"))
    # Every first connection ended with its worker, so each client has come back.
    assert summary.count("connects", "long") >= 2 * clients


# ---- what it must notice -------------------------------------------------------------------------


class Store:
    """A server of its own memory. `spoil(count, reply)` may change a reply; None resets. Closes a
    connection after `hang_up_after` replies."""

    def __init__(self, protocol, spoil=None, hang_up_after=None):
        self.hang_up_after = hang_up_after
        self.values = {}
        self.count = 0
        self._take = take_resp_request if protocol == "redis" else take_memcached_request
        self._answer = self._resp if protocol == "redis" else self._memcached
        self._spoil = spoil or (lambda count, reply: reply)

    def __call__(self, connection, fake):
        pending, served = b"", 0
        while served != self.hang_up_after:
            data = fake.recv(connection)
            if not data:
                return
            pending += data
            while True:
                before = pending
                words, pending = self._take(pending)
                if words is None:
                    break
                self.count += 1
                served += 1
                reply = self._spoil(self.count, self._answer(words, before))
                if reply is None:
                    reset(connection)
                    return
                connection.sendall(reply)

    def _resp(self, words, _):
        def bulk(key):
            value = self.values.get(key)
            return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)

        if words[0] == b"SET":
            self.values[words[1]] = words[2]
            return b"+OK\r\n"
        if words[0] == b"GET":
            return bulk(words[1])
        return b"*%d\r\n" % (len(words) - 1) + b"".join(map(bulk, words[1:]))

    def _memcached(self, words, raw):
        if words[0] == b"set":
            head = raw.index(b"\r\n") + 2
            self.values[words[1]] = raw[head:head + int(words[4])]
            return b"STORED\r\n"
        return b"".join(b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(self.values[key]), self.values[key])
                        for key in words[1:] if key in self.values) + b"END\r\n"


def run_against(behave, protocol="redis", until=None, **options):
    """The summary of a load that ran until it has counted one of `until`, or served 300."""
    with FakeServer(behave) as fake:
        group = Group("g", ("127.0.0.1", fake.port), protocol, clients=2, depth=8, **options)
        with Load([group], limit_s=30) as load:
            def enough():
                now = load.snapshot()
                return now.count(until) if until else now.served() > 300

            wait_until(enough, what=f"{until or '300 replies'}")
            return load.stop()


@pytest.mark.parametrize("protocol", ["redis", "memcached"])
def test_an_honest_server_is_clean(protocol):
    summary = run_against(Store(protocol), protocol)
    summary.assert_clean()
    summary.assert_never_reconnected("g", 2)


def swapped(count, reply):
    """Every hundredth reply says something of another client."""
    return re.sub(rb"[12]\.\d+;", b"9.1;", reply) if count > 100 else reply


def one_bit(count, reply):
    return reply.replace(b";", b":", 1) if count > 100 else reply


def twice(count, reply):
    return reply * 2 if count == 100 else reply


def left_out(count, reply):
    return b"" if count == 100 else reply


def garbage(count, reply):
    return b"!what\r\n" if count == 100 else reply


@pytest.mark.parametrize("spoil", [swapped, one_bit, twice, left_out, garbage])
@pytest.mark.parametrize("protocol", ["redis", "memcached"])
def test_a_wrong_reply_is_noticed(protocol, spoil):
    summary = run_against(Store(protocol, spoil), protocol, "wrong")
    with pytest.raises(AssertionError, match="wrong"):
        summary.assert_clean(allow=("lost", "unserved", "timeout"))


@pytest.mark.parametrize("protocol", ["redis", "memcached"])
def test_an_old_value_is_noticed(protocol):
    store = Store(protocol)
    answer = store._answer

    def forgetful(words, raw):
        if store.count > 200 and words[0].lower() == b"set":
            return b"+OK\r\n" if protocol == "redis" else b"STORED\r\n"
        return answer(words, raw)

    store._answer = forgetful
    assert run_against(store, protocol, "wrong").count("wrong")


def missing(count, reply):
    if reply.startswith(b"$") and count > 100:
        return b"$-1\r\n"
    return b"END\r\n" if reply.startswith(b"VALUE") and count > 100 else reply


@pytest.mark.parametrize("protocol", ["redis", "memcached"])
def test_a_miss_is_legal_only_where_it_may_vanish(protocol):
    assert run_against(Store(protocol, missing), protocol, "wrong").count("wrong")
    summary = run_against(Store(protocol, missing), protocol, "vanished", may_vanish=True)
    summary.assert_clean()


def test_from_strict_on_no_read_may_miss():
    spoiling = []
    store = Store("redis", lambda count, reply: missing(count, reply) if spoiling else reply)
    with FakeServer(store) as fake:
        group = Group("g", ("127.0.0.1", fake.port), may_vanish=True)
        with Load([group], limit_s=30) as load:
            load.wait_served(200)
            load.strict("g")
            load.wait_served(200)
            assert load.snapshot().count("wrong") == 0
            spoiling.append(True)
            wait_until(lambda: load.snapshot().count("wrong"), what="a miss to be noticed")


def test_error_lines_are_counted_and_make_nothing_else_wrong():
    store = Store("redis")
    answer = store._answer
    store._answer = lambda words, raw: (b"-ERR Connection refused\r\n" if store.count % 50 == 0
                                        else answer(words, raw))
    summary = run_against(store)
    assert summary.count("error") >= 5
    summary.assert_clean(allow=("error",))


def test_a_reset_with_requests_outstanding_is_noticed():
    summary = run_against(Store("redis", lambda count, reply: None if count % 40 == 0 else reply),
                          until="lost")
    assert summary.count("lost") and not summary.count("wrong")


def test_a_connection_that_never_replied_is_noticed():
    def hang_up(connection, fake):
        fake.recv(connection)

    summary = run_against(hang_up, until="unserved")
    assert not summary.count("lost") and not summary.count("wrong")


def test_a_close_in_silence_is_noticed():
    summary = run_against(Store("redis", hang_up_after=8), until="closed_idle", window=1,
                          think_ms=300)
    assert summary.count("closed_idle")


def test_refused_connects_and_silence_are_noticed():
    port = free_port()
    with Load([Group("none", ("127.0.0.1", port))], limit_s=30) as load:
        wait_until(lambda: load.snapshot().count("refused"), what="a refused connect")
        summary = load.stop()
    assert not summary.count("connects")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with Load([Group("silent", silent.getsockname(), timeout_s=0.3)], limit_s=30) as load:
            wait_until(lambda: load.snapshot().count("timeout"), what="a timeout")


def test_values_belong_to_one_write():
    assert load_speech.value_of(1, 23, 9) == b"1.23;1.23"
    assert load_speech.is_own_value(1, load_speech.value_of(1, 23, 50))
    assert not load_speech.is_own_value(2, load_speech.value_of(1, 23, 50))
    assert not load_speech.is_own_value(1, load_speech.value_of(1, 23, 50)[:-1] + b"x")
