# SPDX-License-Identifier: Apache-2.0
"""Servers that are dead, close, reset, lie or stay silent; processes that are stopped.

The client gets nutcracker's text in its place of the order, stays connected, and never sees a reply
that is not its own.
"""

import os
import re
import signal
import socket
import threading
import time

import pytest

from clients import RespError, encode
from harness import (FakeServer, MemcachedServer, RedisServer, answer_always, close_on_request,
                     free_port, let_time_pass, never_answer, pid_serving, pool, reset_on_request,
                     spread_keys, stopped, wait_until, within)

TIMEOUT_MS = 300


def keys_by_server(proxy_client, servers, count=60):
    """One list of keys per server, found by setting them; the servers keep them."""
    keys = spread_keys(count)
    for key in keys:
        assert proxy_client.call("SET", key, key) == "OK"
    placed = [sorted(key.decode() for key in server.keys()) for server in servers]
    assert all(placed)
    return placed


def echo_key(connection, fake):
    """A Redis that answers GET KEY with KEY, at once."""
    pending = b""
    while True:
        data = fake.recv(connection)
        if not data:
            return
        pending += data
        while True:
            match = re.match(rb"\*2\r\n\$3\r\nGET\r\n\$\d+\r\n(\w+)\r\n", pending)
            if not match:
                break
            pending = pending[match.end():]
            fake.answer(connection, match.group(1))


class EchoServer(FakeServer):
    """echo_key, but the answers to keys in `held` wait until release()."""

    def __init__(self):
        self.gate = threading.Event()
        super().__init__(echo_key)

    def answer(self, connection, key):
        if key.startswith(b"held"):
            self.gate.wait(30)
        connection.sendall(b"$%d\r\n%s\r\n" % (len(key), key))

    def close(self):
        self.gate.set()
        super().close()


def error(text):
    return RespError(f"ERR {text}")


def timeout_for(behave):
    """What fails by itself is waited for: a timeout would be another error."""
    return TIMEOUT_MS if behave is never_answer else 20000


@pytest.mark.parametrize("behave, text", [
    (close_on_request, "unknown"),
    (reset_on_request, "Connection reset by peer"),
    (never_answer, "Connection timed out"),
    (answer_always(b"garbage\r\n"), "Invalid argument"),
    (answer_always(b"$x\r\n"), "Invalid argument"),
    (answer_always(b":1\r\n:2\r\n:3\r\n"), None),
], ids=["close", "reset", "silence", "garbage", "bad length", "stray replies"])
def test_a_bad_redis_server_costs_an_error_in_its_place(start_proxy, behave, text):
    with FakeServer(behave) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=timeout_for(behave))})
        with proxy.redis() as client:
            for _ in range(3):
                client.send(encode("PING") + encode("GET", "k") + encode("PING"))
                before, reply, after = client.read_replies(3)
                assert (before, after) == ("PONG", "PONG")
                if text is not None:
                    assert reply == error(text)


@pytest.mark.parametrize("behave, text", [
    (close_on_request, "unknown"),
    (reset_on_request, "Connection reset by peer"),
    (never_answer, "Connection timed out"),
    (answer_always(b"garbage\r\n"), "Invalid argument"),
    (answer_always(b"VALUE k 0 x\r\n"), "Invalid argument"),
], ids=["close", "reset", "silence", "garbage", "bad length"])
def test_a_bad_memcached_server_costs_an_error_in_its_place(start_proxy, behave, text):
    with FakeServer(behave) as fake:
        proxy = start_proxy({"p": pool([fake], timeout=timeout_for(behave))})
        with proxy.memcached() as client:
            for request in (b"get k\r\n", b"get a b c\r\n", b"set k 0 0 1\r\nx\r\n",
                            b"incr n 1\r\n"):
                assert client.ask(request) == b"SERVER_ERROR %s\r\n" % text.encode()
            # noreply: any failure is swallowed.
            client.send(b"set k 0 0 1 noreply\r\nx\r\n")
            assert client.ask(b"get k\r\n") == b"SERVER_ERROR %s\r\n" % text.encode()


def test_a_dead_redis_server_is_refused_and_the_others_serve(start_proxy, start_server):
    servers = [start_server(RedisServer) for _ in range(2)]
    proxy = start_proxy({"p": pool(servers, redis=True, timeout=5000)})
    with proxy.redis() as client:
        dead, alive = keys_by_server(client, servers)
        servers[0].stop()
        wait_until(lambda: client.call("GET", dead[0]) == error("Connection refused"))
        requests = [("GET", key) for pair in zip(dead, alive) for key in pair]
        client.send(b"".join(encode(*words) for words in requests))
        for word, key in requests:
            reply = client.read_reply()
            assert reply == (error("Connection refused") if key in dead else key.encode())
        for words in (("MGET", *dead, *alive), ("DEL", dead[0], "other", alive[0]),
                      ("MSET", dead[0], "1", alive[0], "1")):
            assert client.call(*words) == error("Connection refused")
        assert client.call("MGET", *alive[1:]) == [key.encode() for key in alive[1:]]
        assert client.call("PING") == "PONG"
        servers[0].restart()
        assert wait_until(lambda: client.call("SET", dead[0], "back") == "OK" and
                          client.call("GET", dead[0])) == b"back"


def test_a_dead_memcached_server_is_refused_and_comes_back(start_proxy, start_server):
    server = start_server(MemcachedServer)
    proxy = start_proxy({"p": pool([server], timeout=5000)})
    with proxy.memcached() as client:
        assert client.set(b"k", b"x") == b"STORED\r\n"
        server.stop()
        refused = b"SERVER_ERROR Connection refused\r\n"
        wait_until(lambda: client.ask(b"touch k 0\r\n") == refused)
        client.send(b"get k\r\nget a b c d\r\nversion\r\nset k 0 0 1\r\nx\r\n")
        assert [client.read_line() for _ in range(2)] == [refused] * 2
        assert client.read_line() == b"VERSION 1.6.27\r\n"
        assert client.read_line() == refused
        server.restart()
        wait_until(lambda: client.set(b"k", b"y") == b"STORED\r\n")
        assert client.get(b"k") == b"y"


def test_a_missing_unix_socket_says_so(start_proxy, folder):
    proxy = start_proxy({"p": pool([f"{folder}/none.sock:1"], redis=True, timeout=2000)})
    with proxy.redis() as client:
        assert client.call("GET", "k") == error("No such file or directory")
        assert client.call("PING") == "PONG"


def test_a_server_name_that_does_not_resolve_is_down(start_proxy):
    proxy = start_proxy({"p": pool(["no-such-host.invalid:6379:1"], redis=True, timeout=15000)})
    with proxy.redis() as client:
        assert client.call("GET", "k") == error("Host is down")
        assert client.call("PING") == "PONG"


def test_every_request_of_a_failed_connection_fails_in_its_place(start_proxy):
    """The server answers two of ten and closes."""

    def two_then_close(connection, fake):
        data = b""
        while encode("GET", "k9") not in data:
            data += fake.recv(connection)
        connection.sendall(b"$1\r\na\r\n$1\r\nb\r\n")

    with FakeServer(two_then_close) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=10000)})
        with proxy.redis() as client:
            client.send(b"".join(encode("GET", f"k{i}") for i in range(10)) + encode("PING"))
            assert client.read_replies(11) == [b"a", b"b", *[error("unknown")] * 8, "PONG"]


@pytest.mark.parametrize("text", ["OOM command not allowed when used memory > 'maxmemory'.",
                                  "BUSY Redis is busy running a script.",
                                  "LOADING Redis is loading the dataset in memory",
                                  "MOVED 1 127.0.0.1:1", "READONLY You can't write."])
def test_an_error_the_server_means_is_passed_on(start_proxy, text):
    with FakeServer(answer_always(f"-{text}\r\n".encode())) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=5000)})
        with proxy.redis() as client:
            for _ in range(3):
                assert client.call("GET", "k") == RespError(text)
        assert fake.connections == 1


def test_a_timeout_keeps_the_order_and_late_replies_reach_nobody(start_proxy):
    with EchoServer() as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=TIMEOUT_MS)}, workers=1)
        with proxy.redis() as client, proxy.redis() as other:
            for round_number in range(3):
                fake.gate.clear()
                held = f"held{round_number}"
                client.send(encode("GET", "first") + encode("GET", held) + encode("PING"))
                first, *others = client.read_replies(3)
                assert first in (b"first", error("Connection timed out")), first
                assert others == [error("Connection timed out"), "PONG"]
                fake.gate.set()  # the late reply goes out now
                for i in range(10):
                    for each in (client, other):
                        key = f"k{round_number}x{i}"
                        reply = each.call("GET", key)
                        assert reply in (key.encode(), error("Connection timed out")), reply
                assert wait_until(lambda: client.call("GET", "again") == b"again")
                assert client.has_no_more() and other.has_no_more()


def test_a_timeout_takes_about_the_time_configured(start_proxy):
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=500)})
        with proxy.redis() as client:

            def time_out():
                before = time.monotonic()
                assert client.call("GET", "k") == error("Connection timed out")
                assert time.monotonic() - before > 0.45

            within(1.0, time_out)


def test_without_a_timeout_nothing_times_out(start_proxy):
    with EchoServer() as fake:
        proxy = start_proxy({"p": pool([fake], redis=True)})
        with proxy.redis() as client:
            client.send(encode("GET", "held"))
            fake.wait_for_bytes(b"held")
            let_time_pass(0.7, "any default timeout a pool might have by mistake")
            fake.gate.set()
            assert client.read_reply() == b"held"


def test_a_client_that_is_gone_when_its_reply_comes_shifts_nothing(start_proxy):
    with EchoServer() as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=10000)}, workers=1)
        with proxy.redis() as stays:
            leaver = proxy.redis()
            leaver.send(encode("GET", "held1") + encode("GET", "held2"))
            fake.wait_for_bytes(b"held1")
            stays.send(encode("GET", "mine"))
            leaver.close()
            fake.gate.set()
            assert stays.read_reply() == b"mine"
            assert stays.call("GET", "next") == b"next"


def test_a_server_that_closes_in_the_middle_of_a_reply(start_proxy):
    """Nothing of it has left: an error. Part of it has left: the client is cut, not lied to."""

    def half_reply(connection, fake):
        fake.recv(connection)
        connection.sendall(b"$4000000\r\n" + b"x" * 2_000_000)

    def short_half_reply(connection, fake):
        fake.recv(connection)
        connection.sendall(b"$10\r\nabc")

    with FakeServer(short_half_reply) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=5000)})
        with proxy.redis() as client:
            assert client.call("GET", "k") == error("unknown")
            assert client.call("PING") == "PONG"
    with FakeServer(half_reply) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=5000)})
        with proxy.redis() as client:
            client.send(encode("GET", "k") + encode("PING"))
            answer = client.read_to_end() if client.socket.recv(1, socket.MSG_PEEK) == b"$" \
                else client.read_line()
            if answer.startswith(b"$"):
                assert len(answer) < 4_000_000, "the reply was completed by other bytes"
                assert set(answer[len(b"$4000000\r\n"):]) == {ord("x")}
            else:
                assert answer == b"-ERR unknown\r\n"


@pytest.mark.slow
def test_a_stopped_worker_times_nothing_out(start_proxy):
    """The reply arrives while the process sleeps for longer than the timeout."""
    with EchoServer() as fake:
        timeout_ms = 3000  # longer than it takes to send and to stop
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=timeout_ms)})
        workers = proxy.wait_workers()
        clients = [proxy.redis() for _ in range(8)]
        for client in clients:
            assert client.call("GET", "warm") == b"warm"
        for number, client in enumerate(clients):
            client.send(encode("GET", f"held{number}") + encode("GET", "more") + encode("PING"))
        fake.wait_for_bytes(b"held")
        with stopped(workers):
            fake.gate.set()
            let_time_pass(1.2 * timeout_ms / 1000, "the request timeout")
        for number, client in enumerate(clients):
            assert client.read_replies(3) == [b"held%d" % number, b"more", "PONG"]
            client.close()
        assert proxy.stats()["p"][f"127.0.0.1:{fake.port}"]["server_timedout"] == 0


@pytest.mark.slow
def test_a_stopped_master_and_its_workers_time_nothing_out(start_proxy):
    """The reply comes only after the processes go on: the pause does not count."""
    with EchoServer() as fake:
        timeout_ms = 3000  # longer than it takes to send and to stop
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=timeout_ms)})
        workers = proxy.wait_workers()
        everybody = proxy.all_pids()
        with proxy.redis() as client:
            client.send(encode("GET", "held"))
            fake.wait_for_bytes(b"held")
            with stopped(everybody):
                let_time_pass(1.2 * timeout_ms / 1000, "the request timeout")
            fake.gate.set()
            assert client.read_reply() == b"held"
        assert proxy.worker_pids() == workers, "a worker was replaced"


def test_a_stopped_worker_delays_requests_that_arrive_meanwhile(start_proxy, redis_servers):
    timeout_ms = 2000
    proxy = start_proxy({"p": pool(redis_servers, redis=True, timeout=timeout_ms)})
    clients = [proxy.redis() for _ in range(8)]
    for client in clients:
        assert client.call("SET", "k", "v") == "OK"
    with stopped(proxy.wait_workers()):
        for client in clients:
            client.send(encode("GET", "k") * 100)
        let_time_pass(1.2 * timeout_ms / 1000, "the request timeout")
    for client in clients:
        assert client.read_replies(100) == [b"v"] * 100
        client.close()


def test_a_stopped_server_times_out_and_serves_again(start_proxy, start_server):
    server = start_server(RedisServer)
    proxy = start_proxy({"p": pool([server], redis=True, timeout=TIMEOUT_MS)}, workers=1)
    with proxy.redis() as client:
        wait_until(lambda: client.call("SET", "k", "v") == "OK", what="a reply in time")
        with stopped([server.process.pid]):
            client.send(encode("GET", "k") + encode("SET", "late", "1") + encode("PING"))
            assert client.read_replies(3) == [error("Connection timed out")] * 2 + ["PONG"]
        assert wait_until(lambda: client.call("GET", "k") == b"v")
        assert client.call("PING") == "PONG"
        assert client.has_no_more()


@pytest.mark.slow
def test_a_worker_killed_under_load_loses_only_its_own_clients(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, timeout=5000)}, workers=3)
    clients = [proxy.redis() for _ in range(30)]
    for number, client in enumerate(clients):
        assert client.call("SET", f"k{number}", number) == "OK"
    workers = proxy.wait_workers()
    for _ in range(3):
        victim = proxy.wait_workers()[0]
        # Those who have just come back may wait for a worker that is still being born.
        mine = {client: wait_until(lambda c=client: pid_serving(c.socket, proxy.worker_pids()),
                                   what="a worker for each client") for client in clients}
        for number, client in enumerate(clients):
            client.send(encode("GET", f"k{number}") * 200)
        os.kill(victim, signal.SIGKILL)
        for number, client in enumerate(clients):
            expected = b"$%d\r\n%d\r\n" % (len(str(number)), number) * 200
            if mine[client] != victim:
                assert client.read_exactly(len(expected)) == expected
            else:
                assert expected.startswith(client.read_to_end()), "another client's reply"
                client.close()
                clients[number] = proxy.redis()
        proxy.wait_workers(3, without=[victim])
    assert workers != proxy.worker_pids()


def test_a_closed_port_is_refused_at_once(start_proxy):
    proxy = start_proxy({"p": pool([f"127.0.0.1:{free_port()}:1"], redis=True)})
    with proxy.redis() as client:
        client.send(encode("GET", "k") * 1000)
        assert client.read_replies(1000) == [error("Connection refused")] * 1000
