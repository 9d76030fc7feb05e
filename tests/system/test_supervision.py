# SPDX-License-Identifier: Apache-2.0
"""Supervision: workers that die, hang or are stopped; a master that is stopped or dies.

Every reply is compared with what this client has stored, so that a reply of somebody else is
noticed. What has to come before something else is told by events, not by a clock: that an empty
slot is served is seen by who is served before its worker is back.
"""

import contextlib
import math
import os
import pathlib
import random
import re
import signal
import socket
import threading
import time

import pytest

import harness
from clients import RespClient, encode
from harness import (BINARY, free_port, is_alive, let_time_pass, pool, port_is_open, wait_until)

pytestmark = pytest.mark.alone

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def settings(redis_servers):
    return pool(redis_servers, redis=True, timeout=5000)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def homes_of(clients, pids):
    """Which of `pids` serves each of these connections, in order; all are accepted."""
    return harness.pids_serving([client.socket for client in clients], pids)


def wait_for_log(proxy, pattern, timeout=harness.DEADLINE_S, count=1):
    wait_until(lambda: len(re.findall(pattern, proxy.log_text())) >= count, timeout,
               f"{count} x {pattern!r} in the log")


# ---- load ----------------------------------------------------------------------------------------


class Load:
    """Clients in threads until the end of the block; what went wrong is in `refused`, `wrong`, `cut`.

    Short ones connect, ask and leave; long ones keep their connection and pipeline. Each stores
    values of its own and checks what it reads back.
    """

    DEPTH = 20

    def __init__(self, proxy, short=3, long=3):
        self.address = proxy.address()
        self.refused, self.wrong, self.cut = [], [], []
        self.slowest_s = 0.0  # of a short client, from connect() to the reply
        self.short_count = self.request_count = 0
        self._ending = threading.Event()
        self._lock = threading.Lock()
        kinds = [self._short] * short + [self._long] * long
        self._threads = [threading.Thread(target=self._run, args=(kind, f"client{i}"))
                         for i, kind in enumerate(kinds)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.short_count + self.request_count > 20, what="the load to run")
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join(harness.DEADLINE_S)
            assert not thread.is_alive(), "a client hangs"

    def _run(self, kind, name):
        try:
            kind(name)
        except Exception as problem:  # noqa: BLE001 a thread's failure must reach the test
            self.wrong.append(repr(problem))

    def _expect(self, reply, expected):
        if reply != expected:
            self.wrong.append((reply, expected))

    def _connect(self):
        try:
            return RespClient(self.address)
        except OSError as problem:
            self.refused.append(repr(problem))
            return None

    def _short(self, name):
        sequence = 0
        while not self._ending.is_set():
            sequence += 1
            value = f"{name}.{sequence}".encode()
            began = time.monotonic()
            client = self._connect()
            if client is None:
                continue
            try:
                with client:
                    client.send(encode("SET", name, value) + encode("GET", name))
                    self._expect(client.read_reply(), "OK")
                    self._expect(client.read_reply(), value)
            except (EOFError, ConnectionError):
                self.cut.append(name)
                continue
            with self._lock:
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self.short_count += 1

    def _long(self, name):
        sequence = 0
        client = None
        while not self._ending.is_set():
            client = client or self._connect()
            if client is None:
                continue
            values = [f"{name}.{sequence + i}".encode() for i in range(self.DEPTH)]
            sequence += self.DEPTH
            try:
                client.send(b"".join(encode("SET", f"{name}{i}", value) + encode("GET", f"{name}{i}")
                                     for i, value in enumerate(values)))
                for value in values:
                    self._expect(client.read_reply(), "OK")
                    self._expect(client.read_reply(), value)
            except (EOFError, ConnectionError):
                self.cut.append(name)
                client.close()
                client = None
                continue
            with self._lock:
                self.request_count += 2 * self.DEPTH
        if client is not None:
            client.close()


def serve_many(proxy, count):
    """Opens `count` connections at once and has all served; returns them."""
    clients = [proxy.redis() for _ in range(count)]
    for number, client in enumerate(clients):
        client.send(encode("ECHO", f"hello {number}"))
    for number, client in enumerate(clients):
        assert client.read_reply() == f"hello {number}".encode()
    return clients


def serve_many_at_once(proxy, count):
    """The same, and nobody waits for a worker to be missed."""

    def serve():
        for client in serve_many(proxy, count):
            client.close()

    harness.within(0.5, serve)


def wait_until_all_accept(proxy, workers):
    """The adopter may still take a few clients while it is told to let go."""

    def all_accept():
        clients = serve_many(proxy, 40)
        homes = set(homes_of(clients, workers))
        for client in clients:
            client.close()
        return homes == set(workers)

    wait_until(all_accept, what="every worker to accept again")


# ---- workers die ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_workers_killed_under_load_refuse_nobody_and_mix_nothing_up(start_proxy, settings):
    """The kills come faster than a worker is called long-lived: respawns are delayed, adoption
    serves the slot meanwhile."""
    proxy = start_proxy({"p": settings}, workers=4)
    kills = 25
    chance = random.Random(7)
    with Load(proxy) as load:
        for _ in range(kills):
            victim = chance.choice(wait_until(proxy.worker_pids, what="workers"))
            with contextlib.suppress(ProcessLookupError):  # it was about to be gone
                os.kill(victim, signal.SIGKILL)
            let_time_pass(0.15, "kills that come one after the other")
        with CrashLoop(proxy, 3) as loop:  # however slow the kills were: these are fast
            wait_for_log(proxy, "accepts for slot 3")
        kills += loop.deaths
        before = load.short_count
        wait_until(lambda: load.short_count > before + 20, what="clients after the last kill")
    print(f"short={load.short_count} requests={load.request_count} cut={len(load.cut)} "
          f"slowest={load.slowest_s * 1000:.0f} ms")
    assert not load.refused, load.refused[:5]
    assert not load.wrong, load.wrong[:5]
    # Only who was connected to the victim is cut: at most each of the six clients, at each kill.
    assert len(load.cut) <= kills * 6
    assert "more than 10 workers have crashed" in proxy.log_text()
    assert len(re.findall("more than 10 workers have crashed", proxy.log_text())) == 1


def test_a_death_is_logged_with_all_that_is_known(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    victim = proxy.wait_workers()[1]
    os.kill(victim, signal.SIGKILL)
    proxy.wait_workers(without=[victim])
    wait_for_log(proxy, rf"worker 1 is gone pid={victim}: signal 9 \(Killed\) age_ms=\d+")
    wait_for_log(proxy, r"worker 1 serves again pid=\d+")


class CrashLoop:
    """Kills the worker of a slot as soon as it exists, again and again."""

    def __init__(self, proxy, slot):
        self.deaths = 0
        self._proxy, self._title = proxy, f"ringmaster: worker {slot}"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()

    def _run(self):
        while not self._ending.wait(0.002):
            for pid in harness.children_of(self._proxy.pid):
                if harness.title_of(pid) == self._title:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        self.deaths += 1
                    wait_until(lambda pid=pid: not is_alive(pid), what="the victim's end")


def serve_while_a_slot_is_empty(proxy, loop, seconds):
    """One client after the other, for so long at least, and until 40 have been served in a row
    without a death in between. Were the slot served by its own worker alone, half of the clients
    would wait for that worker, and so for its death. Returns (served, cut)."""
    served = cut = in_a_row = 0
    deaths = loop.deaths
    began = time.monotonic()
    while in_a_row < 40 or time.monotonic() < began + seconds:
        assert time.monotonic() < began + 3 * harness.DEADLINE_S, "the empty slot is not served"
        with proxy.redis() as client:
            # The victim may live long enough to accept the one client that there is.
            with contextlib.suppress(ConnectionError):
                client.send(encode("PING"))
            answer = client.read_to_end_or_reply()
        let_time_pass(0.004, "not thousands of connections")
        assert answer in (b"+PONG\r\n", b"")
        served, cut = served + bool(answer), cut + (not answer)
        in_a_row = in_a_row + 1 if loop.deaths == deaths else 0
        deaths = loop.deaths
    return served, cut


@pytest.mark.slow
def test_a_slot_that_crash_loops_is_served_by_another_worker(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    healthy = proxy.wait_workers()[0]
    first_death_after = time.monotonic()
    with CrashLoop(proxy, 1) as loop:
        wait_until(lambda: loop.deaths >= 2, what="the crashes")
        wait_for_log(proxy, "worker 0 accepts for slot 1")
        deaths_before = loop.deaths
        began, cpu = time.monotonic(), cpu_seconds(proxy.pid)
        served, cut = serve_while_a_slot_is_empty(proxy, loop, 3)
        share = (cpu_seconds(proxy.pid) - cpu) / (time.monotonic() - began)
        deaths = loop.deaths
    took_s = time.monotonic() - first_death_after
    print(f"served={served} cut={cut} deaths={deaths} in {took_s:.1f} s, CPU {share:.1%}")
    # At once, after 100 ms, 200 ms and so on up to 5 s: a slow machine sees fewer, never more.
    assert deaths <= 3 + math.log2(1 + took_s / 0.1) + took_s / 5, "the respawn is not delayed"
    assert cut <= deaths - deaths_before + 1
    assert share < 0.1, f"the master uses {share:.1%} of a CPU: it does more than start workers"
    workers = proxy.wait_workers(2)
    assert workers[0] == healthy
    wait_for_log(proxy, f"worker 1 serves again pid={workers[1]}")
    wait_until_all_accept(proxy, workers)


@pytest.mark.slow
def test_a_worker_that_comes_back_adopts_again(start_proxy, settings):
    """What it had been lent has gone with its predecessor."""
    proxy = start_proxy({"p": settings}, workers=2)
    proxy.wait_workers()
    with CrashLoop(proxy, 1) as loop:
        wait_until(lambda: loop.deaths >= 5, what="a long delay of the respawn")
        adopter = proxy.wait_workers(1)[0]
        os.kill(adopter, signal.SIGKILL)
        wait_until(lambda: [pid for pid in proxy.worker_pids() if pid != adopter],
                   what="the adopter's successor")
        serve_while_a_slot_is_empty(proxy, loop, 1)


def test_a_dead_worker_s_listeners_are_given_back_to_its_successor(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    healthy = proxy.wait_workers()[0]
    before = len(harness.socket_inodes(healthy))
    with CrashLoop(proxy, 1):
        wait_for_log(proxy, "worker 0 accepts for slot 1")
        wait_until(lambda: len(harness.socket_inodes(healthy)) == before + 1, what="the loan")
    wait_for_log(proxy, "worker 0 no longer accepts for slot 1")
    wait_until(lambda: len(harness.socket_inodes(healthy)) == before, what="the loan's end")


def test_a_draining_worker_s_slot_is_adopted(start_proxy):
    """Told to end, it has closed its listeners and waits for a reply that does not come."""
    with harness.FakeServer(harness.never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True)}, workers=2,
                            process={"shutdown_timeout": 300})
        workers = proxy.wait_workers()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(proxy.redis()) for _ in range(20)]
            for client in clients:
                client.send(encode("GET", "k"))
            wait_until(lambda: fake.received.count(b"GET") == 20, what="the requests at the server")
            os.kill(workers[1], signal.SIGTERM)
            wait_for_log(proxy, "worker 0 accepts for slot 1")
            new = [stack.enter_context(client) for client in serve_many(proxy, 30)]
            assert set(homes_of(new, workers)) == {workers[0]}
            assert is_alive(workers[1])


def test_term_serves_who_waits_at_a_slot_without_a_worker(start_proxy, settings):
    """In the backoff, before the slot is adopted or just after."""
    proxy = start_proxy({"p": settings}, workers=2)
    for deaths in (1, 2):  # the second one is young: its successor has to wait
        os.kill(proxy.wait_workers()[1], signal.SIGKILL)
        wait_for_log(proxy, "worker 1 is gone", count=deaths)
        wait_for_log(proxy, "serves again")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(20)]
        for client in clients:
            client.send(encode("SET", "k", "v") + encode("GET", "k"))
        proxy.signal(signal.SIGTERM)
        for client in clients:
            assert client.read_to_end() == b"+OK\r\n$1\r\nv\r\n"
    assert proxy.wait_exit() == 0


# ---- workers are stopped -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_stopped_worker_s_new_clients_are_served_by_the_others(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers()
    with contextlib.ExitStack() as stack:
        old = [stack.enter_context(proxy.redis()) for _ in range(20)]
        for number, client in enumerate(old):
            assert client.call("SET", f"k{number}", f"v{number}") == "OK"
        homes = homes_of(old, workers)
        assert set(homes) == set(workers)
        with harness.stopped([workers[1]]):
            began = time.monotonic()
            new = [stack.enter_context(client) for client in serve_many(proxy, 30)]
            assert set(homes_of(new, workers)) == {workers[0]}
            # Those it has stay with it.
            for number, (client, home) in enumerate(zip(old, homes)):
                client.send(encode("GET", f"k{number}") + encode("ECHO", number))
                if home == workers[0]:
                    assert client.read_replies(2) == [f"v{number}".encode(), b"%d" % number]
            let_time_pass(max(0, began + 3 - time.monotonic()), "a stop of 3 s")
            serve_many_at_once(proxy, 30)  # it is missed already
        for number, (client, home) in enumerate(zip(old, homes)):
            if home == workers[1]:
                assert client.read_replies(2) == [f"v{number}".encode(), b"%d" % number]
        for number, client in enumerate([*old, *new]):
            assert client.call("ECHO", f"again {number}") == f"again {number}".encode()
        wait_for_log(proxy, rf"worker 1 is silent pid={workers[1]} silent_ms=[1-9]\d\d\d \(stopped\)")
        wait_for_log(proxy, "worker 0 no longer accepts for slot 1")
        wait_until_all_accept(proxy, workers)
    assert proxy.worker_pids() == workers


@pytest.mark.slow
def test_a_worker_stopped_for_long_is_not_ended(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers()
    with harness.stopped([workers[0]]):
        let_time_pass(6.8, "more than the 5 s and 1 s after which a hung worker is ended")
        assert proxy.worker_pids() == workers
        serve_many_at_once(proxy, 20)
    wait_for_log(proxy, "worker 0 goes on")
    let_time_pass(0.5, "time for a wrong verdict")
    assert proxy.worker_pids() == workers
    assert "hangs" not in proxy.log_text()


def test_the_last_worker_stopped_has_nobody_to_stand_in(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=1)
    workers = proxy.wait_workers()
    with harness.stopped(workers):
        wait_for_log(proxy, "worker 0 is silent")
        client = proxy.redis()
        client.send(encode("PING"))
    assert client.read_reply() == "PONG"
    client.close()
    assert proxy.worker_pids() == workers


def test_a_stopped_worker_s_slot_outlives_its_adopter(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=3)
    workers = proxy.wait_workers()
    with harness.stopped([workers[0]]):
        wait_for_log(proxy, r"worker \d accepts for slot 0")
        adopter = int(re.findall(r"worker (\d) accepts for slot 0", proxy.log_text())[-1])
        os.kill(workers[adopter], signal.SIGKILL)
        wait_for_log(proxy, rf"worker {adopter} serves again")
        wait_for_log(proxy, r"worker \d accepts for slot 0", count=2)
        serve_many_at_once(proxy, 30)


def test_every_pool_of_a_stopped_worker_is_adopted_and_keeps_its_servers(start_proxy, redis_servers,
                                                                         folder):
    """More listeners than one message carries; a Unix socket is everybody's anyway."""
    pools = {f"p{i}": pool([redis_servers[i % 4]], redis=True, timeout=5000) for i in range(35)}
    pools["unix"] = pool([redis_servers[0]], listen=str(folder / "s.sock"), redis=True)
    proxy = start_proxy(pools, workers=2)
    workers = proxy.wait_workers()
    with harness.stopped([workers[1]]):
        wait_for_log(proxy, "worker 0 accepts for slot 1")
        for name in pools:
            clients = [proxy.redis(name) for _ in range(6)]
            for client in clients:
                assert client.call("SET", f"key of {name}", name) == "OK"
                client.close()
    for index, server in enumerate(redis_servers):
        expected = {f"key of p{i}".encode() for i in range(35) if i % 4 == index}
        assert server.keys() == expected | ({b"key of unix"} if index == 0 else set())


def test_adopted_listeners_are_given_back_without_a_leak(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers()

    def descriptors(pid):
        return len(os.listdir(f"/proc/{pid}/fd"))

    before = [descriptors(pid) for pid in proxy.all_pids()]
    for turn in range(1, 3):
        with harness.stopped([workers[1]]):
            wait_for_log(proxy, "worker 0 accepts for slot 1", count=turn)
            wait_until(lambda: descriptors(workers[0]) == before[1] + 1, what="the adopted socket")
        wait_for_log(proxy, "worker 0 no longer accepts for slot 1", count=turn)
    wait_until(lambda: [descriptors(pid) for pid in proxy.all_pids()] == before,
               what="as many descriptors as before")


# ---- workers hang (debug builds) -----------------------------------------------------------------


class Hang:
    """Lets a worker's loop hang without stopping the process; see worker/README.md."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {"RINGMASTER_TEST_FAULTS": str(folder)}

    def skip_unless_built_in(self, proxy):
        if "test faults are on" not in proxy.log_text():
            pytest.skip("test faults are not in a release build")

    @contextlib.contextmanager
    def __call__(self, slot):
        """Hangs by the beginning of the block."""
        path, answer = self.folder / f"hang.{slot}", self.folder / f"hangs.{slot}"
        path.touch()
        try:
            wait_until(answer.exists, what="the worker to hang")
            yield
        finally:
            path.unlink()
            answer.unlink(missing_ok=True)


@pytest.fixture
def hang(folder):
    return Hang(folder)


@pytest.mark.slow
def test_a_hung_worker_is_adopted_then_aborted_and_replaced(start_proxy, settings, hang):
    proxy = start_proxy({"p": settings}, workers=2, env=hang.env)
    hang.skip_unless_built_in(proxy)
    workers = proxy.wait_workers()
    began = time.monotonic()
    with hang(1):
        clients = serve_many(proxy, 30)
        assert is_alive(workers[1]) and set(homes_of(clients, workers)) == {workers[0]}
        wait_until(lambda: not is_alive(workers[1]), what="its end")
        assert time.monotonic() - began > 4.5, "it was given less than 5 s"
        for client in clients:
            assert client.call("PING") == "PONG"
            client.close()
    wait_for_log(proxy, rf"worker 1 is gone pid={workers[1]}: signal 6 \(Aborted\)")
    wait_for_log(proxy, "worker 1 serves again")
    wait_for_log(proxy, "worker 0 no longer accepts for slot 1")
    assert proxy.wait_workers(2, without=[workers[1]])[0] == workers[0]


@pytest.mark.slow
def test_a_worker_that_hangs_for_less_goes_on(start_proxy, settings, hang):
    proxy = start_proxy({"p": settings}, workers=2, env=hang.env)
    hang.skip_unless_built_in(proxy)
    workers = proxy.wait_workers()
    with hang(0):
        wait_for_log(proxy, "worker 1 accepts for slot 0")
    wait_for_log(proxy, "worker 1 no longer accepts for slot 0")
    assert proxy.worker_pids() == workers


@pytest.mark.slow
def test_a_hung_orphan_ends(start_proxy, settings, hang):
    proxy = start_proxy({"p": settings}, workers=2, env=hang.env)
    hang.skip_unless_built_in(proxy)
    workers = proxy.wait_workers()
    with hang(0):
        wait_for_log(proxy, "worker 0 is silent")
        proxy.signal(signal.SIGKILL)
        proxy.wait_exit()
        wait_until(lambda: not any(map(is_alive, workers)), what="the workers to follow the master")
    proxy.pid_file.unlink()


# ---- the master is stopped, or dies --------------------------------------------------------------


@pytest.mark.slow
def test_a_stopped_master_costs_nobody_anything(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers()
    with Load(proxy, short=2, long=2) as load:
        with harness.stopped([proxy.pid]):
            before = load.short_count, load.request_count
            let_time_pass(10, "a master that is stopped for 10 s")
            assert load.short_count > before[0] + 100
            assert load.request_count > before[1] + 1000
        wait_until(lambda: proxy.stats()["uptime"] >= 10, what="the master to answer")
        let_time_pass(0.5, "time for a wrong verdict about the workers")
    print(f"short={load.short_count} requests={load.request_count} "
          f"slowest={load.slowest_s * 1000:.0f} ms")
    assert not load.refused and not load.wrong and not load.cut
    assert proxy.worker_pids() == workers
    assert "is silent" not in proxy.log_text()
    assert load.slowest_s < 5, "somebody waited for the master to go on"


@pytest.mark.slow
def test_all_stopped_together_go_on_together(start_proxy, settings):
    """A suspended machine: nobody is called silent afterwards."""
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers()
    with proxy.redis() as client:
        assert client.call("SET", "k", "v") == "OK"
        with harness.stopped([proxy.pid, *workers]):
            let_time_pass(2, "more silence than a worker is allowed")
        assert client.call("GET", "k") == b"v"
        let_time_pass(0.3, "time for a wrong verdict")
    assert proxy.worker_pids() == workers
    assert "is silent" not in proxy.log_text()


@contextlib.contextmanager
def own_session(folder, settings):
    """A proxy as an init system or -d would start it; the master's process and its workers."""
    config = folder / "own.yml"
    config.write_text(harness.make_config({"p": settings}))
    log = folder / "own.log"
    log.unlink(missing_ok=True)
    pids = []
    process = harness.spawn([BINARY, "-c", config, "-a", "127.0.0.1", "-s", free_port(), "-o", log,
                             "--control", folder / "own.control", "--workers", "2"],
                            start_new_session=True)
    try:
        wait_until(lambda: log.exists() and "started" in log.read_text(), what="the log line")
        pids = harness.children_of(process.pid)
        assert len(pids) == 2
        yield process, pids
    finally:
        process.kill()
        process.wait()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("stop_one", [False, True], ids=["running", "one stopped"])
def test_a_killed_master_leaves_no_orphan_and_a_free_port(folder, settings, stop_one):
    """Also not one that was stopped: in a session of its own the kernel lets it go on."""
    port = harness.listen_address(settings)[1]
    with own_session(folder, settings) as (master, workers):
        with socket.create_connection(("127.0.0.1", port)) as client:
            if stop_one:
                os.kill(workers[0], signal.SIGSTOP)
                wait_until(lambda: harness.is_stopped(workers[0]), what="the stop")
            master.kill()
            master.wait()
            wait_until(lambda: not any(map(is_alive, workers)), what="the end of the workers")
            assert not port_is_open(port)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
    with own_session(folder, settings):
        with RespClient(("127.0.0.1", port)) as client:
            assert client.call("PING") == "PONG"
