# SPDX-License-Identifier: Apache-2.0
"""Replies: clients that take them slowly or not at all, and what that costs others."""

import contextlib
import os
import threading
import time

import pytest

from clients import RespError, encode
from harness import (DEADLINE_S, MemcachedServer, RedisServer, is_alive, pool, spread_keys, stopped,
                     wait_until)
from hostile import ScriptedServer, bulk, check, wait_settled
from memory import MB, Growth, Others, pool_stats, read_at_most, value_of_size
from reloader import Reloader

NO_ROOM = "OOM no room for this reply in the proxy's max_memory"
LARGE = int(os.environ.get("RM_LARGE_VALUE_MB", "64")) * MB


@pytest.fixture
def one_server(start_proxy, start_server):
    """one_server(megabytes, **settings) -> (proxy, its one worker, its one Redis, small keys)."""

    def start(megabytes=256, kind=RedisServer, **settings):
        server = start_server(kind)
        settings = {"redis": kind is RedisServer, "timeout": 20000, **settings}
        proxy = start_proxy({"p": pool([server], **settings)}, workers=1,
                            process={"max_memory": f"{megabytes}m"})
        [worker] = proxy.wait_workers()
        keys = spread_keys(10)
        if kind is RedisServer:
            with server.client() as client:
                for key in keys:
                    client.call("SET", key, key)
        return proxy, worker, server, keys

    return start


def queued(proxy):
    return sum(server["out_queue"] for server in proxy.stats()["p"].values()
               if isinstance(server, dict))


def is_served(proxy, keys):
    """Each reply comes soon."""
    with proxy.redis(timeout=3) as newcomer, contextlib.suppress(TimeoutError):
        for key in keys:
            assert newcomer.call("GET", key) == key.encode()
        return True
    return False


# ---- large values -----------------------------------------------------------------------------------


def test_a_large_value_both_ways_beside_others(one_server):
    """To a reader at 50 MB/s: it costs little memory, others go on at the same server."""
    proxy, worker, server, keys = one_server(max(256, LARGE // MB * 5 // 4))
    value = value_of_size(LARGE)
    with proxy.redis(timeout=60) as client, Others(proxy, keys, 2) as others:
        growth = Growth(worker)
        assert client.call("SET", "large", value) == "OK"
        growth.assert_below(LARGE + 16 * MB)
        others.wait_more(100)
        growth.wait_returned()
        growth = Growth(worker)
        client.send(encode("GET", "large"))
        assert client.read_line() == b"$%d\r\n" % LARGE
        half = LARGE // 2
        head = read_at_most(client, half, 50 * MB)
        # The others may all be behind the half reply. So may a newcomer, when it comes while the
        # reader does not lag: then the next one is served.
        wait_until(lambda: is_served(proxy, keys * 10), what="a newcomer to be served")
        assert head + read_at_most(client, LARGE - half, 50 * MB) == value
        assert client.read_exactly(2) == b"\r\n"
        growth.assert_below(16 * MB)
        assert client.call("GET", keys[0]) == keys[0].encode()
        others.wait_more(100)
    with server.client() as direct:
        assert direct.call("STRLEN", "large") == LARGE
    assert pool_stats(proxy)["clients_dropped"] == 0


def test_a_large_memcached_value_both_ways(one_server):
    proxy, worker, _, _ = one_server(128, MemcachedServer)
    value = value_of_size(30 * MB)
    with proxy.memcached() as client:
        growth = Growth(worker)
        assert client.set(b"large", value) == b"STORED\r\n"
        growth.assert_below(46 * MB)
        growth.wait_returned()
        growth = Growth(worker)
        assert client.get(b"large") == value
        growth.assert_below(16 * MB)
        assert client.set(b"usual", value[:1000000]) == b"STORED\r\n"
        assert client.get(b"usual") == value[:1000000]


# ---- clients that read nothing ------------------------------------------------------------------------


def test_a_steady_slow_reader_gets_all_its_replies_whatever_the_timeout(one_server):
    """Its connection is held while it lags: the clock of its own requests there stands still."""
    proxy, _, server, _ = one_server(timeout=2000)  # it takes 2.7 s at least
    value = value_of_size(2 * MB)
    with server.client() as direct:
        direct.call("SET", "v", value)
    with proxy.redis(timeout=60) as client:
        client.send(encode("GET", "v") * 20)
        for _ in range(20):
            assert client.read_line() == b"$%d\r\n" % len(value)
            assert read_at_most(client, len(value), 15 * MB) == value
            assert client.read_exactly(2) == b"\r\n"
    stats = pool_stats(proxy)
    assert stats["clients_dropped"] == 0 and stats["forward_error"] == 0


@pytest.mark.slow
def test_a_client_that_asks_for_much_and_reads_nothing_goes(one_server):
    """Two hundred values of 1 MB: little is kept of them, others go on, the client is closed."""
    proxy, worker, server, keys = one_server(256, timeout=3000)
    with server.client() as direct:
        direct.call("SET", "megabyte", value_of_size(MB))
    with Others(proxy, keys) as others, proxy.redis(receive_buffer_bytes=4096) as lazy:
        others.wait_more(100)
        growth = Growth(worker)
        lazy.send(encode("GET", "megabyte") * 200)
        others.wait_more(2000)
        timed_out = [0]  # before it is closed: then all it has asked for is read, which takes time

        def is_closed():
            seen = others.timed_out
            if pool_stats(proxy)["clients_dropped"] == 1:
                return True
            timed_out.append(seen)
            return False

        wait_until(is_closed, what="the client to be closed")
        growth.assert_below(16 * MB)
        others.wait_more(1000)
        assert timed_out[-1] <= 8  # each client once, at most
    assert "takes none of its replies" in proxy.log_text()
    growth.wait_returned()
    assert is_alive(worker)
    wait_settled(proxy)


@pytest.mark.slow
def test_many_clients_that_read_nothing_stay_within_max_memory(one_server):
    """Forty of them at one server: there are not so many spare connections."""
    proxy, worker, server, keys = one_server(64, timeout=3000)
    with server.client() as direct:
        direct.call("SET", "large", value_of_size(2 * MB))
    with contextlib.ExitStack() as stack, Others(proxy, keys) as others:
        growth = Growth(worker)
        for _ in range(40):
            lazy = stack.enter_context(proxy.redis(receive_buffer_bytes=4096))
            lazy.send(encode("GET", "large") * 5)
        # Most of what they have asked for times out behind those that hold a connection.
        wait_until(lambda: queued(proxy) < 20, 60, "the large replies to be through")
        growth.assert_below(64 * MB + 16 * MB)
        others.wait_more(100)


# ---- the order of a client's requests -----------------------------------------------------------------


@pytest.mark.parametrize("reloaded", [False, True], ids=["as-it-is", "reloaded"])
def test_a_later_request_never_overtakes_an_earlier_one_on_a_spare(start_proxy, reloaded):
    """A SET waits behind a large reply whose client reads nothing. The GET after it must not take
    the spare connection; the requests of others do. The held connection, the spare and who is tied
    to which go to a new generation together."""
    at = {}  # request: its connection

    def script(words, connection, _):
        at[b" ".join(words[:2])] = connection
        if words[1] == b"large":
            server.gate.wait(30)
            connection.sendall(bulk(bytes(64 * MB)))
            return True
        return None

    with ScriptedServer(script) as server:
        reloader = Reloader(start_proxy, {"p": pool([server], redis=True, timeout=0)}, workers=1,
                            arguments=("-v", "7"))
        proxy = reloader.proxy
        numbers = lambda: proxy.stats()["p"][f"127.0.0.1:{server.port}"]
        with proxy.redis(receive_buffer_bytes=4096) as reader, proxy.redis() as writer, \
                proxy.redis() as other:
            reader.send(encode("GET", "large"))
            server.wait_for_request(b"large")
            writer.send(encode("SET", "key", "new"))
            wait_until(lambda: numbers()["out_queue"] == 2, what="the SET behind the large reply")
            server.gate.set()
            wait_until(lambda: "a spare serves others" in proxy.log_text(),
                       what="the connection to stop")
            assert other.call("SET", "before", "1") == "OK"
            if reloaded:
                reloader.reload({"p": {**reloader.pools["p"], "server_retry_timeout": 20000}})
            writer.send(encode("GET", "key"))
            for i in range(20):  # whoever comes now is served at once
                assert other.call("SET", f"other{i}", "1") == "OK"
            assert at[b"SET other19"] is at[b"SET before"] is not at[b"GET large"]
            assert b"GET key" not in at, "the GET has overtaken the SET before it"
            held_until = time.monotonic()
            assert len(reader.read_reply()) == 64 * MB
            assert writer.read_reply() == "OK"
            assert check(b"key", writer.read_reply())
            assert at[b"GET key"] is at[b"SET key"] is at[b"GET large"]
            # All is as before: one connection. Not at once: a reader that had a pause of its own
            # has held the connection once more.
            wait_until(lambda: writer.call("SET", "last", "1") == "OK" and
                       at[b"SET last"] is at[b"GET large"], what="the usual connection to be used")
            wait_until(lambda: numbers()["server_connections"] == 1, what="the spare to close")
            # It stays for a second: the reader may stop again.
            assert time.monotonic() - held_until >= 1
        wait_settled(proxy)


@pytest.mark.slow
def test_a_large_reply_that_breaks_off_while_its_client_lags(start_proxy):
    """The server goes while its connection stands still: the half reply ends its client, nobody
    else's request is lost but those behind it."""

    def script(words, connection, _):
        if words[1] == b"large":
            connection.sendall(b"$%d\r\n" % (64 * MB) + bytes(40 * MB))
            raise EOFError
        return None

    with ScriptedServer(script) as server:
        proxy = start_proxy({"p": pool([server], redis=True, timeout=5000)}, workers=1)
        with proxy.redis(receive_buffer_bytes=4096) as reader, proxy.redis() as other:
            reader.send(encode("GET", "large"))
            server.wait_for_request(b"large")
            # One is behind it, and perhaps another one once its reader has been closed.
            served = sum(check(b"k%d" % i, other.call("GET", b"k%d" % i)) for i in range(200))
            assert served >= 190
            assert len(reader.read_to_end()) < 64 * MB
        wait_settled(proxy)


# ---- replies that wait for others ---------------------------------------------------------------------


def test_replies_that_wait_for_a_stopped_server_do_not_fill_the_memory(start_proxy, start_server):
    """One client asks a stopped server once, and another for far more than there is room for."""
    servers = [start_server(RedisServer) for _ in range(2)]
    proxy = start_proxy({"p": pool(servers, redis=True, timeout=0)}, workers=1,
                        process={"max_memory": "64m"})
    [worker] = proxy.wait_workers()
    value = value_of_size(300_000)
    with proxy.redis() as client:
        for key in spread_keys(60):
            client.call("SET", key, value)
        sleeping, awake = ([key.decode() for key in sorted(server.keys())[:10]]
                           for server in servers)
        growth = Growth(worker)
        with stopped([servers[0].process.pid]):
            client.send(encode("GET", sleeping[0]))
            for i in range(600):  # 180 MB; what may be in flight is more than there is, too
                client.send(encode("GET", awake[i % len(awake)]))
            with proxy.redis() as other:
                for key in awake * 20:
                    assert other.call("GET", key) == value
            growth.assert_below(64 * MB + 16 * MB)
        replies = client.read_replies(601)
        assert client.call("GET", awake[0]) == value
    assert replies[0] == value
    good = replies.count(value)
    refused = [reply for reply in replies if isinstance(reply, RespError)]
    assert good + len(refused) == 601
    # Those that were read when the server went on again had room.
    assert good >= 80 and len(refused) >= 100, good
    assert {str(reply) for reply in refused} == {NO_ROOM}


def test_a_joined_reply_larger_than_the_memory_is_an_error(start_proxy, start_server):
    servers = [start_server(RedisServer) for _ in range(2)]
    proxy = start_proxy({"p": pool(servers, redis=True, timeout=20000)}, workers=1,
                        process={"max_memory": "64m"})
    [worker] = proxy.wait_workers()
    value = value_of_size(MB)
    with proxy.redis() as client:
        keys = spread_keys(20)
        for key in keys:
            client.call("SET", key, value)
        assert client.call("MGET", *keys) == [value] * 20
        growth = Growth(worker)
        client.send(encode("MGET", *(keys * 10)) + encode("GET", keys[0]))
        refused, good = client.read_replies(2)
        assert isinstance(refused, RespError) and str(refused) == NO_ROOM
        assert good == value
        growth.assert_below(64 * MB + 16 * MB)
        assert client.call("MGET", *keys) == [value] * 20


@pytest.mark.parametrize("redis", [True, False])
def test_a_joined_reply_of_many_values_larger_than_the_memory_is_an_error(start_proxy, start_server,
                                                                          redis):
    """No single value is large, and the sum is known to nobody before it has come."""
    servers = [start_server(RedisServer if redis else MemcachedServer) for _ in range(2)]
    proxy = start_proxy({"p": pool(servers, redis=redis, timeout=0)}, workers=1,
                        process={"max_memory": "16m"})
    [worker] = proxy.wait_workers()
    connect = proxy.redis if redis else proxy.memcached
    keys, value = [key.encode() for key in spread_keys(20)], value_of_size(50_000)
    many = keys * 100  # 100 MB
    request = encode("MGET", *many) if redis else b"get %s\r\n" % b" ".join(many)
    error = f"-{NO_ROOM}\r\n" if redis else "SERVER_ERROR out of memory preparing response\r\n"

    def get(client):
        return client.call("GET", keys[0]) if redis else client.get(keys[0])

    with connect() as client, connect() as other:
        for key in keys:
            if redis:
                client.call("SET", key, value)
            else:
                client.set(key, value)
        growth = Growth(worker)
        client.send(request)
        assert client.read_line() == error.encode()
        growth.assert_below(24 * MB)
        assert get(client) == get(other) == value


def test_nothing_waits_for_the_rest_of_a_joined_reply_without_room(start_proxy):
    """One server's part does not fit, so the other's, half here, is of no use: it is dropped as it
    comes, and the client has its answer before either is whole."""
    goes_on = threading.Event()
    heads = {}  # of the replies, by server

    def script(words, connection, reply):
        if words[0].upper() != b"MGET":
            return None
        server = left if words[1] == on_left else right
        connection.sendall(heads[server])
        goes_on.wait(DEADLINE_S)
        with contextlib.suppress(OSError):
            connection.sendall(bytes(MB))
        server.gate.wait(DEADLINE_S)
        raise EOFError

    with ScriptedServer(script) as left, ScriptedServer(script) as right:
        heads[left] = b"*1\r\n$%d\r\n" % (8 * MB) + bytes(MB)
        heads[right] = b"*1\r\n$%d\r\n" % (100 * MB)
        proxy = start_proxy({"p": pool([left, right], redis=True, timeout=0)}, workers=1,
                            process={"max_memory": "64m"})
        with proxy.redis() as client:
            for key in spread_keys(20):
                client.call("GET", key)
            on_left, on_right = left.requests[0][1], right.requests[0][1]
            client.send(encode("MGET", on_left, on_right))
            wait_until(lambda: pool_stats(proxy)["out_of_memory"] == 1, what="a refused part")
            goes_on.set()
            assert str(client.read_reply()) == NO_ROOM
