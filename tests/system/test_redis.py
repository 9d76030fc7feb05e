# SPDX-License-Identifier: Apache-2.0
"""The Redis protocol through real servers: commands, splitting, order, sizes, framing."""

import random
import threading

import pytest
import redis as redis_library

from clients import RespError, encode
from harness import FakeServer, RedisServer, answer_always, pool, spread_keys


def test_the_everyday_commands(redis_proxy):
    with redis_proxy.redis() as client:
        assert client.call("PING") == "PONG"
        assert client.call("SET", "k", "v") == "OK"
        assert client.call("GET", "k") == b"v"
        assert client.call("GET", "missing") is None
        assert client.call("INCR", "n") == 1
        assert client.call("INCRBY", "n", "41") == 42
        assert client.call("EXPIRE", "k", "100") == 1
        assert 0 < client.call("TTL", "k") <= 100
        assert client.call("DEL", "k") == 1
        assert client.call("DEL", "k") == 0
        assert client.call("get", "n") == b"42"
        assert client.call("gEt", "n") == b"42"


@pytest.mark.parametrize("request_words, reply", [
    (("APPEND", "a", "xy"), 2),
    (("SETNX", "a", "1"), 1),
    (("SETEX", "a", "100", "v"), "OK"),
    (("PSETEX", "a", "100000", "v"), "OK"),
    (("GETSET", "a", "v"), None),
    (("STRLEN", "a"), 0),
    (("SETRANGE", "a", "2", "x"), 3),
    (("GETRANGE", "a", "0", "-1"), b""),
    (("SETBIT", "a", "7", "1"), 0),
    (("BITCOUNT", "a"), 0),
    (("HSET", "a", "f", "v", "g", "w"), 2),
    (("HGET", "a", "f"), None),
    (("HGETALL", "a"), []),
    (("HMGET", "a", "f", "g"), [None, None]),
    (("HSCAN", "a", "0"), [b"0", []]),
    (("LPUSH", "a", "1", "2", "3"), 3),
    (("LRANGE", "a", "0", "-1"), []),
    (("RPOP", "a"), None),
    (("LPOS", "a", "x"), None),
    (("SADD", "a", "1", "2"), 2),
    (("SMEMBERS", "a"), []),
    (("SPOP", "a"), None),
    (("SINTER", "{a}1", "{a}2"), []),
    (("ZADD", "a", "1", "x", "2", "y"), 2),
    (("ZRANGE", "a", "0", "-1", "WITHSCORES"), []),
    (("ZSCORE", "a", "x"), None),
    (("ZRANGEBYSCORE", "a", "-inf", "+inf"), []),
    (("PFADD", "a", "1"), 1),
    (("GEOADD", "a", "13.361389", "38.115556", "P"), 1),
    (("TYPE", "a"), "none"),
    (("PERSIST", "a"), 0),
    (("PTTL", "a"), -2),
    (("DUMP", "a"), None),
    (("GETDEL", "a"), None),
    (("EVAL", "return {KEYS[1], ARGV[1], {1, {2}}}", "1", "a", "x"), [b"a", b"x", [1, [2]]]),
    (("EXISTS", "a"), 0),
    (("TOUCH", "a"), 0),
    (("UNLINK", "a"), 0),
], ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_a_command_is_answered_as_by_the_server_itself(redis_proxy, request_words, reply):
    with redis_proxy.redis() as client:
        assert client.call(*request_words) == reply
        assert client.call("PING") == "PONG"


def test_an_error_of_the_server_is_passed_on_unchanged(redis_proxy):
    with redis_proxy.redis() as client:
        client.call("SET", "k", "text")
        assert str(client.call("INCR", "k")) == "ERR value is not an integer or out of range"
        assert str(client.call("LPUSH", "k", "x")).startswith("WRONGTYPE ")
        assert str(client.call("SET", "k")).startswith("ERR wrong number of arguments")
        assert client.call("GET", "k") == b"text"


def test_mget_joins_in_order_with_missing_keys_and_duplicates(redis_proxy):
    generator = random.Random(7)
    keys = [f"k{i}" for i in range(300)]
    present = set(generator.sample(keys, 150))
    with redis_proxy.redis() as client:
        client.send(b"".join(encode("SET", key, "v" + key) for key in sorted(present)))
        assert set(client.read_replies(len(present))) == {"OK"}
        for _ in range(10):
            asked = [generator.choice(keys) for _ in range(generator.choice([1, 2, 3, 50, 500]))]
            expected = [("v" + key).encode() if key in present else None for key in asked]
            assert client.call("MGET", *asked) == expected


def test_mset_and_del_are_split_over_the_servers(redis_proxy, redis_servers):
    keys = spread_keys(200)
    pairs = [word for key in keys for word in (key, "v" + key)]
    with redis_proxy.redis() as client:
        assert client.call("MSET", *pairs) == "OK"
        sizes = [len(server.keys()) for server in redis_servers]
        assert sum(sizes) == 200 and all(sizes), sizes
        assert client.call("MGET", *keys) == [b"v" + key.encode() for key in keys]
        assert client.call("TOUCH", *keys, "missing") == 200
        assert client.call("EXISTS", *keys, "missing", keys[0]) == 201
        assert client.call("DEL", *keys[:100], "missing") == 100
        assert client.call("UNLINK", *keys) == 100
    assert not any(server.keys() for server in redis_servers)


def test_a_multi_key_request_of_one_key_is_like_any_other(redis_proxy):
    with redis_proxy.redis() as client:
        assert client.call("MSET", "a", "1") == "OK"
        assert client.call("MGET", "a") == [b"1"]
        assert client.call("MGET", "a", "a") == [b"1", b"1"]
        assert client.call("DEL", "a", "a") == 1


def test_a_server_error_inside_a_split_request_keeps_its_text(start_proxy):
    refuse = answer_always(b"-READONLY You can't write.\r\n")
    with FakeServer(refuse) as one, FakeServer(refuse) as two:
        proxy = start_proxy({"p": pool([one, two], redis=True, timeout=5000)})
        with proxy.redis() as client:
            for _ in range(3):
                reply = client.call("DEL", *spread_keys(20))
                assert reply == RespError("READONLY You can't write.")
                assert client.call("PING") == "PONG"


def test_hash_tags_bring_keys_together(redis_proxy, redis_servers):
    with redis_proxy.redis() as client:
        for i in range(50):
            client.call("SET", f"{{tag}}{i}", i)
        assert client.call("SUNIONSTORE", "{tag}d", "{tag}a", "{tag}b") == 0
    assert sorted(len(server.keys()) for server in redis_servers) == [0, 0, 0, 50]


@pytest.mark.parametrize("words", [
    ("NOSUCHCOMMAND",), ("NOSUCHCOMMAND", "a", "b"), ("KEYS", "*"), ("FLUSHALL",),
    ("SUBSCRIBE", "c"), ("MULTI",), ("BLPOP", "k", "0"), ("CONFIG", "SET", "save", ""),
    ("SHUTDOWN",), ("X" * 5000,), ("", ), ("GET",), ("GET", "a", "b"), ("MSET", "a"),
    ("MSET", "a", "1", "b"), ("MGET",), ("DEL",), ("EVAL", "return 1", "0"),
    ("EVAL", "return 1", "x", "k"), ("MOVE", "k", "1"), ("AUTH", "pw"),
], ids=lambda words: " ".join(words)[:20])
def test_an_unknown_or_refused_command_gets_an_error_and_the_connection_stays(redis_proxy, words):
    with redis_proxy.redis() as client:
        client.send(encode("SET", "k", "v") + encode(*words) + encode("GET", "k"))
        before, refused, after = client.read_replies(3)
        assert before == "OK"
        assert isinstance(refused, RespError), refused
        assert str(refused).split()[0].isupper(), refused
        assert after == b"v"


def test_quit_answers_everything_before_it_and_closes(redis_proxy):
    with redis_proxy.redis() as client:
        client.send(encode("SET", "k", "v") + encode("GET", "k") + encode("QUIT")
                    + encode("SET", "k", "after"))
        assert client.read_replies(3) == ["OK", b"v", "OK"]
        assert client.read_to_end() == b""
    with redis_proxy.redis() as client:
        assert client.call("GET", "k") == b"v"


def test_inline_commands_are_requests(redis_proxy):
    with redis_proxy.redis() as client:
        client.send(b"PING\r\nSET k value\r\nGET k\r\n\r\nPING\r\n")
        assert client.read_replies(4) == ["PONG", "OK", b"value", "PONG"]


def test_a_pipeline_is_answered_in_order(redis_proxy):
    generator = random.Random(11)
    requests, expected = [], []
    values = {}
    for i in range(5000):
        key = f"k{generator.randrange(200)}"
        kind = generator.randrange(5)
        if kind == 0:
            values[key] = f"v{i}".encode()
            requests.append(encode("SET", key, values[key]))
            expected.append("OK")
        elif kind == 1:
            requests.append(encode("PING"))
            expected.append("PONG")
        elif kind == 2:
            keys = [f"k{generator.randrange(200)}" for _ in range(generator.randrange(1, 9))]
            requests.append(encode("MGET", *keys))
            expected.append([values.get(k) for k in keys])
        elif kind == 3:
            requests.append(encode("DEL", key))
            expected.append(1 if values.pop(key, None) is not None else 0)
        else:
            requests.append(encode("GET", key))
            expected.append(values.get(key))
    with redis_proxy.redis() as client:
        client.send(b"".join(requests))
        assert client.read_replies(len(expected)) == expected


@pytest.mark.slow
def test_300000_gets_written_before_the_first_read_are_all_answered(redis_proxy):
    count = 300_000
    with redis_proxy.redis() as client:
        client.send(b"".join(encode("SET", f"k{i}", f"value{i}") for i in range(1000)))
        client.read_replies(1000)
        client.socket.settimeout(120)
        client.send(b"".join(encode("GET", f"k{i % 1000}") for i in range(count)))
        expected = b"".join(b"$%d\r\nvalue%d\r\n" % (len(f"value{i}"), i) for i in range(1000))
        for _ in range(count // 1000):
            assert client.read_exactly(len(expected)) == expected
        assert client.call("PING") == "PONG"


def test_requests_cut_at_any_byte(redis_proxy):
    request = (encode("SET", "k", b"a\r\nb") + encode("MGET", "k", "x", "k") + encode("PING")
               + encode("MSET", "a", "", "b", "22") + encode("DEL", "a", "b"))
    expected = ["OK", [b"a\r\nb", None, b"a\r\nb"], "PONG", "OK", 2]
    with redis_proxy.redis() as client:
        client.send_slowly(request)
        assert client.read_replies(5) == expected
        for cut in range(1, len(request)):
            client.send(request[:cut])
            client.send(request[cut:])
            assert client.read_replies(5) == expected, f"cut at {cut}"


def test_replies_cut_at_any_byte(start_proxy):
    """A server whose replies come byte by byte: nothing is lost, nothing moves."""
    reply = b"*3\r\n$4\r\na\r\nb\r\n$-1\r\n*2\r\n:-12\r\n+s\r\n"

    def drip(connection, fake):
        connection.setsockopt(6, 1, 1)  # TCP_NODELAY: a segment per byte
        while fake.recv(connection):
            for i in range(len(reply)):
                connection.sendall(reply[i:i + 1])

    with FakeServer(drip) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=10000)})
        with proxy.redis() as client:
            for _ in range(20):
                assert client.call("LRANGE", "k", "0", "-1") == [b"a\r\nb", None, [-12, "s"]]


@pytest.mark.parametrize("size", [0, 1, 2, 1023, 4096, 16383, 16384, 16385, 65535, 65536, 65537,
                                  1 << 20])
def test_values_of_any_size_come_back_whole(redis_proxy, size):
    value = random.Random(size).randbytes(size)
    with redis_proxy.redis() as client:
        client.send(encode("SET", "k", value) + encode("GET", "k") + encode("STRLEN", "k")
                    + encode("MSET", "a", value, "b", value, "c", "x")
                    + encode("MGET", "a", "none", "b", "c"))
        assert client.read_replies(4) == ["OK", value, size, "OK"]
        assert client.read_reply() == [value, None, value, b"x"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1 << 20) + 1, 5_000_000, 16 << 20])
def test_large_values_come_back_whole(redis_proxy, size):
    value = random.Random(size).randbytes(size)
    with redis_proxy.redis() as client:
        assert client.call("SET", "k", value) == "OK"
        assert client.call("GET", "k") == value
        assert client.call("MGET", "none", "k", "none") == [None, value, None]
        assert client.call("PING") == "PONG"


def test_keys_and_values_may_be_any_bytes(redis_proxy):
    everything = bytes(range(256))
    with redis_proxy.redis() as client:
        for key in (b"", b"\x00", b"\r\n", b"$3\r\nfoo\r\n", everything, b"k" * 20_000):
            assert client.call("SET", key, everything + key) == "OK"
            assert client.call("GET", key) == everything + key
            assert client.call("MGET", key, "none") == [everything + key, None]
            assert client.call("DEL", key, "none") == 1


def test_many_clients_never_see_each_others_replies(redis_proxy):
    failures = []

    def run(number):
        try:
            with redis_proxy.redis() as client:
                for i in range(30):
                    keys = [f"c{number}:{i}:{j}" for j in range(8)]
                    client.send(b"".join(encode("SET", key, key) for key in keys)
                                + encode("MGET", *keys) + b"".join(encode("GET", k) for k in keys))
                    expected = [key.encode() for key in keys]
                    assert client.read_replies(8) == ["OK"] * 8
                    assert client.read_reply() == expected
                    assert client.read_replies(8) == expected
        except BaseException as error:  # the thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_a_client_that_leaves_does_not_shift_the_replies_of_others(redis_proxy):
    with redis_proxy.redis() as stays:
        stays.call("SET", "mine", "mine")
        for i in range(50):
            leaver = redis_proxy.redis()
            leaver.send(b"".join(encode("SET", f"theirs{j}", "theirs") + encode("GET", f"theirs{j}")
                                 for j in range(50)))
            leaver.close()
            assert stays.call("GET", "mine") == b"mine"


def test_a_half_closed_client_still_gets_its_answers(redis_proxy):
    with redis_proxy.redis() as client:
        client.send(b"".join(encode("SET", f"k{i}", "v") for i in range(500)) + b"*2\r\n$3\r\nGE")
        client.half_close()
        assert client.read_to_end() == b"+OK\r\n" * 500


@pytest.mark.parametrize("garbage", [
    b"*3\r\n*abcde\r\n", b"*1\r\n$-5\r\n", b"*2\r\n$3\r\nGET\r\n$x\r\n", b"*9999999999\r\n",
    b"*2\r\n$3\r\nGET\r\n$99999999999999999999\r\n", b"*1\r\n$4\r\nPINGxx", b"*x\r\n",
])
def test_bytes_that_are_no_request_are_answered_in_their_place_and_end_the_connection(
        redis_proxy, garbage):
    with redis_proxy.redis() as client:
        client.send(encode("SET", "k", "v") + encode("GET", "k") + garbage
                    + encode("SET", "k", "w"))
        assert client.read_replies(2) == ["OK", b"v"]
        error = client.read_reply()
        assert isinstance(error, RespError) and str(error).startswith("ERR Protocol error"), error
        assert client.read_to_end() == b""
    with redis_proxy.redis() as client:
        assert client.call("GET", "k") == b"v", "what stands behind the error was executed"


def test_random_bytes_never_end_a_worker(redis_proxy):
    generator = random.Random(5)
    workers = redis_proxy.wait_workers()
    pieces = [b"*", b"$", b"\r\n", b"1", b"3", b"GET", b"-1", b"PING", b" ", b"\x00", b"k"]
    for _ in range(150):
        with redis_proxy.redis() as client:
            data = b"".join(generator.choice(pieces) if generator.random() < 0.8
                            else generator.randbytes(3) for _ in range(60))
            try:
                client.send(data)
                client.half_close()
                client.read_to_end()
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert redis_proxy.worker_pids() == workers
    with redis_proxy.redis() as client:
        assert client.call("PING") == "PONG"


def test_a_stock_client_library_works(redis_proxy):
    host, port = redis_proxy.address()
    client = redis_library.Redis(host, port)
    with client.pipeline(transaction=False) as pipeline:
        for i in range(100):
            pipeline.set(f"k{i}", i)
        assert pipeline.execute() == [True] * 100
    assert client.mget([f"k{i}" for i in range(100)]) == [str(i).encode() for i in range(100)]
    assert client.hset("h", mapping={"a": 1, "b": 2}) == 2
    assert client.hgetall("h") == {b"a": b"1", b"b": b"2"}
    assert client.delete(*[f"k{i}" for i in range(100)]) == 100
    client.close()


def test_server_connections_share_the_work(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers[:1], redis=True, server_connections=3)}, workers=1)
    with proxy.redis() as client:
        client.send(b"".join(encode("SET", f"k{i}", i) for i in range(300)))
        assert client.read_replies(300) == ["OK"] * 300
        client.send(b"".join(encode("GET", f"k{i}") for i in range(300)))
        assert client.read_replies(300) == [str(i).encode() for i in range(300)]
    server = proxy.stats()["p"][f"127.0.0.1:{redis_servers[0].port}"]
    assert server["server_connections"] == 3


def test_redis_db_and_redis_auth(start_proxy, start_server):
    server = start_server(RedisServer)
    with server.client() as direct:
        direct.call("CONFIG", "SET", "requirepass", "secret")
    proxy = start_proxy({"p": pool([server], redis=True, redis_auth="secret", redis_db=3)})
    with proxy.redis() as client:
        assert str(client.call("GET", "k")).startswith("NOAUTH")
        assert isinstance(client.call("AUTH", "wrong"), RespError)
        assert str(client.call("PING")).startswith("NOAUTH")
        assert client.call("AUTH", "secret") == "OK"
        assert client.call("SET", "k", "v") == "OK"
        assert client.call("GET", "k") == b"v"
    with server.client() as direct:
        direct.call("AUTH", "secret")
        direct.call("SELECT", "3")
        assert direct.call("GET", "k") == b"v"
        direct.call("CONFIG", "SET", "requirepass", "")
