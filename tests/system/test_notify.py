# SPDX-License-Identifier: Apache-2.0
"""What systemd is told: a fake NOTIFY_SOCKET, and what comes to it."""

import os
import pathlib
import signal
import socket
import time

import pytest

import harness
from harness import free_port, make_config, pool, run_binary, wait_until
from notify_socket import NotifySocket


class FakeSystemd(NotifySocket):
    """Known to the service by `name`, as in $NOTIFY_SOCKET: a path, or @ and an abstract name."""

    def __init__(self, name):
        super().__init__("\0" + name[1:] if name.startswith("@") else name)
        self.name = name


@pytest.fixture(params=["path", "abstract"])
def systemd(request, folder):
    name = str(folder / "notify")
    fake = FakeSystemd(name if request.param == "path" else "@rm-test-" + name)
    yield fake
    fake.close()


@pytest.fixture
def settings(redis_servers):
    return pool(redis_servers, redis=True)


def test_from_the_start_to_the_end(start_proxy, settings, systemd):
    proxy = start_proxy({"p": settings, "q": {**settings, "listen": f"127.0.0.1:{free_port()}"}},
                        env={"NOTIFY_SOCKET": systemd.name})
    assert systemd.wait_for("READY") == {"READY": "1", "STATUS": "serving: 2 workers, 2 pools"}
    assert systemd.names() == ["READY"]  # and nothing but when something changes
    proxy.stop()
    assert systemd.wait_for("STOPPING") == {"STOPPING": "1", "STATUS": "stopping"}
    assert systemd.names() == ["READY", "STOPPING"]


def test_a_drain_and_an_end_at_once_are_stops_too(start_proxy, settings, systemd):
    for number, status in [(signal.SIGQUIT, "draining"), (signal.SIGINT, "stopping")]:
        before = len(systemd.read())
        proxy = start_proxy({"p": settings}, env={"NOTIFY_SOCKET": systemd.name})
        proxy.signal(number)
        assert proxy.wait_exit() == 0
        assert systemd.read()[before:][-1] == {"STOPPING": "1", "STATUS": status}
    assert systemd.names() == ["READY", "STOPPING"] * 2


def test_hup_is_a_reload_that_begins_and_ends(start_proxy, settings, systemd):
    proxy = start_proxy({"p": settings}, env={"NOTIFY_SOCKET": systemd.name})
    systemd.wait_for("READY")
    before_us = time.monotonic_ns() // 1000
    proxy.signal(signal.SIGHUP)
    began = systemd.wait_for("RELOADING")
    ended = systemd.wait_for("READY", 2)
    assert began["RELOADING"] == "1"
    assert before_us <= int(began["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert ended["STATUS"] == "serving: 2 workers, 1 pool"
    assert systemd.names() == ["READY", "RELOADING", "MONOTONIC_USEC", "READY"]


def test_a_reload_ends_with_ready_whether_it_was_good_or_not(start_proxy, settings, systemd):
    proxy = start_proxy({"p": settings}, env={"NOTIFY_SOCKET": systemd.name})
    systemd.wait_for("READY")
    good = proxy.config.read_text()
    proxy.config.write_text("p:\n  lisen: x\n")
    assert proxy.command("reload")[0] == 1
    assert systemd.wait_for("READY", 2)["STATUS"] == "serving: 2 workers, 1 pool"
    proxy.config.write_text(good)
    assert proxy.command("reload")[0] == 0
    systemd.wait_for("READY", 3)
    assert systemd.names() == ["READY", *(["RELOADING", "MONOTONIC_USEC", "READY"] * 2)]


def test_status_follows_what_happens(start_proxy, settings, systemd, redis_servers):
    proxy = start_proxy({"p": settings}, env={"NOTIFY_SOCKET": systemd.name})
    systemd.wait_for("READY")
    server = f"127.0.0.1:{redis_servers[0].port}"
    assert proxy.command("eject", "p", server)[0] == 0
    wait_until(lambda: systemd.read()[-1].get("STATUS") ==
               "serving: 2 workers, 1 pool, 1 server ejected", what="the ejection")
    assert proxy.command("readmit", "p", server)[0] == 0
    wait_until(lambda: systemd.read()[-1].get("STATUS") == "serving: 2 workers, 1 pool",
               what="the return")


@pytest.mark.parametrize("whose", ["nobody's", "somebody else's"])
def test_the_watchdog_is_fed_when_it_is_ours(start_proxy, settings, systemd, whose):
    env = {"NOTIFY_SOCKET": systemd.name, "WATCHDOG_USEC": "200000"}
    begin = time.monotonic()
    start_proxy({"p": settings}, env=env if whose == "nobody's" else {**env, "WATCHDOG_PID": "1"})
    systemd.wait_for("READY")
    if whose == "nobody's":
        fed = lambda: systemd.names().count("WATCHDOG")
        harness.within(0.8, lambda: systemd.wait_for("WATCHDOG", fed() + 4))
        assert fed() <= 2 + (time.monotonic() - begin) / 0.1, "it is fed too often"
    else:
        harness.let_time_pass(0.5, "the time a watchdog would have to be fed several times")
        assert "WATCHDOG" not in systemd.names()


def test_workers_do_not_hear_of_it(start_proxy, settings, systemd):
    proxy = start_proxy({"p": settings},
                        env={"NOTIFY_SOCKET": systemd.name, "WATCHDOG_USEC": "10000000"})
    for pid in proxy.wait_workers():
        environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        assert b"NOTIFY_SOCKET" not in environment and b"WATCHDOG" not in environment


def test_a_daemon_says_which_process_it_is(folder, settings, systemd):
    config = folder / "own.yml"
    config.write_text(make_config({"p": settings}))
    os.environ["NOTIFY_SOCKET"] = systemd.name
    try:
        code, out, err = run_binary("-d", "-c", config, "-p", folder / "pid", "-o", folder / "log",
                                    "--control", folder / "control", "--workers", "1",
                                    "-a", "127.0.0.1", "-s", free_port())
    finally:
        del os.environ["NOTIFY_SOCKET"]
    assert code == 0, out + err
    pid = int((folder / "pid").read_text())
    try:
        # It is there before the process that was started has ended.
        assert systemd.read() == [{"READY": "1", "STATUS": "serving: 1 worker, 1 pool",
                                   "MAINPID": str(pid)}]
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not harness.is_alive(pid), what="the daemon's end")


def test_a_start_that_fails_is_never_ready(folder, systemd):
    config = folder / "own.yml"
    config.write_text(make_config({"p": pool(["127.0.0.1:1:1"], listen="127.0.0.1:1")}))
    os.environ["NOTIFY_SOCKET"] = systemd.name
    try:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            code, _, _ = run_binary("-c", config, "-a", "127.0.0.1", "-s", port,
                                    "--control", folder / "control")
    finally:
        del os.environ["NOTIFY_SOCKET"]
    assert code == 1
    assert "READY" not in systemd.names()


def test_nobody_who_listens_is_no_hindrance(start_proxy, settings, folder):
    for name in [str(folder / "none"), "@rm-test-none", "relative"]:
        proxy = start_proxy({"p": settings}, env={"NOTIFY_SOCKET": name})
        with proxy.redis() as client:
            assert client.call("PING") == "PONG"
        proxy.stop()
