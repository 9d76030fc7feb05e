# SPDX-License-Identifier: Apache-2.0
"""Requests: what they may take of max_memory, and what becomes of those that do not fit."""

import contextlib
import os
import signal
import threading
import time

import pytest

from clients import RespError, encode
from gated import NamedServer
from harness import (FakeServer, MemcachedServer, RedisServer, is_alive, let_time_pass, never_answer,
                     pool, spread_keys, stopped, wait_until)
from memory import (MB, TIMED_OUT, Growth, Others, all_pool_stats, few_cpu_seconds, pool_stats,
                    send_zeros, set_head, value_of_size)
from reloader import is_sanitized

PINGS = 4000  # 56 KB: less than one read
OUT_OF_MEMORY = "OOM no room for this request in the proxy's max_memory"


@pytest.fixture
def limited(start_proxy, redis_servers):
    """limited(megabytes, **settings) -> (proxy, its one worker) in front of four Redis servers."""

    def start(megabytes, servers=None, **settings):
        settings = {"redis": True, "timeout": 10000, **settings}
        proxy = start_proxy({"p": pool(servers or redis_servers, **settings)}, workers=1,
                            process={"max_memory": f"{megabytes}m"})
        [worker] = proxy.wait_workers()
        return proxy, worker

    return start


def is_out_of_memory(reply):
    return isinstance(reply, RespError) and str(reply) == OUT_OF_MEMORY


def test_a_value_that_does_not_fit_is_refused_in_its_place(limited):
    proxy, worker = limited(32)
    with proxy.redis() as client:
        client.call("SET", "small", "1")
        growth = Growth(worker)
        client.send(encode("SET", "small", "2") + encode("GET", "small") + set_head(b"big", 64 * MB))
        send_zeros(client, 64 * MB)
        client.send(b"\r\n" + encode("GET", "small") + encode("GET", "big"))
        first, second, refused, fourth, fifth = client.read_replies(5)
        assert (first, second, fourth, fifth) == ("OK", b"2", b"2", None)
        assert is_out_of_memory(refused), refused
        growth.assert_below(8 * MB)
        # The next one that fits is taken.
        value = value_of_size(16 * MB)
        assert client.call("SET", "big", value) == "OK"
        assert client.call("GET", "big") == value
    assert proxy.wait_workers() == [worker]


def test_a_request_of_many_values_that_does_not_fit_is_refused_in_its_place(limited):
    """No single value is large, and the sum is known to nobody before it has come."""
    proxy, worker = limited(32)
    words = ["MSET"]
    for i in range(640):
        words += [f"m{i}", value_of_size(100_000, i)]
    with proxy.redis() as client:
        growth = Growth(worker)
        for _ in range(3):
            client.send(encode("SET", "a", "1") + encode(*words) + encode("GET", "a"))
            first, refused, last = client.read_replies(3)
            assert (first, last) == ("OK", b"1")
            assert is_out_of_memory(refused), refused
        assert client.call("GET", "m0") is None
        # Half of the share and its copy for the move to a larger buffer.
        growth.assert_below(48 * MB)
        # One that fits.
        assert client.call(*words[:2 * 60 + 1]) == "OK"
        assert client.call("MGET", *words[1:121:2]) == words[2:122:2]


def test_half_sent_bodies_never_wait_for_each_other(limited):
    """More is announced than there is: some are refused, the others arrive, whoever goes first."""
    proxy, worker = limited(64)
    size = 20 * MB
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(6)]
        growth = Growth(worker)
        for i, client in enumerate(clients):
            client.send(set_head(b"body%d" % i, size))
            send_zeros(client, size // 2)
        with proxy.redis() as other:
            assert other.call("SET", "k", "v") == "OK"  # others are served meanwhile
            assert other.call("GET", "k") == b"v"
        for client in reversed(clients):
            send_zeros(client, size - size // 2)
            client.send(b"\r\n" + encode("PING"))
        outcomes = [client.read_replies(2) for client in clients]
    assert all(pong == "PONG" for _, pong in outcomes)
    good = [reply for reply, _ in outcomes if reply == "OK"]
    refused = [reply for reply, _ in outcomes if is_out_of_memory(reply)]
    assert len(good) + len(refused) == 6 and 2 <= len(good) <= 3, outcomes
    growth.assert_below(64 * MB)


def test_thousands_of_half_sent_small_requests_leave_room_for_others(limited):
    """Each of them is less than a page; those that do not fit are refused in their place."""
    proxy, worker = limited(8)
    half = set_head(b"small", 3990) + bytes(3900)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(3000)]
        growth = Growth(worker)
        for client in clients:
            client.send(half)
        wait_until(lambda: pool_stats(proxy)["out_of_memory"] >= 100, what="refused ones")
        with proxy.redis() as other:
            for _ in range(100):
                assert other.call("SET", "k", "v") == "OK"
                assert other.call("GET", "k") == b"v"
        growth.assert_below(16 * MB)
        for client in clients:
            client.send(bytes(90) + b"\r\n" + encode("PING"))
        outcomes = [client.read_replies(2) for client in clients]
    assert all(pong == "PONG" for _, pong in outcomes)
    good = [reply for reply, _ in outcomes if reply == "OK"]
    refused = [reply for reply, _ in outcomes if is_out_of_memory(reply)]
    assert len(good) + len(refused) == 3000 and len(good) >= 200 and len(refused) >= 100


def send_cut_requests(proxy, client):
    """A Redis request and a line, in two pieces each, between which the proxy has had a turn."""
    for _ in range(20):
        request = encode("SET", "k", bytes(1000))
        client.send(request[:600])
        assert proxy.command("status")[0] == 0
        client.send(request[600:] + b"GET " + b"k" * 1000)
        assert client.read_reply() == "OK"
        client.send(b"\r\n")
        assert client.read_reply() is None


def test_a_large_upload_costs_nobody_a_cut_request(limited):
    """It may have fifteen sixteenths of the memory; requests come in pieces all the same."""
    proxy, _ = limited(16)
    with proxy.redis() as uploader, proxy.redis() as other:
        uploader.send(set_head(b"big", 15 * MB - 100) + bytes(1000))
        send_cut_requests(proxy, other)


def test_idle_half_requests_cost_nobody_a_cut_request(limited):
    """More of them than stashes have for their own, but half of the memory is free."""
    proxy, _ = limited(8)
    with contextlib.ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(proxy.redis()).send(set_head(b"small", 3990) + bytes(3900))
        send_cut_requests(proxy, stack.enter_context(proxy.redis()))
    assert pool_stats(proxy)["out_of_memory"] == 0


def test_a_refused_request_takes_the_skip_that_was_meant_for_it(limited):
    proxy, _ = limited(16)
    with proxy.redis() as client:
        client.send(encode("CLIENT", "REPLY", "SKIP") + set_head(b"big", 64 * MB))
        send_zeros(client, 64 * MB)
        client.send(b"\r\n" + encode("ECHO", "x") + encode("ECHO", "y"))
        assert client.read_replies(2) == [b"x", b"y"]


@pytest.mark.parametrize("requests", [encode("SET", "k", bytes(60_000)),
                                      encode("GET", "k") * 300, encode("MGET", "k", "l") * 300],
                         ids=["sets", "gets", "mgets"])
def test_a_server_that_hangs_does_not_take_the_memory_of_others(start_proxy, redis_servers,
                                                                requests):
    """Without a timeout its requests stay, also of clients that have left. It takes none of them,
    or reads all and answers none, and has done so for a while."""
    reads = b"SET" not in requests
    behave = never_answer if reads else lambda connection, fake: fake.never_reads.wait()
    with FakeServer(behave) as hanging:
        hanging.never_reads = threading.Event()
        pools = {"a": pool([hanging], redis=True, timeout=0),
                 "b": pool(redis_servers[:1], redis=True, timeout=0),
                 "clock": pool([hanging], redis=True, timeout=2300)}
        proxy = start_proxy(pools, workers=1, process={"max_memory": "16m"})
        [worker] = proxy.wait_workers()
        with proxy.redis("b") as other, contextlib.ExitStack() as stack:
            growth = Growth(worker)
            first = stack.enter_context(proxy.redis("a"))
            first.send(encode("GET", "k"))
            # For 2 s that the worker counts: none in which it stands still.
            with proxy.redis("clock") as clock:
                assert clock.call("GET", "k") == TIMED_OUT
            for _ in range(600):
                with proxy.redis("a") as leaver:
                    leaver.send(requests)
                assert other.call("SET", "k", "v") == "OK"
            growth.assert_below(24 * MB)
            assert other.call("GET", "k") == b"v"
            stats = all_pool_stats(proxy)
            assert stats["a"]["out_of_memory"] > 0 and stats["b"]["out_of_memory"] == 0
        hanging.never_reads.set()


def test_a_client_that_leaves_in_the_middle_of_a_body_gives_its_memory_back(limited):
    proxy, _ = limited(32)
    for refused in (False, True) * 3:
        with proxy.redis() as leaver:
            leaver.send(set_head(b"big", (64 if refused else 24) * MB))
            send_zeros(leaver, 8 * MB)
        with proxy.redis() as client:
            value = value_of_size(24 * MB)
            wait_until(lambda: client.call("SET", "big", value) == "OK",
                       what="the memory of the one that left")


def test_memcached_bodies_and_many_clients(start_proxy, start_server):
    server = start_server(MemcachedServer)
    proxy = start_proxy({"p": pool([server], timeout=10000)}, workers=1,
                        process={"max_memory": "32m"})
    [worker] = proxy.wait_workers()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.memcached()) for _ in range(6)]
        growth = Growth(worker)
        size = 10 * MB
        for i, client in enumerate(clients):
            client.send(b"set a%d 0 0 1\r\nx\r\nset big%d 0 0 %d\r\n" % (i, i, size))
            send_zeros(client, size // 2)
        for i, client in enumerate(clients):
            send_zeros(client, size - size // 2)
            client.send(b"\r\nget a%d\r\n" % i)
        outcomes = []
        for i, client in enumerate(clients):
            assert client.read_line() == b"STORED\r\n"
            outcomes.append(client.read_line())
            assert client.read_line() == b"VALUE a%d 0 1\r\n" % i
            assert client.read_exactly(8) == b"x\r\nEND\r\n"
    refusal = b"SERVER_ERROR out of memory storing object\r\n"
    assert outcomes.count(b"STORED\r\n") in (2, 3)
    assert outcomes.count(b"STORED\r\n") + outcomes.count(refusal) == 6
    growth.assert_below(32 * MB)


# ---- a server that does not read -------------------------------------------------------------------


@pytest.mark.slow
def test_many_writers_at_a_stopped_server(limited, start_server):
    """A hundred clients with 200 SETs of 64 KB each, 1.3 GB: they wait outside; the rest goes on."""
    servers = [start_server(RedisServer) for _ in range(2)]
    proxy, worker = limited(256, servers, timeout=0)
    with proxy.redis() as client:
        for key in spread_keys(60):
            client.call("SET", key, key)
    sleeping, awake = servers
    keys = sorted(key.decode() for key in awake.keys())
    slow_key = sorted(sleeping.keys())[0]
    assert keys
    clients_count, each = (100, 200) if not is_sanitized() else (20, 200)
    requests = encode("SET", slow_key, value_of_size(64 << 10)) * each
    with contextlib.ExitStack() as stack:
        growth = Growth(worker)
        writers = []
        with stopped([sleeping.process.pid]):
            for _ in range(clients_count):
                writer = stack.enter_context(proxy.redis())
                writer.socket.setblocking(False)
                writers.append([writer, memoryview(requests)])
            sent = push(writers)
            with Others(proxy, keys) as others:
                others.wait_more(500)
            sent += push(writers)
            with few_cpu_seconds(worker, 0.3):
                let_time_pass(1.0, "nothing happens while all wait")
            assert sent < clients_count * len(requests) // 2, "the rest waits outside"
            growth.assert_below(100 * MB)
        finish(writers, each)
        growth.assert_below(100 * MB)
    growth.wait_returned()


def push(writers):
    """Sends what the sockets take; returns the bytes."""
    sent = 0
    moving = True
    while moving:
        moving = False
        for entry in (entry for entry in writers if entry[1]):
            with contextlib.suppress(BlockingIOError):
                count = entry[0].socket.send(entry[1][:256 << 10])
                entry[1] = entry[1][count:]
                sent += count
                moving = True
    return sent


def finish(writers, each):
    """All is sent and answered; nobody is left behind while others go on."""

    def all_sent():
        push(writers)
        return not any(rest for _, rest in writers)

    wait_until(all_sent, 60, what="every writer to get its turn")
    for writer, _ in writers:
        writer.socket.settimeout(30)
        assert writer.read_replies(each) == ["OK"] * each


@pytest.mark.parametrize("reads", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_requests_behind_one_that_waits_stay_within_max_memory(limited, reads):
    """HELLO and RESET wait for all earlier replies, and what was read behind them waits, too."""
    with NamedServer("slow") as slow, NamedServer("quick") as quick:
        proxy, worker = limited(16, [slow, quick], timeout=60000)
        keys = spread_keys(60)
        with proxy.redis() as client:
            for key in keys:
                assert client.call("SET", key, key) == "OK"
        slow_key, quick_key = (next(key for key in keys if key.encode() in server.keys)
                               for server in (slow, quick))
        one_large = encode("SET", slow_key, value_of_size(40_000))
        first, half = encode("SET", slow_key, "1"), encode("PING") * (PINGS // 2)
        behind = encode("RESET") + half + first + encode("RESET") + half
        clients_count = 400
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(proxy.redis()) for _ in range(clients_count)]
            for client in clients:  # who sends large requests is read in large pieces
                client.send(one_large)
                assert client.read_replies(1) == ["OK"]
            growth = Growth(worker)
            slow.close_gate()
            asked = len(slow.keys)
            for client in clients:
                client.send(first if reads == 2 else first + behind)
            if reads == 2:  # what waits is a read of its own
                wait_until(lambda: len(slow.keys) >= asked + clients_count, what="the SETs")
                for client in clients:
                    client.send(behind)
            wait_until(lambda: pool_stats(proxy)["out_of_memory"] > 0,
                       what="the share to be used up")
            with proxy.redis() as other:
                assert other.call("GET", quick_key) == b"quick:" + quick_key.encode()
            slow.open()
            refused = 0
            for client in clients:
                done, changed = client.read_replies(2)
                assert done == "OK"
                if is_out_of_memory(changed):
                    refused += 1
                    assert client.read_to_end() == b""
                else:  # who has been admitted stays so
                    assert changed == "RESET"
                    assert client.read_replies(PINGS // 2) == ["PONG"] * (PINGS // 2)
                    assert client.read_replies(2) == ["OK", "RESET"]
                    assert client.read_replies(PINGS // 2) == ["PONG"] * (PINGS // 2)
            assert 0 < refused < clients_count
            growth.assert_below(24 * MB)


# ---- the clock of half-sent bodies -----------------------------------------------------------------


@pytest.mark.slow
def test_a_body_without_a_byte_for_30_s_goes_with_its_client(limited):
    proxy, worker = limited(64)
    with proxy.redis() as silent, proxy.redis() as alive:
        began = time.monotonic()
        silent.send(set_head(b"a", 30 * MB))
        alive.send(set_head(b"b", 20 * MB))
        trickled = 0
        while not silent.is_closed_by_peer():
            # The proxy does not count the time in which it stands still itself.
            assert time.monotonic() - began < 120, "the silent client is still there"
            let_time_pass(0.5, "a byte now and then keeps the other body alive")
            alive.send(b"\0")
            trickled += 1
        assert time.monotonic() - began > 29
        send_zeros(alive, 20 * MB - trickled)
        alive.send(b"\r\n")
        assert alive.read_reply() == "OK"
        assert alive.call("SET", "a", value_of_size(40 * MB)) == "OK"
    assert is_alive(worker)
    assert "sent nothing more of the request" in proxy.log_text()


def test_a_stop_with_half_sent_bodies_is_not_held_up(limited):
    proxy, _ = limited(64)
    with proxy.redis() as one, proxy.redis() as two:
        one.send(set_head(b"a", 30 * MB) + b"x" * 100000)
        two.send(set_head(b"b", 50 * MB) + b"x" * 100000)
        with proxy.redis() as client:
            assert client.call("SET", "k", "v") == "OK"
        os.kill(proxy.pid, signal.SIGTERM)
        assert proxy.wait_exit() == 0
