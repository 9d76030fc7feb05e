# SPDX-License-Identifier: Apache-2.0
"""Reloads that fail, that come too fast, that meet dying workers: the old config serves on."""

import contextlib
import os
import re
import signal
import socket
import time

import pytest

import harness
from clients import RespClient
from gated import NamedServer
from harness import (free_port, make_config, pid_serving, pids_serving, pool, run_binary,
                     wait_until)
from load import Load, long_lived, short_lived


def redis_pool(servers, **settings):
    return pool(servers, redis=True, **{"timeout": 10000, **settings})


@pytest.fixture
def x():
    with NamedServer("x") as server:
        yield server


@pytest.fixture
def y():
    with NamedServer("y") as server:
        yield server


MARKERS = 5


def with_markers(reloader, pools):
    """Writes a file that also brings pools of which the sockets show how far its reload is."""
    server = next(iter(pools.values()))["servers"]
    reloader.write({**pools, **{f"marker{i}": redis_pool(server) for i in range(MARKERS)}})


def start_command_and_wait_until_asked(reloader, pid, count=MARKERS):
    """A reload of with_markers(). Returns when `pid` holds the new sockets: the master, as soon as
    it begins to ask its workers; a worker, when it has read the question."""
    before = len(harness.socket_inodes(pid))
    command = reloader.start_command()
    wait_until(lambda: len(harness.socket_inodes(pid)) >= before + count, what="the new sockets")
    harness.let_time_pass(0.2, "the next turn of its loop, in which it asks or votes")
    return command


def serves(reloader, name):
    with reloader.proxy.redis() as client:
        return client.call("GET", "k") == name + b":k"


# ---- files that are wrong ------------------------------------------------------------------------

MANY_PROBLEMS = """\
alpha:
  listen: 127.0.0.1:{port}
  hahs: fnv1a_64
  distribution: ketamine
  timeout: soon
  servers:
    - 127.0.0.1:6379
beta:
  servers:
    - 127.0.0.1:6379:1
"""

BAD_FILES = {
    "many": MANY_PROBLEMS,
    "empty": "",
    "no mapping": "just words\n",
    "half": "alpha:\n  listen: 127.0.0.1:22121\n  servers:\n    - 127.0.0.1:63",
    "not YAML": "alpha: [\n",
    "bytes": bytes(range(256)) * 4,
    "process settings": "ringmaster:\n  workers: 0\nalpha:\n  listen: 127.0.0.1:{port}\n"
                        "  servers:\n    - 127.0.0.1:6379:1\n",
}


def filled(text, port):
    return text if isinstance(text, bytes) else text.replace("{port}", str(port))


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_told_in_full_and_changes_nothing(start_reloadable, x, kind):
    reloader = start_reloadable({"p": redis_pool([x])})
    text = filled(BAD_FILES[kind], free_port())
    reloader.write_text(text)
    _, out, err = run_binary("-t", "-c", reloader.proxy.config)
    wanted = set(re.findall(r"(?:\d+:\d+: )?error: .*", out + err))
    assert wanted, (out, err)
    workers = reloader.proxy.wait_workers()
    with reloader.proxy.redis() as client:
        assert client.call("GET", "k") == b"x:k"
        said = reloader.refuse(text)
        if kind == "many":
            assert len(wanted) >= 4, (out, err)
        for problem in wanted:
            assert problem in said, f"{problem!r} is not told"
            assert problem in reloader.proxy.log_text(), f"{problem!r} is not logged"
        assert client.call("GET", "k") == b"x:k"
    assert serves(reloader, b"x")
    assert reloader.proxy.worker_pids() == workers
    assert [outcome.generation for outcome in reloader.outcomes()] == [None]


def test_a_file_that_is_gone(start_reloadable, x, y):
    reloader = start_reloadable({"p": redis_pool([x])})
    settings = reloader.pools["p"]
    reloader.proxy.config.unlink()
    outcome = reloader.ask()
    assert outcome.generation is None
    assert "No such file or directory" in outcome.text
    assert str(reloader.proxy.config) in outcome.text
    assert serves(reloader, b"x")
    reloader.reload({"p": {**settings, "servers": [y.entry()]}})
    assert serves(reloader, b"y")


def test_a_listen_address_of_somebody_else(start_reloadable, x, y):
    """Found by trying, after the file has passed: nothing of the reload may remain."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    fine = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = f"127.0.0.1:{other.getsockname()[1]}"
        reloader.write_text(make_config({"p": {**settings, "servers": [y.entry()]},
                                         "q": redis_pool([y], listen=f"127.0.0.1:{fine}"),
                                         "r": redis_pool([y], listen=busy)}))
        outcome = reloader.ask()
        assert outcome.generation is None
        assert "Address already in use" in outcome.text and busy in outcome.text
        assert serves(reloader, b"x")
        assert not harness.port_is_open(fine)
    # Free now: the same file is good, though it has not changed.
    assert reloader.ask().generation
    assert serves(reloader, b"y")
    with RespClient(("127.0.0.1", fine)) as client:
        assert client.call("GET", "k") == b"y:k"


def test_a_socket_path_that_cannot_be_made(start_reloadable, x, folder):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    path = f"{folder}/none/s.sock"
    said = reloader.refuse(make_config({"p": settings, "q": redis_pool([x], listen=path)}))
    assert path in said and "No such file or directory" in said
    assert serves(reloader, b"x")


def test_a_listen_name_that_does_not_resolve(start_reloadable, x):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    said = reloader.refuse(make_config(
        {"p": settings, "q": redis_pool([x], listen="no-such-host.invalid:1234")}))
    assert "no-such-host.invalid" in said
    assert serves(reloader, b"x")


def test_twenty_bad_reloads_and_a_good_one(start_reloadable, x, y):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    before = reloader.failures_counted()
    with reloader.proxy.redis() as client:
        assert client.call("GET", "k") == b"x:k"
        descriptors = {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in reloader.proxy.all_pids()}
        for number in range(20):
            reloader.refuse(filled(list(BAD_FILES.values())[number % len(BAD_FILES)], free_port()))
            assert client.call("GET", "k") == b"x:k"
        assert reloader.failures_counted() == before + 20
        for pid, count in descriptors.items():
            assert len(os.listdir(f"/proc/{pid}/fd")) <= count + 2
        assert reloader.reload({"p": {**settings, "servers": [y.entry()]}})
        assert client.call("GET", "k") == b"y:k"
        assert reloader.failures_counted() == before + 20


def test_a_bad_reload_by_signal_then_a_good_one_by_signal(start_reloadable, x, y):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    before = reloader.failures_counted()
    for _ in range(3):
        reloader.write_text(filled(MANY_PROBLEMS, free_port()) + f"# {free_port()}\n")
        assert reloader.reload_by_signal().generation is None
        assert "hahs" in reloader.proxy.log_text() and "ketamine" in reloader.proxy.log_text()
        assert serves(reloader, b"x")
    assert reloader.failures_counted() == before + 3
    assert reloader.reload_by_signal({"p": {**settings, "servers": [y.entry()]}}).generation
    assert serves(reloader, b"y")


def test_a_bad_reload_by_signal_then_a_good_one_by_the_command(start_reloadable, x, y):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    reloader.write_text(MANY_PROBLEMS)
    assert reloader.reload_by_signal().generation is None
    reloader.reload({"p": {**settings, "servers": [y.entry()]}})
    assert serves(reloader, b"y")


def test_settings_that_cannot_change_live_are_named(start_reloadable, x, folder):
    """Whether the rest is taken or all is refused: who asked is told, and the old ones hold."""
    fixed = {"stats_port": free_port(), "stats_address": "127.0.0.1", "pid_file": f"{folder}/pid"}
    reloader = start_reloadable({"p": redis_pool([x])}, {"workers": 2, **fixed},
                                stats_address=None, workers=None)
    for change in ({"stats_port": free_port()}, {"stats_address": "127.0.0.2"},
                   {"pid_file": f"{folder}/other"}):
        reloader.write_text(make_config(reloader.pools, {"workers": 2, **fixed, **change}))
        outcome = reloader.ask()
        name = next(iter(change))
        assert name in outcome.text, f"{name} is not named: {outcome.text!r}"
        assert harness.port_is_open(fixed["stats_port"])
        assert os.path.exists(fixed["pid_file"]) and not os.path.exists(f"{folder}/other")
    reloader.reload({"p": {**reloader.pools["p"], "timeout": 4000}})
    assert serves(reloader, b"x")


def test_the_log_level_changes_live(start_reloadable, x):
    reloader = start_reloadable({"p": redis_pool([x])}, {"workers": 1, "log_level": 5},
                                workers=None)
    reloader.reload(process={"workers": 1, "log_level": 8})
    before = len(reloader.proxy.log_text())
    assert serves(reloader, b"x")
    wait_until(lambda: len(reloader.proxy.log_text()) > before, what="lines about a client's life")
    reloader.reload(process={"workers": 1, "log_level": 5})
    before = reloader.proxy.log_text()
    assert serves(reloader, b"x")
    with reloader.proxy.redis() as client:
        assert client.call("GET", "k") == b"x:k"
    assert "client" not in reloader.proxy.log_text()[len(before):]


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_without_a_proxy_says_so(folder):
    code, out, err = run_binary("reload", "--control", folder / "none.sock")
    assert code == 1
    assert out == ""
    assert str(folder / "none.sock") in err and len(err.splitlines()) == 1


def test_an_unchanged_file_is_no_new_generation_by_signal(start_reloadable, x):
    """The signal may be sent by a log rotation: it reopens logs."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    proxy = reloader.proxy
    generation = reloader.reload({"p": {**settings, "timeout": 9000}})
    for number in range(3):
        proxy.log.rename(proxy.folder / f"log.{number}")
        reloader.hup()
        wait_until(proxy.log.exists, what="the new log file")
    assert reloader.reload({"p": {**settings, "timeout": 8000}}) == generation + 1


# ---- many at once --------------------------------------------------------------------------------


def test_five_signals_during_a_reload_are_at_most_two_reloads(start_reloadable, x, y):
    """A stopped worker holds the first one up, however slow the machine is with the signals."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=2)
    for number in range(10):
        server = y if number % 2 == 0 else x
        before = len(reloader.outcomes())
        with harness.stopped(reloader.proxy.wait_workers(2)[1:]):
            reloader.write({"p": {**settings, "servers": [server.entry()]}})
            for _ in range(5):
                reloader.hup()
                harness.let_time_pass(0.002, "signals that wait together are one")
        wait_until(lambda: serves(reloader, server.name), what="the new config")
        # Behind whatever the signals have started.
        reloader.reload({"p": {**settings, "servers": [server.entry()], "timeout": 6000}})
        assert 1 <= len(reloader.outcomes()) - before - 1 <= 2, reloader.outcomes()[before:]


def test_of_signals_that_come_faster_than_reloads_the_last_counts(start_reloadable, x, y):
    """Each comes with another file; the one in force at the end is the last one's."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=2)
    config = reloader.proxy.config
    for number in range(5):
        server, other = (y, x) if number % 2 == 0 else (x, y)
        before = len(reloader.outcomes())
        with harness.stopped(reloader.proxy.wait_workers(2)[1:]):
            for timeout in range(5000, 5005):
                file = config.with_suffix(f".{timeout}")
                chosen = server if timeout == 5004 else other
                file.write_text(make_config(
                    {"p": {**settings, "servers": [chosen.entry()], "timeout": timeout}}))
                os.replace(file, config)
                reloader.hup()
        wait_until(lambda: serves(reloader, server.name), what="the last config")
        reloader.reload({"p": {**settings, "servers": [server.entry()], "timeout": 6000}})
        assert 1 <= len(reloader.outcomes()) - before - 1 <= 2, reloader.outcomes()[before:]


def test_a_signal_during_a_reload_is_remembered(start_reloadable, x, y):
    """A stopped worker holds the first reload up; what the second brings is served in the end."""
    settings = redis_pool([x])
    last = redis_pool([y])
    reloader = start_reloadable({"p": settings}, workers=2)
    with harness.stopped(reloader.proxy.wait_workers(2)[1:]):
        reloader.write({"p": {**settings, "timeout": 9000}})
        reloader.hup()
        harness.let_time_pass(0.3, "the first reload has to be under way")
        assert not reloader.outcomes()
        reloader.write({"p": settings, "last": last})
        reloader.hup()
    wait_until(lambda: harness.port_is_open(reloader.proxy.address("last")[1]),
               what="the config of the second signal")
    with reloader.proxy.redis("last") as client:
        assert client.call("GET", "k") == b"y:k"
    assert len(reloader.outcomes()) <= 2


def test_commands_at_the_same_time_all_get_an_answer(start_reloadable, x, y):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings})
    reloader.write({"p": {**settings, "servers": [y.entry()]}})
    commands = [reloader.start_command() for _ in range(5)]
    for command in commands:
        text = command.communicate(timeout=harness.DEADLINE_S)[0].decode()
        # A refusal says that another one is under way; silence would be a hang in a script.
        assert text.strip(), text
        assert command.returncode in (0, 1)
    assert any(command.returncode == 0 for command in commands)
    assert serves(reloader, b"y")


def test_a_command_that_is_interrupted_harms_nothing(start_reloadable, x, y):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=2)
    with harness.stopped(reloader.proxy.wait_workers(2)[1:]):
        with_markers(reloader, {"p": {**settings, "servers": [y.entry()]}})
        command = start_command_and_wait_until_asked(reloader, reloader.proxy.pid)
        command.kill()
        command.communicate()
    wait_until(lambda: serves(reloader, b"y"), what="the reload to end without its command")
    reloader.reload({"p": settings})
    assert serves(reloader, b"x")


# ---- workers that die or hang --------------------------------------------------------------------


def served_by_all(reloader, name):
    """Every worker of now answers with this server: none is behind. One that has just been born
    may need a moment; whoever serves its queue meanwhile must not be behind either."""
    workers = reloader.proxy.worker_pids()

    def all_have_answered():
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(reloader.proxy.redis()) for _ in range(40)]
            for client in clients:
                assert client.call("GET", "k") == name + b":k"
            return set(pids_serving([client.socket for client in clients], workers)) == set(workers)

    wait_until(all_have_answered, what="all workers to serve")


@pytest.mark.parametrize("slot", [0, 1])
def test_a_worker_killed_during_a_reload(start_reloadable, x, y, slot):
    """Aborted: the old config serves on in all workers, the next reload is good."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=2)
    victim = reloader.proxy.wait_workers(2)[slot]
    other = reloader.proxy.wait_workers(2)[1 - slot]
    with reloader.proxy.redis() as client:
        client.call("GET", "k")
        with harness.stopped([victim]):
            with_markers(reloader, {"p": {**settings, "servers": [y.entry()]}})
            # Two sockets of each: one for either worker.
            command = start_command_and_wait_until_asked(reloader, reloader.proxy.pid, 2 * MARKERS)
            assert command.poll() is None
            if pid_serving(client.socket, [other]):
                assert client.call("GET", "k") == b"x:k"  # nobody has switched alone
            os.kill(victim, signal.SIGKILL)
        text = command.communicate(timeout=harness.DEADLINE_S)[0].decode()
        assert command.returncode == 1 and text.strip(), text
        if pid_serving(client.socket, [other]):
            assert client.call("GET", "k") == b"x:k"
    assert other in reloader.proxy.wait_workers(2, without=[victim])
    served_by_all(reloader, b"x")
    assert reloader.ask().generation  # the file is still the new one
    served_by_all(reloader, b"y")


@pytest.mark.slow
def test_a_worker_that_does_not_answer_aborts_the_reload(start_reloadable, x, y):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=2)
    workers = reloader.proxy.wait_workers(2)
    with harness.stopped(workers[1:]):
        reloader.write({"p": {**settings, "servers": [y.entry()]}})
        outcome = reloader.ask()  # 5 s
        assert outcome.generation is None
        assert re.search(r"worker.*1", outcome.text), outcome.text
    assert reloader.proxy.worker_pids() == workers
    served_by_all(reloader, b"x")
    assert reloader.ask().generation
    served_by_all(reloader, b"y")
    assert reloader.proxy.worker_pids() == workers


def test_a_worker_born_after_a_reload_has_the_new_config(start_reloadable, x, y):
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=2)
    added = redis_pool([x])
    reloader.reload({"p": {**settings, "servers": [y.entry()]}, "added": added})
    workers = reloader.proxy.wait_workers(2)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    reloader.proxy.wait_workers(2, without=workers)
    served_by_all(reloader, b"y")
    with reloader.proxy.redis("added") as client:
        assert client.call("GET", "k") == b"x:k"


@pytest.mark.slow
def test_a_worker_that_is_being_born_during_a_reload(start_reloadable, x, y):
    """Not asked, as it was not ready; told in the middle of its start. It serves the new config and
    is not replaced for that. Each round catches it at another moment."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=2)
    proxy = reloader.proxy
    for number in range(8):
        server = (y, x)[number % 2]
        first, victim = proxy.wait_workers(2)
        harness.let_time_pass(0.55, "the successor of a worker that dies younger is delayed")
        os.kill(victim, signal.SIGKILL)
        newborn = None
        begin = time.monotonic()
        while newborn is None:  # no pause: its start takes a few milliseconds
            newborn = next((pid for pid in harness.children_of(proxy.pid)
                            if pid not in (first, victim)), None)
            assert time.monotonic() - begin < harness.DEADLINE_S
        harness.let_time_pass(number * 0.0005, "another moment of the start each time")
        with harness.stopped([newborn]):
            reloader.write({"p": {**settings, "servers": [server.entry()]}})
            command = reloader.start_command()
            harness.let_time_pass(0.1, "the reload is under way")
        text = command.communicate(timeout=harness.DEADLINE_S)[0].decode()
        assert command.returncode == 0, text
        assert newborn in proxy.wait_workers(2), proxy.explain()
        served_by_all(reloader, server.name)
        assert harness.is_alive(newborn), proxy.explain()


def test_a_worker_born_after_a_failed_reload_has_the_old_config(start_reloadable, x):
    reloader = start_reloadable({"p": redis_pool([x])}, workers=2)
    reloader.write_text(MANY_PROBLEMS)
    assert reloader.ask().generation is None
    workers = reloader.proxy.wait_workers(2)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    reloader.proxy.wait_workers(2, without=workers)
    served_by_all(reloader, b"x")


@pytest.mark.slow
def test_workers_killed_at_any_moment_of_many_reloads(start_reloadable, redis_servers):
    """Whatever the outcomes: nothing wrong, nothing refused, one config in all workers after it."""
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, workers=3)
    with Load([long_lived("long", reloader.proxy.address(), may_vanish=True),
               short_lived("short", reloader.proxy.address(), may_vanish=True)]) as load:
        for number in range(12):
            reloader.write({"p": {**settings, "timeout": 5000 + number,
                                  "servers": settings["servers"][number % 2:]}})
            command = reloader.start_command()
            victim = reloader.proxy.wait_workers(3)[number % 3]
            harness.let_time_pass(number * 0.004, "another moment of the reload each time")
            os.kill(victim, signal.SIGKILL)
            command.communicate(timeout=harness.DEADLINE_S)
            reloader.proxy.wait_workers(3, without=[victim])
        reloader.reload({"p": settings})
        load.wait_served(100)
        load.strict("long")
        load.wait_served(100)
        summary = load.stop()
    summary.assert_clean(allow=("lost", "unserved", "closed_idle", "reset_idle"))


@pytest.mark.parametrize("slot", [0, 1])
def test_a_config_that_kills_the_worker_that_prepares_it(start_reloadable, folder, x, y, slot):
    """Aborted: whose clients are elsewhere notices nothing. Once it is harmless it is taken."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, env={"RINGMASTER_TEST_FAULTS": str(folder)})
    if "test faults are on" not in reloader.proxy.log_text():
        pytest.skip("test faults are not in a release build")
    workers = reloader.proxy.wait_workers(2)
    (folder / f"die-preparing.{slot}").touch()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(reloader.proxy.redis()) for _ in range(20)]
        for client in clients:
            assert client.call("GET", "k") == b"x:k"
        homes = pids_serving([client.socket for client in clients], workers)
        others = [client for client, home in zip(clients, homes) if home != workers[slot]]
        reloader.write({"p": {**settings, "servers": [y.entry()]}})
        outcome = reloader.ask()
        assert outcome.generation is None
        assert re.search(rf"worker {slot}\b", outcome.text), outcome.text
        for client in others:
            assert client.call("GET", "k") == b"x:k"
        assert workers[1 - slot] in reloader.proxy.wait_workers(2, without=[workers[slot]])
        served_by_all(reloader, b"x")
        (folder / f"die-preparing.{slot}").unlink()
        assert reloader.ask().generation
        for client in others:
            assert client.call("GET", "k") == b"y:k"
    served_by_all(reloader, b"y")


def clients_of(reloader, pid, stack):
    """Some clients that this worker serves; whoever serves the others may be stopped."""
    clients = [stack.enter_context(reloader.proxy.redis()) for _ in range(60)]

    def accepted():
        homes = pids_serving([client.socket for client in clients], [pid])
        return [client for client, home in zip(clients, homes) if home]

    found = wait_until(accepted, what="clients of the worker")
    for client in found:
        assert client.call("GET", "k") == b"x:k"
    return found


def serves_again(proxy, pid):
    return re.search(rf"serves( again)? pid={pid}\b", proxy.log_text())


def test_a_worker_born_while_the_others_vote_keeps_its_clients(start_reloadable, x, y):
    """It was not asked; order and commit come to it in one piece."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=3)
    proxy = reloader.proxy
    victim, = proxy.wait_workers(3)[1:2]
    for _ in range(2):  # young deaths: the next birth waits, longer than the vote needs to begin
        os.kill(victim, signal.SIGKILL)
        victim = proxy.wait_workers(3, without=[victim])[1]
        wait_until(lambda pid=victim: serves_again(proxy, pid), what="the slot to be filled")
    workers = proxy.worker_pids()
    os.kill(victim, signal.SIGKILL)
    with contextlib.ExitStack() as stack:
        with harness.stopped(workers[2:]):
            reloader.write({"p": {**settings, "servers": [y.entry()]}})
            command = reloader.start_command()
            born = proxy.wait_workers(3, without=[victim])[1]
            wait_until(lambda: serves_again(proxy, born), what="its READY")
            assert command.poll() is None
            clients = clients_of(reloader, born, stack)
        text = command.communicate(timeout=harness.DEADLINE_S)[0].decode()
        assert command.returncode == 0, text
        for client in clients:
            assert client.call("GET", "k") == b"y:k"
        assert born in proxy.worker_pids()
    served_by_all(reloader, b"y")


def stop_behind_its_vote(reloader, workers):
    """The command of a reload for which worker 1 of 3 has voted yes. It is stopped; the others have
    committed, the master waits. None: worker 1 was too slow, it goes on and the reload is over."""
    commits = lambda: reloader.proxy.log_text().count("worker 2 notice")
    before = commits()
    with harness.stopped([workers[2]]):  # it holds the reload up
        command = start_command_and_wait_until_asked(reloader, workers[1])
        os.kill(workers[1], signal.SIGSTOP)
        wait_until(lambda: harness.is_stopped(workers[1]), what="worker 1 to stop")
    try:
        wait_until(lambda: commits() > before, 2, "the commit")
        return command
    except AssertionError:
        os.kill(workers[1], signal.SIGCONT)
        command.communicate(timeout=harness.DEADLINE_S)
        return None


@contextlib.contextmanager
def stopped_behind_its_vote(reloader, workers, pools):
    """A reload to these pools that got as far. A worker that stands still for a moment does not vote
    in time: then once more, with new markers."""
    for _ in range(5):
        with_markers(reloader, pools)
        command = stop_behind_its_vote(reloader, workers)
        if command:
            break
    assert command, "worker 1 does not vote"
    try:
        yield command
    finally:
        os.kill(workers[1], signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["worker", "master"])
def test_a_process_stopped_between_vote_and_commit_costs_nobody_a_client(start_reloadable, x, y,
                                                                       who):
    """A stopped worker follows when it goes on; a stopped master reads before it judges."""
    settings = redis_pool([x])
    reloader = start_reloadable({"p": settings}, workers=3)
    workers = reloader.proxy.wait_workers(3)
    with contextlib.ExitStack() as stack:
        clients = clients_of(reloader, workers[1], stack)
        there = {"p": {**settings, "servers": [y.entry()]}}
        with stopped_behind_its_vote(reloader, workers, there) as command:
            if who == "master":
                with harness.stopped([reloader.proxy.pid]):
                    os.kill(workers[1], signal.SIGCONT)
                    harness.let_time_pass(5.5, "the master's patience is 5 s")
            text = command.communicate(timeout=harness.DEADLINE_S)[0].decode()
            assert command.returncode == 0, text
        for client in clients:
            assert client.call("GET", "k") == b"y:k"
        assert reloader.proxy.worker_pids() == workers
    served_by_all(reloader, b"y")
    reloader.reload({"p": settings})
    served_by_all(reloader, b"x")
