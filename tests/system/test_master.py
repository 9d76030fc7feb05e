# SPDX-License-Identifier: Apache-2.0
"""The master: start, double start, pid file, workers' deaths, signals, what is left behind."""

import contextlib
import fcntl
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import threading

import pytest

import harness
from clients import RespClient, encode
from harness import (BINARY, FakeServer, RedisServer, free_port, have_ipv6, is_alive, make_config,
                     never_answer, pid_serving, pool, port_is_open, run_binary, title_of,
                     wait_until)


@pytest.fixture
def settings(redis_servers):
    return pool(redis_servers, redis=True, timeout=5000)


def greeted(proxy):
    """A client that some worker serves by now."""
    client = proxy.redis()
    assert client.call("PING") == "PONG"
    return client


def write_config(folder, pools, process=None):
    path = folder / "own.yml"
    path.write_text(make_config(pools, process))
    return path


def start_must_fail(folder, config, *arguments):
    """Runs in the foreground; returns the one line it says."""
    code, out, err = run_binary("-c", config, "-s", free_port(), "-a", "127.0.0.1",
                                "--workers", "2", "--control", "control", *arguments,
                                cwd=folder)
    assert code == 1, (code, out, err)
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    return lines[0]


# ---- start ---------------------------------------------------------------------------------------


def test_ps_tells_who_is_who(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=3)
    assert title_of(proxy.pid) == f"ringmaster: master {proxy.config}"
    titles = [title_of(pid) for pid in proxy.wait_workers(3)]
    assert [re.sub(r"\d+$", "N", title) for title in titles] == ["ringmaster: worker N"] * 3
    assert len(set(titles)) == 3
    comm = open(f"/proc/{proxy.worker_pids()[0]}/comm").read()
    assert comm.startswith("ringmaster")


def test_all_workers_share_one_port(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=3)
    workers = proxy.wait_workers(3)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(60)]
        for client in clients:
            assert client.call("PING") == "PONG"
        serving = {pid_serving(client.socket, workers) for client in clients}
        assert serving == set(workers)


def test_it_serves_as_soon_as_it_says_so(start_proxy, settings):
    for _ in range(5):
        proxy = start_proxy({"p": {**settings, "listen": f"127.0.0.1:{free_port()}"}})
        with proxy.redis() as client:
            assert client.call("PING") == "PONG"
        proxy.stop()


@pytest.mark.skipif(not have_ipv6(), reason="no IPv6 loopback")
def test_ipv6_on_both_sides(start_proxy, start_server):
    server = start_server(RedisServer, host="::1")
    listen = f"::1:{free_port(socket.AF_INET6)}"
    proxy = start_proxy({"p": pool([server], listen=listen, redis=True)})
    with proxy.redis() as client:
        assert client.call("SET", "k", "v") == "OK"
        assert client.call("GET", "k") == b"v"


def test_host_names_on_both_sides(start_proxy, redis_servers):
    listen = f"localhost:{free_port()}"
    entry = f"localhost:{redis_servers[0].port}:1"
    proxy = start_proxy({"p": pool([entry], listen=listen, redis=True)})
    address = socket.getaddrinfo(*proxy.address(), type=socket.SOCK_STREAM)[0][4][:2]
    with RespClient(address) as client:
        assert client.call("SET", "k", "v") == "OK"
    assert redis_servers[0].keys() == {b"k"}


@pytest.mark.parametrize("mode", ["0600", "0666", "770"])
def test_a_unix_listen_path_has_its_mode_and_all_workers(start_proxy, folder, redis_servers, mode):
    path = folder / "s.sock"
    proxy = start_proxy({"p": pool(redis_servers, listen=f"{path} {mode}", redis=True)})
    assert stat.S_IMODE(path.stat().st_mode) == int(mode, 8)
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(proxy.redis())
            assert client.call("PING") == "PONG"
    proxy.stop()
    assert not path.exists()


def test_servers_on_unix_sockets(start_proxy, start_server, folder):
    server = start_server(RedisServer, path=folder / "r.sock")
    proxy = start_proxy({"p": pool([server], redis=True)})
    with proxy.redis() as client:
        assert client.call("SET", "k", "v") == "OK"
        assert client.call("GET", "k") == b"v"


def test_preconnect_opens_the_server_connections_at_start(start_proxy):
    with FakeServer(never_answer) as fake:
        start_proxy({"p": pool([fake], redis=True, preconnect=True)}, workers=2)
        wait_until(lambda: fake.connections == 2, what="a connection of each worker")


# ---- starts that fail ----------------------------------------------------------------------------


def test_a_second_start_on_the_same_port_fails_and_disturbs_nothing(start_proxy, settings, folder):
    proxy = start_proxy({"p": settings})
    workers = proxy.wait_workers()
    line = start_must_fail(folder, proxy.config)
    assert "Address already in use" in line
    assert settings["listen"] in line
    for _ in range(40):
        with proxy.redis() as client:
            assert client.call("PING") == "PONG"
    assert proxy.worker_pids() == workers


@pytest.mark.parametrize("reuse_port", [False, True])
def test_a_port_of_somebody_else_is_one_clear_line(folder, redis_servers, reuse_port):
    with socket.socket() as other:
        if reuse_port:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        config = write_config(folder, {"p": pool(redis_servers, listen=listen, redis=True)})
        line = start_must_fail(folder, config, "-p", folder / "pid")
        assert "Address already in use" in line and listen in line
        assert not (folder / "pid").exists()


def test_a_failing_second_pool_leaves_nothing_of_the_first(folder, redis_servers):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = f"127.0.0.1:{other.getsockname()[1]}"
        path = folder / "first.sock"
        port = free_port()
        config = write_config(folder, {
            "a": pool(redis_servers, listen=str(path), redis=True),
            "b": pool(redis_servers, listen=f"127.0.0.1:{port}", redis=True),
            "c": pool(redis_servers, listen=busy, redis=True)})
        assert "Address already in use" in start_must_fail(folder, config)
        assert not path.exists()
        assert not port_is_open(port)


def test_a_busy_stats_port_is_one_clear_line(folder, settings):
    config = write_config(folder, {"p": settings})
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = run_binary("-c", config, "-a", "127.0.0.1", "-s", port)
    assert code == 1
    assert len(err.splitlines()) == 1 and "Address already in use" in err and str(port) in err


def test_an_unwritable_pid_file_is_one_clear_line(folder, settings):
    config = write_config(folder, {"p": settings})
    line = start_must_fail(folder, config, "-p", folder / "none" / "pid")
    assert "No such file or directory" in line and "pid" in line
    assert not port_is_open(int(settings["listen"].rpartition(":")[2]))


def test_an_unresolvable_listen_name_is_one_clear_line(folder, redis_servers):
    config = write_config(folder, {"p": pool(redis_servers, listen="no-such-host.invalid:1234")})
    assert "no-such-host.invalid" in start_must_fail(folder, config)


def test_a_living_unix_listener_is_not_stolen(start_proxy, folder, redis_servers):
    path = folder / "s.sock"
    settings = pool(redis_servers, listen=str(path), redis=True)
    proxy = start_proxy({"p": settings})
    assert "Address already in use" in start_must_fail(folder, proxy.config)
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"


def test_a_unix_path_left_behind_by_a_crash_is_taken(start_proxy, folder, redis_servers):
    path = folder / "s.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    proxy = start_proxy({"p": pool(redis_servers, listen=str(path), redis=True)})
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"


# ---- the pid file --------------------------------------------------------------------------------


def test_the_pid_file_names_the_master_and_goes_with_it(start_proxy, settings):
    proxy = start_proxy({"p": settings})
    assert proxy.pid_file.read_text().strip() == str(proxy.pid)
    proxy.stop()
    assert not proxy.pid_file.exists()


def test_a_pid_file_in_use_refuses_a_second_start(start_proxy, settings, folder):
    proxy = start_proxy({"p": settings})
    other = write_config(folder, {"p": {**settings, "listen": f"127.0.0.1:{free_port()}"}})
    line = start_must_fail(folder, other, "-p", proxy.pid_file)
    assert str(proxy.pid_file) in line
    assert proxy.pid_file.read_text().strip() == str(proxy.pid)


def test_a_pid_file_left_behind_by_a_crash_is_taken(folder, start_proxy, settings):
    (folder / "proxy0").mkdir()
    (folder / "proxy0" / "pid").write_text("1")
    proxy = start_proxy({"p": settings})
    assert proxy.pid_file.read_text().strip() == str(proxy.pid)


# ---- -d ------------------------------------------------------------------------------------------


@pytest.fixture
def daemon_pids():
    pids = []
    yield pids
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_daemon_serves_when_the_command_returns(folder, settings, daemon_pids):
    config = write_config(folder, {"p": settings})
    code, out, err = run_binary("-d", "-c", config, "-p", "pid", "-o", "log", "--workers", "2",
                                "--control", "control",
                                "-a", "127.0.0.1", "-s", free_port(), cwd=folder)
    assert code == 0, out + err
    pid = int((folder / "pid").read_text())
    daemon_pids.append(pid)
    workers = harness.children_of(pid)
    with RespClient(harness.listen_address(settings)) as client:
        assert client.call("PING") == "PONG"
    assert os.getsid(pid) != os.getsid(0)
    assert "started" in (folder / "log").read_text()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not any(map(is_alive, [pid, *workers])), what="the daemon's end")
    assert not (folder / "pid").exists()
    assert not port_is_open(harness.listen_address(settings)[1])


def test_a_daemon_reports_a_failed_start(folder, start_proxy, settings):
    proxy = start_proxy({"p": settings})
    config = write_config(folder, {"p": settings})
    code, out, err = run_binary("-d", "-c", config, "-p", folder / "pid", "-o", folder / "log",
                                "--control", folder / "control",
                                "-a", "127.0.0.1", "-s", free_port())
    assert code == 1
    assert "Address already in use" in err + (folder / "log").read_text()
    assert not (folder / "pid").exists()
    bad = folder / "bad.yml"
    bad.write_text("alpha:\n  lisen: x\n")
    code, out, err = run_binary("-d", "-c", bad, "-o", folder / "log2")
    assert code == 1
    assert proxy.process.poll() is None


# ---- workers die ---------------------------------------------------------------------------------


def test_a_dead_worker_is_replaced_and_clients_of_the_others_notice_nothing(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=3)
    workers = proxy.wait_workers(3)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(45)]
        for client in clients:
            client.call("SET", "k", "v")
        home = [pid_serving(client.socket, workers) for client in clients]
        assert set(home) == set(workers)
        victim = home[0]
        slot_title = title_of(victim)
        os.kill(victim, signal.SIGKILL)
        for client, pid in zip(clients, home):
            if pid == victim:
                assert client.read_to_end() == b""
            else:
                assert client.call("GET", "k") == b"v"
        renewed = proxy.wait_workers(3, without=[victim])
        assert set(workers) - {victim} < set(renewed)
        assert slot_title in [title_of(pid) for pid in renewed]

        def every_slot_takes_connections_again():
            """Until its worker is up another one serves the queue."""
            newcomers = [stack.enter_context(proxy.redis()) for _ in range(60)]
            for client in newcomers:
                assert client.call("GET", "k") == b"v"
            return {pid_serving(client.socket, renewed) for client in newcomers} == set(renewed)

        wait_until(every_slot_takes_connections_again, what="all workers to accept")


def test_connections_made_while_a_worker_is_dead_are_served(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    for _ in range(5):
        victim = proxy.wait_workers(2)[0]
        os.kill(victim, signal.SIGKILL)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(proxy.redis()) for _ in range(30)]
            for client in clients:
                client.send(encode("PING"))
            answered = 0
            for client in clients:
                # Only a connection the dead process had accepted may be lost.
                answered += client.read_to_end_or_reply() == b"+PONG\r\n"
            assert answered >= len(clients) - 1
        proxy.wait_workers(2, without=[victim])


def test_all_workers_dead_at_once(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers(2)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    proxy.wait_workers(2, without=workers)
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"


def test_a_worker_told_to_end_drains_and_is_replaced(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    victim = proxy.wait_workers(2)[0]
    os.kill(victim, signal.SIGTERM)
    proxy.wait_workers(2, without=[victim])
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT,
                                    signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE],
                         ids=lambda number: number.name)
def test_workers_ignore_signals_meant_for_the_master(start_proxy, settings, number):
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers(2)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(10)]
        for pid in workers:
            os.kill(pid, number)
        for client in clients:
            assert client.call("PING") == "PONG"
    assert proxy.worker_pids() == workers


def test_no_worker_outlives_a_killed_master(start_proxy, settings, folder):
    proxy = start_proxy({"p": settings}, workers=3)
    workers = proxy.wait_workers(3)
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"
        proxy.signal(signal.SIGKILL)
        proxy.wait_exit()
        wait_until(lambda: not any(map(is_alive, workers)), what="the workers to follow the master")
    assert not port_is_open(proxy.address()[1])
    proxy.pid_file.unlink()  # SIGKILL leaves it; the next start takes it


def test_no_stopped_worker_outlives_a_killed_master_once_it_goes_on(start_proxy, settings):
    proxy = start_proxy({"p": settings}, workers=2)
    workers = proxy.wait_workers(2)
    with harness.stopped(workers[:1]):
        proxy.signal(signal.SIGKILL)
        proxy.wait_exit()
    wait_until(lambda: not any(map(is_alive, workers)), what="the workers to follow the master")
    proxy.pid_file.unlink()


# ---- the end -------------------------------------------------------------------------------------


class Gated(FakeServer):
    """Answers each GET with $1 x, but only after open()."""

    def __init__(self):
        self.gate = threading.Event()
        super().__init__(self._behave_gated)

    def _behave_gated(self, connection, fake):
        while True:
            data = fake.recv(connection)
            if not data:
                return
            self.gate.wait(30)
            connection.sendall(b"$1\r\nx\r\n" * data.count(b"GET"))

    def close(self):
        self.gate.set()
        super().close()


def test_term_answers_what_is_in_flight_and_exits_0(start_proxy):
    with Gated() as fake:
        proxy = start_proxy({"p": pool([fake], redis=True, timeout=60000)},
                            process={"shutdown_timeout": 60000})
        workers = proxy.wait_workers()
        idle = [proxy.redis() for _ in range(6)]
        for client in idle:
            assert client.call("PING") == "PONG"
        with proxy.redis() as client:
            client.send(encode("GET", "a") + encode("GET", "b"))
            fake.wait_for_bytes(b"\r\na\r\n")
            proxy.signal(signal.SIGTERM)
            wait_until(lambda: not port_is_open(proxy.address()[1]), what="the port to close")
            fake.gate.set()
            assert client.read_to_end() == b"$1\r\nx\r\n" * 2
        for client in idle:
            assert client.read_to_end() == b""
            client.close()
        assert proxy.wait_exit() == 0
        assert not any(map(is_alive, workers))
        proxy.assert_nothing_left()


def test_term_ends_at_shutdown_timeout_when_a_server_never_answers(start_proxy):
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True)}, process={"shutdown_timeout": 500})
        with proxy.redis() as client:
            client.send(encode("GET", "k"))
            fake.wait_for_bytes(b"GET")
            proxy.signal(signal.SIGTERM)
            assert proxy.wait_exit() == 0
            client.read_to_end()
        proxy.assert_nothing_left()


def test_a_second_term_ends_at_once(start_proxy):
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True)}, process={"shutdown_timeout": 60000})
        with proxy.redis() as client:
            client.send(encode("GET", "k"))
            fake.wait_for_bytes(b"GET")
            proxy.signal(signal.SIGTERM)
            wait_until(lambda: not port_is_open(proxy.address()[1]), what="the port to close")
            assert proxy.process.poll() is None
            proxy.signal(signal.SIGTERM)
            proxy.wait_exit()
        proxy.assert_nothing_left()


def test_int_ends_at_once(start_proxy):
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True)}, process={"shutdown_timeout": 60000})
        with proxy.redis() as client:
            client.send(encode("GET", "k"))
            fake.wait_for_bytes(b"GET")
            proxy.signal(signal.SIGINT)
            assert proxy.wait_exit() in (0, 1)
            client.read_to_end()
        proxy.assert_nothing_left()


def test_a_ctrl_c_to_the_whole_process_group_ends_everything(folder, settings):
    config = write_config(folder, {"p": settings})
    with open(folder / "err", "wb") as err:
        process = harness.spawn([BINARY, "-c", config, "-a", "127.0.0.1", "-s", free_port(),
                                 "--control", folder / "control",
                                 "--workers", "2", "-p", folder / "pid"],
                                stdout=subprocess.DEVNULL, stderr=err, start_new_session=True)
    try:
        wait_until(lambda: b"started" in (folder / "err").read_bytes(), what="the log line")
        workers = harness.children_of(process.pid)
        assert len(workers) == 2
        os.killpg(process.pid, signal.SIGINT)
        process.wait(harness.DEADLINE_S)
        wait_until(lambda: not any(map(is_alive, workers)), what="the workers' end")
        assert not (folder / "pid").exists()
    finally:
        process.kill()


# ---- other signals -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1], ids=lambda number: number.name)
def test_the_log_is_reopened(start_proxy, settings, number):
    proxy = start_proxy({"p": settings})
    workers = proxy.wait_workers()
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"  # a worker has accepted it: it has an owner
        proxy.log.rename(proxy.folder / "log.1")
        proxy.signal(number)
        wait_until(proxy.log.exists, what="the new log file")
        victim = workers[0] if pid_serving(client.socket, workers) != workers[0] else workers[1]
        os.kill(victim, signal.SIGKILL)
        proxy.wait_workers(without=[victim])
        wait_until(lambda: str(victim) in proxy.log_text() or "worker" in proxy.log_text(),
                   what="a line about the dead worker in the new file")
        assert client.call("PING") == "PONG"


def test_a_log_that_may_not_grow_any_more_ends_nobody(start_proxy, settings):
    proxy = start_proxy({"p": settings})
    pids = [proxy.pid, *proxy.wait_workers()]
    limit = proxy.log.stat().st_size
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    size = proxy.log.stat().st_size  # it may have grown before all of them were limited
    code, _, err = proxy.command("log", "11")
    assert code == 0, err
    with contextlib.ExitStack() as stack:  # until each worker has had something to log
        harness.clients_of_all(lambda: stack.enter_context(greeted(proxy)), pids[1:])
    assert proxy.log.stat().st_size == size
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert proxy.worker_pids() == pids[1:]
    proxy.stop()
    assert proxy.log.stat().st_size > size


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_log_that_nobody_reads_any_more_stops_nobody(folder, settings, kind):
    """As when journald or a logger hangs: stderr fills up."""
    if kind == "pipe":
        reader, writer = map(os.fdopen, os.pipe(), ("rb", "wb"))
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    else:
        reader, writer = socket.socketpair()
        writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    config = write_config(folder, {"p": settings})
    control = folder / "control"
    process = harness.spawn([BINARY, "-c", config, "-a", "127.0.0.1", "-s", free_port(),
                             "--control", control, "--workers", "2", "-v", "7"],
                            stdout=subprocess.DEVNULL, stderr=writer)
    lines = b""

    def read_on():
        nonlocal lines
        lines += os.read(reader.fileno(), 65536)
        return lines

    try:
        while b"started" not in read_on():
            pass
        victim, survivor = harness.children_of(process.pid)
        name = title_of(survivor).removeprefix("ringmaster: ").encode()
        for _ in range(300):  # each is worth two lines of some 100 bytes
            with RespClient(harness.listen_address(settings)) as client:
                assert client.call("PING") == "PONG"
        # The master has something to say, too: it replaces the worker all the same.
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(set(harness.children_of(process.pid)) - {victim}) == 2,
                   what="another worker")
        process.send_signal(signal.SIGUSR2)
        code, out, err = run_binary("status", "--control", control)
        assert code == 0, err
        # Whoever reads again learns that there was more.
        told = re.compile(rb"(\w[\w ]*) warn \S+ \d+ lines before the next could not be written")
        while not set(told.findall(lines)) >= {b"master", name}:
            process.send_signal(signal.SIGUSR2)
            with RespClient(harness.listen_address(settings)) as client:
                assert client.call("PING") == "PONG"
            read_on()
        process.send_signal(signal.SIGINT)
        assert process.wait(harness.DEADLINE_S) == 0
        # What we share with it is as it was.
        assert os.get_blocking(writer.fileno())
    finally:
        process.kill()
        process.wait()
        reader.close()
        writer.close()


def test_ttin_and_ttou_move_the_log_level(start_proxy, settings):
    proxy = start_proxy({"p": settings}, arguments=["-v", "5"])
    for number, level in ((signal.SIGTTIN, 6), (signal.SIGTTIN, 7), (signal.SIGTTOU, 6)):
        before = len(proxy.log_text())
        proxy.signal(number)
        wait_until(lambda: re.search(rf"level.*\b{level}\b", proxy.log_text()[before:]),
                   what=f"a line about level {level}")
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGPIPE, signal.SIGWINCH],
                         ids=lambda number: number.name)
def test_other_signals_change_nothing(start_proxy, settings, number):
    proxy = start_proxy({"p": settings})
    workers = proxy.wait_workers()
    proxy.signal(number)
    for _ in range(20):
        with proxy.redis() as client:
            assert client.call("PING") == "PONG"
    assert proxy.all_pids() == [proxy.pid, *workers]


def test_no_file_descriptor_leaks_into_or_out_of_workers(start_proxy, settings):
    """A worker that was replaced holds as many descriptors as the first had."""
    proxy = start_proxy({"p": settings}, workers=2)

    def descriptors(pid):
        return len(os.listdir(f"/proc/{pid}/fd"))

    first = max(map(descriptors, proxy.wait_workers(2)))
    master = descriptors(proxy.pid)
    for _ in range(4):
        victim = proxy.wait_workers(2)[0]
        os.kill(victim, signal.SIGKILL)
        renewed = proxy.wait_workers(2, without=[victim])
        with proxy.redis() as client:
            client.call("PING")
    wait_until(lambda: max(map(descriptors, renewed)) <= first + 8, what="the descriptors to settle")
    wait_until(lambda: descriptors(proxy.pid) <= master, what="the master's descriptors to settle")
