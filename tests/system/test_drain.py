# SPDX-License-Identifier: Apache-2.0
"""TERM, QUIT, INT: nobody loses a reply, nobody hangs, connections end in order."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

import harness
from clients import Connection, encode
from gated import NamedServer
from harness import (FakeServer, Proxy, free_port, is_alive, make_config, never_answer, pool,
                     port_is_open, wait_until)
from hostile import bulk
from load import Load, long_lived, short_lived
from reloader import is_sanitized


# Longer than a test waits: what ends in time has not waited for these.
PATIENT = {"shutdown_timeout": 600_000, "drain_timeout": 600_000}
AT_ONCE_S = 2.0 if is_sanitized() else 0.1


def redis_pool(servers, **settings):
    return pool(servers, redis=True, **{"timeout": 30000, **settings})


def wait_closed(proxy):
    wait_until(lambda: not port_is_open(proxy.address()[1]), what="the port to close")


@pytest.fixture
def slow():
    """A server that answers once it is told to."""
    with NamedServer("slow", gated=True) as server:
        yield server


# ---- TERM ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda n: n.name)
def test_a_hundred_requests_in_flight_are_all_answered(start_proxy, slow, number):
    proxy = start_proxy({"p": redis_pool([slow])}, workers=2, process=PATIENT)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(100)]
        for index, client in enumerate(clients):
            client.send(encode("GET", f"k{index}"))
        wait_until(lambda: len(slow.keys) == 100, what="all requests at the server")
        proxy.signal(number)
        wait_closed(proxy)
        slow.open()
        for index, client in enumerate(clients):
            assert client.read_reply() == b"slow:k%d" % index
            if number == signal.SIGQUIT:  # it serves on until the client has enough
                client.half_close()
            assert client.read_to_fin() == b""
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


def test_term_lets_what_has_arrived_be_answered_and_ends_without_a_reset(start_proxy, slow):
    """A pipeline in flight, and more of it that arrives behind the signal: whole replies, in order,
    then the end of the stream, though much of what was sent has not been read."""
    proxy = start_proxy({"p": redis_pool([slow])}, workers=1)
    with proxy.redis() as client:
        client.send(b"".join(encode("GET", f"a{i}") for i in range(500)))
        wait_until(lambda: len(slow.keys) == 500, what="the pipeline at the server")
        proxy.signal(signal.SIGTERM)
        wait_closed(proxy)
        client.send(b"".join(encode("GET", f"b{i}") for i in range(500)))
        slow.open()
        replies = client.read_to_fin()
        wanted = [bulk(b"slow:%s%d" % (name, i)) for name in (b"a", b"b") for i in range(500)]
        assert replies in [b"".join(wanted[:count]) for count in range(500, 1001)], replies[-100:]
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_term_delivers_a_large_reply_to_a_slow_reader(start_proxy, redis_servers,
                                                      memcached_servers, kind):
    servers = redis_servers if kind == "redis" else memcached_servers
    proxy = start_proxy({"p": pool(servers, redis=kind == "redis", timeout=30000)},
                        process=PATIENT)
    value = bytes(range(256)) * 20_000  # 5 MB
    with getattr(proxy, kind)(receive_buffer_bytes=4096) as client:
        if kind == "redis":
            assert client.call("SET", "k", value) == "OK"
            client.send(encode("GET", "k"))
            wanted = b"$%d\r\n%s\r\n" % (len(value), value)
        else:
            assert client.set("k", value) == b"STORED\r\n"
            client.send(b"get k\r\n")
            wanted = b"VALUE k 0 %d\r\n%s\r\nEND\r\n" % (len(value), value)
        first = client.read_exactly(1000)  # it is under way
        proxy.signal(signal.SIGTERM)
        wait_closed(proxy)
        assert proxy.process.poll() is None
        assert first + client.read_to_fin() == wanted
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


def test_term_ends_a_half_sent_request_in_order(start_proxy, redis_servers):
    """It will never be whole: the client sees the end, not a reset, and nobody waits for it."""
    proxy = start_proxy({"p": redis_pool(redis_servers)}, process=PATIENT)
    with proxy.redis() as client, proxy.redis() as idle:
        assert client.call("SET", "k", "v") == "OK"
        assert idle.call("PING") == "PONG"
        client.send(encode("GET", "k") + encode("SET", "k", "w" * 1000)[:100])
        assert client.read_reply() == b"v"
        proxy.signal(signal.SIGTERM)
        assert client.read_to_fin() == b""
        assert idle.read_to_fin() == b""
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_term_under_load_answers_all_it_has_read(start_proxy, redis_servers, memcached_servers,
                                                 kind):
    """What the load had sent and the proxy not yet read when it closed is lost to the client; but
    nothing is wrong, nothing is an error, and nobody hangs."""
    servers = redis_servers if kind == "redis" else memcached_servers
    proxy = start_proxy({"p": pool(servers, redis=kind == "redis", timeout=10000)})
    with Load([long_lived("long", proxy.address(), kind),
               long_lived("one", proxy.address(), kind, depth=1, window=1),
               short_lived("short", proxy.address(), kind)], limit_s=60) as load:
        load.wait_served(200)
        proxy.signal(signal.SIGTERM)
        assert proxy.wait_exit() == 0
        wait_until(lambda: all(load.snapshot().count("refused", name) > 0
                               for name in ("long", "one", "short")), what="refused connects")
        summary = load.stop()
    summary.assert_clean("long", ("refused", "lost", "unserved", "closed_idle"))
    summary.assert_clean("short", ("refused", "lost", "unserved", "closed_idle"))
    summary.assert_clean("one", ("refused", "lost", "unserved", "closed_idle"))
    assert summary.count("resets") == 0, summary.explain()
    proxy.assert_nothing_left()


def test_signals_up_to_the_very_end_do_not_change_it(start_proxy, slow):
    """The handlers go before the process does: no signal may kill it in between."""
    for number in [signal.SIGHUP, signal.SIGUSR1, signal.SIGTTIN, signal.SIGTERM] * 8:
        proxy = start_proxy({"p": redis_pool([slow])}, workers=1)
        proxy.signal(signal.SIGTERM)
        while proxy.process.poll() is None:
            proxy.signal(number)
        assert proxy.process.returncode == 0, number
        proxy.assert_nothing_left()


@pytest.mark.slow
def test_a_second_term_ends_within_a_tenth_of_a_second(start_proxy, slow):
    """The best of some, as the machine may be busy."""
    took = []
    while not took or (min(took) > AT_ONCE_S and len(took) < 20):
        proxy = start_proxy({"p": redis_pool([slow], listen=f"127.0.0.1:{free_port()}")},
                            process=PATIENT)
        with proxy.redis() as client:
            client.send(encode("GET", "k"))
            wait_until(lambda: slow.keys, what="the request at the server")
            proxy.signal(signal.SIGTERM)
            wait_closed(proxy)
            begin = time.monotonic()
            proxy.signal(signal.SIGTERM)
            assert proxy.wait_exit() == 0
            took.append(time.monotonic() - begin)
        proxy.assert_nothing_left()
        slow.keys.clear()
    assert min(took) < AT_ONCE_S, took


# ---- newcomers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda n: n.name)
def test_new_clients_are_served_or_refused_and_none_hangs(start_proxy, slow, number):
    """From the signal on, while a request keeps the proxy alive."""
    proxy = start_proxy({"p": redis_pool([slow])}, workers=3, process=PATIENT)
    with proxy.redis() as client:
        client.send(encode("GET", "k"))
        wait_until(lambda: slow.keys, what="the request at the server")
        proxy.signal(number)
        begin = time.monotonic()
        refused = 0
        with contextlib.ExitStack() as stack:
            accepted = []
            while refused < 200:
                try:
                    newcomer = stack.enter_context(Connection(proxy.address()))
                    newcomer.send(encode("PING"))
                    accepted.append(newcomer)
                    assert time.monotonic() - begin < harness.DEADLINE_S, "still accepting"
                except ConnectionRefusedError:
                    refused += 1
                except (BrokenPipeError, ConnectionResetError):
                    pass
            for newcomer in accepted:  # an answer or the end; silence raises a timeout
                assert newcomer.read_to_end_or_reply() in (b"+PONG\r\n", b"")
        assert proxy.process.poll() is None
        slow.open()
        assert client.read_reply() == b"slow:k"
        if number == signal.SIGQUIT:
            client.close()
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda n: n.name)
def test_clients_in_the_accept_queue_are_answered(start_proxy, redis_servers, number):
    """They connected before the signal: stopped workers have not seen them yet."""
    proxy = start_proxy({"p": redis_pool(redis_servers)}, workers=2)
    with contextlib.ExitStack() as stack:
        with harness.stopped(proxy.wait_workers(2)):
            clients = [stack.enter_context(proxy.redis()) for _ in range(50)]
            for client in clients:
                client.send(encode("PING"))
            proxy.signal(number)
        for client in clients:
            assert client.read_line() == b"+PONG\r\n"
            client.half_close()
            assert client.read_to_fin() == b""
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


@pytest.mark.parametrize("kind", ["redis", "memcached"])
@pytest.mark.parametrize("how", ["master", "worker"])
def test_a_client_that_waits_for_a_place_is_told(start_proxy, redis_servers, memcached_servers,
                                                 kind, how):
    """With client_connections the master gives the places; a stopped one gives none."""
    servers = redis_servers if kind == "redis" else memcached_servers
    proxy = start_proxy({"p": pool(servers, redis=kind == "redis", client_connections=10)},
                        workers=1)
    request = encode("PING") if kind == "redis" else b"version\r\n"
    good = b"+PONG" if kind == "redis" else b"VERSION"
    bad = b"-" if kind == "redis" else b"SERVER_ERROR"
    worker = proxy.wait_workers(1)[0]
    with contextlib.ExitStack() as stack:
        with harness.stopped([proxy.pid]):
            before = len(harness.socket_inodes(worker))
            clients = [stack.enter_context(getattr(proxy, kind)()) for _ in range(5)]
            for client in clients:
                client.send(request)
            wait_until(lambda: len(harness.socket_inodes(worker)) == before + 5,
                       what="the accepts")
            os.kill(proxy.pid if how == "master" else worker, signal.SIGTERM)
            if how == "worker":
                for client in clients:
                    assert client.read_line().startswith(bad)
                    assert client.read_to_fin() == b""
        if how == "master":
            for client in clients:
                line = client.read_line()
                assert line.startswith((good, bad)), line
                assert client.read_to_fin() == b""
            assert proxy.wait_exit() == 0
        else:
            proxy.wait_workers(1, without=[worker])
            with getattr(proxy, kind)() as client:
                client.send(request)
                assert client.read_line().startswith(good)


# ---- QUIT ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_quit_serves_open_connections_until_they_close(start_proxy, redis_servers,
                                                       memcached_servers, kind):
    servers = redis_servers if kind == "redis" else memcached_servers
    proxy = start_proxy({"p": pool(servers, redis=kind == "redis", timeout=5000)}, workers=2)

    def write_and_read(client, value):
        if kind == "redis":
            return client.call("SET", "k", value) == "OK" and client.call("GET", "k") == value
        return client.set("k", value) == b"STORED\r\n" and client.get("k") == value

    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(getattr(proxy, kind)()) for _ in range(10)]
        assert all(write_and_read(client, b"before") for client in clients)
        proxy.signal(signal.SIGQUIT)
        wait_closed(proxy)
        for round_number in range(5):
            assert all(write_and_read(client, b"%d" % round_number) for client in clients)
        for client in clients[1:]:
            client.close()
        assert write_and_read(clients[0], b"the last")
        assert proxy.process.poll() is None
        clients[0].close()
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


def test_quit_without_clients_ends_at_once(start_proxy, redis_servers):
    proxy = start_proxy({"p": redis_pool(redis_servers)}, process=PATIENT)
    proxy.signal(signal.SIGQUIT)
    assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


def test_quit_ends_idle_clients_at_drain_timeout_in_order(start_proxy, slow):
    """Idle ones see the end of the stream, one that waits an answer or the end; exit 0."""
    proxy = start_proxy({"p": redis_pool([slow])}, process={"drain_timeout": 700})
    with proxy.redis() as idle, proxy.redis() as waiting:
        assert idle.call("PING") == "PONG"
        waiting.send(encode("GET", "k"))
        wait_until(lambda: slow.keys, what="the request at the server")
        begin = time.monotonic()
        proxy.signal(signal.SIGQUIT)
        assert idle.read_to_fin() == b""
        assert time.monotonic() - begin > 0.5
        last = waiting.read_to_fin()
        assert last == b"" or last.startswith(b"-"), last
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


@pytest.mark.slow
def test_quit_under_load_costs_no_open_connection_anything(start_proxy, redis_servers,
                                                           memcached_servers):
    proxy = start_proxy({"r": redis_pool(redis_servers),
                         "m": pool(memcached_servers, timeout=9000)})
    with Load([long_lived("r", proxy.address("r")),
               long_lived("m", proxy.address("m"), "memcached")], limit_s=60) as load:
        load.wait_all_connected()
        load.wait_served(50)
        proxy.signal(signal.SIGQUIT)
        wait_closed(proxy)
        load.wait_served(200)
        summary = load.stop()
        assert proxy.wait_exit() == 0
    summary.assert_clean()
    summary.assert_never_reconnected("r", 4)
    summary.assert_never_reconnected("m", 4)
    proxy.assert_nothing_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_quit_is_tightened_by_another_signal(start_proxy, redis_servers, number):
    proxy = start_proxy({"p": redis_pool(redis_servers)}, process=PATIENT)
    with proxy.redis() as idle:
        assert idle.call("PING") == "PONG"
        proxy.signal(signal.SIGQUIT)
        wait_closed(proxy)
        assert idle.call("PING") == "PONG"
        proxy.signal(number)
        assert idle.read_to_end() == b""
        assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


def test_a_worker_that_dies_during_quit_is_not_replaced(start_proxy, redis_servers):
    """Nothing is left to accept; the others go on, the end comes with the last client."""
    proxy = start_proxy({"p": redis_pool(redis_servers)}, workers=2)
    workers = proxy.wait_workers(2)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(20)]
        for client in clients:
            assert client.call("PING") == "PONG"
        homes = harness.pids_serving([client.socket for client in clients], workers)
        proxy.signal(signal.SIGQUIT)
        wait_closed(proxy)
        os.kill(workers[0], signal.SIGKILL)
        wait_until(lambda: not is_alive(workers[0]), what="its end")
        for client, home in zip(clients, homes):
            if home == workers[1]:
                assert client.call("PING") == "PONG"
        assert proxy.worker_pids() == workers[1:]
        assert not port_is_open(proxy.address()[1])
    assert proxy.wait_exit() == 0
    proxy.assert_nothing_left()


# ---- the master is killed ------------------------------------------------------------------------


def test_a_killed_master_leaves_no_orphan_though_requests_hang(start_proxy):
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": redis_pool([fake], timeout=0)}, workers=3)
        workers = proxy.wait_workers(3)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(proxy.redis()) for _ in range(20)]
            for client in clients:
                client.send(encode("GET", "k"))
            wait_until(lambda: fake.received.count(b"GET") == 20, what="the requests")
            proxy.signal(signal.SIGKILL)
            proxy.wait_exit()
            wait_until(lambda: not any(map(is_alive, workers)), what="the workers' end")
            for client in clients:
                client.read_to_end()
    proxy.pid_file.unlink()


def start_again(proxy):
    """At once, in the same folder: same ports, same pid file, whatever was left behind. None: a
    worker that stands still has not heard of its master's end, and listens."""
    with contextlib.suppress(FileNotFoundError):
        proxy.log.rename(proxy.log.with_suffix(".before"))
    second = Proxy(proxy.folder, proxy.pools, workers=proxy.workers, wait=False)
    try:
        second.wait_started()
    except AssertionError:
        if "Address already in use" not in second.log_text():
            second.kill()
            raise
        return None
    return second


@pytest.mark.parametrize("hanging", [False, True])
def test_a_start_right_after_the_master_was_killed_works(start_proxy, redis_servers, hanging):
    """While its workers still end, for up to 1.5 s when requests hang: they listen no more."""
    assert any(start_right_after_a_kill(start_proxy, redis_servers, hanging) for _ in range(4))


def start_right_after_a_kill(start_proxy, redis_servers, hanging):
    """False when a worker had not yet heard of it."""
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": redis_pool([fake] if hanging else redis_servers, timeout=0)})
        workers = proxy.wait_workers()
        with proxy.redis() as client:
            client.send(encode("GET", "k"))
            if hanging:
                fake.wait_for_bytes(b"GET")
            else:
                assert client.read_reply() is None
            proxy.signal(signal.SIGKILL)
            proxy.wait_exit()
            second = start_again(proxy)
            if second is None:
                return False
            try:
                with second.redis() as newcomer:
                    assert newcomer.call("PING") == "PONG"
                wait_until(lambda: not any(map(is_alive, workers)), what="the old workers' end")
                assert second.pid_file.read_text().strip() == str(second.pid)
                second.stop()
            finally:
                second.kill()
    return True


@pytest.mark.slow
def test_kill_and_start_again_under_load(start_proxy, redis_servers):
    """Refused and lost meanwhile, of course; never wrong, and all well afterwards."""
    proxy = start_proxy({"p": redis_pool(redis_servers)})
    with Load([long_lived("long", proxy.address(), timeout_s=20),
               short_lived("short", proxy.address(), timeout_s=20)], limit_s=90) as load:
        running = proxy
        try:
            for _ in range(3):
                load.wait_served(50)
                running.signal(signal.SIGKILL)
                running.wait_exit()
                running = wait_until(lambda gone=running: start_again(gone), what="a start")
            load.wait_served(50)
            summary = load.stop()
            running.stop()
        finally:
            running.kill()
    summary.assert_clean(allow=("lost", "unserved", "closed_idle", "reset_idle", "refused"))


def test_a_stopped_master_does_not_stop_the_data(start_proxy, redis_servers):
    proxy = start_proxy({"p": redis_pool(redis_servers)})
    workers = proxy.wait_workers()
    with Load([long_lived("long", proxy.address()), short_lived("short", proxy.address())],
              limit_s=60) as load:
        load.wait_served(20)
        with harness.stopped([proxy.pid]):
            load.wait_served(300)
        load.wait_served(20)
        summary = load.stop()
    summary.assert_clean()
    summary.assert_never_reconnected("long", 4)
    assert proxy.worker_pids() == workers


# ---- the whole process group ---------------------------------------------------------------------


def test_the_end_of_a_process_group_answers_what_is_in_flight(folder, slow):
    """A service manager signals every process: workers that hear TERM too must not end before the
    replies are out."""
    settings = redis_pool([slow])
    config = folder / "own.yml"
    config.write_text(make_config({"p": settings}))
    with open(folder / "err", "wb") as err:
        process = harness.spawn([harness.BINARY, "-c", config, "-a", "127.0.0.1", "-s", free_port(),
                                 "--control", folder / "control",
                                 "--workers", "2", "-p", folder / "pid"],
                                stdout=subprocess.DEVNULL, stderr=err, start_new_session=True)
    try:
        wait_until(lambda: b"started" in (folder / "err").read_bytes(), what="the log line")
        workers = harness.children_of(process.pid)
        with Connection(harness.listen_address(settings)) as client:
            client.send(encode("GET", "k"))
            wait_until(lambda: slow.keys, what="the request at the server")
            os.killpg(process.pid, signal.SIGTERM)
            wait_until(lambda: not port_is_open(harness.listen_address(settings)[1]),
                       what="the port to close")
            slow.open()
            assert client.read_to_fin() == b"$6\r\nslow:k\r\n"
        assert process.wait(harness.DEADLINE_S) == 0
        wait_until(lambda: not any(map(is_alive, workers)), what="the workers' end")
    finally:
        process.kill()
