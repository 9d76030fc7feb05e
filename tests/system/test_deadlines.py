# SPDX-License-Identifier: Apache-2.0
"""Whatever connection a request waits on, its time runs out: a worker looks after those alone that
have something outstanding, and must forget none of them."""

import contextlib

import pytest

from binary import TEMPORARY, BinaryClient, packet
from clients import RespError, encode
from gated import NamedServer
from harness import (FakeServer, MemcachedServer, RedisServer, let_time_pass, never_answer, pool,
                     stopped, wait_until)
from hostile import ScriptedServer, bulk

TIMEOUT_MS = 800  # long enough for an answer, though for once a busy machine may miss it
TIMED_OUT = RespError("ERR Connection timed out")
MB = 1 << 20


@pytest.fixture
def busy_elsewhere():
    """A pool for start_proxy and, once entered, a request in it that waits: so deadlines are checked
    all the time, also while nothing is outstanding in the pool of the test."""
    with NamedServer("elsewhere", gated=True) as server:

        @contextlib.contextmanager
        def ask(proxy):
            with proxy.redis("elsewhere") as client:
                client.send(encode("GET", "waits"))
                server.wait_for_bytes(b"waits")
                yield
                server.open()
                assert client.read_reply() == server.value(b"waits")

        ask.pool = pool([server], redis=True, timeout=60000)
        yield ask


def test_a_connection_that_was_idle_for_a_while(start_proxy, busy_elsewhere):
    with NamedServer("x") as x:
        proxy = start_proxy({"p": pool([x], redis=True, timeout=200),  # a check every 25 ms
                             "elsewhere": busy_elsewhere.pool}, workers=1)
        with busy_elsewhere(proxy), proxy.redis("p") as client:
            for i in range(3):
                x.open()
                # The late replies of the round before still come; then the connection is idle.
                wait_until(lambda: client.call("GET", "k") == x.value(b"k"), what="an answer")
                let_time_pass(0.1, "some checks find the connection idle")
                x.close_gate()
                client.send(encode("GET", f"a{i}"))
                assert client.read_reply() == TIMED_OUT


def test_every_one_of_several_connections(start_proxy):
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=TIMEOUT_MS,
                                       server_connections=4)}, workers=1)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(proxy.redis()) for _ in range(8)]
            for client in clients:
                client.send(encode("GET", "a") + encode("GET", "b"))
            assert [client.read_replies(2) for client in clients] == [[TIMED_OUT] * 2] * 8
            wait_until(lambda: fake.connections >= 4, what="several connections")


def test_the_connections_of_both_dialects_of_redis(start_proxy, start_server):
    server = start_server(RedisServer)
    proxy = start_proxy({"p": pool([server], redis=True, timeout=TIMEOUT_MS)}, workers=1)
    with proxy.redis() as plain, proxy.redis() as resp3:
        wait_until(lambda: plain.call("SET", "k", "v") == "OK", what="an answer")
        resp3.send(encode("HELLO", 3) + encode("PING"))
        while resp3.read_line() != b"+PONG\r\n":
            pass
        with stopped([server.process.pid]):
            for client in (plain, resp3):
                client.send(encode("GET", "k"))
            for client in (plain, resp3):
                assert client.read_reply() == TIMED_OUT


def test_the_connections_of_both_dialects_of_memcached(start_proxy, start_server):
    server = start_server(MemcachedServer)
    proxy = start_proxy({"p": pool([server], timeout=TIMEOUT_MS)}, workers=1)
    with proxy.memcached() as text, BinaryClient(proxy.address()) as binary:
        wait_until(lambda: text.set("k", b"v") == b"STORED\r\n", what="an answer")
        wait_until(lambda: binary.get(b"k") == b"v", what="an answer")
        with stopped([server.process.pid]):
            text.send(b"get k\r\n")
            binary.send(packet("get", b"k"))
            assert text.read_line() == b"SERVER_ERROR Connection timed out\r\n"
            assert binary.read_reply().status == TEMPORARY


def test_a_spare_and_the_connection_that_is_held(start_proxy):
    """A slow reader holds the only connection; the request of another client waits on a spare."""

    def script(words, connection, _):
        if words[1] == b"large":
            connection.sendall(bulk(bytes(64 * MB)))
            return True
        return server.gate.wait(30) if words[1] == b"never" else None

    with ScriptedServer(script) as server:
        proxy = start_proxy({"p": pool([server], redis=True, timeout=TIMEOUT_MS)}, workers=1,
                            arguments=("-v", "7"))
        with proxy.redis(receive_buffer_bytes=4096) as reader, proxy.redis() as other:
            reader.send(encode("GET", "large"))
            wait_until(lambda: "a spare serves others" in proxy.log_text(),
                       what="the connection to stop")
            wait_until(lambda: other.call("SET", "k", "v") == "OK", what="an answer")
            assert other.call("GET", "never") == TIMED_OUT
            server.gate.set()


def test_a_connection_of_a_former_generation(start_reloadable):
    """Its server is out of the config, its request has the time it had."""
    with NamedServer("old", gated=True) as old, NamedServer("new") as new:
        settings = pool([old], redis=True, timeout=TIMEOUT_MS)
        reloader = start_reloadable({"p": settings}, process={"drain_timeout": 60000})
        with reloader.proxy.redis() as client:
            client.send(encode("GET", "a"))
            old.wait_for_bytes(b"\r\na\r\n")
            # Who comes later has more time: the new server's answer may be late.
            reloader.reload({"p": {**settings, "timeout": 20000,
                                   "servers": pool([new])["servers"]}})
            client.send(encode("GET", "b"))
            assert client.read_replies(2) == [TIMED_OUT, new.value(b"b")]


def test_a_connection_that_was_handed_over(start_reloadable):
    """What was asked before the reload has the time it had, what comes after it has the new one."""
    with NamedServer("x", gated=True) as x:
        settings = pool([x], redis=True, timeout=2000)
        reloader = start_reloadable({"p": settings}, process={"drain_timeout": 60000})
        with reloader.proxy.redis() as client:
            client.send(encode("GET", "a"))
            x.wait_for_bytes(b"\r\na\r\n")
            reloader.reload({"p": {**settings, "timeout": 500}})
            client.send(encode("GET", "b"))
            assert client.read_replies(2) == [TIMED_OUT] * 2
            assert x.connections == 1
