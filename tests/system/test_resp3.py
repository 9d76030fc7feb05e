# SPDX-License-Identifier: Apache-2.0
"""HELLO, RESET and RESP3. Replies are compared as bytes with those of a server asked directly."""

import re
import subprocess
import threading
import time

import pytest

from clients import RespClient, encode
from faults import wait_agreed
from harness import FakeServer, RedisServer, pool, spread_keys, wait_until
from hostile import bulk, take_resp_request

NOPROTO = b"-NOPROTO unsupported protocol version\r\n"
GREETING = b"%1\r\n$5\r\nproto\r\n:3\r\n"
WITHOUT_HELLO = b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"


class RawClient(RespClient):
    """Replies of both protocols as their bytes."""

    def ask(self, *words):
        self.send(encode(*words))
        return self.read_raw()

    def pipeline(self, requests):
        self.send(b"".join(encode(*words) for words in requests))
        return [self.read_raw() for _ in requests]

    def read_raw(self):
        line = self.read_line()
        kind, count = line[:1], line[1:-2]
        if kind in b"+-:_#,(":
            return line
        if kind in b"$=!":
            return line if count == b"-1" else line + self.read_exactly(int(count) + 2)
        assert kind in b"*~%|>", line
        elements = max(0, int(count)) * (2 if kind in b"%|" else 1) + (kind == b"|")
        return line + b"".join(self.read_raw() for _ in range(elements))


def masked(reply):
    return re.sub(rb"(\$2\r\nid\r\n:)\d+", rb"\1ID", reply)


def hello(client, *words):
    reply = client.ask("HELLO", *words)
    assert b"proto\r\n:" in reply, reply
    return reply


@pytest.fixture
def direct(redis_servers_of_the_run, start_server):
    """A server of its own, so that keys are all in one place."""
    server = start_server(RedisServer)
    with RawClient(server.address) as client:
        yield client


@pytest.fixture
def through(redis_proxy):
    with RawClient(redis_proxy.address()) as client:
        yield client


def assert_same(direct, through, requests):
    for request in requests:
        assert masked(through.ask(*request)) == masked(direct.ask(*request)), request


# ---- HELLO and RESET -----------------------------------------------------------------------------


def test_hello_answers_as_a_server(direct, through):
    assert_same(direct, through, [
        ["HELLO"], ["HELLO", 2], ["HELLO", 3], ["HELLO"], ["hello", "3"], ["HELLO", 2],
        ["HELLO", 1], ["HELLO", 4], ["HELLO", "-3"], ["HELLO", "x"], ["HELLO", ""],
        ["HELLO", "03"], ["HELLO", "3.0"], ["HELLO", "99999999999999999999"],
        ["HELLO", 3, "AUTH"], ["HELLO", 3, "AUTH", "default"], ["HELLO", 3, "WHAT"],
        ["HELLO", "AUTH", "default", "x"], ["HELLO", 3, "SETNAME"],
        ["HELLO", 3, "SETNAME", "two words"], ["HELLO", 3, "SETNAME", "a", "b"],
        ["HELLO", 3, "AUTH", "somebody", "x"], ["GET", "nothing"],
        ["HELLO", 3, "auth", "default", "any", "setname", "me"], ["GET", "nothing"],
        ["HELLO", 2, "SETNAME", "me", "SETNAME", "you"], ["GET", "nothing"],
        # Options take effect as they are read.
        *(request for options in (["SETNAME", "a", "JUNK"], ["SETNAME", "b", "SETNAME", "c d"],
                                  ["SETNAME", "e", "SETNAME"], ["SETNAME", "f", "AUTH", "x"],
                                  ["SETNAME", "g", "AUTH", "nobody", "x"], ["SETNAME", "", "JUNK"],
                                  ["AUTH", "nobody", "x", "SETNAME", "h"])
          for request in (["HELLO", 3, *options], ["CLIENT", "GETNAME"], ["GET", "nothing"])),
        *(["HELLO", 3, option] for option in ("J" * 127, "J" * 128, "J" * 129, "J" * 3000, "",
                                              b"a\r\nb", b"a\0b", b"\xff\x01\"'")),
        *(["CLIENT", *words, bad] for words in (["LIST", "TYPE"], ["KILL", "TYPE"], ["KILL", "USER"])
          for bad in ("J" * 300, b"a\nb", b"a\0b", b"\x01'")),
        ["RESET", "now"], ["RESET"], ["HELLO"], ["HELLO", 3], ["RESET"], ["GET", "nothing"],
    ])


def test_hello_where_a_password_is_asked_for(start_server, start_proxy):
    server = start_server(RedisServer)
    with server.client() as client:
        assert client.call("CONFIG", "SET", "requirepass", "secret") == "OK"
    proxy = start_proxy({"p": pool([server], redis=True, redis_auth="secret", timeout=5000)})
    with RawClient(server.address) as direct, RawClient(proxy.address()) as through:
        assert_same(direct, through, [
            ["HELLO"], ["HELLO", 3], ["HELLO", 4], ["HELLO", 3, "WHAT"], ["GET", "key"],
            ["HELLO", 3, "AUTH", "default", "wrong"], ["GET", "key"],
            ["HELLO", 3, "AUTH", "somebody", "secret"], ["GET", "key"],
            ["HELLO", 3, "AUTH", "default", "secret"], ["GET", "key"], ["HELLO", 3],
            ["HELLO", 3, "AUTH", "default", "wrong"], ["GET", "key"],
            ["RESET"], ["HELLO", 3, "SETNAME", "a", "AUTH", "default", "wrong"], ["GET", "key"],
            ["HELLO", 3, "SETNAME", "b"], ["HELLO", 3, "AUTH", "default", "secret", "JUNK"],
            ["CLIENT", "GETNAME"], ["GET", "key"],
            ["RESET"], ["HELLO", 3, "AUTH", "default", "secret", "SETNAME", "c d"],
            ["CLIENT", "GETNAME"], ["GET", "key"],
            ["RESET"], ["GET", "key"], ["HELLO", 2], ["RESET"],
            ["HELLO", 2, "AUTH", "default", "secret"], ["SET", "key", "value"], ["GET", "key"],
        ])


def test_the_number_of_a_client_is_its_own(redis_proxy):
    numbers = []
    for _ in range(20):
        with RawClient(redis_proxy.address()) as client:
            first, again = hello(client, 3), hello(client)
            assert first == again
            numbers.append(re.search(rb"id\r\n:(\d+)\r\n", first).group(1))
    assert len(set(numbers)) == len(numbers)


# ---- types ---------------------------------------------------------------------------------------

EVERY_TYPE = [
    ["HSET", "hash", "field", "value", "other", "1"], ["HGETALL", "hash"], ["HGETALL", "nothing"],
    ["HRANDFIELD", "hash", "2", "WITHVALUES"], ["HGET", "hash", "nothing"],
    ["SADD", "set", "member"], ["SMEMBERS", "set"], ["SPOP", "set", "1"], ["SPOP", "set"],
    ["ZADD", "sorted", "1.5", "a", "-inf", "b", "3", "c"], ["ZSCORE", "sorted", "a"],
    ["ZSCORE", "sorted", "nobody"], ["ZRANGE", "sorted", "0", "-1", "WITHSCORES"],
    ["ZMSCORE", "sorted", "a", "nobody", "b"], ["ZINCRBY", "sorted", "1", "a"],
    ["ZADD", "sorted", "NX", "INCR", "1", "a"], ["ZPOPMIN", "sorted"], ["ZPOPMAX", "sorted", "2"],
    ["SET", "{s}1", "ohmytext"], ["SET", "{s}2", "mynewtext"],
    ["LCS", "{s}1", "{s}2", "IDX"], ["GET", "nothing"], ["GET", "{s}1"], ["GETDEL", "nothing"],
    ["INCRBYFLOAT", "number", "1.25"], ["STRLEN", "{s}1"], ["LRANGE", "nothing", "0", "-1"],
    ["LPOP", "nothing"], ["LPOP", "nothing", "2"], ["XADD", "stream", "1-1", "a", "b"],
    ["XRANGE", "stream", "-", "+"], ["XREAD", "STREAMS", "stream", "0"],
    ["XINFO", "STREAM", "stream"], ["GEOADD", "geo", "13.36", "38.11", "Palermo"],
    ["GEOPOS", "geo", "Palermo", "nowhere"], ["GEODIST", "geo", "Palermo", "nowhere"],
    ["LPUSH", "hash", "x"], ["TYPE", "hash"], ["OBJECT", "ENCODING", "hash"],
    ["EVAL", "return {double=3.25}", "1", "hash"],
    ["EVAL", "return {map={a=1}}", "1", "hash"],
    ["EVAL", "return {set={a=true}}", "1", "hash"],
    ["EVAL", "return {big_number='1234567890123456789012345678901234567890'}", "1", "hash"],
    ["EVAL", "return {verbatim_string={format='txt', string='a\\r\\nb'}}", "1", "hash"],
    ["EVAL", "redis.setresp(3); return true", "1", "hash"],
    ["EVAL", "return redis.error_reply('MY error')", "1", "hash"],
    ["EVAL", "return nil", "1", "hash"], ["EVAL", "return {1, {2, {map={a={3}}}}}", "1", "hash"],
    ["EVAL", "redis.setresp(3); return redis.call('hgetall', KEYS[1])", "1", "hash"],
    ["MGET", "{s}1", "nothing", "hash", "{s}2"], ["EXISTS", "hash", "nothing", "set", "sorted"],
    ["TOUCH", "hash", "nothing", "number"], ["MSET", "a", "1", "b", "2", "c", "3"],
    ["MGET", "c", "b", "nothing", "a", "c"], ["UNLINK", "a", "nothing", "b"],
    ["DEL", "c", "hash", "nothing", "geo"], ["ECHO", "hello"], ["PING"], ["PING", "hello"],
]


@pytest.mark.parametrize("protocol", [2, 3])
def test_every_type_is_what_a_server_sends(direct, through, protocol):
    hello(direct, protocol)
    hello(through, protocol)
    assert_same(direct, through, EVERY_TYPE)


def test_the_types_that_clients_of_resp3_wait_for(through):
    hello(through, 3)
    through.pipeline([["HSET", "h", "f", "v"], ["ZADD", "z", "1.5", "m"], ["SADD", "s", "m"]])
    assert through.ask("HGETALL", "h") == b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n"
    assert through.ask("ZSCORE", "z", "m") == b",1.5\r\n"
    assert through.ask("SMEMBERS", "s") == b"~1\r\n$1\r\nm\r\n"
    assert through.ask("GET", "nothing") == b"_\r\n"
    assert through.ask("MGET", "n1", "n2", "n3") == b"*3\r\n_\r\n_\r\n_\r\n"


def test_a_large_reply_of_resp3(through):
    value = b"v" * (5 << 20)
    assert through.ask("SET", "large", value) == b"+OK\r\n"
    hello(through, 3)
    assert through.ask("GET", "large") == bulk(value)
    assert through.ask("HSET", "hash", "f", value, "g", value) == b":2\r\n"
    reply = through.ask("HGETALL", "hash")
    pairs = [bulk(field) + bulk(value) for field in (b"f", b"g")]
    assert reply in (b"%2\r\n" + pairs[0] + pairs[1], b"%2\r\n" + pairs[1] + pairs[0])


def test_redis_cli_speaks_resp3(redis_proxy):
    host, port = redis_proxy.address()
    cli = ["redis-cli", "-3", "-h", host, "-p", str(port)]

    def ask(*words):
        return subprocess.run([*cli, *words], capture_output=True, text=True, timeout=20,
                              check=True).stdout

    ask("HSET", "h", "field", "value")
    assert ask("HGETALL", "h").split() == ["field", "value"]
    assert ask("--no-raw", "HGETALL", "h") == '1# "field" => "value"\n'


# ---- order ---------------------------------------------------------------------------------------


def long_pipeline(tag):
    """Writes and reads of the same keys with the protocol changing in between."""
    requests = []
    for turn in range(12):
        for i in range(40):
            requests += [["SET", f"{tag}{i}", f"{turn}:{i}"], ["HSET", f"{tag}h{i}", "turn", turn]]
        requests.append([["HELLO", 3], ["HELLO", 2], ["RESET"]][turn % 3])
        for i in range(40):
            requests += [["GET", f"{tag}{i}"], ["HGETALL", f"{tag}h{i}"]]
        requests.append(["MGET", *(f"{tag}{i}" for i in range(12)), f"{tag}nothing"])
    return requests


def test_the_protocol_changes_in_the_middle_of_a_pipeline(direct, through):
    requests = long_pipeline("k")
    expected = direct.pipeline(requests)
    for _ in range(3):
        through.send(b"".join(encode("DEL", f"kh{i}") for i in range(40)))
        for _ in range(40):
            through.read_raw()
        for request, reply, wanted in zip(requests, through.pipeline(requests), expected):
            if request[0] != "HSET":
                assert masked(reply) == masked(wanted), request


def test_a_pipeline_may_be_cut_anywhere(direct, through):
    requests = [["SET", "a", "1"], ["HELLO", "3"], ["GET", "a"], ["RESET"], ["GET", "b"]]
    expected = [masked(reply) for reply in direct.pipeline(requests)]
    data = b"".join(encode(*words) for words in requests)
    for piece_bytes in (1, 7, 33):
        through.send_slowly(data, piece_bytes)
        assert [masked(through.read_raw()) for _ in requests] == expected
    through.send(b"SET a 1\r\nHELLO 3\r\nGET a\r\nRESET\r\nGET b\r\n")
    assert [masked(through.read_raw()) for _ in requests] == expected


def test_many_clients_of_both_protocols_at_once(redis_proxy):
    clients = [RawClient(redis_proxy.address()) for _ in range(24)]
    try:
        for turn in range(3):
            for number, client in enumerate(clients):
                client.send(encode("HELLO", 2 + (number + turn) % 2) + b"".join(
                    encode("HSET", f"{number}:{i}", "f", i) + encode("HGETALL", f"{number}:{i}")
                    + encode("GET", f"nothing{i}") for i in range(200)))
            for number, client in enumerate(clients):
                resp3 = (number + turn) % 2 == 1
                assert client.read_raw().startswith(b"%7" if resp3 else b"*14")
                for i in range(200):
                    client.read_raw()
                    assert client.read_raw() == (b"%1\r\n" if resp3 else b"*2\r\n") + bulk(
                        b"f") + bulk(b"%d" % i)
                    assert client.read_raw() == (b"_\r\n" if resp3 else b"$-1\r\n")
    finally:
        for client in clients:
            client.close()


class Resp3Server(FakeServer):
    """Greets, then answers each request with what `reply` gives; `seen` are all requests."""

    def __init__(self, reply, greeting=GREETING):
        self.seen = []
        self.reply, self.greeting = reply, greeting
        super().__init__(self._serve_requests)

    def _serve_requests(self, connection, fake):
        pending = b""
        while True:
            data = fake.recv(connection)
            if not data:
                return
            pending += data
            while True:
                words, pending = take_resp_request(pending)
                if words is None:
                    break
                self.seen.append(words)
                answer = self.greeting if words[0] == b"HELLO" else self.reply(words)
                if answer:
                    connection.sendall(answer)


@pytest.mark.parametrize("change", [b"HELLO 3\r\n", b"RESET\r\n"])
def test_a_change_of_the_protocol_waits_for_earlier_replies(start_proxy, change):
    """A GET on the other connection could else overtake the SET before it."""
    gate = threading.Event()

    def reply(words):
        if words[0] == b"SET":
            gate.wait(20)
        return b"+OK\r\n"

    with Resp3Server(reply) as server:
        proxy = start_proxy({"p": pool([server], redis=True, resp3="on", timeout=15000)},
                            workers=1)
        with RawClient(proxy.address()) as client, RawClient(proxy.address()) as other:
            if change.startswith(b"RESET"):
                hello(client, 3)
            client.send(b"SET a 1\r\n" + change + b"GET b\r\n")
            wait_until(lambda: [b"SET", b"a", b"1"] in server.seen, what="the SET at the server")
            assert other.ask("PING") == b"+PONG\r\n"
            # What the client sent with the SET has been looked at: it was one read.
            assert server.connections == 1
            assert client.has_no_more()
            gate.set()
            assert client.read_raw() == b"+OK\r\n"
            assert client.read_raw()[:1] in b"%+"
            assert client.read_raw() == b"+OK\r\n"
            assert server.seen[-1] == [b"GET", b"b"]
            assert server.connections == 2


def test_a_client_may_leave_while_it_waits(start_proxy):
    gate = threading.Event()

    def reply(words):
        gate.wait(20)
        return b"+OK\r\n"

    with Resp3Server(reply) as server:
        proxy = start_proxy({"p": pool([server], redis=True, timeout=15000)}, workers=1)
        with RawClient(proxy.address()) as client:
            client.send(b"SET a 1\r\nHELLO 3\r\nGET b\r\n")
            wait_until(lambda: [b"SET", b"a", b"1"] in server.seen, what="the SET at the server")
        with RawClient(proxy.address()) as client:
            client.send(b"SET c 1\r\nHELLO 3\r\nGET d\r\n")
            client.half_close()
            gate.set()
            assert client.read_raw() == b"+OK\r\n"
            assert client.read_raw().startswith(b"%7")
            assert client.read_raw() == b"+OK\r\n"
            assert client.read_to_fin() == b""


# ---- servers without RESP3 -----------------------------------------------------------------------


def without_hello(words):
    return b"$1\r\nv\r\n" if words[0] == b"GET" else b"+OK\r\n"


def test_a_pool_may_refuse_resp3(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, resp3="off", timeout=5000)})
    with RawClient(proxy.address()) as client:
        assert client.ask("HELLO", 3) == NOPROTO
        assert client.ask("HELLO", 3, "SETNAME", "me") == NOPROTO
        assert hello(client, 2).startswith(b"*14\r\n")
        assert client.ask("GET", "nothing") == b"$-1\r\n"


@pytest.mark.parametrize("answer", [WITHOUT_HELLO, NOPROTO, b"*2\r\n$5\r\nproto\r\n:2\r\n"])
def test_a_server_without_resp3_decides_for_its_pool(start_proxy, redis_servers, answer):
    with Resp3Server(without_hello, answer) as old:
        proxy = start_proxy({"p": pool([redis_servers[0], old, redis_servers[1]], redis=True,
                                       timeout=5000)}, workers=1)
        with RawClient(proxy.address()) as client:
            # A server that has been silent for 1 s has no say yet.
            began = time.monotonic()
            assert client.ask("HELLO", 3) == NOPROTO or time.monotonic() - began > 0.9
            wait_until(lambda: client.ask("HELLO", 3) == NOPROTO, what="its answer to count")
            for _ in range(3):
                assert client.ask("HELLO", 3) == NOPROTO
            assert [words[0] for words in old.seen] == [b"HELLO"], "it is asked once"
            assert client.ask("SET", "key", "value") == b"+OK\r\n"
            assert hello(client, 2).startswith(b"*14\r\n")
        assert proxy.log_text().count("does not speak RESP3") == 1


def test_resp3_on_believes_in_the_servers(start_proxy):
    with Resp3Server(without_hello, WITHOUT_HELLO) as old:
        proxy = start_proxy({"p": pool([old], redis=True, resp3="on", timeout=5000)}, workers=1)
        with RawClient(proxy.address()) as client:
            assert hello(client, 3).startswith(b"%7\r\n")
            for _ in range(2):
                assert client.ask("GET", "key") == (
                    b"-NOPROTO the server of this key does not speak RESP3\r\n")
            hello(client, 2)
            assert client.ask("GET", "key") == b"$1\r\nv\r\n"


def test_a_server_that_cannot_be_asked_has_no_say(start_proxy, start_server, redis_servers):
    dead = start_server(RedisServer)
    entry = dead.entry()
    dead.stop()
    proxy = start_proxy({"p": pool([redis_servers[0], entry], redis=True, timeout=5000)},
                        workers=1)
    with RawClient(proxy.address()) as client:
        hello(client, 3)
        replies = {client.ask("GET", key) for key in spread_keys(50)}
        assert replies == {b"_\r\n", b"-ERR Connection refused\r\n"}
    alone = start_proxy({"p": pool([entry], redis=True, timeout=5000)}, workers=1)
    with RawClient(alone.address()) as client:
        hello(client, 3)
        assert client.ask("GET", "key") == b"-ERR Connection refused\r\n"


def test_a_server_that_says_nothing_holds_hello_up_for_a_moment(start_proxy, redis_servers):
    with Resp3Server(lambda words: None, b"") as silent:
        proxy = start_proxy({"p": pool([redis_servers[0], silent], redis=True)}, workers=1)
        with RawClient(proxy.address()) as client:
            hello(client, 3)
            silent.wait_for_bytes(b"HELLO")


# ---- pushes and attributes -----------------------------------------------------------------------


def test_pushes_of_a_server_are_no_replies(start_proxy):
    push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(b"x" * 100000)

    def reply(words):
        if words[0] == b"PUSHES":
            return None
        return push + bulk(words[1]) + push + b">0\r\n"

    with Resp3Server(reply) as server:
        proxy = start_proxy({"p": pool([server], redis=True, timeout=5000)}, workers=1)
        with RawClient(proxy.address()) as client:
            hello(client, 3)
            for i in range(50):
                assert client.ask("GET", f"key{i}") == bulk(b"key%d" % i)
            assert client.pipeline([["GET", i] for i in range(200)]) == [
                bulk(b"%d" % i) for i in range(200)]
        assert server.connections == 1
        assert "no request" not in proxy.log_text()


def test_a_push_is_no_reply_of_resp2(start_proxy):
    with FakeServer(answer_with_push) as server:
        proxy = start_proxy({"p": pool([server], redis=True, timeout=5000)}, workers=1)
        with RawClient(proxy.address()) as client:
            assert client.ask("GET", "key").startswith(b"-ERR")


def answer_with_push(connection, fake):
    while fake.recv(connection):
        connection.sendall(b">1\r\n+x\r\n$1\r\nv\r\n")


def test_attributes_go_with_their_reply(start_proxy):
    attribute = b"|1\r\n+ttl\r\n:3600\r\n"

    def reply(words):
        if words[0].upper() == b"MGET":
            return attribute + b"*%d\r\n" % (len(words) - 1) + b"".join(
                attribute + bulk(key) for key in words[1:])
        return attribute + bulk(words[1])

    with Resp3Server(reply) as one, Resp3Server(reply) as two:
        proxy = start_proxy({"p": pool([one, two], redis=True, timeout=5000)}, workers=1)
        with RawClient(proxy.address()) as client:
            hello(client, 3)
            assert client.ask("GET", "key") == attribute + bulk(b"key")
            keys = spread_keys(60)  # both servers have some
            assert client.ask("MGET", *keys) == b"*60\r\n" + b"".join(
                attribute + bulk(key.encode()) for key in keys)


# ---- reloads and failures ------------------------------------------------------------------------


def connections_of(server):
    with server.client() as client:
        return int(re.search(rb"total_connections_received:(\d+)",
                             client.call("INFO", "stats")).group(1))


def test_clients_and_connections_of_resp3_live_through_a_reload(start_reloadable, redis_servers):
    servers = redis_servers[:2]
    proxy = start_reloadable({"p": pool(servers, redis=True, timeout=5000)}, workers=1)
    with RawClient(proxy.proxy.address()) as client, RawClient(proxy.proxy.address()) as plain:
        hello(client, 3)
        keys = spread_keys(20)
        for key in keys:
            assert client.ask("HSET", key, "f", key) == b":1\r\n"
            plain.ask("GET", "nothing" + key)
        before = [connections_of(server) for server in servers]
        for timeout in (4000, 3000):
            proxy.reload({"p": {**proxy.pools["p"], "timeout": timeout}})
            for key in keys:
                assert client.ask("HGETALL", key) == b"%1\r\n" + bulk(b"f") + bulk(key.encode())
                assert plain.ask("GET", "nothing" + key) == b"$-1\r\n"
        with RawClient(proxy.proxy.address()) as late:
            hello(late, 3)
            assert late.ask("GET", "nothing") == b"_\r\n"
        assert [connections_of(server) for server in servers] == [n + 1 for n in before]
        proxy.reload({"p": {**proxy.pools["p"], "resp3": "off"}})
        assert client.ask("GET", "nothing") == b"_\r\n", "who has it keeps it"
        assert client.ask("HELLO", 3) == NOPROTO


def test_a_reload_while_a_client_waits_for_the_servers(start_reloadable):
    """It waits for 1 s; on a busy machine a reload may take longer, but not each time."""
    assert NOPROTO in (reload_while_a_client_waits(start_reloadable) for _ in range(6))


def reload_while_a_client_waits(start_reloadable):
    with Resp3Server(lambda words: b"+OK\r\n", b"") as silent:
        proxy = start_reloadable({"p": pool([silent], redis=True)}, workers=1)
        with RawClient(proxy.proxy.address()) as client:
            client.send(b"HELLO 3\r\n")
            silent.wait_for_bytes(b"HELLO")
            proxy.reload({"p": {**proxy.pools["p"], "resp3": "off"}})
            return client.read_raw()


def test_a_silent_server_times_out_in_resp3(start_proxy):
    with Resp3Server(lambda words: None) as server:
        proxy = start_proxy({"p": pool([server], redis=True, timeout=300)}, workers=1)
        with RawClient(proxy.address()) as client:
            hello(client, 3)
            assert client.ask("GET", "key") == b"-ERR Connection timed out\r\n"
            assert client.ask("PING") == b"+PONG\r\n"


def test_a_dead_server_is_ejected_by_requests_of_resp3(start_proxy, start_server, redis_servers):
    dying = start_server(RedisServer)
    proxy = start_proxy({"p": pool([redis_servers[0], redis_servers[1], dying], redis=True,
                                   timeout=1000, auto_eject_hosts=True, server_failure_limit=2,
                                   server_retry_timeout=60000)})
    keys = spread_keys(60)
    with RawClient(proxy.address()) as client:
        hello(client, 3)
        assert {client.ask("GET", key) for key in keys} == {b"_\r\n"}
        dying.stop()
        wait_until(lambda: {client.ask("GET", key) for key in keys} == {b"_\r\n"},
                   what="the dead server out of the ring")
    wait_agreed(proxy)
    with RawClient(proxy.address()) as client:
        hello(client, 3)
        assert client.ask("GET", "key") == b"_\r\n"


def test_a_slow_reader_of_resp3_holds_up_nobody(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers[:1], redis=True, timeout=5000)}, workers=1,
                        arguments=("-v", "7"))
    value = b"v" * (4 << 20)
    with RawClient(proxy.address(), receive_buffer_bytes=65536) as slow, \
            RawClient(proxy.address()) as other:
        hello(slow, 3)
        hello(other, 3)
        assert other.ask("SET", "large", value) == b"+OK\r\n"
        slow.send(encode("GET", "large") * 8)
        # What comes sooner stands behind these replies.
        wait_until(lambda: "a spare serves others" in proxy.log_text(),
                   what="the connection to stop")
        for _ in range(20):
            assert other.ask("GET", "nothing") == b"_\r\n"
        for _ in range(8):
            assert slow.read_raw() == bulk(value)
