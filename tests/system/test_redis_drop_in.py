# SPDX-License-Identifier: Apache-2.0
"""Redis as a user of nutcracker, or of a server itself, expects it: every command of the table, keys
on several servers, inline commands, passwords and databases, a server's own errors."""

import pathlib
import re

import pytest

from clients import RespError, encode
from harness import (FakeServer, RedisServer, ROOT, answer_always, pool, spread_keys, title_of,
                     wait_until)

GOLDEN = ROOT / "tests/golden"


def read_examples():
    lines = (GOLDEN / "commands.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def read_refused():
    """The names of the rows that are refused, read off the table."""
    table = (ROOT / "common/proto/redis/commands.cc").read_text()
    return set(re.findall(r'\.name = "(\w+)",[^}]*\.split = kRefused', table))


EXAMPLES = read_examples()
REFUSED = read_refused()
# Answered by the proxy, and not as by a server: test_redis_local.py, test_resp3.py.
LOCAL = {"auth", "client", "command", "config", "hello", "info", "lolwut", "quit", "readonly",
         "readwrite", "reset", "select", "time"}
FORWARDED = [e for e in EXAMPLES if e.split()[0].lower() not in REFUSED | LOCAL]

# One data set for all examples: every kind of value under the names they use.
DATA = ["SET key value", "SET text words", "SET other swords", "SET counter 5", "SET float 1.5",
        "SET a 1", "SET b 2", "SET bits abc", "SET bits:from xyz", "PFADD log a b c",
        "PFADD log:other c d", "HSET hash a 1 b 2", "RPUSH list a b c", "RPUSH list:other x y",
        "RPUSH list:to z", "SADD set a b c", "SADD set:other b", "ZADD sorted 1 a 2 b 3 c",
        "ZADD sorted:other 5 b", "GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 "
        "Catania", "XADD stream 1-1 f v", "XADD stream 2-1 f w", "XADD stream:other 3-1 f x",
        "XGROUP CREATE stream group 0", "SET copy:from 1", "SET rename:from 1",
        "SET dump:key value", "EXPIRE text 1000"]

# What differs from run to run, or with the server that is asked: only its kind is compared.
VOLATILE = {"TTL", "PTTL", "COMMAND", "XINFO", "SSCAN", "SMEMBERS", "SUNION", "SDIFF", "SINTER",
            "HKEYS", "HVALS", "HGETALL", "XAUTOCLAIM", "XPENDING"}


def kind_of(reply):
    return type(reply)


def direct_keys(client, words):
    found = client.call("COMMAND", "GETKEYS", *words)
    return [] if isinstance(found, RespError) else [key.decode() for key in found]


def fill(client, mark):
    for line in DATA:
        words = line.split()
        first = 2 if words[0] == "XGROUP" else 1
        words[first] = mark + words[first]
        reply = client.call(*words)
        assert not isinstance(reply, RespError), (line, reply)


def marked(client, words, mark):
    """The words with `mark` in front of each key."""
    keys = direct_keys(client, words)
    out, left = [words[0]], list(keys)
    skip_first = words[0].lower() in ("object", "memory", "xgroup", "xinfo", "bitop")
    for index, word in enumerate(words[1:], 1):
        if left and word == left[0] and not (skip_first and index == 1):
            left.pop(0)
            word = mark + word
        out.append(word)
    assert not left, (words, keys)
    return out


@pytest.fixture
def twin_servers(start_server):
    """A server to ask directly, and three behind the proxy."""
    return [start_server(RedisServer) for _ in range(4)]


def test_the_recorded_keys_of_every_example_are_what_a_server_says(start_server):
    """tests/golden/command_keys.txt, which the unit tests hold the table against."""
    recorded = {}
    for line in (GOLDEN / "command_keys.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            example, _, keys = line.partition(" ->")
            recorded[example] = keys.strip()
    with start_server(RedisServer).client() as client:
        for example in FORWARDED:
            words = example.split()
            if not client.call("COMMAND", "INFO", words[0])[0]:
                continue  # newer than the server
            keys = " ".join(direct_keys(client, words))
            assert recorded.get(example) == keys, f"record: {example} -> {keys}"


def test_every_command_is_answered_as_by_the_server_itself(start_proxy, twin_servers):
    direct_server, *behind = twin_servers
    proxy = start_proxy({"one": pool(behind[:1], redis=True, timeout=5000),
                         "three": pool(behind, redis=True, timeout=5000, hash_tag="{}")})
    with direct_server.client() as direct, proxy.redis("one") as one, \
            proxy.redis("three") as three:
        for example in FORWARDED:
            words = example.split()
            for client, mark in ((one, ""), (three, "{t}")):
                for server in twin_servers:
                    server.flush()
                fill(direct, mark)
                fill(client, mark)
                request = marked(direct, words, mark)
                expected, got = direct.call(*request), client.call(*request)
                if words[0] in VOLATILE:
                    assert kind_of(got) == kind_of(expected), (example, expected, got)
                else:
                    assert got == expected, (example, mark)


def test_a_wrong_number_of_arguments_is_said_in_the_servers_words(start_proxy, twin_servers):
    direct_server, *behind = twin_servers
    proxy = start_proxy({"p": pool(behind, redis=True, timeout=5000)})
    known = re.compile(r"ERR (wrong number of arguments|syntax error|unknown subcommand)")
    with direct_server.client() as direct, proxy.redis() as client:
        for name in sorted({example.split()[0] for example in FORWARDED}):
            if not direct.call("COMMAND", "INFO", name)[0]:
                continue
            for words in ([name], [name] + ["x"] * 9):
                expected = direct.call(*words)
                if isinstance(expected, RespError) and known.match(str(expected)):
                    got = client.call(*words)
                    if str(expected).startswith("ERR syntax error"):
                        assert isinstance(got, RespError), words
                    else:
                        assert got == expected, words
            assert client.call("PING") == "PONG"


@pytest.mark.parametrize("words", [e.split() for e in EXAMPLES if e.split()[0].lower() in REFUSED],
                         ids=lambda words: words[0])
def test_a_refused_command_says_why(redis_proxy, words):
    with redis_proxy.redis() as client:
        reply = client.call(*words)
        assert str(reply).startswith(f"ERR '{words[0].lower()}' is not supported through a proxy: ")
        assert client.call("PING") == "PONG"


def test_a_blocking_stream_read_is_refused(redis_proxy):
    with redis_proxy.redis() as client:
        reply = client.call("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
        assert "BLOCK is not supported through a proxy" in str(reply)
        assert client.call("XADD", "s", "1-1", "f", "v") == b"1-1"
        assert client.call("XREAD", "STREAMS", "s", "0") == [[b"s", [[b"1-1", [b"f", b"v"]]]]]


# ---- keys on several servers ---------------------------------------------------------------------

CROSSSLOT = "CROSSSLOT Keys in request don't hash to the same server"


def apart(proxy, servers, pool_name=None):
    """Two keys that live on different servers."""
    keys = spread_keys(50)
    with proxy.redis(pool_name) as client:
        for key in keys:
            client.call("SET", key, "1")
        places = [server.keys() for server in servers]
        home = {key: next(i for i, found in enumerate(places) if key.encode() in found)
                for key in keys}
        client.call("DEL", *keys)
    other = next(key for key in keys if home[key] != home[keys[0]])
    return keys[0], other


def test_commands_that_nutcracker_forwards_follow_their_first_key(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, timeout=5000)}, workers=1)
    a, b = apart(proxy, redis_servers)
    with proxy.redis() as client:
        client.call("SADD", a, "1")
        client.call("SADD", b, "2")
        assert client.call("SUNION", a, b) == [b"1"]
        assert client.call("SUNION", b, a) == [b"2"]
        assert client.call("SINTER", a, b) == []
        assert client.call("ZUNIONSTORE", a, "1", b) == 0
        assert client.call("SORT", b, "STORE", a) == 1
    log = proxy.log_text()
    for name in ("sunion", "sinter", "zunionstore", "sort"):
        assert log.count(f"a '{name}' has keys on several servers") == 1, log
    assert "cross_shard\"" not in proxy.stats_text(), "nutcracker's document has no such number"


@pytest.mark.parametrize("words", [
    ["MSETNX", "A", "1", "B", "2"], ["RENAME", "A", "B"], ["RENAMENX", "A", "B"],
    ["LCS", "A", "B"], ["BITOP", "AND", "A", "B"], ["SINTERCARD", "2", "A", "B"],
    ["ZINTERCARD", "2", "A", "B"], ["LMPOP", "2", "A", "B", "LEFT"],
    ["ZMPOP", "2", "A", "B", "MIN"], ["XREAD", "STREAMS", "A", "B", "0", "0"],
    ["EVAL_RO", "return 1", "2", "A", "B"], ["FCALL", "f", "2", "A", "B"],
], ids=lambda words: words[0])
def test_commands_that_nutcracker_never_learnt_need_their_keys_together(redis_proxy, redis_servers,
                                                                        words):
    a, b = apart(redis_proxy, redis_servers)
    with redis_proxy.redis() as client:
        named = [{"A": a, "B": b}.get(word, word) for word in words]
        assert str(client.call(*named)) == CROSSSLOT
        together = [{"A": a, "B": a}.get(word, word) for word in words]
        assert not str(client.call(*together)).startswith("CROSSSLOT")
    assert not any(server.keys() - {a.encode(), b.encode()} for server in redis_servers)


def test_cross_shard_error_refuses_the_others_too(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, timeout=5000, cross_shard="error",
                                   hash_tag="{}")})
    a, b = apart(proxy, redis_servers)
    with proxy.redis() as client:
        for words in (["SUNION", a, b], ["PFCOUNT", a, b], ["ZUNIONSTORE", a, "1", b],
                      ["SORT", a, "STORE", b], ["EVAL", "return 1", "2", a, b],
                      ["SMOVE", a, b, "x"], ["GEORADIUS", a, "1", "2", "3", "km", "STORE", b]):
            assert str(client.call(*words)) == CROSSSLOT, words
        assert client.call("SUNIONSTORE", "{t}a", "{t}b", "{t}c") == 0
        assert client.call("MSET", a, "1", b, "2") == "OK"
        assert client.call("MGET", a, b) == [b"1", b"2"]
    assert "has keys on several servers" not in proxy.log_text()


# ---- inline commands -----------------------------------------------------------------------------


def test_inline_and_resp_requests_mix_and_may_be_cut_anywhere(redis_proxy):
    request = (b"PING\r\n" + encode("SET", "k", "v") + b'set a "b c\\x41"\n\r\n\nGET a\r\n'
               + encode("GET", "k") + b"mget a k\r\nping 'x y'\r\n")
    expected = ["PONG", "OK", "OK", b"b cA", b"v", [b"b cA", b"v"], b"x y"]
    with redis_proxy.redis() as client:
        client.send_slowly(request)
        assert client.read_replies(7) == expected
        for cut in range(1, len(request)):
            client.send(request[:cut])
            client.send(request[cut:])
            assert client.read_replies(7) == expected, f"cut at {cut}"


@pytest.mark.parametrize("line, error", [
    (b'SET k "x\r\n', "ERR Protocol error: unbalanced quotes in request"),
    (b"SET k 'x'y\r\n", "ERR Protocol error: unbalanced quotes in request"),
    (b"x" * 70000, "ERR Protocol error: too big inline request"),
], ids=["open", "glued", "long"])
def test_a_bad_inline_line_is_answered_and_ends_the_connection(redis_proxy, start_server, line,
                                                               error):
    with redis_proxy.redis() as client, start_server(RedisServer).client() as direct:
        for connection in (client, direct):
            connection.send(b"SET k before\r\nGET k\r\n" + line)
            assert connection.read_replies(3) == ["OK", b"before", RespError(error)]
            assert connection.read_to_end() == b""


@pytest.mark.parametrize("line", [b"POST / HTTP/1.1\r\n", b"Host: x\r\n"], ids=["post", "host"])
def test_a_browser_that_was_made_to_speak_to_us_is_cut_off(redis_proxy, line):
    with redis_proxy.redis() as client:
        client.send(b"GET k\r\n" + line + b"SET k evil\r\n")
        assert client.read_reply() is None
        assert client.read_to_end() == b""
    with redis_proxy.redis() as client:
        assert client.call("GET", "k") is None
    assert "cross protocol" in redis_proxy.log_text()


# ---- passwords and databases ---------------------------------------------------------------------

PASSWORD = "open-sesame-7531"


def set_password(server, password):
    with server.client() as direct:
        direct.call("CONFIG", "SET", "requirepass", password)


def value_in(server, key, db=0, password=None):
    with server.client() as direct:
        if password:
            assert direct.call("AUTH", password) == "OK"
        assert direct.call("SELECT", db) == "OK"
        return direct.call("GET", key)


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
@pytest.mark.parametrize("compat", [False, True], ids=["", "compat"])
def test_auth_then_select_then_requests(start_proxy, start_server, folder, unix, compat):
    server = start_server(RedisServer, **({"path": folder / "s"} if unix else {}))
    set_password(server, PASSWORD)
    proxy = start_proxy({"p": pool([server], redis=True, redis_auth=PASSWORD, redis_db=3,
                                   **({"redis_db_compat": True} if compat else {}))})
    with proxy.redis() as client:
        assert client.call("AUTH", PASSWORD) == "OK"
        assert client.call("SET", "k", "v") == "OK"
    db = 0 if compat else 3
    assert value_in(server, "k", db, PASSWORD) == b"v"
    assert value_in(server, "k", 3 - db, PASSWORD) is None


@pytest.mark.parametrize("compat", [False, True], ids=["", "compat"])
def test_redis_db_over_a_unix_socket_and_over_tcp(start_proxy, start_server, folder, compat):
    servers = [start_server(RedisServer, path=folder / "s"), start_server(RedisServer)]
    settings = {"redis_db_compat": True} if compat else {}
    proxy = start_proxy({f"p{i}": pool([server], redis=True, redis_db=2, **settings)
                         for i, server in enumerate(servers)})
    for i, server in enumerate(servers):
        with proxy.redis(f"p{i}") as client:
            assert client.call("SET", "k", "v") == "OK"
            assert client.call("SELECT", "2") == "OK"
            assert isinstance(client.call("SELECT", "1"), RespError)
        kept = 0 if compat and i == 0 else 2
        assert value_in(server, "k", kept) == b"v"


def test_a_wrong_password_is_the_servers_own_error_and_nothing_is_served(start_proxy, start_server):
    server = start_server(RedisServer)
    set_password(server, "another")
    proxy = start_proxy({"p": pool([server], redis=True, redis_auth=PASSWORD, timeout=5000)})
    with proxy.redis() as client:
        assert client.call("AUTH", PASSWORD) == "OK"
        for _ in range(3):
            client.send(encode("SET", "k", "v") + encode("GET", "k") + encode("MGET", "a", "b"))
            for reply in client.read_replies(3):
                assert str(reply).startswith("WRONGPASS "), reply
    assert value_in(server, "k", 0, "another") is None
    assert "refused AUTH or SELECT" in proxy.log_text()
    assert proxy.stats()["p"][f"127.0.0.1:{server.port}"]["server_connections"] == 0


def test_a_database_the_server_does_not_have_is_an_error_not_database_0(start_proxy, start_server):
    server = start_server(RedisServer)
    proxy = start_proxy({"p": pool([server], redis=True, redis_db=99, timeout=5000)})
    with proxy.redis() as client:
        for _ in range(3):
            assert client.call("SET", "k", "v") == RespError("ERR DB index is out of range")
    assert value_in(server, "k") is None
    assert "DB index is out of range" in proxy.log_text()


def test_a_server_without_a_password_is_served_with_one_warning(start_proxy, start_server):
    server = start_server(RedisServer)
    proxy = start_proxy({"p": pool([server], redis=True, redis_auth=PASSWORD, redis_db=1,
                                   server_connections=3, timeout=5000)}, workers=1)
    with proxy.redis() as client:
        assert client.call("AUTH", PASSWORD) == "OK"
        for _ in range(6):
            assert client.call("SET", "k", "v") == "OK"
    assert value_in(server, "k", 1) == b"v"
    assert proxy.log_text().count("needs no password") == 1


def test_a_refused_preconnect_is_closed_and_logged(start_proxy, start_server):
    server = start_server(RedisServer)
    set_password(server, "another")
    proxy = start_proxy({"p": pool([server], redis=True, redis_auth=PASSWORD, preconnect=True)})
    wait_until(lambda: "refused AUTH or SELECT" in proxy.log_text(), what="the log line")
    wait_until(lambda: proxy.stats()["p"][f"127.0.0.1:{server.port}"]["server_connections"] == 0,
               what="the connection to be closed")


def test_nothing_is_sent_before_the_server_has_agreed(start_proxy):
    """A refusal must find no request behind it."""

    def refuse_select(connection, fake):
        while fake.recv(connection):
            wait_until(lambda: b"SELECT" in fake.received, what="the SELECT")
            connection.sendall(b"-ERR no such database\r\n")

    with FakeServer(refuse_select) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, redis_db=5, timeout=5000)})
        with proxy.redis() as client:
            assert client.call("SET", "k", "v") == RespError("ERR no such database")
        assert b"SET\r\n" not in fake.received
        assert fake.received.startswith(encode("SELECT", "5"))


def test_clients_authenticate_as_with_redis_itself(start_proxy, redis_servers):
    proxy = start_proxy({"open": pool(redis_servers, redis=True),
                         "closed": pool(redis_servers, redis=True, redis_auth=PASSWORD)})
    wrong = RespError("WRONGPASS invalid username-password pair or user is disabled.")
    noauth = RespError("NOAUTH Authentication required.")
    with proxy.redis("open") as client, redis_servers[0].client() as direct:
        for words in (["AUTH", "pw"], ["AUTH", "default", "pw"], ["AUTH", "nobody", "pw"],
                      ["AUTH"], ["AUTH", "a", "b", "c"]):
            assert client.call(*words) == direct.call(*words), words
    with proxy.redis("closed") as client:
        for words in (["PING"], ["GET", "k"], ["CLIENT", "ID"], ["ECHO", "x"], ["SELECT", "0"]):
            assert client.call(*words) == noauth
        assert client.call("AUTH", "wrong") == wrong
        assert client.call("AUTH", "nobody", PASSWORD) == wrong
        assert client.call("AUTH", "default", PASSWORD) == "OK"
        assert client.call("PING") == "PONG"
        assert client.call("AUTH", PASSWORD + "x") == wrong
        assert client.call("PING") == noauth
        client.send(f"AUTH {PASSWORD}\r\nPING\r\n".encode())
        assert client.read_replies(2) == ["OK", "PONG"]


def test_a_client_that_is_not_authenticated_may_not_send_much(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, redis_auth=PASSWORD, timeout=5000)})
    with proxy.redis() as client:
        client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n")
        assert str(client.read_reply()).startswith("ERR Protocol error: unauthenticated")
        assert client.read_to_end() == b""
    with proxy.redis() as client:
        value = b"v" * 200_000
        client.send(encode("AUTH", PASSWORD) + encode("SET", "k", value) + encode("GET", "k"))
        assert client.read_replies(3) == ["OK", "OK", value]


def test_the_password_is_seen_nowhere(start_proxy, start_server):
    server = start_server(RedisServer)
    set_password(server, "another")
    with FakeServer(answer_always(b"-ERR cannot use " + PASSWORD.encode() + b" here\r\n")) as fake:
        proxy = start_proxy({"p": pool([server, fake], redis=True, redis_auth=PASSWORD,
                                       timeout=5000)}, arguments=["-v", "11"])
        with proxy.redis() as client:
            client.call("AUTH", "wrong-" + PASSWORD)
            assert client.call("AUTH", PASSWORD) == "OK"
            for key in spread_keys(10):
                reply = client.call("SET", key, "v")
                assert isinstance(reply, RespError) and PASSWORD not in str(reply)
            client.send(b"AUTH " + PASSWORD.encode() + b" 'x\r\n")
            client.read_to_end()
        seen = [proxy.log_text(), proxy.stats_text(), proxy.errors.read_text()]
        seen += [title_of(pid) for pid in proxy.all_pids()]
        seen += [pathlib.Path(f"/proc/{pid}/environ").read_text() for pid in proxy.all_pids()]
        assert "refused AUTH or SELECT" in seen[0]
        assert not any(PASSWORD in text for text in seen)


# ---- a server's own errors -----------------------------------------------------------------------


@pytest.mark.parametrize("error", [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "LOADING Redis is loading the dataset in memory",
    "NOSCRIPT No matching script. Please use EVAL.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOREPLICAS Not enough good replicas to write.", "MOVED 1 127.0.0.1:1", "X",
], ids=lambda error: error.split()[0])
def test_a_servers_error_passes_through_as_it_is(start_proxy, error):
    line = b"-" + error.encode() + b"\r\n"

    def refuse_each(connection, fake):
        while data := fake.recv(connection):
            connection.sendall(line * data.count(b"*"))

    with FakeServer(refuse_each) as one, FakeServer(refuse_each) as two:
        proxy = start_proxy({"p": pool([one, two], redis=True, timeout=5000)}, workers=1)
        keys = spread_keys(60)  # both servers have some
        with proxy.redis() as client:
            for _ in range(2):
                client.send(encode("SET", "k", "v") + encode("MGET", *keys) + encode("DEL", *keys)
                            + encode("MSET", *[w for k in keys for w in (k, "1")])
                            + encode("GET", "k") + encode("PING"))
                assert client.read_replies(6) == [RespError(error)] * 5 + ["PONG"]
        assert one.connections == two.connections == 1, "the shared connection was lost"


# ---- what the proxy answers itself ---------------------------------------------------------------


@pytest.mark.parametrize("words", [
    ["PING"], ["PING", "hello"], ["PING", ""], ["PING", "a", "b"], ["ECHO", "x" * 5000], ["ECHO"],
    ["ECHO", "a", "b"], ["SELECT", "0"], ["SELECT"], ["QUIT"],
], ids=lambda words: " ".join(words)[:12])
def test_local_answers_are_those_of_a_server(redis_proxy, redis_servers, words):
    with redis_proxy.redis() as client, redis_servers[0].client() as direct:
        assert client.call(*words) == direct.call(*words)


def test_select_of_another_database_is_refused(redis_proxy):
    with redis_proxy.redis() as client:
        for db in ("1", "-1", "2147483647"):
            assert client.call("SELECT", db) == RespError("ERR DB index is out of range")
        assert client.call("PING") == "PONG"
