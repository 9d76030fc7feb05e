# SPDX-License-Identifier: Apache-2.0
"""The memcached binary protocol through real servers, compared with one server asked directly."""

import random
import shutil
import subprocess
import threading

import pytest

from binary import (AUTH_FAILED, EXISTS, HEADER, INVALID, NOOP, NOT_FOUND, OPCODES, OUT_OF_MEMORY,
                    SUCCESS, TEMPORARY, TOO_LARGE, UNKNOWN, BinaryClient, count_extras,
                    exptime_extras, packet, store, store_extras)
from clients import MemcachedClient
from faults import BACK, EJECTED, eject_pool, wait_for_log
from harness import (DEADLINE_S, FakeServer, MemcachedServer, answer_always, close_on_request,
                     make_config, never_answer, pool, run_binary, spread_keys, stopped, wait_until)

MB = 1 << 20


@pytest.fixture
def proxy(start_proxy, memcached_servers):
    return start_proxy({"p": pool(memcached_servers, timeout=5000, flush_all=True)})


def connect(proxy, **options):
    return BinaryClient(proxy.address(), **options)


# ---- the same answers as from a server -----------------------------------------------------------

KEYS = [key.encode() for key in spread_keys(10)] + [b"a b\0\r\n\xff", b"x" * 250]
# Nothing is appended to these: whether a number that has become shorter keeps its length, padded
# with spaces, depends on what else the server is doing.
COUNTERS = [b"count" + key.encode() for key in spread_keys(4)]

NO_CAS = 1 << 63  # no server has counted so far


def masked(reply, data):
    """Every cas that is not 0 as 1, as the servers of a pool count apart; no spaces behind numbers."""
    number = reply.value.rstrip(b" ")
    if number.isdigit():
        reply = reply._replace(value=number)
        data = packet(reply.opcode, reply.key, reply.value, reply.extras, reply.opaque, reply.cas,
                      magic=0x81, vbucket=reply.status)
    return data[:16] + bytes([bool(reply.cas)]) + data[24:]


class Speaker:
    """Makes one conversation twice: what it asks depends on the seed, and on no reply but for the
    cas of a key, which every server counts for itself."""

    def __init__(self, address, seed):
        self.client = BinaryClient(address)
        self.random = random.Random(seed)
        self.cas = {}  # of each key, as last seen
        self.asked = {}  # opaque -> key
        self.opaque = 0

    def request(self):
        choose = self.random.choice
        name = choose(sorted(set(OPCODES) - {"quit", "quitq", "flush", "flushq", "stat", "version",
                                             "verbosity"}))
        if self.random.random() < 0.01:
            name = choose(["flush", "flushq"])
        loud = name.removesuffix("q")
        key = choose(COUNTERS if loud in ("incr", "decr") else KEYS if "pend" in loud else
                     KEYS + COUNTERS)
        value = choose([b"", b"1", b"41", b"text", b"v" * 5000])
        with_cas = self.random.random()
        cas = 0
        if name not in ("noop", "flush", "flushq") and not name.startswith(("sasl", "g", "t")):
            cas = self.cas.get(key, NO_CAS) if with_cas < 0.2 else NO_CAS if with_cas < 0.25 else 0
        self.opaque += 1
        self.asked[self.opaque] = key
        options = {"opaque": self.opaque, "cas": cas}
        if loud in ("set", "add", "replace"):
            return store(name, key, value, self.random.randrange(1 << 32), **options)
        if loud in ("append", "prepend"):
            return packet(name, key, value, **options)
        if loud in ("incr", "decr"):
            # All numbers stay below 2^63: memcached 1.6.18 looks for the '-' of a negative one in a
            # greater one, and past its end, so what stood in that memory before decides.
            deltas = [0, 1, 10, 2**40] + [2**64 - 1] * (loud == "decr")
            return packet(name, key, extras=count_extras(
                choose(deltas), choose([0, 5, 2**62]), choose([0, 0xffffffff])), **options)
        if loud in ("touch", "gat", "gatk"):
            return packet(name, key, extras=exptime_extras(choose([0, 1000])), **options)
        if loud == "noop" or loud == "sasl_list":
            return packet(name, **options)
        if loud in ("sasl_auth", "sasl_step"):
            return packet(name, b"PLAIN", b"\0user\0password", **options)
        if loud == "flush":
            return packet(name, extras=choose([b"", exptime_extras(0)]), **options)
        return packet(name, key, **options)

    def batch(self):
        self.client.send(b"".join(self.request() for _ in range(self.random.randrange(1, 30))) +
                         NOOP)
        answers = []
        for reply, data in self.client.read_to_noop():
            if reply.cas:
                self.cas[self.asked[reply.opaque]] = reply.cas
            answers.append(masked(reply, data))
        return answers


@pytest.mark.parametrize("seed", range(8))
def test_every_answer_is_a_servers_own(proxy, memcached_server_alone, seed):
    server = memcached_server_alone
    direct = Speaker(server.address, seed)
    through = Speaker(proxy.address(), seed)
    with direct.client, through.client:
        for _ in range(60):
            assert direct.batch() == through.batch()


def test_a_conversation_cut_into_bytes_reads_the_same(proxy):
    requests = (store("set", b"k", b"value", 7, opaque=1) + packet("getkq", b"k", opaque=2) +
                packet("getq", b"none", opaque=3) + store("addq", b"k", b"x", opaque=4) +
                packet(0x55, b"k", b"v" * 50, opaque=5) + packet("getk", b"none", opaque=6) +
                packet("version", opaque=7) + NOOP)
    answers = []
    for piece_bytes in (len(requests), 1, 7, 25):
        with connect(proxy) as client:
            client.send_slowly(requests, piece_bytes)
            answers.append([(reply.opcode, reply.status, reply.opaque, reply.value)
                            for reply, _ in client.read_to_noop()])
            assert client.ask(packet("delete", b"k")).status == SUCCESS
    assert [opaque for _, _, opaque, _ in answers[0]] == [1, 2, 4, 5, 6, 7, 0xffffffff]
    assert all(answer == answers[0] for answer in answers)


def test_a_cas_of_a_reply_is_taken_back(proxy):
    with connect(proxy) as client:
        cas = client.ask(store("set", b"k", b"1")).cas
        assert cas != 0
        assert client.ask(packet("get", b"k")).cas == cas
        second = client.ask(store("set", b"k", b"2", cas=cas))
        assert second.status == SUCCESS and second.cas != cas
        assert client.ask(store("set", b"k", b"3", cas=cas)).status == EXISTS
        assert client.ask(store("setq", b"k", b"3", cas=cas)).opcode == OPCODES["setq"]
        assert client.get(b"k") == b"2"


def test_a_quiet_batch_over_all_servers_ends_with_its_noop(proxy):
    keys = [key.encode() for key in spread_keys(400)]
    with connect(proxy) as client:
        client.send(b"".join(store("setq", key, b"v" + key, i, opaque=i)
                             for i, key in enumerate(keys) if i % 3) + NOOP)
        assert [reply.opaque for reply, _ in client.read_to_noop()] == [0xffffffff]
        client.send(b"".join(packet("getkq", key, opaque=i) for i, key in enumerate(keys)) + NOOP)
        replies = [reply for reply, _ in client.read_to_noop()]
        assert [reply.opaque for reply in replies[:-1]] == [i for i in range(400) if i % 3]
        for reply in replies[:-1]:
            assert reply.opcode == OPCODES["getkq"]
            assert reply.key == keys[reply.opaque] and reply.value == b"v" + reply.key
            assert reply.extras == reply.opaque.to_bytes(4, "big")


@pytest.mark.parametrize("size", [60_000, 70_000, 900_000, 20 * MB])
def test_values_that_do_not_come_in_one_read(proxy, size):
    value = random.Random(size).randbytes(size)
    with connect(proxy) as client:
        client.send(store("setq", b"big", value) + packet("get", b"none", opaque=1) +
                    packet("getq", b"big", opaque=2) + packet("getkq", b"big", opaque=3) +
                    packet("gat", b"big", extras=exptime_extras(0), opaque=4) + NOOP)
        replies = [reply for reply, _ in client.read_to_noop()]
        assert [reply.opaque for reply in replies] == [1, 2, 3, 4, 0xffffffff]
        assert [reply.opcode for reply in replies[1:4]] == [
            OPCODES[name] for name in ("getq", "getkq", "gat")]
        assert all(reply.value == value for reply in replies[1:4])


def test_a_value_a_server_does_not_take(proxy):
    with connect(proxy) as client:
        client.send(store("setq", b"k", bytes(33 * MB), opaque=1) + packet("get", b"k", opaque=2) +
                    NOOP)
        refused, missing, _ = [reply for reply, _ in client.read_to_noop()]
        assert (refused.opcode, refused.status) == (OPCODES["setq"], TOO_LARGE)
        assert missing.status == NOT_FOUND


# ---- what is answered here -----------------------------------------------------------------------


def test_what_is_answered_here_is_answered_in_its_place(proxy):
    workers = proxy.wait_workers()
    with connect(proxy) as client, MemcachedClient(proxy.address()) as text:
        client.send(store("set", b"k", b"v", opaque=1) + packet("stat", opaque=2) +
                    packet("stat", b"reset", opaque=3) + packet("version", opaque=4) +
                    packet("get", b"k", opaque=5) + NOOP)
        replies = [reply for reply, _ in client.read_to_noop()]
        stats = {reply.key: reply.value for reply in replies if reply.opaque == 2}
        assert int(stats[b"pid"]) in workers
        assert set(stats) > {b"version", b"uptime", b"curr_connections", b""}
        assert [reply.opaque for reply in replies if reply.opaque != 2] == [1, 3, 4, 5, 0xffffffff]
        unknown = client.ask(packet("stat", b"nosuch"))
        assert (unknown.status, unknown.value) == (NOT_FOUND, b"Not found")
        version = [reply.value for reply in replies if reply.opaque == 4]
        assert b"VERSION %s\r\n" % version[0] == text.ask(b"version\r\n")


def test_quit_is_answered_and_quitq_is_not(proxy):
    for name, answered in (("quit", [1, 2]), ("quitq", [1])):
        with connect(proxy) as client:
            client.send(store("set", b"k", b"v", opaque=1) + packet(name, opaque=2) +
                        store("set", b"k", b"never", opaque=3))
            assert [client.read_reply().opaque for _ in answered] == answered
            assert client.read_to_fin() == b""
    with connect(proxy) as client:
        assert client.get(b"k") == b"v"


def test_flush_empties_every_server(proxy, memcached_servers):
    keys = [key.encode() for key in spread_keys(40)]
    for name in ("flush", "flushq"):
        with connect(proxy) as client:
            client.send(b"".join(store("setq", key, b"v") for key in keys) +
                        packet(name, opaque=1) + NOOP)
            assert [reply.opaque for reply, _ in client.read_to_noop()] == (
                [1, 0xffffffff] if name == "flush" else [0xffffffff])
        assert not any(server.keys(keys) for server in memcached_servers)


def test_flush_is_refused_by_default_and_the_connection_lives(memcached_proxy):
    with connect(memcached_proxy) as client:
        client.send(store("setq", b"k", b"v") + packet("flush", opaque=1) +
                    packet("flushq", opaque=2) + NOOP)
        replies = [reply for reply, _ in client.read_to_noop()]
        assert [(reply.opcode, reply.status, reply.value) for reply in replies[:2]] == [
            (OPCODES[name], AUTH_FAILED, b"flush is not allowed on this pool")
            for name in ("flush", "flushq")]
        assert client.get(b"k") == b"v"


def test_memccapable_passes(proxy):
    program = shutil.which("memccapable")
    if program is None:
        pytest.skip("libmemcached-tools is not installed")
    host, port = proxy.address()
    done = subprocess.run([program, "-h", host, "-p", str(port), "-b"], capture_output=True,
                          timeout=DEADLINE_S * 3)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"All tests passed" in done.stdout, done.stdout


# ---- requests that are wrong ---------------------------------------------------------------------

# Each is answered with an error and the connection ends, whatever follows.
FATAL = {
    "no key": packet("get"),
    "extras": packet("get", b"k", extras=b"abcd"),
    "value": packet("get", b"k", b"v"),
    "long key": packet("get", b"k" * 251),
    "long key, quiet": packet("getq", b"k" * 251),
    "no extras": packet("set", b"k", b"v"),
    "few extras": packet("set", b"k", b"v", extras=b"abcd"),
    "store without key": packet("set", value=b"v", extras=store_extras()),
    "store with long key": store("setq", b"k" * 251, b"v"),
    "body below key": packet("get", b"k", body_bytes=0),
    "body below key and extras": store("set", b"k", b"v", body_bytes=8),
    "noop with body": packet("noop", b"k"),
    "version with body": packet("version", b"k"),
    "quit with body": packet("quit", b"k"),
    "quitq with body": packet("quitq", b"k"),
    "flush with odd extras": packet("flush", extras=b"abc"),
    "flush with key": packet("flush", b"k"),
    "touch without extras": packet("touch", b"k"),
    "gat with long key": packet("gat", b"k" * 251, extras=exptime_extras(0)),
    "delete with value": packet("delete", b"k", b"v"),
    "incr without extras": packet("incr", b"k"),
    "incr with value": packet("incr", b"k", b"v", count_extras()),
    "append with extras": packet("append", b"k", b"v", b"abcd"),
    "stat with extras": packet("stat", extras=b"abcd"),
    "stat with long key": packet("stat", b"k" * 251),
    "sasl without mechanism": packet("sasl_auth"),
    "sasl list with key": packet("sasl_list", b"k"),
    "a body that never comes": packet("get", b"k", body_bytes=0x7fffffff),
}


@pytest.mark.parametrize("request_bytes", FATAL.values(), ids=FATAL.keys())
def test_a_wrong_request_ends_as_at_a_server(proxy, memcached_servers, request_bytes):
    data = store("set", b"before", b"v", opaque=9) + request_bytes
    ends = []
    for address in (memcached_servers[0].address, proxy.address()):
        with BinaryClient(address) as client:
            client.send(data)
            assert client.read_reply().status == SUCCESS
            ends.append(client.read_to_end())
    assert ends[0] == ends[1]
    assert ends[0] != b""


def test_a_server_loses_its_place_and_the_proxy_does_not(proxy):
    """memcached 1.6.18 takes bytes of the next request for the rest of these."""
    with connect(proxy) as client:
        client.send(packet("verbosity", extras=exptime_extras(1), opaque=1) +
                    packet(0x55, b"key", b"value", b"extras", opaque=2) +
                    packet(0xff, b"", bytes(3 * MB), opaque=3) +
                    packet(0x1f, b"", b"", opaque=4) + NOOP)
        replies = [reply for reply, _ in client.read_to_noop()]
        assert [(reply.opaque, reply.status, reply.value) for reply in replies[:-1]] == [
            (opaque, UNKNOWN, b"Unknown command") for opaque in (1, 2, 3, 4)]
    for request in (packet("touch", b"k", b"v", exptime_extras(0)),
                    packet("gat", b"k", b"v", exptime_extras(0)), packet("stat", b"", b"value")):
        with connect(proxy) as client:
            assert client.ask(request + NOOP).status == INVALID
            assert client.read_to_end() == b""


def test_a_length_beyond_any_value_is_skipped_as_it_comes(proxy):
    with connect(proxy) as client:
        client.send(store("set", b"k", b"", opaque=1, body_bytes=8 + 1 + (1 << 30) + 1))
        for _ in range(1 << 10):
            client.send(bytes(MB))
        client.send(b"x" + NOOP)
        refused, _ = [reply for reply, _ in client.read_to_noop()]
        assert (refused.opaque, refused.status) == (1, TOO_LARGE)


def test_one_protocol_for_each_connection(proxy):
    with connect(proxy) as client:
        client.send(store("set", b"k", b"v", opaque=1) + b"get k\r\n" + b"get k\r\n" * 10)
        assert client.read_reply().opaque == 1
        refused = client.read_reply()
        assert (refused.status, refused.value) == (INVALID, b"Not a request of the binary protocol")
        assert client.read_to_end() == b""
    with MemcachedClient(proxy.address()) as client:
        client.send(b"get k\r\n" + packet("get", b"k"))
        assert client.read_values()[0][1] == b"v"
        assert client.read_to_end().startswith(b"CLIENT_ERROR ")
    with connect(proxy) as client:  # as a server: what is no request of either is a line
        client.send(packet("get", b"k", magic=0x81) + b"\r\n")
        assert client.read_line() == b"ERROR\r\n"


def test_a_client_that_leaves_in_the_middle_gets_what_was_whole(proxy):
    whole = store("set", b"k", b"v", opaque=1) + packet("getq", b"k", opaque=2)
    for rest in (b"\x80", packet("get", b"k")[:23], packet("get", b"key")[:-1],
                 store("set", b"k", bytes(100_000))[:-1]):
        with connect(proxy) as client:
            client.send(whole + rest)
            client.half_close()
            assert [client.read_reply().opaque for _ in range(2)] == [1, 2]
            assert client.read_to_fin() == b""


# ---- beside the text protocol --------------------------------------------------------------------


def test_text_and_binary_at_the_same_time(proxy):
    failures = []

    def speak_text(number):
        key = b"text%d" % number
        with MemcachedClient(proxy.address()) as client:
            for i in range(200):
                client.send(b"set %s 0 0 4\r\n%04d\r\nget %s\r\n" % (key, i, key))
                if client.read_line() != b"STORED\r\n":
                    failures.append(key)
                if client.read_values()[0][1] != b"%04d" % i:
                    failures.append(key)

    def speak_binary(number):
        key = b"bin%d" % number
        with connect(proxy) as client:
            for i in range(200):
                client.send(store("setq", key, b"%04d" % i) + packet("getq", b"none" + key) +
                            packet("getq", key, opaque=i) + NOOP)
                replies = [reply for reply, _ in client.read_to_noop()]
                if [(r.opaque, r.value) for r in replies[:-1]] != [(i, b"%04d" % i)]:
                    failures.append(key)

    threads = [threading.Thread(target=speak, args=(number,), daemon=True)
               for number in range(6) for speak in (speak_text, speak_binary)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S * 3)
        assert not thread.is_alive()
    assert failures == []
    with connect(proxy) as client, MemcachedClient(proxy.address()) as text:
        assert client.get(b"text0") == b"0199"
        assert text.get(b"bin0") == b"0199"


def test_a_server_without_the_protocol_is_well_for_text(start_proxy, start_server):
    class TextServer(MemcachedServer):
        def command(self):
            return [*super().command(), "-B", "ascii"]

    server = start_server(TextServer)
    proxy = start_proxy({"p": pool([server, start_server(MemcachedServer)], timeout=1500,
                                   auto_eject_hosts=True, server_failure_limit=1)})
    keys = [key.encode() for key in spread_keys(40)]
    with connect(proxy) as client, MemcachedClient(proxy.address()) as text:
        for _ in range(3):
            client.send(b"".join(store("set", key, b"v", opaque=i) for i, key in enumerate(keys)) +
                        NOOP)
            replies = [reply for reply, _ in client.read_to_noop()][:-1]
            assert len(replies) == len(keys)
            assert {reply.status for reply in replies} == {SUCCESS, TEMPORARY}
            # It answers when it has seen what it takes for a line.
            assert {reply.value for reply in replies} <= {b"", b"Protocol not supported",
                                                          b"Connection timed out"}
        for key in keys:
            assert text.set(key, b"v") == b"STORED\r\n"
        assert server.keys(keys), "the server is still in the ring"


def test_a_line_of_text_is_no_word_against_a_server(start_proxy, memcached_servers):
    with FakeServer(answer_always(b"ERROR\r\n")) as fake:
        proxy = start_proxy({"p": pool([fake, memcached_servers[0]], timeout=5000,
                                       auto_eject_hosts=True, server_failure_limit=1)})
        with connect(proxy) as client:
            replies = [client.ask(packet("get", key.encode())) for key in spread_keys(40)]
        assert {(reply.status, reply.value) for reply in replies} == {
            (NOT_FOUND, b"Not found"), (TEMPORARY, b"Protocol not supported")}
        assert "accuse" not in proxy.log_text() and "eject" not in proxy.log_text()


class BinaryServer(MemcachedServer):
    """One that closes on text."""

    def command(self):
        return [*super().command(), "-B", "binary"]

    def client(self):
        return BinaryClient(self.address)

    def ping(self, client):
        client.ask(NOOP)


@pytest.mark.parametrize("readmit", ["keep", "flush"])
def test_a_server_without_text_returns_after_its_ejection(start_proxy, start_server, readmit):
    servers = [start_server(BinaryServer) for _ in range(2)]
    proxy = start_proxy({"p": eject_pool(servers, redis=False, server_failure_limit=1,
                                         readmit=readmit)}, workers=1)
    with connect(proxy) as client, servers[1].client() as direct:
        for key in spread_keys(40):
            assert client.ask(store("set", key.encode(), b"v")).status == SUCCESS
        key = next(key.encode() for key in spread_keys(40) if direct.get(key.encode()) == b"v")
        with stopped([servers[1].process.pid]):
            assert client.ask(packet("get", key)).status == TEMPORARY
            wait_for_log(proxy, EJECTED, "s1")
        wait_for_log(proxy, BACK, "s1")
        assert direct.get(key) == (b"v" if readmit == "keep" else None)

        def is_in_the_ring():
            assert client.ask(store("set", key, b"new")).status == SUCCESS
            return direct.get(key) == b"new"

        wait_until(is_in_the_ring, what="its keys to return")


# ---- servers that fail ---------------------------------------------------------------------------


@pytest.mark.parametrize("behave, text", [(close_on_request, b"unknown"),
                                          (never_answer, b"Connection timed out")],
                         ids=["closes", "hangs"])
def test_a_server_that_fails_in_a_quiet_batch(start_proxy, memcached_servers, behave, text):
    with FakeServer(behave) as fake:
        timeout = 1000 if behave is never_answer else 20000
        proxy = start_proxy({"p": pool([*memcached_servers[:2], fake], timeout=timeout)})
        keys = [key.encode() for key in spread_keys(90)]
        with connect(proxy) as client:
            for name in ("setq", "getkq"):
                make = (lambda key, i: store("setq", key, b"v", opaque=i)) if name == "setq" else (
                    lambda key, i: packet("getkq", key, opaque=i))
                client.send(b"".join(make(key, i) for i, key in enumerate(keys)) + NOOP)
                replies = [reply for reply, _ in client.read_to_noop()][:-1]
                failed = [reply for reply in replies if reply.status == TEMPORARY]
                good = [reply for reply in replies if reply.status == SUCCESS]
                assert failed and len(failed) + len(good) == len(replies)
                assert len(replies) == (len(failed) if name == "setq" else len(keys))
                assert {reply.opcode for reply in replies} == {OPCODES[name]}
                assert [reply.opaque for reply in replies] == sorted(
                    reply.opaque for reply in replies)
                assert {reply.value for reply in failed} <= {text, b"Connection refused",
                                                             b"Connection reset by peer"}


def test_a_late_reply_is_no_ones(start_proxy):
    """The client clock ends one request; its reply comes when others have been asked."""
    answer = threading.Event()

    def behave(connection, fake):
        """Answers each get with its opaque as the value, the first one late."""
        data = b""
        while True:
            while len(data) < 24 or len(data) < 24 + int.from_bytes(data[8:12], "big"):
                received = fake.recv(connection)
                if not received:
                    return
                data += received
            size = 24 + int.from_bytes(data[8:12], "big")
            opaque, data = data[12:16], data[size:]
            if opaque == b"\0\0\0\1":
                # Progress, so that only the client clock runs out.
                head = HEADER.pack(0x81, 0, 0, 4, 0, 0, 4 + 200, 1, 5) + b"\0\0\0\0"
                connection.sendall(head)
                for _ in range(200):
                    connection.sendall(b"x")
                    answer.wait(0.02)
            else:
                connection.sendall(HEADER.pack(0x81, 0, 0, 4, 0, 0, 8, int.from_bytes(opaque, "big"),
                                               5) + b"\0\0\0\0" + opaque)

    with FakeServer(behave) as fake:
        proxy = start_proxy({"p": pool([fake], timeout=1500)})
        with connect(proxy) as client:
            timed_out = client.ask(packet("getq", b"k", opaque=1))
            assert (timed_out.opcode, timed_out.status) == (OPCODES["getq"], TEMPORARY)
            answer.set()
            for opaque in (2, 3):
                reply = client.ask(packet("getq", b"k", opaque=opaque))
                assert (reply.opaque, reply.value) == (opaque, opaque.to_bytes(4, "big"))


def test_a_server_that_answers_another_request_is_left(start_proxy):
    def behave(connection, fake):
        while fake.recv(connection):
            connection.sendall(HEADER.pack(0x81, 0, 0, 4, 0, 0, 9, 4711, 1) + b"\0\0\0\0other")

    with FakeServer(behave) as fake:
        proxy = start_proxy({"p": pool([fake], timeout=2000)})
        with connect(proxy) as client:
            reply = client.ask(packet("get", b"k", opaque=1))
            assert (reply.opaque, reply.status) == (1, TEMPORARY)
            assert b"other" not in reply.value


def test_flush_with_a_dead_server_is_one_error(start_proxy, start_server, memcached_servers):
    dead = start_server(MemcachedServer)
    proxy = start_proxy({"p": pool([*memcached_servers, dead], timeout=5000, flush_all=True)})
    dead.stop()
    with connect(proxy) as client:
        client.send(packet("flush", opaque=1) + packet("flushq", opaque=2) + NOOP)
        replies = [reply for reply, _ in client.read_to_noop()]
        assert [(reply.opcode, reply.status) for reply in replies[:-1]] == [
            (OPCODES["flush"], TEMPORARY), (OPCODES["flushq"], TEMPORARY)]


def test_a_value_that_does_not_fit_is_refused_in_its_place(start_proxy, memcached_servers):
    proxy = start_proxy({"p": pool(memcached_servers, timeout=10000)}, workers=1,
                        process={"max_memory": "16m"})
    with connect(proxy) as client:
        client.send(store("setq", b"k", b"1") + store("setq", b"k", bytes(24 * MB), opaque=1) +
                    packet("get", b"k", opaque=2) + NOOP)
        refused, present, _ = [reply for reply, _ in client.read_to_noop()]
        assert (refused.opcode, refused.opaque, refused.status) == (OPCODES["setq"], 1,
                                                                    OUT_OF_MEMORY)
        assert (present.opaque, present.value) == (2, b"1")


# ---- a password ----------------------------------------------------------------------------------


@pytest.fixture
def guarded(start_proxy, memcached_servers):
    return start_proxy({"p": pool(memcached_servers, timeout=5000,
                                  memcached_auth="user:pass:word")})


def test_plain_lets_a_client_in(guarded):
    with connect(guarded) as client:
        assert client.ask(packet("sasl_list", opaque=1)).value == b"PLAIN"
        assert client.ask(packet("version")).status == SUCCESS
        for mechanism, value in ((b"PLAIN", b"\0user\0pass"), (b"PLAIN", b"\0user\0pass:word "),
                                 (b"PLAIN", b"\0user:pass\0word"), (b"PLAIN", b"user"),
                                 (b"PLAIN", b""), (b"PLAIN", b"\0\0"),
                                 (b"LOGIN", b"\0user\0pass:word")):
            refused = client.ask(packet("sasl_auth", mechanism, value))
            assert (refused.status, refused.value) == (AUTH_FAILED, b"Auth failure."), value
        assert client.ask(packet("sasl_step", b"PLAIN", b"x")).status == AUTH_FAILED
        welcome = client.ask(packet("sasl_auth", b"PLAIN", b"any\0user\0pass:word", opaque=5))
        assert (welcome.status, welcome.value, welcome.opaque) == (SUCCESS, b"Authenticated", 5)
        assert client.ask(store("set", b"k", b"v")).status == SUCCESS
        assert client.get(b"k") == b"v"


@pytest.mark.parametrize("request_bytes", [
    packet("get", b"k"), packet("getq", b"k"), NOOP, packet("quit"), packet("stat"), packet(0x55),
    store("set", b"k", b"v"), store("set", b"k", bytes(100_000))[:50_000]],
    ids=["get", "getq", "noop", "quit", "stat", "unknown", "set", "a long set"])
def test_without_it_all_else_ends(guarded, request_bytes):
    with connect(guarded) as client:
        client.send(request_bytes)
        reply = client.read_reply()
        assert (reply.opcode, reply.status, reply.value) == (request_bytes[1], AUTH_FAILED,
                                                             b"Auth failure.")
        assert client.read_to_end() == b""


def test_text_has_no_password_to_give(guarded):
    with MemcachedClient(guarded.address()) as client:
        client.send(b"get k\r\n")
        assert client.read_to_end() == b"CLIENT_ERROR unauthenticated\r\n"


def test_a_reload_may_ask_for_a_password(start_reloadable, memcached_servers):
    settings = pool(memcached_servers, timeout=5000)
    reloader = start_reloadable({"p": settings})
    with (connect(reloader.proxy) as client, MemcachedClient(reloader.proxy.address()) as text,
          connect(reloader.proxy) as silent):
        assert client.ask(store("set", b"k", b"v")).status == SUCCESS
        assert text.get(b"k") == b"v"
        reloader.reload({"p": {**settings, "timeout": 4000}})
        assert client.get(b"k") == b"v"
        reloader.reload({"p": {**settings, "memcached_auth": "u:p"}})
        assert text.read_to_end() == b""
        assert client.ask(packet("sasl_auth", b"PLAIN", b"\0u\0p")).status == SUCCESS
        assert client.get(b"k") == b"v"
        assert silent.ask(NOOP).status == AUTH_FAILED


def test_the_password_is_checked_and_never_shown(folder, memcached_servers):
    for line, wanted in (("secretword", "takes a user, a colon and a password"),
                         (":secretword", "takes a user, a colon and a password")):
        path = folder / "bad.yml"
        path.write_text(make_config({"p": pool(memcached_servers, memcached_auth=line)}))
        code, out, err = run_binary("-t", "-c", path)
        assert code == 1
        assert wanted in out + err
        assert "secretword" not in out + err
