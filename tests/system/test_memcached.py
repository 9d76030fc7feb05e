# SPDX-License-Identifier: Apache-2.0
"""The memcached ASCII protocol through real servers."""

import random
import re
import threading

import pytest
from pymemcache.client.base import Client as StockClient

from clients import MemcachedError
from harness import FakeServer, answer_always, pool


def test_storing_and_fetching(memcached_proxy):
    with memcached_proxy.memcached() as client:
        assert client.set(b"k", b"value", flags=77) == b"STORED\r\n"
        assert client.get_many([b"k"]) == [(b"k", b"value", 77, None)]
        assert client.get(b"missing") is None
        assert client.store("add", b"k", b"x") == b"NOT_STORED\r\n"
        assert client.store("add", b"new", b"x") == b"STORED\r\n"
        assert client.store("replace", b"k", b"two") == b"STORED\r\n"
        assert client.store("replace", b"none", b"two") == b"NOT_STORED\r\n"
        assert client.store("append", b"k", b">") == b"STORED\r\n"
        assert client.store("prepend", b"k", b"<") == b"STORED\r\n"
        assert client.get(b"k") == b"<two>"
        assert client.ask(b"delete k\r\n") == b"DELETED\r\n"
        assert client.ask(b"delete k\r\n") == b"NOT_FOUND\r\n"


def test_cas(memcached_proxy):
    with memcached_proxy.memcached() as client:
        client.set(b"k", b"1")
        value, unique = client.gets(b"k")
        assert value == b"1"
        assert client.store("cas", b"k", b"2", extra=b" %d" % unique) == b"STORED\r\n"
        assert client.store("cas", b"k", b"3", extra=b" %d" % unique) == b"EXISTS\r\n"
        assert client.store("cas", b"none", b"3", extra=b" 1") == b"NOT_FOUND\r\n"
        assert client.get(b"k") == b"2"


def test_arithmetic_and_touch(memcached_proxy):
    with memcached_proxy.memcached() as client:
        client.set(b"n", b"10")
        assert client.ask(b"incr n 5\r\n") == b"15\r\n"
        assert client.ask(b"decr n 6\r\n").split() == [b"9"]
        assert client.ask(b"incr none 1\r\n") == b"NOT_FOUND\r\n"
        assert client.ask(b"touch n 100\r\n") == b"TOUCHED\r\n"
        assert client.ask(b"touch none 100\r\n") == b"NOT_FOUND\r\n"
        client.set(b"s", b"text")
        assert client.ask(b"incr s 1\r\n").startswith(b"CLIENT_ERROR ")


def test_version(memcached_proxy):
    with memcached_proxy.memcached() as client:
        assert client.ask(b"version\r\n") == b"VERSION 1.6.27\r\n"


def test_quit_answers_everything_before_it_and_closes(memcached_proxy):
    with memcached_proxy.memcached() as client:
        client.send(b"set k 0 0 1\r\nx\r\nget k\r\nquit\r\nset k 0 0 1\r\ny\r\n")
        assert client.read_to_end() == b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"
    with memcached_proxy.memcached() as client:
        assert client.get(b"k") == b"x"


def test_noreply_is_silent_and_keeps_the_order(memcached_proxy):
    with memcached_proxy.memcached() as client:
        client.send(b"set k 0 0 1 noreply\r\n1\r\n"
                    b"set n 0 0 2 noreply\r\n10\r\n"
                    b"append k 0 0 1 noreply\r\n2\r\n"
                    b"prepend k 0 0 1 noreply\r\n0\r\n"
                    b"add a 0 0 1 noreply\r\na\r\n"
                    b"add a 0 0 1 noreply\r\nb\r\n"  # NOT_STORED, unseen
                    b"replace none 0 0 1 noreply\r\nb\r\n"
                    b"incr n 5 noreply\r\n"
                    b"decr n 1 noreply\r\n"
                    b"incr k none noreply\r\n"
                    b"touch n 1000 noreply\r\n"
                    b"delete none noreply\r\n"
                    b"cas a 0 0 1 1 noreply\r\nz\r\n"
                    b"version\r\n")
        line = client.read_line()
        if line.startswith(b"CLIENT_ERROR"):  # "incr k none": not a number, no place for silence
            line = client.read_line()
        assert line.startswith(b"VERSION"), line
        assert client.get(b"k") == b"012"
        assert client.get(b"n").strip() == b"14"
        assert client.get(b"a") == b"a"
        assert client.has_no_more()


def test_a_noreply_request_the_server_answers_anyway_shifts_nothing(memcached_proxy):
    with memcached_proxy.memcached() as client, memcached_proxy.memcached() as other:
        client.set(b"text", b"abc")
        other.set(b"k", b"mine")
        for _ in range(20):
            client.send(b"incr text 1 noreply\r\n")  # CLIENT_ERROR from memcached
            assert client.get(b"text") == b"abc"
            assert other.get(b"k") == b"mine"


def test_a_get_of_many_keys_is_joined_with_missing_keys(memcached_proxy):
    generator = random.Random(3)
    keys = [b"k%d" % i for i in range(300)]
    present = set(generator.sample(keys, 150))
    with memcached_proxy.memcached() as client:
        for key in sorted(present):
            assert client.set(key, b"v" + key) == b"STORED\r\n"
        for count in (1, 2, 3, 20, 300):
            asked = generator.sample(keys, count)
            found = client.get_many(asked)
            assert {key: value for key, value, _, _ in found} == {
                key: b"v" + key for key in asked if key in present}
            assert len(found) == len(set(asked) & present)
        hits = [key for key in keys if key in present]
        assert [key for key, _, _, _ in client.get_many(hits)] == hits
        assert [key for key, _, _, _ in client.get_many([hits[0]] * 3)] == [hits[0]] * 3


def test_gets_of_many_keys_brings_each_unique(memcached_proxy):
    with memcached_proxy.memcached() as client:
        keys = [b"k%d" % i for i in range(20)]
        for key in keys:
            client.set(key, key)
        found = client.get_many(keys, "gets")
        assert [key for key, _, _, _ in found] == keys
        for key, _, _, unique in found:
            assert client.store("cas", key, b"new", extra=b" %d" % unique) == b"STORED\r\n"


def test_a_pipeline_is_answered_in_order(memcached_proxy):
    generator = random.Random(13)
    requests, expected, values = [], [], {}
    for i in range(5000):
        key = b"k%d" % generator.randrange(100)
        kind = generator.randrange(4)
        if kind == 0:
            values[key] = b"v%d" % i
            requests.append(b"set %s 5 0 %d\r\n%s\r\n" % (key, len(values[key]), values[key]))
            expected.append(b"STORED\r\n")
        elif kind == 1:
            requests.append(b"delete %s\r\n" % key)
            expected.append(b"DELETED\r\n" if values.pop(key, None) else b"NOT_FOUND\r\n")
        elif kind == 2:
            values[key] = b"w%d" % i
            value = values[key]
            requests.append(b"set %s 5 0 %d noreply\r\n%s\r\n" % (key, len(value), value))
        else:
            requests.append(b"get %s\r\n" % key)
            if key in values:
                expected.append(b"VALUE %s 5 %d\r\n%s\r\n" % (key, len(values[key]), values[key]))
            expected.append(b"END\r\n")
    answer = b"".join(expected)
    with memcached_proxy.memcached() as client:
        client.send(b"".join(requests))
        assert client.read_exactly(len(answer)) == answer
        assert client.has_no_more()


@pytest.mark.slow
def test_300000_gets_written_before_the_first_read_are_all_answered(memcached_proxy):
    count = 300_000
    with memcached_proxy.memcached() as client:
        for i in range(100):
            client.set(b"k%d" % i, b"value%d" % i)
        client.socket.settimeout(120)
        client.send(b"".join(b"get k%d\r\n" % (i % 100) for i in range(count)))
        expected = b"".join(b"VALUE k%d 0 %d\r\nvalue%d\r\nEND\r\n" % (i, len(f"value{i}"), i)
                            for i in range(100))
        for _ in range(count // 100):
            assert client.read_exactly(len(expected)) == expected


def test_requests_cut_at_any_byte(memcached_proxy):
    request = (b"set k 1 0 4\r\na\r\nb\r\nget k none k\r\ntouch none 0\r\n"
               b"set k 1 0 0 noreply\r\n\r\ndelete k\r\n")
    expected = (b"STORED\r\nVALUE k 1 4\r\na\r\nb\r\nVALUE k 1 4\r\na\r\nb\r\nEND\r\n"
                b"NOT_FOUND\r\nDELETED\r\n")
    with memcached_proxy.memcached() as client:
        client.send_slowly(request)
        assert client.read_exactly(len(expected)) == expected
        for cut in range(1, len(request)):
            client.send(request[:cut])
            client.send(request[cut:])
            assert client.read_exactly(len(expected)) == expected, f"cut at {cut}"


def test_replies_cut_at_any_byte(start_proxy):
    reply = b"VALUE k 3 4\r\na\r\nb\r\nEND\r\n"

    def drip(connection, fake):
        connection.setsockopt(6, 1, 1)  # TCP_NODELAY: a segment per byte
        while fake.recv(connection):
            for i in range(len(reply)):
                connection.sendall(reply[i:i + 1])

    with FakeServer(drip) as fake:
        proxy = start_proxy({"p": pool([fake], timeout=10000)})
        with proxy.memcached() as client:
            for _ in range(20):
                assert client.get_many([b"k"]) == [(b"k", b"a\r\nb", 3, None)]


@pytest.mark.parametrize("size", [0, 1, 2, 1023, 4096, 16383, 16384, 16385, 65535, 65536, 65537,
                                  1 << 20])
def test_values_of_any_size_come_back_whole(memcached_proxy, size):
    value = random.Random(size).randbytes(size)
    with memcached_proxy.memcached() as client:
        for key in (b"a", b"b", b"c"):
            assert client.set(key, value) == b"STORED\r\n"
        assert client.get(b"a") == value
        assert [found[1] for found in client.get_many([b"a", b"none", b"b", b"c"])] == [value] * 3


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1 << 20) + 1, 5_000_000, 16 << 20])
def test_large_values_come_back_whole(memcached_proxy, size):
    value = random.Random(size).randbytes(size)
    with memcached_proxy.memcached() as client:
        assert client.set(b"k", value) == b"STORED\r\n"
        assert client.get(b"k") == value
        assert [found[1] for found in client.get_many([b"none", b"k"])] == [value]


@pytest.mark.parametrize("line", [
    b"nosuch", b"nosuch with words", b"GET k", b"get", b"get " + b"k" * 251, b"gets",
    b"incr k", b"incr k x", b"delete", b"touch k", b"stats x", b"flush_all", b"watch", b"",
    b"mg", b"slabs automove 1", b"shutdown", b"delete k 5 5",
], ids=lambda line: line.decode()[:20] or "empty")
def test_an_unknown_or_bad_line_gets_an_error_and_the_connection_stays(memcached_proxy, line):
    with memcached_proxy.memcached() as client:
        client.send(b"set k 0 0 1\r\nx\r\n" + line + b"\r\nget k\r\n")
        assert client.read_line() == b"STORED\r\n"
        assert re.match(rb"ERROR|CLIENT_ERROR |SERVER_ERROR ", client.read_line())
        assert client.read_values() == [(b"k", b"x", 0, None)]


def test_bytes_that_are_no_request_are_answered_and_nothing_behind_them_is_run(memcached_proxy):
    with memcached_proxy.memcached() as client:
        client.send(b"set k 0 0 1\r\nx\r\nget k\r\nset k 0 0 x\r\nset k 0 0 1\r\ny\r\n")
        client.half_close()
        answer = client.read_to_end()
        assert answer.startswith(b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n")
        assert b"ERROR" in answer


def test_random_bytes_never_end_a_worker(memcached_proxy):
    generator = random.Random(6)
    workers = memcached_proxy.wait_workers()
    pieces = [b"get ", b"set ", b"k ", b"0 ", b"1", b"\r\n", b"\n", b"\r", b" ", b"noreply",
              b"\x80", b"incr ", b"-1", b"99999999999"]
    for _ in range(150):
        with memcached_proxy.memcached() as client:
            data = b"".join(generator.choice(pieces) if generator.random() < 0.8
                            else generator.randbytes(3) for _ in range(60))
            try:
                client.send(data)
                client.half_close()
                client.read_to_end()
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert memcached_proxy.worker_pids() == workers
    with memcached_proxy.memcached() as client:
        assert client.ask(b"version\r\n").startswith(b"VERSION")


def test_many_clients_never_see_each_others_replies(memcached_proxy):
    failures = []

    def run(number):
        try:
            with memcached_proxy.memcached() as client:
                for i in range(30):
                    keys = [b"c%d:%d:%d" % (number, i, j) for j in range(8)]
                    for key in keys:
                        client.send(b"set %s 0 0 %d noreply\r\n%s\r\n" % (key, len(key), key))
                    client.send(b"get " + b" ".join(keys) + b"\r\n")
                    assert [found[:2] for found in client.read_values()] == [(k, k) for k in keys]
        except BaseException as error:  # the thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_a_server_error_is_passed_on_unchanged(start_proxy):
    with FakeServer(answer_always(b"SERVER_ERROR out of memory storing object\r\n")) as fake:
        proxy = start_proxy({"p": pool([fake], timeout=5000)})
        with proxy.memcached() as client:
            for _ in range(3):
                assert client.set(b"k", b"x") == b"SERVER_ERROR out of memory storing object\r\n"
            with pytest.raises(MemcachedError, match="SERVER_ERROR"):
                client.get(b"k")


def test_a_stock_client_library_works(memcached_proxy):
    client = StockClient(memcached_proxy.address(), timeout=20)
    assert client.set_many({f"k{i}": b"v%d" % i for i in range(100)}) == []
    found = client.get_many([f"k{i}" for i in range(120)])
    assert found == {f"k{i}": b"v%d" % i for i in range(100)}
    assert client.incr("none", 1) is None
    assert client.delete("k1", noreply=False) is True
    client.close()
