# SPDX-License-Identifier: Apache-2.0
"""memcached's meta commands: every answer as from a server, quiet ones and no-ops in their order.

RM_META_SEED repeats a run of the comparison (a failure prints its seed).
"""

import base64
import os
import random
import re
import threading

import pytest

from harness import FakeServer, MemcachedServer, close_on_request, pool
from meta import Commands, MetaClient, masked

SEED = int(os.environ.get("RM_META_SEED") or random.SystemRandom().randrange(1 << 32))
SEQUENCES = 150


def connect(proxy, pool_name=None):
    return MetaClient(proxy.address(pool_name))


@pytest.fixture
def direct(start_server):
    """A server that is asked directly."""
    return start_server(MemcachedServer)


def answers(client, requests, named, rng):
    """What comes back for the requests, sent in one go but cut anywhere."""
    data = b""
    for line, block in requests:
        for number in {int(n) for n in re.findall(rb"\{(\d)\}", line)}:
            line = line.replace(b"{%d}" % number, b"%d" % client.unique_of(named[number]))
        data += line + block
    end = b"EN O%x\r\n" % rng.randrange(1 << 64)
    data += b"mg - " + end[3:]
    while data:
        size = rng.choice([1, 5, 30, 3000, len(data)])
        client.send(data[:size])
        data = data[size:]
    found = b""
    while not found.endswith(end):
        found += client.read_line()
    return found


def compare(seed, count, direct, proxied):
    """Runs the same random requests against both."""
    rng = random.Random(seed)
    for sequence in range(count):
        commands = Commands(rng, b"s%x-%d-" % (seed & 0xffff, sequence))
        for _ in range(rng.randint(1, 4)):
            requests = commands.pipeline(12)
            cuts = rng.randrange(1 << 32)
            theirs = answers(direct, requests, commands.named, random.Random(cuts))
            ours = answers(proxied, requests, commands.named, random.Random(cuts))
            assert masked(ours).split(b"\r\n") == masked(theirs).split(b"\r\n"), \
                f"RM_META_SEED={seed} sequence {sequence}: {requests!r:.3000}"


def test_over_four_servers_every_answer_is_as_from_one(memcached_servers, start_proxy, direct):
    # md5, since other hashes often place keys that differ in their last byte at one server.
    proxy = start_proxy({"p": pool(memcached_servers, timeout=10000, hash="md5", hash_tag="{}",
                                   memcached_version=direct.version())})
    with MetaClient(direct.address) as one, connect(proxy) as all_of_them:
        compare(SEED, SEQUENCES, one, all_of_them)


def test_over_one_connection_for_many_clients_too(memcached_servers, start_proxy, direct):
    """Quiet requests of others stand between each client's own."""
    proxy = start_proxy({"p": pool(memcached_servers[:1], timeout=10000,
                                   memcached_version=direct.version())}, workers=1)
    failures = []

    def run(number):
        try:
            with MetaClient(direct.address) as one, connect(proxy) as through:
                compare(SEED + 1 + number, SEQUENCES // 3, one, through)
        except BaseException as error:  # the thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


# ---- quiet requests and no-ops -------------------------------------------------------------------


def test_quiet_gets_over_four_servers_leave_only_the_hits_in_order(memcached_servers, start_proxy):
    proxy = start_proxy({"p": pool(memcached_servers, timeout=10000)})
    keys = [b"k%d" % i for i in range(200)]
    with connect(proxy) as client:
        assert client.talk(b"".join(b"ms %s 4 q\r\n%04d\r\n" % (key, i)
                                    for i, key in enumerate(keys) if i % 3 == 0)) == []
        for width in (1, 7, 200):
            for start in range(0, len(keys), width):
                part = list(enumerate(keys))[start:start + width]
                client.send(b"".join(b"mg %s v f k q s\r\n" % key for _, key in part) + b"mn\r\n")
                assert client.read_to_noops() == [
                    b"VA 4 f0 k%s s4\r\n%04d\r\n" % (key, i) for i, key in part if i % 3 == 0
                ] + [b"MN\r\n"]
        assert client.has_no_more()


def test_pipelined_clients_get_their_own_hits_before_each_no_op(memcached_servers, start_proxy):
    proxy = start_proxy({"p": pool(memcached_servers, timeout=10000)})
    failures = []

    def run(number):
        rng = random.Random(number)
        stored, wanted, data = {}, [], []
        try:
            with connect(proxy) as client:
                for turn in range(300):
                    key = b"c%d-%d" % (number, rng.randrange(20))
                    kind = rng.randrange(6)
                    if kind == 0:
                        stored[key] = b"%d:%d" % (number, turn)
                        data.append(b"ms %s %d q\r\n%s\r\n" % (key, len(stored[key]), stored[key]))
                    elif kind == 1:
                        data.append(b"md %s O%d\r\n" % (key, turn))
                        wanted.append(b"%s O%d\r\n" % (b"HD" if stored.pop(key, None) else b"NF",
                                                       turn))
                    elif kind == 2:
                        data.append(b"mn\r\n")
                        wanted.append(b"MN\r\n")
                    elif key in stored:
                        data.append(b"mg %s q v k\r\n" % key)
                        wanted.append(b"VA %d k%s\r\n%s\r\n" % (len(stored[key]), key, stored[key]))
                    else:
                        data.append(b"mg %s v q k\r\n" % key)
                client.send(b"".join(data) + b"mn\r\n")
                assert client.read_exactly(len(b"".join(wanted))) == b"".join(wanted)
                assert client.read_line() == b"MN\r\n"
                assert client.has_no_more()
        except BaseException as error:  # the thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_a_no_op_waits_for_the_slowest_server(start_proxy, memcached_servers):
    held = threading.Event()

    def behave(connection, fake):
        while fake.recv(connection):
            held.wait(20)
            connection.sendall(b"HD\r\n")

    with FakeServer(behave) as slow:
        proxy = start_proxy({"p": pool([memcached_servers[0], slow], distribution="modula",
                                       hash="one_at_a_time", timeout=10000)}, workers=1)
        on_fake, on_real = keys_by_server(proxy, slow)
        with connect(proxy) as client:
            client.send(b"mg %s q\r\nmg %s k\r\nmn\r\n" % (on_fake, on_real))
            slow.wait_for_bytes(b"mg %s\r\n" % on_fake)
            assert client.has_no_more()
            held.set()
            assert client.read_to_noops() == [b"HD\r\n", b"EN k%s\r\n" % on_real, b"MN\r\n"]


def keys_by_server(proxy, fake):
    """A key that belongs to the fake server, and one that does not."""
    found = {}
    for key in (b"k%d" % i for i in range(1000)):
        _, answer, _ = proxy.command("where", "p", key.decode())
        found.setdefault(str(fake.port) in answer, key)
        if len(found) == 2:
            return found[True], found[False]
    raise AssertionError("no key for one of the servers")


def test_a_server_that_dies_in_the_middle_of_a_quiet_batch_costs_only_its_own(
        start_proxy, memcached_servers):
    with FakeServer(close_on_request) as dying:
        proxy = start_proxy({"p": pool([memcached_servers[0], dying], distribution="modula",
                                       hash="one_at_a_time", timeout=5000)}, workers=1)
        on_fake, on_real = keys_by_server(proxy, dying)
        error = b"SERVER_ERROR unknown\r\n"
        with connect(proxy) as client:
            assert client.talk(b"ms %s 1 q\r\n1\r\n" % on_real) == []
            for quiet, wanted in [
                    (b"mg %s v q\r\n" % on_fake, [error]),
                    (b"ms %s 1 q\r\n1\r\n" % on_fake, [error]),
                    (b"md %s q\r\nma %s q\r\n" % (on_fake, on_fake), [error] * 2)]:
                for _ in range(3):
                    assert client.talk(b"mg %s q v\r\n%smg %s v q\r\n" % (on_real, quiet, on_real)) \
                        == [b"VA 1\r\n1\r\n", *wanted, b"VA 1\r\n1\r\n"]


# ---- keys ----------------------------------------------------------------------------------------


def test_a_key_in_base64_lives_where_the_key_it_stands_for_does(memcached_servers, start_proxy):
    proxy = start_proxy({"p": pool(memcached_servers, timeout=10000, hash_tag="{}")})
    with connect(proxy) as client:
        for i in range(60):
            key = b"user:{%d}:name%d" % (i % 7, i)
            encoded = base64.b64encode(key)
            assert client.talk(b"ms %s 2 b\r\n%02d\r\n" % (encoded, i)) == [b"HD\r\n"]
            assert client.get(key) == b"%02d" % i
            assert client.talk(b"mg %s v\r\nmg %s b v\r\nmd %s b\r\n" % (key, encoded, encoded)) == [
                b"VA 2\r\n%02d\r\n" % i] * 2 + [b"HD\r\n"]
            assert client.get(key) is None
            _, home, _ = proxy.command("where", "p", key.decode())
            assert client.set(key, b"x") == b"STORED\r\n"
            [server] = [server for server in memcached_servers if server.keys([key])]
            assert str(server.port) in home


def test_a_key_that_passes_for_replies_changes_nobodys(memcached_servers, start_proxy):
    """1.6.18 shows the keys of some items as they are, line ends included."""
    proxy = start_proxy({"p": pool(memcached_servers[:1], timeout=10000)}, workers=1)
    evil = b"x\r\nVA 3\r\nbad\r\nMN\r\nHD\r\n"
    encoded = base64.b64encode(evil)
    with connect(proxy) as client, connect(proxy) as other:
        assert client.talk(b"ms mine 4\r\ngood\r\n") == [b"HD\r\n"]
        for _ in range(20):
            client.send(b"mg %s b k v N30\r\nme %s b\r\nmg %s v q k b\r\nmg %s k b q v q\r\n"
                        b"ma %s b N0 k\r\nmd %s b k\r\n" % ((encoded,) * 6))
            other.send(b"mg mine v\r\nmn\r\n" * 5)
            assert other.read_to_noops(5) == [b"VA 4\r\ngood\r\n", b"MN\r\n"] * 5
            client.send(b"mg - Oend\r\n")
            while client.read_line() != b"EN Oend\r\n":
                pass


# ---- servers without meta commands ---------------------------------------------------------------


def test_a_server_without_meta_commands_shifts_nobodys_replies(start_proxy):
    """It answers ERROR to an ms, and then to each line of its data block."""

    def behave(connection, fake):
        data = b""
        while True:
            more = fake.recv(connection)
            if not more:
                return
            *lines, data = (data + more).split(b"\r\n")
            connection.sendall(b"".join(
                b"VALUE %s 0 2\r\nok\r\nEND\r\n" % line[4:] if line.startswith(b"get ")
                else b"ERROR\r\n" for line in lines))

    with FakeServer(behave) as old:
        proxy = start_proxy({"p": pool([old], timeout=5000, auto_eject_hosts=True,
                                       server_failure_limit=1)}, workers=1)
        with connect(proxy) as client, connect(proxy) as other:
            for _ in range(5):
                assert client.ask(b"mg k v\r\n") == b"ERROR\r\n"
                assert client.ask(b"mg k v q\r\n") == b"ERROR\r\n"
                for request in (b"ms k 7\r\nget a\r\n\r\n", b"ms k 2 q\r\nab\r\n", b"md k q\r\n"):
                    assert client.ask(request) == b"ERROR\r\n"
                    assert other.get(b"b") == b"ok"
            assert client.has_no_more()


# ---- the proxy's own answers ---------------------------------------------------------------------


def test_version_is_the_pools(start_proxy, memcached_servers):
    proxy = start_proxy({"a": pool(memcached_servers, memcached_version="1.6.40"),
                         "b": pool(memcached_servers)})
    with connect(proxy, "a") as client:
        assert client.ask(b"version\r\n") == b"VERSION 1.6.40\r\n"
    with connect(proxy, "b") as client:
        assert client.ask(b"version x\r\n") == b"VERSION 1.6.27\r\n"


def test_config_get_cluster_names_the_proxy(start_proxy, memcached_servers, folder):
    proxy = start_proxy({"p": pool(memcached_servers),
                         "unix": pool(memcached_servers, listen=str(folder / "p.sock"))})
    host, port = proxy.address("p")
    with connect(proxy, "p") as client:
        nodes = b"1\n%s|%s|%d\n" % (host.encode(), host.encode(), port)
        client.send(b"config get cluster\r\n")
        expected = b"CONFIG cluster 0 %d\r\n%s\r\nEND\r\n" % (len(nodes), nodes)
        assert client.read_exactly(len(expected)) == expected
        assert client.ask(b"config get other\r\n") == b"ERROR\r\n"
    with connect(proxy, "unix") as client:
        assert client.ask(b"config get cluster\r\n") == b"ERROR\r\n"


# ---- a client of today ---------------------------------------------------------------------------


class Dalli:
    """What Dalli 5 sends: version at first, then meta commands only; other keys in base64."""

    def __init__(self, address):
        self.client = MetaClient(address)
        version = re.fullmatch(rb"VERSION (\d+)\.(\d+)\.(\d+)\r\n", self.client.ask(b"version\r\n"))
        assert tuple(map(int, version.groups())) >= (1, 6, 27)

    @staticmethod
    def _words(key):
        plain = re.fullmatch(rb"[!-~]+", key)
        return (key, b"") if plain else (base64.b64encode(key), b" b")

    def set(self, key, value):
        line = b"ms %s %d c%s T3600 MS\r\n" % (self._words(key)[0], len(value), self._words(key)[1])
        reply = self.client.ask(line + value + b"\r\n")
        assert re.fullmatch(rb"HD c\d+\r\n", reply), reply

    def get(self, key):
        self.client.send(b"mg %s%s v f\r\n" % self._words(key))
        reply = self.client.read_meta_reply()
        return None if reply == b"EN\r\n" else reply.split(b"\r\n", 1)[1][:-2]

    def get_multi(self, keys):
        self.client.send(b"".join(b"mg %s%s v f k q s\r\n" % self._words(key) for key in keys)
                         + b"mn\r\n")
        found = {}
        for reply in self.client.read_to_noops()[:-1]:
            line, value = reply.split(b"\r\n", 1)
            words = line.split()
            [key] = [word[1:] for word in words if word.startswith(b"k")]
            found[base64.b64decode(key) if b"b" in words else key] = value[:-2]
        return found

    def delete(self, key):
        return self.client.ask(b"md %s%s\r\n" % self._words(key)) == b"HD\r\n"

    def count(self, key, by):
        mode = b"MI" if by >= 0 else b"MD"
        self.client.send(b"ma %s v%s D%d J0 N3600 %s\r\n" % (*self._words(key), abs(by), mode))
        return int(self.client.read_meta_reply().split(b"\r\n")[1])

    def close(self):
        self.client.close()


def use_dalli(client, name):
    keys = [b"%s:%d" % (name, i) for i in range(30)] + [b"%s: \n\xff %d" % (name, i) for i in range(9)]
    for key in keys[::2]:
        client.set(key, key * 3)
    assert client.get_multi(keys) == {key: key * 3 for key in keys[::2]}
    assert client.get(keys[0]) == keys[0] * 3 and client.get(keys[1]) is None
    assert [client.count(name + b"n", by) for by in (5, 7, -100)] == [0, 7, 0]
    assert client.delete(name + b"n") and not client.delete(name + b"n")
    assert client.delete(keys[0]) and client.get(keys[0]) is None


def test_a_client_as_dalli_5_connects_and_works(memcached_servers, start_proxy):
    proxy = start_proxy({"p": pool(memcached_servers, timeout=10000)})
    for turn in range(5):
        client = Dalli(proxy.address())
        use_dalli(client, b"d%d" % turn)
        client.close()


def test_reloads_meanwhile_disturb_no_quiet_batch(memcached_servers, start_reloadable):
    pools = {"p": pool(memcached_servers, timeout=10000)}
    reloader = start_reloadable(pools)
    failures, done = [], threading.Event()

    def run(number):
        turn = 0
        try:
            client = Dalli(reloader.proxy.address("p"))
            while not done.is_set() or turn < 3:
                use_dalli(client, b"r%d-%d" % (number, turn))
                turn += 1
            client.close()
        except BaseException as error:  # the thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for i in range(6):
        pools["p"]["timeout"] = 10001 + i
        pools["p"]["memcached_version"] = f"1.6.{30 + i}"
        reloader.reload(pools)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
