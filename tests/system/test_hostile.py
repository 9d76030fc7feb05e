# SPDX-License-Identifier: Apache-2.0
"""Servers that lie and clients that misbehave. Never another's reply, never a hang, nothing left.

Every reply is compared with what its key must give (hostile.py). After each test the gauges of the
proxy are back at zero. RM_SOAK_SECONDS and RM_SOAK_SEED steer the soak.
"""

import contextlib
import os
import random
import signal
import socket
import threading
import time

import pytest

from clients import RespError, encode
from harness import (free_port, is_alive, open_descriptors, pool, reset, run_binary, spread_keys,
                     stopped, wait_until)
from hostile import (Chaos, ScriptedServer, check, honest_resp_reply, lie, value_of, wait_settled)

INVALID = RespError("ERR Invalid argument")
CLOSED = RespError("ERR unknown")
RESET = RespError("ERR Connection reset by peer")
TIMED_OUT = RespError("ERR Connection timed out")
MEGABYTE = 1 << 20


@pytest.fixture
def scripted(start_proxy):
    """scripted(script, ...) -> (proxy, servers): one worker in front of `count` scripted servers."""
    with contextlib.ExitStack() as stack:

        def start(script=None, count=1, memcached=False, workers=1, **settings):
            servers = [stack.enter_context(ScriptedServer(script, memcached=memcached))
                       for _ in range(count)]
            settings = {"timeout": 5000, "redis": not memcached, **settings}
            return start_proxy({"p": pool(servers, **settings)}, workers=workers), servers

        yield start


def keys_of_both(proxy, servers):
    """A few keys per server, as the proxy places them."""
    keys = [key.encode() for key in spread_keys(60)]
    with proxy.redis() as client:
        for key in keys:
            assert check(key, client.call("GET", key))
    placed = [[key for key in keys if [b"GET", key] in server.requests] for server in servers]
    assert all(len(one) >= 4 for one in placed)
    return placed


def requests_sent(proxy):
    return sum(entry["requests"] for entry in proxy.stats()["p"].values() if isinstance(entry, dict))


# ---- servers that lie --------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("reply", [b"$5\r\nhello\r\n", b"*2\r\n$1\r\na\r\n*1\r\n:-12\r\n", b"+OK\r\n"])
def test_a_server_that_ends_after_every_byte_of_a_reply(scripted, reply, end):
    def script(words, connection, _):
        if not words[1].startswith(b"cut"):
            return None
        connection.sendall(reply[:int(words[1][3:])])
        if end == "reset":
            reset(connection)
        raise EOFError

    proxy, _ = scripted(script)
    with proxy.redis() as client, proxy.redis() as other:
        for cut in range(len(reply)):
            client.send(encode("GET", "first") + encode("GET", f"cut{cut}") + encode("GET", "behind"))
            assert check(b"first", client.read_reply())
            # A reset is told as the end of the stream when bytes came just before it.
            assert client.read_reply() in (CLOSED, RESET), cut
            assert client.read_reply() in (CLOSED, RESET), cut
            assert check(b"other", other.call("GET", "other"))
        assert client.has_no_more() and other.has_no_more()
    wait_settled(proxy)


def test_a_memcached_server_that_ends_after_every_byte_of_a_reply(scripted):
    reply = b"VALUE cut 0 5\r\nhello\r\nVALUE k 1 0\r\n\r\nEND\r\n"
    lengths = iter(range(len(reply)))

    def script(words, connection, _):
        if words[1] != b"cut":
            return None
        connection.sendall(reply[:next(lengths)])
        raise EOFError

    proxy, _ = scripted(script, memcached=True)
    with proxy.memcached() as client:
        for _ in range(len(reply)):
            client.send(b"get first\r\nget cut\r\nget behind\r\n")
            assert client.read_values()[0][:2] == (b"first", value_of(b"first"))
            assert client.read_line() == b"SERVER_ERROR unknown\r\n"
            assert client.read_line() == b"SERVER_ERROR unknown\r\n"
        assert client.has_no_more()
    wait_settled(proxy)


@pytest.mark.parametrize("wrong", [
    b"garbage\r\n", b"\0\0\0\0", b"\r\n", b"*4294967297\r\n", b"*99999999999999999999\r\n",
    b"$536870913\r\n", b"$-2\r\n", b"$-1x", b"*-2\r\n", b"$+5\r\nhello\r\n", b"$5\r\nhelloXX", b":12a\r\n",
    b":\r\n", b"+no end\n", b"*2\r\n:1\r\n?", b"_\r\n", b"%1\r\n",
    b"~1\r\n", b">1\r\n", b"(1\r\n", b",1.5\r\n", b"#t\r\n", b"=5\r\n", b"|1\r\n",
    b"*1\r\n" * 1000 + b"!",
], ids=lambda wrong: repr(wrong[:12]))
def test_what_is_no_reply_ends_the_connection_and_reaches_nobody(scripted, wrong):
    proxy, (server,) = scripted(lie({b"lie": wrong}))
    with proxy.redis() as client, proxy.redis() as other:
        client.send(encode("GET", "before") + encode("GET", "lie") + encode("GET", "behind"))
        assert check(b"before", client.read_reply())
        assert client.read_reply() == INVALID
        assert client.read_reply() == INVALID
        for key in (b"a", b"b"):
            assert check(key, other.call("GET", key))
            assert check(key, client.call("GET", key))
        assert server.connections == 2
    wait_settled(proxy)


@pytest.mark.parametrize("endless", [b"$500000000\r\n", b"*500000\r\n" + b":1\r\n" * 20_000, b"+" * 70_000],
                         ids=lambda endless: repr(endless[:12]))
def test_an_endless_answer_to_the_handshake_ends_the_connection(scripted, endless):
    """It would be kept until it is whole, and no request has a deadline before it is sent."""
    answered = threading.Event()

    def script(words, connection, reply):
        if words[0] == b"AUTH" and not answered.is_set():
            answered.set()
            connection.sendall(endless)
            return True
        return words[0] == b"AUTH" and connection.sendall(b"+OK\r\n") is None

    proxy, (server,) = scripted(script, redis_auth="secret")
    with proxy.redis() as client:
        assert client.call("AUTH", "secret") == "OK"
        assert client.call("GET", "a") == INVALID
        assert check(b"b", client.call("GET", "b"))
        assert server.connections == 2
    wait_settled(proxy)


@pytest.mark.parametrize("reply", [
    b"*-1\r\n", b"$-1\r\n", b"*0\r\n", b"$0\r\n\r\n", b"-WRONGTYPE x\r\n", b":-9223372036854775808\r\n",
    b"*1\r\n" * 100_000 + b":1\r\n", b"*3\r\n*-1\r\n$-1\r\n*0\r\n", b"*70000\r\n" + b":1\r\n" * 70_000,
    b"+" + b"x" * (MEGABYTE - 100) + b"\r\n", b"-" + b"x" * (5 * MEGABYTE) + b"\r\n",
    b"*2\r\n-" + b"x" * (2 * MEGABYTE) + b"\r\n:1\r\n",
], ids=lambda reply: repr(reply[:12]))
def test_odd_but_legal_replies_pass_unchanged(scripted, reply):
    proxy, (server,) = scripted(lie({b"odd": reply}))
    with proxy.redis() as client:
        client.send(encode("GET", "before") + encode("GET", "odd") + encode("GET", "behind"))
        assert check(b"before", client.read_reply())
        assert client.read_exactly(len(reply)) == reply
        assert check(b"behind", client.read_reply())
        assert server.connections == 1


def test_a_reply_cut_at_every_byte_is_whole_for_the_client(scripted):
    reply = b"*3\r\n$5\r\nhello\r\n*2\r\n:-1\r\n$-1\r\n+status\r\n"

    def script(words, connection, _):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = int(words[1])
        connection.sendall(reply[:at])
        server.gate.wait(0.002)  # lets the first part arrive alone
        connection.sendall(reply[at:])
        return True

    proxy, (server,) = scripted(script)
    with proxy.redis() as client:
        for at in range(1, len(reply)):
            client.send(encode("GET", at))
            assert client.read_exactly(len(reply)) == reply


FITS = object()


@pytest.mark.parametrize("command, odd, expected", [
    ("MGET", b"*-1\r\n", INVALID), ("MGET", b"+OK\r\n", INVALID), ("MGET", b"*0\r\n", INVALID),
    ("MGET", b"*3\r\n:1\r\n:2\r\n:3\r\n", INVALID), ("MGET", b":2\r\n", INVALID),
    ("MGET", b"$-1\r\n", INVALID), ("MGET", b"-ERR its own words\r\n", RespError("ERR its own words")),
    ("MGET", b"*2\r\n*1\r\n$1\r\nx\r\n*-1\r\n", FITS),
    ("DEL", b"+OK\r\n", INVALID), ("DEL", b"$1\r\n1\r\n", INVALID), ("DEL", b"*-1\r\n", INVALID),
    ("DEL", b":9223372036854775807\r\n", INVALID), ("DEL", b":9223372036854775808\r\n", INVALID),
    ("MSET", b":1\r\n", INVALID), ("MSET", b"+QUEUED\r\n", INVALID), ("MSET", b"*-1\r\n", INVALID),
], ids=lambda value: repr(value[:14]) if isinstance(value, bytes) else None)
def test_an_odd_answer_to_a_fragment_is_an_error_for_that_request_alone(scripted, command, odd,
                                                                        expected):
    proxy, servers = scripted(count=2)
    good, bad = keys_of_both(proxy, servers)
    servers[1].script = lambda words, connection, _: (connection.sendall(odd) or True) \
        if words[0].upper() == command.encode() else None
    keys = [good[0], bad[0], good[1], bad[1]]
    arguments = [word for key in keys for word in (key, b"v")] if command == "MSET" else keys
    with proxy.redis() as client:
        client.send(encode("GET", good[2]) + encode(command, *arguments) + encode("GET", bad[2]))
        assert check(good[2], client.read_reply())
        reply = client.read_reply()
        if expected is FITS:
            assert reply == [value_of(good[0]), [b"x"], value_of(good[1]), None]
        else:
            assert reply == expected
        assert check(bad[2], client.read_reply())
        assert [server.connections for server in servers] == [1, 1]
    wait_settled(proxy)


def test_a_connection_that_fails_while_a_split_request_is_half_answered(scripted):
    proxy, servers = scripted(count=2)
    good, bad = keys_of_both(proxy, servers)
    seen = threading.Event()

    def script(words, connection, _):
        if words[0].upper() in (b"MGET", b"DEL"):
            seen.set()
            servers[1].gate.wait(20)
            raise EOFError
        return None

    servers[1].script = script
    keys = [good[0], bad[0], good[1], bad[1]]
    with proxy.redis() as client, proxy.redis() as leaver:
        leaver.send(encode("MGET", *keys))
        seen.wait(20)
        client.send(encode("MGET", *keys) + encode("GET", good[2]) + encode("GET", bad[2])
                    + encode("DEL", *keys) + encode("MGET", good[0], good[1]))
        wait_until(lambda: [b"DEL", good[0], good[1]] in
                   [[words[0].upper(), *words[1:]] for words in list(servers[0].requests)],
                   what="the other halves")
        leaver.close()
        servers[1].gate.set()
        assert client.read_reply() in (CLOSED, RESET)
        assert check(good[2], client.read_reply())
        assert client.read_reply() in (CLOSED, RESET)
        assert client.read_reply() in (CLOSED, RESET)
        assert client.read_reply() == [value_of(good[0]), value_of(good[1])]
    wait_settled(proxy)


def test_noreply_swallows_whatever_the_server_answers(scripted):
    """A reply long enough to be passed on while it arrives, to a request that wants none."""
    long_reply = b"VALUE k 0 300000\r\n" + b"x" * 300_000 + b"\r\nEND\r\n"
    proxy, (server,) = scripted(lie({b"long": long_reply, b"odd": b"CLIENT_ERROR no\r\n"}),
                                memcached=True)
    with proxy.memcached() as client:
        client.send(b"set long 0 0 1 noreply\r\n1\r\n" b"get a\r\n" b"set odd 0 0 1 noreply\r\n1\r\n"
                    b"get b\r\n" b"set long 0 0 1 noreply\r\n1\r\n" b"set long 0 0 1 noreply\r\n1\r\n"
                    b"get c\r\n")
        for key in (b"a", b"b", b"c"):
            assert client.read_values() == [(key, value_of(key), 0, None)]
        assert client.has_no_more()
        assert server.connections == 1
    wait_settled(proxy)


def test_a_reply_nobody_asked_for_does_not_answer_a_request_that_is_not_sent_yet(scripted):
    """The stray reply and the next request are there in the same turn: the request came first."""
    def script(words, connection, reply):
        if words[1] == b"first":
            connection.sendall(reply)
            asked.set()
            server.gate.wait(20)
            connection.sendall(b"$5\r\nstray\r\n")
            sent.set()
            return True
        return None

    asked, sent = threading.Event(), threading.Event()
    proxy, (server,) = scripted(script)
    with proxy.redis() as client, proxy.redis() as other:
        assert check(b"first", client.call("GET", "first"))
        assert other.call("PING") == "PONG"
        with stopped(proxy.worker_pids()):
            other.send(encode("GET", "mine"))
            server.gate.set()
            assert sent.wait(20)
        check(b"mine", other.read_reply())
        assert check(b"later", other.call("GET", "later"))
    wait_settled(proxy)


def test_replies_before_a_half_one_are_not_lost_with_it(scripted):
    """The answered request's reply leaves, then the half one, then the connection ends."""
    def script(words, connection, reply):
        if words[1] != b"half":
            return None
        server.gate.wait(20)
        connection.sendall(honest_resp_reply([b"GET", b"held"])
                           + b"$300000\r\n" + b"y" * 100_000)
        reset(connection)
        sent.set()
        raise EOFError

    def hold(words, connection, reply):
        return True if words[1] == b"held" else script(words, connection, reply)

    sent = threading.Event()
    proxy, (server,) = scripted(hold)
    with proxy.redis() as client, proxy.redis() as other:
        client.send(encode("GET", "held") + encode("GET", "half") + encode("GET", "behind"))
        server.wait_for_request(b"half")
        with stopped(proxy.worker_pids()):
            server.gate.set()
            assert sent.wait(20)
        assert check(b"held", client.read_reply())
        # Behind it: an error when no byte of the half one has left, else the end, never a mixture.
        rest = client.read_to_end_or_reply()
        assert rest in (b"", b"$300000\r\n", b"-ERR unknown\r\n", b"-ERR Connection reset by peer\r\n")
        assert b"-ERR" not in client.read_to_end() or rest.startswith(b"-ERR")
        assert check(b"other", other.call("GET", "other"))
    wait_settled(proxy)


# ---- large replies -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64 * 1024 - 8, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, MEGABYTE])
@pytest.mark.parametrize("leaver_at", ["head", "behind", "stays"])
def test_a_client_leaves_in_the_middle_of_a_large_reply(scripted, size, leaver_at):
    reply = b"$%d\r\n" % size + b"L" * size + b"\r\n"

    def script(words, connection, _):
        if words[1] != b"large":
            return None
        connection.sendall(reply[:size // 2])
        server.gate.wait(20)
        connection.sendall(reply[size // 2:])
        return True

    proxy, servers = scripted(script)
    server = servers[0]
    with proxy.redis() as leaver, proxy.redis() as other:
        before = [] if leaver_at == "head" else [b"x1", b"x2"]
        leaver.send(b"".join(encode("GET", key) for key in [*before, b"large", b"behind"]))
        server.wait_for_request(b"large")
        other.send(encode("GET", "other") + encode("GET", "large") + encode("GET", "last"))
        if leaver_at == "head" and size > 200_000:
            assert leaver.read_exactly(size // 2) == reply[:size // 2]  # it streams
        if leaver_at != "stays":
            reset(leaver.socket)
            wait_until(lambda: proxy.stats()["p"]["client_connections"] == 1, what="its end")
        server.gate.set()
        if leaver_at == "stays":
            for key in before:
                assert check(key, leaver.read_reply())
            assert leaver.read_exactly(len(reply)) == reply
            assert check(b"behind", leaver.read_reply())
        assert check(b"other", other.read_reply())
        assert other.read_exactly(len(reply)) == reply
        assert check(b"last", other.read_reply())
        assert server.connections == 1
    wait_settled(proxy)


@pytest.mark.parametrize("large_first", [True, False])
def test_a_large_reply_waits_for_or_holds_back_the_other_server(scripted, large_first):
    """The large reply's place is behind a request that is answered later, or in front of one."""
    proxy, servers = scripted(count=2)
    slow, large = keys_of_both(proxy, servers)
    reply = b"$%d\r\n" % MEGABYTE + bytes(range(256)) * 4096 + b"\r\n"
    servers[1].script = lie({large[0]: reply})
    servers[0].script = lambda words, *_: servers[0].gate.wait(20) and None
    with proxy.redis() as client, proxy.redis() as leaver:
        order = [large[0], slow[0]] if large_first else [slow[0], large[0]]
        order += [large[0], slow[1], large[1]]
        for one in (leaver, client):
            one.send(b"".join(encode("GET", key) for key in order))
        servers[1].wait_for_request(large[1], 3)  # asked for once before
        leaver.close()
        servers[0].gate.set()
        for key in order:
            if key == large[0]:
                assert client.read_exactly(len(reply)) == reply
            else:
                assert check(key, client.read_reply())
        assert [server.connections for server in servers] == [1, 1]
    wait_settled(proxy)


def test_late_replies_of_any_size_are_swallowed(scripted):
    """The server makes progress byte by byte, so that only the requests' own clocks run out."""
    large = b"$%d\r\n" % MEGABYTE + b"T" * MEGABYTE + b"\r\n"

    def script(words, connection, _):
        if words[1] == b"slow":
            reply = honest_resp_reply(words)
            for at in range(len(reply)):
                connection.sendall(reply[at:at + 1])
                if server.gate.wait(0.03):
                    connection.sendall(reply[at + 1:])
                    return True
            return True
        if words[1] == b"large":
            connection.sendall(large)
            return True
        return None

    proxy, (server,) = scripted(script, timeout=1500)
    with proxy.redis() as client, proxy.redis() as leaver, proxy.redis() as other:
        client.send(b"".join(encode("GET", key) for key in ("slow", "large", "a", "large", "b")))
        server.wait_for_request(b"slow")
        leaver.send(encode("GET", "large") + encode("GET", "c"))
        for _ in range(5):
            assert client.read_reply() == TIMED_OUT
        leaver.close()
        other.send(encode("GET", "d"))
        server.gate.set()
        assert check(b"d", other.read_reply())
        for key in (b"e", b"f"):
            assert check(key, client.call("GET", key))
        assert server.connections == 1
    wait_settled(proxy)


@pytest.mark.parametrize("connections", [1, 3])
def test_pools_with_several_server_connections_keep_the_order(scripted, connections):
    proxy, servers = scripted(count=2, server_connections=connections)
    with proxy.redis() as client, proxy.redis() as other:
        keys = [b"n%d%s" % (i, b".big" if i % 50 == 0 else b"") for i in range(400)]
        data = b"".join(encode("GET", key) for key in keys)
        for one in (client, other):
            threading.Thread(target=one.send, args=(data,), daemon=True).start()
        for one in (other, client):
            for key in keys:
                assert check(key, one.read_reply())
        assert sum(server.connections for server in servers) == 2 * connections
    wait_settled(proxy)


# ---- clients that misbehave ------------------------------------------------------------------------


def test_clients_that_leave_at_every_byte_shift_nothing(scripted):
    proxy, servers = scripted(count=2)
    request = (encode("GET", "k1") + encode("MGET", "m1", "m2", "m3", "m4") + encode("SET", "k2", "v" * 99)
               + encode("DEL", "d1", "d2"))
    with proxy.redis() as witness:
        for cut in range(0, len(request), 3):
            with proxy.redis() as leaver:
                leaver.send(request[:cut])
                if cut % 2:
                    reset(leaver.socket)
            assert check(b"w%d" % cut, witness.call("GET", b"w%d" % cut))
        assert all(server.connections <= 1 for server in servers)
    wait_settled(proxy)


def test_half_closing_clients_get_every_complete_request_answered(scripted):
    proxy, servers = scripted(count=2)
    for extra in (b"", b"*1\r\n$4\r\nPI", encode("SET", "k", b"v" * 5000)[:-1]):
        with proxy.redis() as client:
            client.send(encode("GET", "a.big") + encode("MGET", "b", "c", "d") + encode("GET", "e") + extra)
            client.half_close()
            assert check(b"a.big", client.read_reply())
            assert client.read_reply() == [value_of(key) for key in (b"b", b"c", b"d")]
            assert check(b"e", client.read_reply())
            assert client.read_to_end() == b""
    wait_settled(proxy)


@pytest.mark.parametrize("garbage", [
    b"\0" * 100_000, b"*x\r\n", b"*0\r\n", b"*-1\r\n", b"*1048577\r\n",
    b"*1\r\n$-1\r\n", b"*1\r\n$536870913\r\n", b"*1\r\n$3\r\nPINGPING\r\n", b"*1\r\n:1\r\n",
    b"x" * MEGABYTE, b"*1" + b"1" * MEGABYTE, b"*2\r\n$3\r\nGET\r\n$1\r\nkk\r\n",
    b"*" + random.Random(7).randbytes(MEGABYTE),
], ids=lambda garbage: repr(garbage[:14]))
def test_garbage_is_answered_behind_earlier_replies_and_ends_the_connection(scripted, garbage):
    proxy, _ = scripted()
    with proxy.redis() as client, proxy.redis() as other:
        with contextlib.suppress(ConnectionError):  # the rest of the megabyte
            client.send(encode("GET", "a") + encode("MGET", "b", "c") + garbage + encode("GET", "never"))
        assert check(b"a", client.read_reply())
        assert client.read_reply() == [value_of(b"b"), value_of(b"c")]
        rest = client.read_to_end()
        assert rest.startswith(b"-ERR Protocol error") and rest.count(b"\r\n") == 1, rest[:200]
        assert check(b"other", other.call("GET", "other"))
    wait_settled(proxy)


@pytest.mark.parametrize("garbage", [
    b"\0" * 1000 + b"\r\n", b"\r\n", b"get\r\n", b"get \r\n", b"get  \r\n", b"set k 0 0 -1\r\n",
    b"set k 0 0 99999999999999999999\r\n", b"set k\r\n", b"get " + b"k" * 251 + b"\r\n", b"gets\r\n",
    b"x" * MEGABYTE, b"get " + b"k" * MEGABYTE, b"set k 0 0 1\r\nabc\r\n", b"*1\r\n$4\r\nPING\r\n",
    random.Random(8).randbytes(MEGABYTE),
], ids=lambda garbage: repr(garbage[:14]))
def test_memcached_garbage_ends_in_error_lines_only(scripted, garbage):
    proxy, _ = scripted(memcached=True)
    with proxy.memcached() as client, proxy.memcached() as other:
        with contextlib.suppress(OSError):  # there may be nothing left to send to, or to close
            client.send(b"get a\r\nget b c\r\n" + garbage)
            client.half_close()
        assert client.read_values()[0][1] == value_of(b"a")
        assert [found[1] for found in client.read_values()] == [value_of(b"b"), value_of(b"c")]
        lines = client.read_to_end().split(b"\r\n")[:-1]
        for line in lines:
            assert line.split(b" ")[0] in (b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR"), line
        assert other.get(b"other") == value_of(b"other")
    wait_settled(proxy)


def test_a_hundred_thousand_keys_in_one_request(scripted):
    proxy, servers = scripted(count=3, timeout=0)  # the servers here take seconds for them
    keys = [b"n%d" % i for i in range(100_000)]
    for server in servers:  # short values
        server._honest = lambda words: honest_resp_reply(words) if words[0].upper() != b"MGET" else \
            b"*%d\r\n" % (len(words) - 1) + b"".join(b"$%d\r\n%s\r\n" % (len(k), k) for k in words[1:])
    with proxy.redis(timeout=60) as client:
        client.send(encode("MGET", *keys) + encode("DEL", *keys) + encode("GET", "end"))
        with proxy.redis() as leaver:
            leaver.send(encode("MGET", *keys))
        assert client.read_reply() == keys
        assert client.read_reply() == len(keys)
        assert check(b"end", client.read_reply())
    wait_settled(proxy)


def test_a_dribbled_request_is_answered_as_any(scripted):
    proxy, _ = scripted(count=2)
    data = encode("GET", "a") + encode("MGET", "b", "c") + encode("SET", "k", b"\r\n*1\r\n" * 9)
    with proxy.redis() as client:
        client.send_slowly(data)
        assert check(b"a", client.read_reply())
        assert client.read_reply() == [value_of(b"b"), value_of(b"c")]
        assert client.read_reply() == "OK"


def test_announced_bodies_cost_nothing_until_they_come(scripted):
    """Fifty clients announce 200 MB each and send nothing more: others are served."""
    proxy, _ = scripted()
    head = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200000000\r\nx"
    with contextlib.ExitStack() as stack:
        announcers = [stack.enter_context(proxy.redis()) for _ in range(50)]
        pid = proxy.worker_pids()[0]
        for announcer in announcers:
            announcer.send(head)
        with proxy.redis() as client:
            for i in range(20):
                assert check(b"k%d" % i, client.call("GET", b"k%d" % i))
        assert is_alive(pid)
    wait_settled(proxy)


def test_a_client_that_never_reads_holds_up_nobody(scripted):
    proxy, (server,) = scripted()
    with proxy.redis(receive_buffer_bytes=4096) as lazy, proxy.redis() as client:
        lazy.send(b"".join(encode("GET", b"%d.big" % i) for i in range(100)))  # 10 MB of replies
        server.wait_for_request(b"99.big")
        for i in range(50):
            assert check(b"k%d" % i, client.call("GET", b"k%d" % i))
        for i in range(100):
            assert check(b"%d.big" % i, lazy.read_reply())
    wait_settled(proxy)


@pytest.mark.slow
def test_a_client_that_has_ended_and_reads_nothing_is_closed_after_a_while(scripted):
    """Its FIN came, its replies fill its window, and it stays: that must not last for ever."""
    proxy, (server,) = scripted()
    with proxy.redis(receive_buffer_bytes=4096) as lazy:
        lazy.send(b"".join(encode("GET", b"%d.big" % i) for i in range(60)))
        lazy.half_close()
        server.wait_for_request(b"59.big")
        # 30 s, of which the proxy does not count those in which it stands still itself.
        wait_until(lambda: proxy.stats()["p"]["client_connections"] == 0, 120,
                   "the proxy to close a client that takes nothing")


# ---- processes that end ----------------------------------------------------------------------------


def test_term_with_requests_in_flight_answers_all(scripted):
    proxy, servers = scripted(lambda words, *_: servers[0].gate.wait(20) and None, count=2, workers=2,
                              hash_tag="{}")
    del servers[1:]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(20)]
        for number, client in enumerate(clients):
            client.send(b"".join(encode("GET", b"c%d.%d" % (number, i)) for i in range(20))
                        + encode("MGET", *(b"{c%d}.m%d" % (number, i) for i in range(9))))
        wait_until(lambda: requests_sent(proxy) >= 20 * 21, what="every request")
        proxy.signal(signal.SIGTERM)
        wait_until(lambda: "TERM" in proxy.log_text() or "stop" in proxy.log_text(), what="the stop")
        servers[0].gate.set()
        for number, client in enumerate(clients):
            for i in range(20):
                assert check(b"c%d.%d" % (number, i), client.read_reply())
            assert client.read_reply() == [value_of(b"{c%d}.m%d" % (number, i)) for i in range(9)]
            assert client.read_to_end() == b""
    assert proxy.wait_exit() == 0


def test_term_does_not_cut_replies_by_a_reset(scripted):
    """A client that goes on sending and reads late: what was answered arrives, then the end. It has
    a second for that; one that stands still for so long itself tries once more."""
    assert any(reads_all_in_spite_of_term(scripted) for _ in range(5))


def reads_all_in_spite_of_term(scripted):
    """False when it took too long to tell."""
    proxy, (server,) = scripted()
    with proxy.redis(receive_buffer_bytes=8192) as client:
        keys = [b"%d.big" % i for i in range(12)]
        client.send(b"".join(encode("GET", key) for key in keys))
        server.wait_for_request(keys[-1])
        feeding = threading.Event()

        def feed():
            with contextlib.suppress(OSError):
                while not feeding.is_set():
                    client.socket.sendall(encode("PING"))

        began = time.monotonic()
        proxy.signal(signal.SIGTERM)
        thread = threading.Thread(target=feed, daemon=True)
        thread.start()
        try:
            for key in keys:
                assert check(key, client.read_reply())
            feeding.set()
            rest = client.read_to_end()
            is_whole = rest == b"+PONG\r\n" * (len(rest) // 7)
        except (EOFError, ConnectionResetError):
            is_whole = False
        took = time.monotonic() - began
        feeding.set()
        thread.join(20)
    assert proxy.wait_exit() == 0
    if not is_whole:
        assert took > 0.9, "the replies were cut"
        return False
    return True


def test_killed_workers_cost_their_own_clients_only(start_proxy):
    """-9 to one worker after the other under load: never a wrong reply, never a refusal."""
    chaos = Chaos(seed=11, fault_share=0)
    with ScriptedServer() as one, ScriptedServer() as two:
        proxy = start_proxy({"p": pool([one, two], redis=True, timeout=5000)}, workers=2)

        def kill_one(rng):
            pids = proxy.worker_pids()
            if len(pids) == 2:
                os.kill(rng.choice(pids), signal.SIGKILL)

        chaos.run(proxy.redis, clients=8, seconds=1.5, disturb=kill_one)
        assert chaos.counts["ok"] > 100 and chaos.counts["refused"] == 0, chaos.counts
        proxy.wait_workers()
        with proxy.redis() as client:
            assert check(b"after", client.call("GET", "after"))
        wait_settled(proxy)


# ---- everything at once --------------------------------------------------------------------------------


def soak(start_proxy, seconds, seed, server_connections):
    chaos = Chaos(seed)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(ScriptedServer(chaos.script())) for _ in range(3)]
        proxy = start_proxy({"p": pool(servers, redis=True, timeout=300,
                                       server_connections=server_connections)}, workers=1)
        pid = proxy.worker_pids()[0]
        # libuv opens /dev/null once, with a process's first stream.
        files = len(os.listdir(f"/proc/{pid}/fd")) + 1
        chaos.run(proxy.redis, clients=12, seconds=seconds)
        print(seed, chaos.counts)
        assert proxy.worker_pids() == [pid], "a worker died"
        assert chaos.counts["ok"] > 100, chaos.counts
        wait_settled(proxy)
        wait_until(lambda: len(open_descriptors(pid)) <= files + 3 * server_connections,
                   what="the descriptors of the clients to be gone")
        with proxy.redis() as client:
            for key in (b"end%d" % i for i in range(30)):
                # Not each time within the timeout.
                wait_until(lambda k=key: check(k, client.call("GET", k)), what="the value")


@pytest.mark.parametrize("server_connections", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_everything_at_once_for_some_seconds(start_proxy, server_connections):
    soak(start_proxy, 2.5, 20 + server_connections, server_connections)


@pytest.mark.slow
def test_everything_at_once_for_a_minute(start_proxy):
    seconds = float(os.environ.get("RM_SOAK_SECONDS", "60"))
    soak(start_proxy, seconds, int(os.environ.get("RM_SOAK_SEED", "1")), 2)


# ---- the stats port and the start ----------------------------------------------------------------------


def test_stuck_stats_readers_do_not_keep_others_out_for_long(scripted):
    proxy, _ = scripted()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stuck = stack.enter_context(socket.create_connection(proxy.stats_target(), timeout=10))
            stuck.sendall(b"GET / HTTP/1.1\r\n")

        def answered():
            with contextlib.suppress(ValueError, OSError):
                return proxy.stats()

        assert wait_until(answered, what="an answer in spite of 200 stuck readers")["service"]
        with proxy.redis() as client:
            assert check(b"k", client.call("GET", "k"))
    wait_settled(proxy)


def test_a_config_of_random_bytes_is_refused_in_words(folder):
    rng = random.Random(5)
    valid = (b"p:\n  listen: 127.0.0.1:%d\n  redis: true\n  servers:\n    - 127.0.0.1:%d:1\n"
             % (free_port(), free_port()))
    texts = [b"", b"\0", b"\xff\xfe", b"p:\n  - &a [*a, *a]\n", b"[" * 50_000, b"a: " * 10_000,
             *(rng.randbytes(rng.randrange(1, 4000)) for _ in range(8))]
    for _ in range(8):
        broken = bytearray(valid)
        for _ in range(3):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        texts.append(bytes(broken[:rng.randrange(len(broken))]))
    for text in texts:
        path = folder / "random.yml"
        path.write_bytes(text)
        code, out, errors = run_binary("-t", "-c", path)
        assert code == 1 and (out + errors).strip(), (code, text[:80], out, errors)
        assert "Sanitizer" not in errors and "assert" not in errors, errors
