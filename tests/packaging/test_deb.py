# SPDX-License-Identifier: Apache-2.0
"""The .deb in a minimal Debian: installed, run, upgraded, removed, purged."""

import re

import pytest
from chroots import Chroot
from clients import RespClient, read_stats
from harness import wait_until

CONFIG = "etc/ringmaster/ringmaster.yml"
POOL = ("127.0.0.1", 22120)
STATS = ("127.0.0.1", 22220)
LOG = "var/log/ringmaster/ringmaster.log"


@pytest.fixture
def installed(with_ringmaster):
    return Chroot("installed", below=with_ringmaster)


def test_install_makes_user_folders_and_an_enabled_service(installed):
    assert installed.is_installed("ringmaster")
    assert installed.run("getent", "passwd", "ringmaster").text.split(":")[5:] == [
        "/nonexistent", "/usr/sbin/nologin\n"]
    assert installed.owner_and_mode(f"/{CONFIG}") == "root:ringmaster 640"
    assert installed.owner_and_mode("/var/log/ringmaster") == "ringmaster:adm 2750"
    assert installed.is_enabled()
    assert installed.run("dpkg", "--audit").text == ""
    assert installed.run("dpkg", "-V", "ringmaster").text == ""
    assert "not found" not in installed.run("ldd", "/usr/sbin/ringmaster").text
    assert not installed.exists("run/ringmaster/ringmaster.pid")  # no systemd: nothing was started


def test_the_service_runs_with_the_configuration_as_it_comes(installed, start_service, redis):
    redis.flush()
    service = start_service(installed)
    assert service.names() == ["READY"]
    with RespClient(POOL) as client:
        assert client.call("SET", "a key", "its value") == "OK"
        assert client.call("GET", "a key") == b"its value"
    assert redis.keys() == {b"a key"}
    assert read_stats(STATS)["service"] == "nutcracker"
    assert "started: " in installed.read(LOG)
    assert installed.run("ringmaster", "status").text.startswith("ringmaster ")  # root may ask
    assert installed.owner_and_mode("/run/ringmaster/control.sock") == "ringmaster:ringmaster 600"
    assert service.stop() == 0
    assert service.names() == ["READY", "STOPPING"]


def test_reload_uses_a_changed_file_and_survives_a_bad_one(installed, start_service, redis):
    service = start_service(installed)
    with RespClient(POOL) as before:
        good = installed.read(CONFIG)
        installed.write(CONFIG, good.replace("22120", "22125"))
        code, text = service.reload()
        assert code == 0, text
        assert service.names() == ["READY", "RELOADING", "READY"]
        assert before.call("SET", "b", "1") == "OK"  # a client of the old address
        with RespClient((POOL[0], 22125)) as after:
            assert after.call("GET", "b") == b"1"
        installed.write(CONFIG, good + "nonsense\n")
        code, text = service.reload()
        assert code == 1 and re.search(r"ringmaster\.yml:\d+:\d+: error", text), text
        with RespClient((POOL[0], 22125)) as after:
            assert after.call("GET", "b") == b"1"
    assert service.stop() == 0


def test_options_of_etc_default_reach_the_service(installed, start_service, redis):
    installed.write("etc/default/ringmaster", 'DAEMON_OPTS="--workers 3 -v 6"\n')
    service = start_service(installed)
    assert installed.read(LOG).count("started: 3 workers") == 1
    assert service.stop() == 0


def test_logs_are_rotated_and_go_on_in_the_new_file(installed, start_service, redis):
    installed.apt("install", "logrotate")
    service = start_service(installed)
    installed.run("logrotate", "--force", "/etc/logrotate.d/ringmaster")
    assert "started: " in installed.read(f"{LOG}.1")
    assert installed.owner_and_mode(f"/{LOG}") == "ringmaster:adm 640"
    assert service.reload()[0] == 0
    wait_until(lambda: "reload" in installed.read(LOG), what="a line in the new file")
    assert "reload" not in installed.read(f"{LOG}.1")
    assert service.stop() == 0


def test_scripts_can_run_again(installed):
    before = installed.tree()
    installed.script("ringmaster", "postinst", "configure", "")
    installed.script("ringmaster", "postinst", "configure", "0.0.9-1")
    assert installed.tree() == before
    for words in (["prerm", "remove"], ["postrm", "remove"], ["postrm", "purge"],
                  ["postrm", "purge"]):
        installed.script("ringmaster", *words)
    assert not installed.exists("var/log/ringmaster") and not installed.is_enabled()


@pytest.fixture
def old(with_dependencies, old_deb):
    chroot = Chroot("old", below=with_dependencies)
    chroot.install(old_deb)
    return chroot


def test_upgrade_keeps_what_was_edited_and_restarts(old, deb):
    edited = old.read(CONFIG).replace("timeout: 2000", "timeout: 777")
    old.write(CONFIG, edited)
    old.write("etc/default/ringmaster", 'DAEMON_OPTS="-v 6"\n')
    old.write(LOG, "a line\n")
    old.pretend_systemd()
    text = old.install(deb.file).text
    assert old.run("dpkg-query", "-W", "-f", "${Version}", "ringmaster").text == deb.field("Version")
    assert old.read(CONFIG) == edited, text
    assert old.owner_and_mode(f"/{CONFIG}") == "root:ringmaster 640"
    assert old.read("etc/default/ringmaster") == 'DAEMON_OPTS="-v 6"\n'
    assert "timeout: 1000" in old.read(f"{CONFIG}.dpkg-dist")  # the new one, beside it
    assert old.read(LOG) == "a line\n"
    assert old.systemctl_actions() == ["restart"]
    old.run("ringmaster", "-t", "-c", f"/{CONFIG}")


def test_upgrade_takes_a_new_configuration_where_nothing_was_edited(old, deb):
    old.install(deb.file)
    assert "timeout: 1000" in old.read(CONFIG)
    assert old.owner_and_mode(f"/{CONFIG}") == "root:ringmaster 640"


def test_upgrade_does_not_restart_into_a_configuration_it_refuses(old, deb):
    old.write(CONFIG, old.read(CONFIG) + "nonsense\n")
    old.pretend_systemd()
    text = old.install(deb.file).text
    assert old.is_installed("ringmaster")
    assert old.systemctl_actions() == []
    assert "not restarted" in text and "ringmaster.yml:" in text


def test_upgrade_does_not_restart_into_what_the_service_cannot_read(old, deb):
    old.run("chown", "root:root", f"/{CONFIG}")
    old.run("chmod", "600", f"/{CONFIG}")
    old.pretend_systemd()
    text = old.install(deb.file).text
    assert old.systemctl_actions() == [] and "Permission denied" in text, text
    assert old.owner_and_mode(f"/{CONFIG}") == "root:root 600"


@pytest.mark.parametrize("options, restarts", [
    ("DAEMON_OPTS=--workers 3", True),  # without quotes, as systemd allows
    ('DAEMON_OPTS="-v 6', True),  # a quote that does not end
    ('DAEMON_OPTS="--no-such-option"', False),
])
def test_upgrade_reads_the_options_as_the_unit_does(old, deb, options, restarts):
    old.write("etc/default/ringmaster", options + "\n")
    old.pretend_systemd()
    text = old.install(deb.file).text
    assert old.is_installed("ringmaster"), text
    assert old.systemctl_actions() == (["restart"] if restarts else []), text


def test_upgrade_of_a_running_service_cuts_nobody_until_the_restart(old, deb, start_service, redis):
    service = start_service(old)
    with RespClient(POOL) as client:
        old.install(deb.file)  # no systemd here: nobody restarts it
        assert client.call("PING") == "PONG"
        # Workers are born again from the binary their master is, also when its file is gone.
        worker = int(re.search(r"^0 +(\d+)", old.run("ringmaster", "status").text, re.M).group(1))
        old.run("/bin/sh", "-c", f"kill -KILL {worker}")
        wait_until(lambda: re.search(rf"^0 +(?!{worker} )\d+ +\S+ +ready", old.run(
            "ringmaster", "status").text, re.M), what="another worker 0")
    code, text = service.reload()  # the new binary asks the old process
    assert code == 0, text
    assert service.stop() == 0


def test_upgrade_leaves_decisions_of_the_administrator(old, deb):
    old.unit_helper("disable", "ringmaster.service")
    old.run("chown", "root:root", f"/{CONFIG}")
    old.run("chmod", "600", f"/{CONFIG}")
    old.run("chmod", "700", "/var/log/ringmaster")
    old.install(deb.file)
    assert not old.is_enabled()
    assert old.owner_and_mode(f"/{CONFIG}") == "root:root 600"
    assert old.owner_and_mode("/var/log/ringmaster") == "ringmaster:adm 2700"


def test_remove_keeps_configuration_and_logs(installed):
    installed.write(CONFIG, installed.read(CONFIG) + "# edited\n")
    installed.write(LOG, "a line\n")
    installed.pretend_systemd()
    installed.apt("remove", "ringmaster")
    assert installed.systemctl_actions() == ["stop"]
    assert installed.read(CONFIG).endswith("# edited\n") and installed.read(LOG) == "a line\n"
    for gone in ("usr/sbin/ringmaster", "usr/lib/systemd/system/ringmaster.service"):
        assert not installed.exists(gone)


def test_installed_again_it_has_what_was_edited(installed, deb):
    installed.write(CONFIG, installed.read(CONFIG) + "# edited\n")
    installed.apt("remove", "ringmaster")
    installed.install(deb.file)
    assert installed.read(CONFIG).endswith("# edited\n") and installed.is_enabled()


def test_purge_leaves_nothing_but_the_account(with_dependencies, deb, start_service, redis):
    chroot = Chroot("purged", below=with_dependencies)
    before = chroot.tree()
    chroot.install(deb.file)
    service = start_service(chroot)
    chroot.write(CONFIG, chroot.read(CONFIG) + "# edited\n")
    assert service.reload()[0] == 0
    assert service.stop() == 0
    assert chroot.exists(LOG)
    chroot.apt("purge", "ringmaster")
    after = chroot.tree()
    assert {path: after[path] for path in after if path not in before} == {}
    assert set(before) <= set(after)
    assert not list(chroot.path("var/lib/systemd").rglob("*ringmaster*"))
    assert "ringmaster" in chroot.read("etc/passwd")
    assert chroot.run("dpkg-query", "-W", "ringmaster", check=False).code != 0


def test_where_systemd_runs_it_is_started_and_a_start_that_fails_is_no_failed_install(
        with_dependencies, deb):
    for succeeds in (True, False):
        chroot = Chroot("started", below=with_dependencies)
        chroot.pretend_systemd(start_succeeds=succeeds)
        chroot.install(deb.file)
        assert chroot.systemctl_actions() == ["preset", "start"]
        assert "daemon-reload" in chroot.read("srv/systemctl.log")
        assert chroot.is_installed("ringmaster")
