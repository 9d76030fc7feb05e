# SPDX-License-Identifier: Apache-2.0
"""`user` and `group`: the master stays root, the workers become somebody else for good."""

import contextlib
import grp
import os
import pathlib
import pwd
import re
import shutil
import signal
import tempfile

import pytest

import harness
from harness import (is_alive, make_config, open_descriptors, pool, run_binary, status_of,
                     wait_until)
from test_supervision import Hang

USER = "nobody"
LOG_FD = 4

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run workers as another user")


@pytest.fixture
def settings(redis_servers):
    return pool(redis_servers, redis=True)


def assert_dropped(pid, uid, gid, groups):
    status = status_of(pid)
    assert status["Uid"] == [str(uid)] * 4
    assert status["Gid"] == [str(gid)] * 4
    assert set(map(int, status["Groups"])) == set(groups)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind][0], 16) == 0, kind


def assert_nobody(pid):
    entry = pwd.getpwnam(USER)
    assert_dropped(pid, entry.pw_uid, entry.pw_gid, os.getgrouplist(USER, entry.pw_gid))


def logged_to(pid):
    return open_descriptors(pid).get(LOG_FD)


# ---- who is who ----------------------------------------------------------------------------------


@as_root
def test_workers_are_the_user_and_the_master_stays_root(start_proxy, settings):
    proxy = start_proxy({"p": settings}, process={"user": USER})
    workers = proxy.wait_workers()
    for pid in workers:
        assert_nobody(pid)
        assert status_of(pid)["Name"] == ["ringmaster"]  # what pgrep looks at
        # Its /proc entries are its own again: memory dumps are possible.
        assert os.stat(f"/proc/{pid}/fd").st_uid == pwd.getpwnam(USER).pw_uid
    assert status_of(proxy.pid)["Uid"] == ["0"] * 4
    for _ in range(8):
        with proxy.redis() as client:
            assert client.call("SET", "k", "v") == "OK"
            assert client.call("GET", "k") == b"v"


@as_root
def test_a_respawned_worker_is_dropped_too(start_proxy, settings):
    proxy = start_proxy({"p": settings}, process={"user": USER})
    first = proxy.wait_workers()
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: proxy.log_text().count("serves again") == 2, what="both workers to be back")
    for pid in proxy.wait_workers(without=first):
        assert_nobody(pid)
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"


@as_root
def test_numbers_do_where_no_name_is(start_proxy, settings):
    proxy = start_proxy({"p": settings}, process={"user": 54321, "group": 54322})
    for pid in proxy.wait_workers():
        assert_dropped(pid, 54321, 54322, [54322])


@as_root
def test_a_group_by_name(start_proxy, settings):
    entry = next(entry for entry in grp.getgrall() if entry.gr_gid not in (0, 65534))
    proxy = start_proxy({"p": settings}, process={"user": USER, "group": entry.gr_name})
    for pid in proxy.wait_workers():
        uid = pwd.getpwnam(USER).pw_uid
        assert_dropped(pid, uid, entry.gr_gid, os.getgrouplist(USER, entry.gr_gid))


def test_without_user_nobody_changes(start_proxy, settings):
    proxy = start_proxy({"p": settings})
    for pid in proxy.wait_workers():
        for line in ("Uid", "Gid", "Groups"):
            assert status_of(pid)[line] == status_of(proxy.pid)[line]


@as_root
def test_unix_sockets_go_on_working(start_proxy, start_server, run_folder, folder):
    for path in (run_folder, folder):  # the workers have to get there
        path.chmod(0o755)
    try:
        server = start_server(harness.RedisServer, path=folder / "redis.sock")
        os.chmod(server.path, 0o777)
        settings = pool([server], listen=f"{folder}/proxy.sock 0600", redis=True)
        proxy = start_proxy({"p": settings}, process={"user": USER})
        with proxy.redis() as client:
            assert client.call("SET", "k", "v") == "OK"
    finally:
        run_folder.chmod(0o700)


# ---- what is left of the master ------------------------------------------------------------------


@as_root
@pytest.mark.parametrize("stop_one", [False, True], ids=["running", "stopped"])
def test_dropped_workers_end_with_their_master(start_proxy, settings, stop_one):
    proxy = start_proxy({"p": settings}, process={"user": USER})
    workers = proxy.wait_workers()
    with harness.stopped(workers[:1]) if stop_one else contextlib.nullcontext():
        proxy.signal(signal.SIGKILL)
        proxy.wait_exit()
    wait_until(lambda: not any(map(is_alive, workers)), what="the workers to follow the master")
    proxy.pid_file.unlink()


@as_root
@pytest.mark.slow
def test_a_dropped_worker_that_hangs_ends_with_its_master(start_proxy, settings, run_folder, folder):
    """It does not look at its channel: the kernel's signal is armed after the drop, or lost."""
    hang = Hang(folder)
    folder.chmod(0o777)  # the worker looks for its order there, and answers
    run_folder.chmod(0o755)
    try:
        proxy = start_proxy({"p": settings}, process={"user": USER}, env=hang.env)
        hang.skip_unless_built_in(proxy)
        workers = proxy.wait_workers()
        with hang(0):
            proxy.signal(signal.SIGKILL)
            proxy.wait_exit()
            wait_until(lambda: not any(map(is_alive, workers)), what="the workers to end")
        proxy.pid_file.unlink()
    finally:
        run_folder.chmod(0o700)


# ---- the log -------------------------------------------------------------------------------------


@as_root
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP], ids=lambda number: number.name)
def test_the_log_is_reopened_where_a_worker_may_not_even_look(start_proxy, settings, number):
    settings["servers"] = [f"127.0.0.1:{harness.free_port()}:1"]  # workers have something to say
    proxy = start_proxy({"p": settings}, process={"user": USER})
    proxy.folder.chmod(0o700)
    workers = proxy.wait_workers()
    assert [logged_to(pid) for pid in workers] == [str(proxy.log)] * 2
    rotated = proxy.log.with_name("log.1")
    proxy.log.rename(rotated)
    proxy.signal(number)
    wait_until(lambda: all(logged_to(pid) == str(proxy.log) for pid in workers),
               what="the workers to write to the new file")
    assert not [what for pid in proxy.all_pids() for what in open_descriptors(pid).values()
                if what == str(rotated)]
    with proxy.redis() as client:
        client.call("GET", "k")
    wait_until(lambda: re.search(r"worker \d warn .*127\.0\.0\.1", proxy.log_text()),
               what="a worker's line in the new file")
    # The file stays the master's: what a worker owned it could replace by a link.
    assert (proxy.log.stat().st_uid, rotated.stat().st_uid) == (0, 0)
    os.kill(workers[0], signal.SIGKILL)
    fresh = proxy.wait_workers(without=workers[:1])
    wait_until(lambda: [logged_to(pid) for pid in fresh] == [str(proxy.log)] * 2,
               what="the new worker to write to the new file")


@as_root
def test_a_log_that_cannot_be_reopened_goes_on_as_it_was(start_proxy, settings):
    proxy = start_proxy({"p": settings}, process={"user": USER})
    workers = proxy.wait_workers()
    old = proxy.log.with_name("log.1")
    proxy.log.rename(old)
    proxy.log.mkdir()
    proxy.signal(signal.SIGUSR1)
    wait_until(lambda: "going on with the old one" in old.read_text(), what="the master to say so")
    assert [logged_to(pid) for pid in workers] == [str(old)] * 2
    proxy.log.rmdir()
    proxy.signal(signal.SIGUSR1)
    wait_until(lambda: all(logged_to(pid) == str(proxy.log) for pid in workers),
               what="the workers to write to the new file")


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("process, message", [
    ({"user": "no-such-user"}, "2:9: error: bad value 'no-such-user' for 'user': no such user"),
    ({"user": "root", "group": "no-such-group"},
     "3:10: error: bad value 'no-such-group' for 'group': no such group"),
    ({"user": 4294900000}, "2:9: error: bad value '4294900000' for 'user': no user has this number"),
    ({"group": "root"}, "2:10: error: 'group' stands without 'user'"),
])
@pytest.mark.parametrize("flags", [["-t"], []], ids=["test", "start"])
def test_who_does_not_exist_is_told_with_line_and_column(folder, process, message, flags):
    path = folder / "c.yml"
    path.write_text(make_config({"p": pool(["127.0.0.1:1:1"])}, process))
    code, _, err = run_binary(*flags, "-c", path)
    assert code == 1
    assert f"{path}:{message}" in err


@pytest.fixture
def for_everybody():
    """A folder anybody can read, with the binary in it."""
    with tempfile.TemporaryDirectory(prefix="rm-") as name:
        os.chmod(name, 0o755)
        shutil.copy(harness.BINARY, f"{name}/ringmaster")
        yield pathlib.Path(name)


@as_root
def test_who_is_not_root_cannot_choose(for_everybody):
    path = for_everybody / "c.yml"
    entry = pwd.getpwnam(USER)
    someone = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [],
               "binary": for_everybody / "ringmaster", "cwd": "/"}
    path.write_text(make_config({"p": pool(["127.0.0.1:1:1"])}, {"user": "root"}))
    code, _, err = run_binary("-c", path, **someone)
    assert code == 1
    assert "workers cannot run as user 'root' (uid 0, gid 0)" in err
    assert "only a start by root can change to others" in err
    # The file itself is right: another user may start it.
    code, _, err = run_binary("-t", "-c", path, **someone)
    assert code == 0
    assert "warning: workers cannot run as user 'root'" in err
    # Naming oneself is no change.
    path.write_text(make_config({"p": pool(["127.0.0.1:1:1"])}, {"user": USER}))
    code, _, err = run_binary("-t", "-c", path, **someone)
    assert code == 0
    assert "cannot run" not in err


@as_root
def test_a_master_without_the_right_to_drop_says_so(folder):
    """Root in a sandbox that took the capability away."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    path = folder / "c.yml"
    path.write_text(make_config({"p": pool(["127.0.0.1:1:1"])}, {"user": USER}))
    code, _, err = run_binary("--bounding-set=-setuid,-setgid", "--inh-caps=-setuid,-setgid",
                              harness.BINARY, "-c", path, "-s", harness.free_port(),
                              "-a", "127.0.0.1", "--control", folder / "control", binary=setpriv)
    assert code == 1
    assert re.search(r"worker \d: cannot take on the supplementary groups of user \d+: "
                     r"Operation not permitted", err), err
    with contextlib.suppress(FileNotFoundError):
        assert not list(folder.glob("*.pid"))
