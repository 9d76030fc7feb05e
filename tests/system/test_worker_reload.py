# SPDX-License-Identifier: Apache-2.0
"""A reload, a drain and a surplus slot as one worker lives them; the test is its master."""

import errno
import os
import signal
import threading

import pytest

from clients import RespClient, encode
from fake_master import (ACCEPT_STOPPED, CLIENT_ANSWER, CLIENT_ASK, CLIENT_GONE, COMMITTED, FAILED,
                         PREPARE, PREPARED, MasterOfOne, flag, text, u32, u64)
from harness import (FakeServer, is_stopped, let_time_pass, listen_address, make_config, pool,
                     wait_until)

DEBUG_ONLY = "needs a build with expensive checks"


@pytest.fixture
def start_worker(folder):
    started = []

    def start(pools, **options):
        started.append(MasterOfOne(folder / f"worker{len(started)}", pools, **options))
        return started[-1]

    yield start
    for master in started:
        master.close()


def connect(pools, name="p"):
    return RespClient(listen_address(pools[name]))


def redis_pools(servers, **settings):
    return {"p": pool(servers, redis=True, **{"timeout": 5000, **settings})}


def changed(pools, name="p", **settings):
    """The same config with other settings in one pool."""
    return {**pools, name: {**pools[name], **settings}}


def connections_of(server):
    with server.client() as client:
        return int([line for line in client.call("INFO", "stats").decode().splitlines()
                    if line.startswith("total_connections_received")][0].partition(":")[2])


# ---- prepare, commit, abort ----------------------------------------------------------------------


def test_clients_and_connections_to_servers_live_through_a_reload(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:2])
    master = start_worker(pools)
    with connect(pools) as client:
        for i in range(20):
            assert client.call("SET", f"key{i}", i) == "OK"
        before = [connections_of(server) for server in redis_servers[:2]]
        _, stats_before = master.stats()
        for timeout in (4000, 0, 3000):
            assert master.reload(changed(pools, timeout=timeout)) == [0]
            assert [client.call("GET", f"key{i}") for i in range(20)] == [b"%d" % i
                                                                          for i in range(20)]
        # Each look at INFO is a connection of its own.
        assert [connections_of(server) for server in redis_servers[:2]] == [n + 1 for n in before]
        generation, stats_after = master.stats()
        assert generation == 4
        assert len(stats_after) == len(stats_before)
        assert sum(stats_after) > sum(stats_before)


def test_a_commit_right_behind_its_prepare_is_followed(start_worker, redis_servers):
    """As a worker gets it that was not there yet when the others were asked to prepare."""
    pools = redis_pools(redis_servers[:2])
    master = start_worker(pools)
    others = {f"q{i}": pool(redis_servers[:1], redis=True) for i in range(8)}
    after = {**pools, **others}
    with connect(pools) as client:
        assert client.call("SET", "a", "1") == "OK"
        master.send(PREPARE, u64(2) + u64(0) + text("proxy.yml") + text(make_config(after)))
        master._bind(after)
        master.send_listeners(2, {number: index for number, index in master.uses(after).items()
                                  if number not in master._given})
        assert len(master.commit(after)) == len(after)
        assert client.call("GET", "a") == b"1"
        with connect(after, "q7") as other:
            assert other.call("PING") == "PONG"


def test_nothing_happens_between_prepare_and_abort(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:2])
    other = {**changed(pools, hash="md5"), "second": pool(redis_servers, redis=True)}
    master = start_worker(pools)
    with connect(pools) as client:
        assert client.call("SET", "a", "1") == "OK"
        assert master.prepare(other) == ""
        assert client.call("GET", "a") == b"1"
        assert master.stats()[0] == 1
        master.abort(2)
        assert client.call("GET", "a") == b"1"
        master.send_listeners(3, {n: 1 for n, (listen, _) in master.listeners.items()
                                  if listen == other["second"]["listen"]})
        assert master.prepare(other, generation=3) == ""
        assert master.commit(other, generation=3) == [0, 0]
        with connect(other, "second") as newcomer:
            assert newcomer.call("PING") == "PONG"
        assert client.call("PING") == "PONG"


def test_a_later_prepare_replaces_the_earlier_one(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    assert master.prepare(changed(pools, redis_auth="one")) == ""
    assert master.prepare(changed(pools, redis_auth="two"), generation=3) == ""
    # Without a pause between: the one that was being built is forgotten.
    for generation in (4, 5, 6):
        master.send(PREPARE, u64(generation) + u64(0) + text("f") + text(make_config(pools)))
    answered = []
    while not answered or answered[-1] != 6:
        prepared = master.expect(PREPARED)
        answered.append(prepared.u64())
        assert prepared.text() == ""
    master.commit(pools, generation=6)
    with connect(pools) as client:
        assert client.call("PING") == "PONG"


def test_a_config_that_does_not_load_is_refused_and_the_old_one_serves_on(start_worker,
                                                                          redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    assert "does not load" in master.prepare(pools, config="p: [")
    assert "serves already" in master.prepare(pools, generation=1)
    with connect(pools) as client:
        assert client.call("PING") == "PONG"
        master.reload(pools)
        assert client.call("PING") == "PONG"


def test_a_commit_of_what_was_never_prepared_ends_the_worker(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    master.send_commit(pools, 9)
    assert "9" in master.expect(FAILED).text()
    assert master.wait_exit() == 1


def test_a_commit_may_come_right_behind_its_prepare(start_worker, redis_servers):
    """As to a worker that was being born while the others voted: it is not built yet then."""
    pools = redis_pools(redis_servers[:2])
    master = start_worker(pools)
    more = {**pools, **{f"q{i}": pool(redis_servers[:2], redis=True) for i in range(20)}}
    with connect(pools) as client:
        master.send_prepare(more)
        master.commit(more)
        assert client.call("SET", "key", "1") == "OK"
    with connect(more, "q19") as client:
        assert client.call("GET", "key") == b"1"


def test_a_commit_that_names_an_unknown_listener_ends_the_worker(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    assert master.prepare(pools) == ""
    master.send_commit(pools, 2, uses={99: 0})
    assert "99" in master.expect(FAILED).text()
    assert master.wait_exit() == 1


def test_a_worker_can_be_made_to_die_while_it_prepares(start_worker, folder, redis_servers):
    pools = redis_pools(redis_servers[:1])
    faults = folder / "faults"
    faults.mkdir()
    master = start_worker(pools, env={"RINGMASTER_TEST_FAULTS": str(faults)})
    if "test faults are on" not in master.log.read_text():
        pytest.skip(DEBUG_ONLY)
    (faults / "die-preparing.0").touch()
    with pytest.raises((EOFError, ConnectionResetError)):
        master.prepare(pools)
    assert master.wait_exit() == -signal.SIGKILL


# ---- whose client it is --------------------------------------------------------------------------


def test_a_client_follows_its_address_then_the_name_of_its_pool(start_worker, redis_servers):
    first, second = redis_servers[:2]
    pools = redis_pools([first])
    master = start_worker(pools)
    with connect(pools) as client:
        client.call("SET", "a", "on the first")
        with second.client() as direct:
            direct.call("SET", "a", "on the second")
        listen = pools["p"]["listen"]
        # The address belongs to another pool now, and the name has another address.
        swapped = {"p": pool([first], redis=True), "q": pool([second], redis=True, listen=listen)}
        master.reload(swapped)
        assert client.call("GET", "a") == b"on the second"
        with connect(swapped, "p") as newcomer:
            assert newcomer.call("GET", "a") == b"on the first"
        # The address is gone: the name decides.
        moved = {"q": pool([first], redis=True)}
        master.reload(moved)
        assert client.call("GET", "a") == b"on the first"
        with pytest.raises(ConnectionError):
            connect(pools)


def test_the_queue_of_a_removed_address_is_served_by_the_pool_it_was_for(start_worker,
                                                                         redis_servers):
    pools = {**redis_pools(redis_servers[:1]), "old": pool(redis_servers[:2], redis=True)}
    master = start_worker(pools)
    assert master.prepare(redis_pools(redis_servers[:1], listen=pools["p"]["listen"])) == ""
    os.kill(master.pid, signal.SIGSTOP)
    queued = [connect(pools, "old") for _ in range(3)]
    for client in queued:
        client.send(encode("SET", "queued", "yes"))
    master.send_commit({"p": pools["p"]}, 2)
    os.kill(master.pid, signal.SIGCONT)
    assert master.expect(COMMITTED).u64() == 2
    for client in queued:
        assert client.read_line() == b"+OK\r\n"
        client.close()


def test_a_removed_pool_serves_its_clients_until_the_drain_ends(start_worker, redis_servers):
    pools = {**redis_pools(redis_servers[:1]),
             **{name: pool(redis_servers[1:2], redis=True) for name in ("old", "older")}}
    master = start_worker(pools)
    older = connect(pools, "older")
    idle, busy = connect(pools, "old"), connect(pools, "old")
    for client in (older, idle, busy):
        assert client.call("PING") == "PONG"
    master.reload({name: pools[name] for name in ("p", "old")}, drain_timeout_ms=600_000)
    assert older.call("SET", "a", "1") == "OK"
    assert busy.call("GET", "a") == b"1"
    master.reload({"p": pools["p"]}, drain_timeout_ms=200)
    assert idle.read_to_end() == b""
    assert busy.read_to_end() == b""
    assert older.call("GET", "a") == b"1"  # it has the time that was said when its pool went
    older.close()
    wait_until(lambda: count_fds(master.pid, "socket") == fds_of_idle_worker(master),
               what="the old pool's sockets to be closed")


def count_fds(pid, kind):
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found += os.readlink(f"/proc/{pid}/fd/{name}").startswith(kind)
        except OSError:
            pass
    return found


def fds_of_idle_worker(master):
    """Its channel and its listeners."""
    return 1 + len(master.uses(master.pools))


def test_another_protocol_under_the_same_address_ends_its_clients_in_order(start_worker,
                                                                           redis_servers,
                                                                           memcached_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    with connect(pools) as client:
        assert client.call("PING") == "PONG"
        client.send(encode("SET", "a", "1"))
        assert client.read_line() == b"+OK\r\n"
        master.reload({"p": pool(memcached_servers[:1], listen=pools["p"]["listen"])})
        assert client.read_to_end() == b""


def test_a_password_that_appears_is_asked_of_those_who_gave_none(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    locked = changed(pools, redis_auth="secret")
    master = start_worker(pools)
    with connect(pools) as client, connect(pools) as other:
        assert client.call("PING") == other.call("PING") == "PONG"
        master.reload(locked)
        assert "NOAUTH" in str(client.call("PING"))
        assert client.call("AUTH", "secret") == "OK"
        assert client.call("PING") == "PONG"
        master.reload(changed(pools, redis_auth="another"))
        assert client.call("PING") == "PONG"  # it gave one
        assert "NOAUTH" in str(other.call("PING"))
        master.reload(pools)
        assert other.call("PING") == "PONG"
        assert client.call("GET", "nothing") is None


# ---- requests in flight --------------------------------------------------------------------------


class SlowServer(FakeServer):
    """Answers each request with +OK or nil, but only when it is allowed to."""

    def __init__(self):
        self.allowed = threading.Event()
        self.asked = 0
        super().__init__(self._behave_slowly)

    def _behave_slowly(self, connection, fake):
        while True:
            data = fake.recv(connection)
            if not data:
                return
            self.asked += data.count(b"\r\nGET\r\n") + data.count(b"\r\nSET\r\n")
            self.allowed.wait(20)
            connection.sendall(b"+OK\r\n" * data.count(b"*"))


def test_requests_in_flight_end_where_they_began(start_worker):
    with SlowServer() as server:
        pools = redis_pools([server])
        master = start_worker(pools)
        with connect(pools) as client:
            # In one piece: the server does not read on before it is allowed to answer.
            client.send(b"".join(encode("SET", f"k{i}", "v") for i in range(10)))
            wait_until(lambda: server.asked == 10, what="the requests at the server")
            # The same server, though its timeout is over before the answer could come.
            master.reload(changed(pools, timeout=20))
            # Another name, and none: the connection goes on all the same, then it is retired.
            master.reload(changed(pools, servers=[server.entry(name="renamed")], timeout=20))
            let_time_pass(0.1, "the new timeout")
            server.allowed.set()
            assert [client.read_line() for _ in range(10)] == [b"+OK\r\n"] * 10
            assert server.connections == 1


def test_a_removed_server_answers_what_it_has(start_worker, redis_servers):
    with SlowServer() as server:
        pools = redis_pools([server])
        master = start_worker(pools)
        with connect(pools) as client:
            client.send(encode("SET", "a", "slow"))
            wait_until(lambda: server.asked == 1, what="the request at the server")
            master.reload(changed(pools, servers=[redis_servers[0].entry()]))
            client.send(encode("SET", "a", "new") + encode("GET", "a"))
            wait_until(lambda: redis_servers[0].keys() == {b"a"}, what="the new server to be asked")
            assert client.has_no_more()
            server.allowed.set()
            assert client.read_line() == b"+OK\r\n"
            assert client.read_line() == b"+OK\r\n"
            assert client.read_exactly(9) == b"$3\r\nnew\r\n"


def test_what_a_former_generation_never_finishes_is_failed_when_its_time_is_up(start_worker,
                                                                               redis_servers):
    with SlowServer() as server:
        pools = redis_pools([server], timeout=0)
        master = start_worker(pools)
        with connect(pools) as client:
            client.send(encode("GET", "a"))
            wait_until(lambda: server.asked == 1, what="the request at the server")
            master.reload(changed(pools, servers=[redis_servers[0].entry()]), drain_timeout_ms=200)
            assert client.read_line() == b"-ERR " + os.strerror(errno.ETIMEDOUT).encode() + b"\r\n"
            assert client.call("GET", "a") is None
            wait_until(lambda: count_fds(master.pid, "socket") ==
                       fds_of_idle_worker(master) + 2, what="the former generation to be gone")
            server.allowed.set()


def test_no_timeout_before_and_one_now_ends_what_hangs(start_worker):
    with SlowServer() as server:
        pools = redis_pools([server], timeout=0)
        master = start_worker(pools)
        with connect(pools) as client:
            client.send(encode("GET", "a"))
            wait_until(lambda: server.asked == 1, what="the request at the server")
            master.reload(changed(pools, timeout=100), drain_timeout_ms=300)
            assert client.read_line().startswith(b"-ERR ")
            server.allowed.set()


def stopped_commit(master, pools):
    """A Commit that a stopped worker finds in its channel when its clients have sent something."""
    os.kill(master.pid, signal.SIGSTOP)
    wait_until(lambda: is_stopped(master.pid), what="the worker to stop")
    master.send_commit(pools, 2)
    let_time_pass(0.3, "longer than a worker may be away without reading its orders first")


def test_a_worker_that_was_stopped_commits_before_it_reads_its_clients(start_worker, redis_servers):
    first, second = redis_servers[:2]
    pools = redis_pools([first])
    there = changed(pools, servers=[second.entry()])
    master = start_worker(pools)
    with connect(pools) as client, connect(pools) as idle:
        assert client.call("PING") == idle.call("PING") == "PONG"
        assert master.prepare(there) == ""
        stopped_commit(master, there)
        client.send(encode("SET", "a", "1"))
        os.kill(master.pid, signal.SIGCONT)
        assert client.read_line() == b"+OK\r\n"
        assert (first.keys(), second.keys()) == (set(), {b"a"})
        assert idle.call("GET", "a") == b"1"


def test_a_client_that_is_being_read_is_ended_in_order(start_worker, redis_servers,
                                                       memcached_servers):
    pools = redis_pools(redis_servers[:1])
    other = {"p": pool(memcached_servers[:1], listen=pools["p"]["listen"])}
    master = start_worker(pools)
    with connect(pools) as client:
        assert client.call("PING") == "PONG"
        assert master.prepare(other) == ""
        stopped_commit(master, other)
        client.send(encode("SET", "a", "1"))
        os.kill(master.pid, signal.SIGCONT)
        assert client.read_to_end() == b""
    assert master.expect(COMMITTED).u64() == 2


# ---- counters ------------------------------------------------------------------------------------


def test_no_counter_goes_down_and_levels_follow(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:2])
    master = start_worker(pools)
    with connect(pools) as client:
        for i in range(10):
            client.call("SET", f"key{i}", i)
        _, before = master.stats()
        for settings in ({"timeout": 4000}, {"hash": "md5"}, {"server_connections": 3}):
            pools = changed(pools, **settings)
            master.reload(pools)
            _, after = master.stats()
            # in_queue and its kin are levels, and nothing is queued.
            assert all(now >= then for now, then in zip(after, before)), (settings, before, after)
            assert client.call("GET", "key0") in (b"0", None)
            before = master.stats()[1]


# ---- client_connections --------------------------------------------------------------------------


def test_places_are_counted_anew_with_a_commit(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1], client_connections=10)
    unlimited = changed(pools, client_connections=0)
    master = start_worker(pools)
    clients = [connect(pools) for _ in range(3)]
    assert all(answering(master, client) for client in clients)
    assert master.reload(pools) == [3]
    assert master.reload(unlimited) == [0]
    clients.append(connect(pools))
    assert clients[-1].call("PING") == "PONG"
    assert master.reload(pools) == [4]  # the one that never asked holds a place as well
    clients.pop().close()
    gone = master.expect(CLIENT_GONE)
    assert (gone.u32(), gone.u32()) == (0, 1)
    for client in clients:
        client.close()


def answering(master, client):
    """PING, while the master answers ClientAsk by itself."""
    client.send(encode("PING"))
    client.socket.settimeout(0.02)
    for _ in range(1000):
        try:
            return client.read_line() == b"+PONG\r\n"
        except TimeoutError:
            pass
        master.stats()
    return False


def test_a_client_that_waits_for_a_place_is_asked_for_again(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1], client_connections=10)
    master = start_worker(pools)
    master.answer_clients = False
    with connect(pools) as first, connect(pools) as second:
        for _ in range(2):
            assert master.expect(CLIENT_ASK).u32() == 0
        assert master.reload(pools) == [0]
        for _ in range(2):
            assert master.expect(CLIENT_ASK).u32() == 0
        # To the asks from before: they mean nothing now.
        for granted in (False, False):
            master.send(CLIENT_ANSWER, u32(0) + flag(granted))
        for granted in (True, False):
            master.send(CLIENT_ANSWER, u32(0) + flag(granted))
        assert first.call("PING") == "PONG"
        assert second.read_to_end() == b"-ERR max number of clients reached\r\n"
        assert master.commit(pools, generation=2) == [1]


def test_a_client_that_waits_is_served_when_the_limit_goes(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1], client_connections=10)
    master = start_worker(pools)
    master.answer_clients = False
    with connect(pools) as client:
        master.expect(CLIENT_ASK)
        master.reload(changed(pools, client_connections=0))
        assert client.call("PING") == "PONG"


def test_a_client_that_waits_when_a_stop_begins_is_told_so(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1], client_connections=10)
    master = start_worker(pools)
    master.answer_clients = False
    with connect(pools) as client:
        master.expect(CLIENT_ASK)
        master.stop(timeout_ms=5000)
        assert client.read_to_end() == b"-ERR max number of clients reached\r\n"
    assert master.wait_exit() == 0


# ---- surplus, drain, stop ------------------------------------------------------------------------


def test_a_surplus_worker_ends_with_its_last_client(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    client = connect(pools)
    assert client.call("PING") == "PONG"
    master.reload(pools, surplus=True)
    late = connect(pools)  # into a queue that is somebody else's now
    assert client.call("SET", "a", "1") == "OK"
    master.reload(changed(pools, timeout=3000), surplus=True)
    assert client.call("GET", "a") == b"1"
    assert late.has_no_more()
    client.close()
    assert master.wait_exit() == 0
    late.close()


def test_a_surplus_worker_that_is_taken_back_accepts_again(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    with connect(pools) as client:
        assert client.call("PING") == "PONG"
        master.commit(pools, generation=1, surplus=True)
        with connect(pools) as waiting:
            master.send_listeners(1, master.uses(pools))
            master.commit(pools, generation=1)
            assert waiting.call("PING") == "PONG"
            client.close()
            assert waiting.call("PING") == "PONG"
    with connect(pools) as newcomer:
        assert newcomer.call("PING") == "PONG"


def test_a_drain_serves_those_who_are_there_until_they_leave(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    client = connect(pools)
    assert client.call("PING") == "PONG"
    master.stop(drain=True, timeout_ms=60000)
    master.expect(ACCEPT_STOPPED)
    assert client.call("SET", "a", "1") == "OK"
    assert client.call("GET", "a") == b"1"
    assert "ending" in master.prepare(pools)
    client.close()
    assert master.wait_exit() == 0


def test_a_drain_ends_at_its_timeout_with_everything_answered(start_worker):
    with SlowServer() as server:
        pools = redis_pools([server], timeout=0)
        master = start_worker(pools)
        with connect(pools) as idle, connect(pools) as busy:
            assert idle.call("PING") == "PONG"
            busy.send(encode("GET", "a"))
            wait_until(lambda: server.asked == 1, what="the request at the server")
            master.stop(drain=True, timeout_ms=500)
            master.expect(ACCEPT_STOPPED)
            assert idle.read_to_end() == b""
            assert busy.read_to_end().startswith(b"-ERR ")
        assert master.wait_exit() == 0
        server.allowed.set()


def test_a_stop_during_a_drain_tightens_it(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    with connect(pools) as client:
        assert client.call("PING") == "PONG"
        master.stop(drain=True, timeout_ms=60000)
        master.expect(ACCEPT_STOPPED)
        assert client.call("PING") == "PONG"
        master.stop(timeout_ms=10000)
        assert client.read_to_end() == b""
        assert master.wait_exit() == 0


def test_quit_to_a_worker_drains_it(start_worker, redis_servers):
    pools = redis_pools(redis_servers[:1])
    master = start_worker(pools)
    client = connect(pools)
    assert client.call("PING") == "PONG"
    os.kill(master.pid, signal.SIGQUIT)
    master.expect(ACCEPT_STOPPED)
    assert client.call("PING") == "PONG"
    client.close()
    assert master.wait_exit() == 0


# ---- over and over -------------------------------------------------------------------------------


def test_a_hundred_reloads_under_a_pipelining_client_lose_and_leave_nothing(start_worker,
                                                                           redis_servers):
    pools = redis_pools(redis_servers[:4])
    variants = [pools, changed(pools, timeout=4000), changed(pools, server_connections=1),
                {**pools, "second": pool(redis_servers, redis=True, timeout=1000)}]
    master = start_worker(pools)
    with connect(pools) as client:
        for i in range(100):
            batch = b"".join(encode("SET", f"k{n}", f"{i}.{n}") + encode("GET", f"k{n}")
                             for n in range(50))
            client.send(batch)
            master.reload(variants[i % len(variants)])
            for n in range(50):
                value = f"{i}.{n}".encode()
                assert client.read_line() == b"+OK\r\n"
                assert client.read_exactly(len(value) + 4 + len(str(len(value))) + 1) == (
                    b"$%d\r\n%s\r\n" % (len(value), value))
        master.reload(pools)
        assert client.call("PING") == "PONG"
    wait_until(lambda: count_fds(master.pid, "socket") <=
               fds_of_idle_worker(master) + 4, what="only the last generation's sockets")
