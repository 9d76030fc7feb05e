# SPDX-License-Identifier: Apache-2.0
"""memcached as a client knows it: through the proxy nothing looks different."""

import random
import re
import shutil
import socket
import subprocess
import threading

import pytest

from clients import MemcachedError
from harness import FakeServer, MemcachedServer, pool, spread_keys

ONE_MB = 1 << 20
TOO_LARGE = b"SERVER_ERROR object too large for cache\r\n"


class SmallMemcached(MemcachedServer):
    """Values up to 1 MB, memcached's own default."""

    def command(self):
        command = super().command()
        command[command.index("32m")] = "1m"
        return command


@pytest.fixture
def flushing_proxy(start_proxy, memcached_servers):
    return start_proxy({"p": pool(memcached_servers, timeout=5000, flush_all=True)})


# ---- memccapable ---------------------------------------------------------------------------------


def run_memccapable(address):
    """How many of its ASCII tests pass."""
    tool = shutil.which("memccapable")
    if tool is None:
        pytest.skip("memccapable (libmemcached-tools) is not installed")
    done = subprocess.run([tool, "-a", "-t", "10", "-h", address[0], "-p", str(address[1])],
                          capture_output=True, timeout=150, check=False)
    return done.returncode, (done.stdout + done.stderr).count(b"[pass]")


@pytest.mark.slow
def test_memccapable_passes_all_27_tests(start_proxy, memcached_servers):
    proxy = start_proxy({"p": pool(memcached_servers[:2], timeout=5000, flush_all=True)})
    assert run_memccapable(proxy.address()) == (0, 27)


@pytest.mark.slow
def test_memccapable_passes_fewer_through_nutcracker(start_nutcracker, memcached_servers):
    proxy = start_nutcracker({"p": pool(memcached_servers[:2], timeout=5000)})
    assert run_memccapable(proxy.address())[1] < 27


# ---- gat, gats -----------------------------------------------------------------------------------


def test_gat_brings_values_and_sets_their_expiry(memcached_proxy):
    keys = [key.encode() for key in spread_keys(40)]
    with memcached_proxy.memcached() as client:
        for key in keys[:30]:
            client.set(key, b"v" + key, flags=3)
        expected = [(key, b"v" + key, 3, None) for key in keys[:30]]
        assert client.get_many(keys[:30], "gat 1000") == expected
        assert client.get_many([keys[0]], "gat 0") == expected[:1]
        assert client.get_many([keys[35]], "gat 0") == []
        assert len(client.get_many(keys, "gat 1000")) == 30
        assert client.get_many(keys[:10], "gat -1") == expected[:10]
        assert sorted(client.get_many(keys[:30])) == sorted(expected[10:])


def test_gats_brings_each_unique(memcached_proxy):
    keys = [key.encode() for key in spread_keys(20)]
    with memcached_proxy.memcached() as client:
        for key in keys:
            client.set(key, key)
        for key, _, _, unique in client.get_many(keys, "gats 100"):
            assert client.store("cas", key, b"new", extra=b" %d" % unique) == b"STORED\r\n"


# ---- flush_all -----------------------------------------------------------------------------------


def fill(client, count=60):
    keys = [key.encode() for key in spread_keys(count)]
    for key in keys:
        assert client.set(key, b"x") == b"STORED\r\n"
    return keys


def test_flush_all_empties_every_server_of_a_pool_that_allows_it(flushing_proxy,
                                                                memcached_servers):
    with flushing_proxy.memcached() as client:
        keys = fill(client)
        assert all(server.keys(keys) for server in memcached_servers)
        client.send(b"version\r\nflush_all\r\nget " + keys[0] + b"\r\n")
        assert client.read_line().startswith(b"VERSION")
        assert client.read_line() == b"OK\r\n"
        assert client.read_values() == []
        assert not any(server.keys(keys) for server in memcached_servers)
        fill(client)
        assert client.ask(b"flush_all 0\r\n") == b"OK\r\n"
        assert client.get_many(keys) == []
        fill(client)
        client.send(b"flush_all noreply\r\nflush_all 0 noreply\r\nflush_all x noreply\r\n")
        assert client.get_many(keys) == []
        assert client.ask(b"flush_all 1000\r\n") == b"OK\r\n"
        assert len(client.get_many(fill(client))) == len(keys)
        assert client.ask(b"flush_all x\r\n") == b"CLIENT_ERROR invalid exptime argument\r\n"


def test_flush_all_is_refused_by_default_and_the_connection_lives(memcached_proxy):
    with memcached_proxy.memcached() as client:
        keys = fill(client)
        client.send(b"version\r\nflush_all\r\nflush_all 10 noreply\r\nversion\r\n")
        assert client.read_line().startswith(b"VERSION")
        assert client.read_line() == b"CLIENT_ERROR flush_all is not allowed on this pool\r\n"
        assert client.read_line().startswith(b"VERSION")
        assert len(client.get_many(keys)) == len(keys)


def test_flush_all_with_a_dead_server_is_one_error_and_empties_the_others(
        start_proxy, start_server, memcached_servers):
    dead = start_server(MemcachedServer)
    proxy = start_proxy({"p": pool([*memcached_servers, dead], timeout=5000, flush_all=True)})
    dead.stop()
    with proxy.memcached() as client, memcached_servers[0].client() as direct:
        direct.set(b"k", b"x")
        client.send(b"flush_all\r\nverbosity 1\r\n")
        assert client.read_line().startswith(b"SERVER_ERROR ")
        assert client.read_line() == b"OK\r\n"
        assert direct.get(b"k") is None


# ---- verbosity, stats ----------------------------------------------------------------------------


def test_verbosity_and_stats_are_answered_in_their_place(memcached_proxy):
    workers = memcached_proxy.wait_workers()
    with memcached_proxy.memcached() as client:
        client.send(b"set k 0 0 1\r\nx\r\nverbosity 1\r\nverbosity 1 noreply\r\nstats\r\nget k\r\n")
        assert client.read_line() == b"STORED\r\n"
        assert client.read_line() == b"OK\r\n"
        stats = {}
        while (line := client.read_line()) != b"END\r\n":
            word, name, value = line.split()
            assert word == b"STAT"
            stats[name.decode()] = value.decode()
        assert int(stats["pid"]) in workers
        assert int(stats["curr_connections"]) >= 1
        assert int(stats["uptime"]) < 1000
        assert {"time", "version", "pointer_size", "threads"} <= set(stats)
        assert client.read_values() == [(b"k", b"x", 0, None)]
        assert client.ask(b"stats reset\r\n") == b"RESET\r\n"
        for what in (b"items", b"slabs", b"sizes", b"settings", b"conns"):
            assert client.ask(b"stats " + what + b"\r\n") == b"END\r\n"
        assert client.ask(b"stats detail on\r\n").startswith(b"CLIENT_ERROR ")


def test_commands_for_the_server_as_a_machine_reach_no_server(memcached_proxy, memcached_servers):
    """A server takes these: the answer is that of an unknown command, and nothing has happened."""
    def limits():
        found = []
        for server in memcached_servers:
            with server.client() as client:
                client.send(b"stats settings\r\n")
                lines = []
                while not lines or lines[-1] != b"END\r\n":
                    lines.append(client.read_line())
                found.append([line for line in lines if b"maxbytes" in line or b"lru_" in line
                              or b"hot_" in line or b"slab_" in line])
        return found
    before = limits()
    with memcached_proxy.memcached() as client:
        for request in (b"cache_memlimit 100", b"slabs automove 2", b"lru mode flat", b"lru tune 1 2 3 4",
                        b"watch", b"lru_crawler disable"):
            assert client.ask(request + b"\r\n") == b"ERROR\r\n", request
        client.send(b"cache_memlimit 200 noreply\r\nlru mode flat noreply\r\n")
        assert client.ask(b"mn\r\n") == b"MN\r\n"
    assert len(before[0]) > 5 and limits() == before


# ---- the same bytes as from a server -------------------------------------------------------------

LONG = b"k" * 251
# memcached 1.6.18 forgets the reply in front of these when both are in one segment.
ALONE = [b"gat 0 " + LONG + b"\r\n", b"get " + LONG + b"\r\n", b"get a " + LONG + b" b\r\n"]
CONVERSATION = [
    b"set k 5 0 3\r\na\r\n\r\n", b"get k\r\n", b"get k none k\r\n", b"gat 0 k\r\n",
    b"gat 0 k none\r\n",
    b"gat x k\r\n", b"gats -x k\r\n", b"gat\r\n", b"gat 10\r\n", b"gats 10\r\n", b"gat -1  \r\n", b"gat 1x\r\n",
    # For the server as a machine: as far as an answer is the same in servers of all settings.
    b"slabs\r\n", b"slabs junk\r\n", b"slabs automove\r\n", b"lru\r\n", b"lru junk\r\n", b"lru junk noreply\r\n",
    b"cache_memlimit\r\n", b"cache_memlimit x\r\n", b"cache_memlimit x noreply\r\n",
    b"lru_crawler\r\n", b"extstore\r\n", b"shutdown\r\n", b"shutdown graceful\r\n",
    b"set k 0 -1 1\r\nx\r\n", b"get k\r\n", b"set k 0 0 1\r\n5\r\n", b"touch k -1\r\n",
    b"get k\r\n", b"set k 0 0 1\r\n5\r\n", b"incr k 3\r\n", b"decr k 1\r\n", b"incr k -1\r\n",
    b"incr k x\r\n", b"delete k 0\r\n", b"delete k 0\r\n", b"delete k 5\r\n", b"delete k 0 x\r\n",
    b"add k 0 100 1\r\nx\r\n", b"add k 0 100 1\r\nx\r\n", b"append k 0 0 2\r\nyz\r\n",
    b"prepend k 0 0 2 noreply\r\nyz\r\n", b"replace none 0 0 1\r\nx\r\n", b"get k\r\n",
    b"cas k 0 0 1 999999\r\nx\r\n", b"cas none 0 0 1 1\r\nx\r\n", b"delete k noreply\r\n",
    b"touch " + LONG + b" 1\r\n",
    b"delete " + LONG + b"\r\n", b"incr " + LONG + b" 1\r\n", b"nosuch\r\n", b"\r\n", b"get\r\n",
    b"set k 0 0\r\n", b"set k 0 0 x\r\n", b"set k 0 0 -1\r\n", b"incr k\r\n", b"touch k\r\n",
    b"touch k x\r\n", b"verbosity\r\n", b"verbosity 1\r\n", b"verbosity x\r\n",
    b"verbosity a b c\r\n", b"verbosity noreply\r\n", b"stats noreply\r\n",
    b"flush_all 0\r\n", b"flush_all x\r\n", b"flush_all 1 2 3\r\n", b"flush_all noreply\r\n",
    b"get k\n", b"version\r\n", b"set k 0 0 0\r\n\r\n", b"get k\r\n",
]


def test_each_request_is_answered_as_by_a_server(start_proxy, start_server):
    server = start_server(MemcachedServer)
    proxy = start_proxy({"p": pool([server], timeout=5000, flush_all=True,
                                   memcached_version=server.version())})
    answers = []
    for connect in (server.client, proxy.memcached):
        server.flush()
        answers.append([])
        with connect() as client:
            for request in [*CONVERSATION, *ALONE, *CONVERSATION]:
                client.send(request + b"stats reset\r\n")
                answer = b""
                while not answer.endswith(b"RESET\r\n"):
                    answer += client.read_line()
                answers[-1].append((request, answer))
    assert answers[0] == answers[1]


def test_a_conversation_cut_at_random_bytes_reads_as_from_a_server(start_proxy, start_server):
    server = start_server(MemcachedServer)
    proxy = start_proxy({"p": pool([server], timeout=5000, flush_all=True,
                                   memcached_version=server.version())})
    generator = random.Random(31)
    for _ in range(30):
        chosen = [generator.choice(CONVERSATION) for _ in range(80)]
        answers = []
        for connect in (server.client, proxy.memcached):
            server.flush()
            with connect() as client:
                data = b"".join(chosen) + b"quit\r\n"
                while data:
                    cut = generator.randrange(1, 100)
                    client.send(data[:cut])
                    data = data[cut:]
                answers.append(client.read_to_end())
        assert answers[0].split(b"\r\n") == answers[1].split(b"\r\n")


def test_keys_with_control_bytes_are_refused_and_the_connection_lives(memcached_proxy):
    error = b"CLIENT_ERROR bad command line format\r\n"
    with memcached_proxy.memcached() as client:
        for byte in [*range(1, 10), *range(11, 32), 127, 0]:
            key = b"a" + bytes([byte]) + b"b"
            client.send(b"get " + key + b"\r\nget x " + key + b"\r\ngat 0 " + key + b"\r\nset "
                        + key + b" 0 0 11\r\nflush_all\r\n\r\ndelete " + key + b"\r\nversion\r\n")
            for _ in range(5):
                assert client.read_line() == error, byte
            assert client.read_line().startswith(b"VERSION")


def test_the_binary_protocol_gets_an_error_line_and_a_close(memcached_proxy):
    with memcached_proxy.memcached() as client:
        client.send(b"version\r\n\x80\x0b" + bytes(22) + b"version\r\n")
        assert client.read_line().startswith(b"VERSION")
        assert client.read_to_end() == b"CLIENT_ERROR binary request on a connection that speaks text\r\n"


# ---- values that are too large -------------------------------------------------------------------


@pytest.fixture
def small_proxy(start_proxy, start_server):
    """One worker, so that all clients share one connection to each of two servers."""
    servers = [start_server(SmallMemcached) for _ in range(2)]
    return start_proxy({"p": pool(servers, timeout=10000)}, workers=1)


def test_a_value_too_large_for_its_server_leaves_the_stream_in_step(small_proxy):
    large = b"x" * (2 * ONE_MB)
    with small_proxy.memcached() as client:
        for key in (b"a", b"b", b"c", b"d"):
            client.send(b"set %s 0 0 1\r\n1\r\nset %s 0 0 %d\r\n%s\r\nversion\r\n"
                        b"set %s 0 0 %d noreply\r\n%s\r\nget %s\r\nset %s 0 0 1\r\n2\r\nget %s\r\n"
                        % (key, key, len(large), large, key, len(large), large, key, key, key))
            assert client.read_line() == b"STORED\r\n"
            assert client.read_line() == TOO_LARGE
            assert client.read_line().startswith(b"VERSION")
            assert client.read_values() == []  # a server forgets what it could not replace
            assert client.read_line() == b"STORED\r\n"
            assert client.read_values() == [(key, b"2", 0, None)]


def test_values_too_large_do_not_disturb_the_clients_beside(small_proxy):
    failures = []

    def run(number, work):
        try:
            with small_proxy.memcached() as client:
                work(client, number)
        except BaseException as error:  # the thread's failure is the test's
            failures.append(error)

    def write_large(client, number):
        large = b"x" * (2 * ONE_MB)
        for i in range(8):
            assert client.set(b"large%d:%d" % (number, i), large) == TOO_LARGE

    def write_small(client, number):
        for i in range(200):
            key = b"small%d:%d" % (number, i)
            assert client.set(key, key) == b"STORED\r\n"
            assert client.get(key) == key

    threads = [threading.Thread(target=run, args=(number, work))
               for number, work in enumerate([write_large] * 3 + [write_small] * 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_a_server_that_answers_before_it_has_read_the_value_stays_in_step(start_proxy):
    """As memcached 1.4 and 1.5: the error first, then the value is swallowed."""
    count = 4 * ONE_MB

    def behave(connection, fake):
        data = b""
        while True:
            while b"\r\n" not in data:
                data += fake.recv(connection)
            line, _, data = data.partition(b"\r\n")
            if not line.startswith(b"set"):
                connection.sendall(b"TOUCHED\r\n")
                continue
            connection.sendall(TOO_LARGE)
            left = int(line.split()[4]) + 2 - len(data)
            data = data[left:] if left < 0 else b""
            while left > 0:
                got = len(fake.recv(connection)) if left > 65536 else len(connection.recv(left))
                assert got
                left -= got

    with FakeServer(behave) as fake:
        proxy = start_proxy({"p": pool([fake], timeout=10000)}, workers=1)
        with proxy.memcached() as client, proxy.memcached() as other:
            for _ in range(3):
                client.send(b"set k 0 0 %d\r\n%s\r\ntouch k 0\r\n" % (count, b"x" * count))
                assert other.ask(b"touch k 0\r\n") == b"TOUCHED\r\n"
                assert client.read_line() == TOO_LARGE
                assert client.read_line() == b"TOUCHED\r\n"
        assert fake.connections == 1


def peak_memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) << 10


def send_block(client, line, count):
    piece = bytes(ONE_MB)
    client.send(line)
    for _ in range(count // len(piece)):
        client.send(piece)
    client.send(b"\r\n")


@pytest.mark.parametrize("line, error", [
    (b"set " + LONG + b" 0 0 %d\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    (b"set k x 0 %d\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    (b"ms " + LONG + b" %d\r\n", b"CLIENT_ERROR bad command line format\r\n"),
    (b"set k 0 0 %d\r\n", b"SERVER_ERROR out of memory storing object\r\n"),
    (b"set k 0 0 %d noreply\r\n", b""),
], ids=["key", "flags", "meta", "max_memory", "noreply"])
def test_a_refused_value_is_not_kept_and_the_connection_lives(start_proxy, memcached_servers, line,
                                                              error):
    count = 1 << 30 if "noreply" in line.decode() else 256 << 20
    proxy = start_proxy({"p": pool(memcached_servers, timeout=5000)}, workers=1,
                        process={"max_memory": "128m"})
    [worker] = proxy.wait_workers()
    with proxy.memcached() as client:
        assert client.set(b"k", b"x") == b"STORED\r\n"
        before = peak_memory(worker)
        send_block(client, line % count, count)
        if error:
            assert client.read_line() == error
        assert client.get(b"k") == b"x"
        assert peak_memory(worker) - before < 8 * ONE_MB
        client.send(line % count)  # a client that leaves in the middle of one
        client.send(bytes(100000))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_to_end() == b""
    with proxy.memcached() as client:
        assert client.get(b"k") == b"x"
    assert proxy.wait_workers() == [worker]


def test_a_get_whose_server_is_gone_is_one_error_line(start_proxy, start_server):
    servers = [start_server(MemcachedServer) for _ in range(2)]
    proxy = start_proxy({"p": pool(servers, timeout=5000)})
    with proxy.memcached() as client:
        keys = fill(client)
        servers[0].stop()
        with pytest.raises(MemcachedError, match="SERVER_ERROR"):
            client.get_many(keys, "gat 100")
        assert client.ask(b"verbosity 1\r\n") == b"OK\r\n"
