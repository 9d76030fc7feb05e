# SPDX-License-Identifier: Apache-2.0
"""Beside Debian's nutcracker, and in its place."""

import pytest
from chroots import Chroot
from clients import RespClient
from harness import port_is_open, wait_until

THEIR_CONFIG = "etc/nutcracker/nutcracker.yml"
POOL = ("127.0.0.1", 22121)
TEXT = """\
alpha:
  listen: 127.0.0.1:22121
  hash: fnv1a_64
  distribution: ketama
  redis: true
  servers:
   - 127.0.0.1:6379:1
"""


def nutcracker_pid(chroot):
    return int(chroot.read("run/nutcracker/nutcracker.pid"))


def wait_for_pid(chroot):
    """The file is there before the number is in it."""
    file = chroot.path("run/nutcracker/nutcracker.pid")
    wait_until(lambda: file.exists() and file.read_text().strip(), what="nutcracker's pid file")
    return nutcracker_pid(chroot)


def theirs(chroot):
    return {path: seen for path, seen in chroot.tree().items()
            if "nutcracker" in path and "ringmaster" not in path}


def is_nutcracker(chroot, pid):
    done = chroot.run("readlink", f"/proc/{pid}/exe", check=False)
    return done.text.startswith("/usr/sbin/nutcracker")  # " (deleted)" once it is replaced


@pytest.fixture
def with_nutcracker(with_dependencies):
    """A system whose nutcracker serves, as its own init script starts it; ended after the test."""
    chroot = Chroot("with-nutcracker", below=with_dependencies)
    chroot.write(THEIR_CONFIG, TEXT, 0o644)
    chroot.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n", 0o755)  # init scripts may run
    chroot.apt("install", "nutcracker")
    pid = wait_for_pid(chroot)
    wait_until(lambda: is_nutcracker(chroot, pid), what="nutcracker")
    wait_until(lambda: port_is_open(POOL[1]), what="nutcracker to listen")  # later than its pid
    yield chroot
    if is_nutcracker(chroot, pid):
        chroot.run("/bin/sh", "-c", f"kill -KILL {pid}")


def test_installing_beside_a_running_nutcracker_leaves_it_alone(with_nutcracker, deb, start_service,
                                                                redis):
    chroot = with_nutcracker
    pid = nutcracker_pid(chroot)
    before = theirs(chroot)
    assert THEIR_CONFIG in before
    with RespClient(POOL) as client:
        assert client.call("SET", "before", "1") == "OK"
        chroot.install(deb.file)  # asserts exit code 0
        assert client.call("GET", "before") == b"1"
        assert nutcracker_pid(chroot) == pid and is_nutcracker(chroot, pid)
        assert theirs(chroot) == before
        assert chroot.is_enabled("nutcracker.service") and chroot.is_enabled()
        # Both at once: the configuration as it comes takes none of nutcracker's ports.
        service = start_service(chroot)
        assert client.call("GET", "before") == b"1"
        assert service.stop() == 0
        assert client.call("GET", "before") == b"1"


def test_the_swap_serves_the_same_file_and_survives_the_purge(
        with_nutcracker, deb, nutcracker_deb, start_service, redis):
    chroot = with_nutcracker
    redis.flush()
    with RespClient(POOL) as client:
        assert client.call("SET", "k", "from nutcracker") == "OK"
    chroot.install(deb.file)
    text = chroot.install(nutcracker_deb.file).text
    assert "REMOVED:\n  nutcracker\n" in text
    assert not chroot.is_installed("nutcracker") and chroot.is_installed("ringmaster-nutcracker")
    assert chroot.read(THEIR_CONFIG) == TEXT
    assert chroot.owner_and_mode(f"/{THEIR_CONFIG}") == "root:root 644"
    assert chroot.run("nutcracker", "-V").text.startswith("This is ringmaster-")
    assert chroot.run("nutcracker", "-t", "-c", f"/{THEIR_CONFIG}").code == 0
    page = chroot.path("usr/share/man/man8/nutcracker.8.gz")
    assert page.is_symlink() and str(page.readlink()) == "ringmaster.8.gz"

    service = start_service(chroot)
    assert f"/{THEIR_CONFIG}" in service.command("ExecStart")
    with RespClient(POOL) as client:
        assert client.call("GET", "k") == b"from nutcracker"
        chroot.pretend_systemd()
        chroot.apt("purge", "nutcracker")
        assert chroot.run("dpkg-query", "-W", "-f", "${db:Status-Status}",
                          "nutcracker").text == "not-installed"
        assert chroot.systemctl_actions() == []
        assert chroot.is_enabled() and service.is_running()
        assert chroot.read(THEIR_CONFIG) == TEXT
        assert client.call("GET", "k") == b"from nutcracker"
    code, text = service.reload()
    assert code == 0, text
    assert service.stop() == 0


def test_both_at_once_replace_nutcracker_and_start_what_replaces_it(with_nutcracker, deb,
                                                                    nutcracker_deb):
    chroot = with_nutcracker
    chroot.pretend_systemd()
    chroot.install(deb.file, nutcracker_deb.file)
    assert not chroot.is_installed("nutcracker")
    # The first start may find nutcracker's file not yet readable; the drop-in has the last word.
    assert chroot.systemctl_actions()[-1] == "restart"
    assert chroot.is_enabled()


def test_a_file_only_nutcracker_could_read_is_readable_for_its_successor(
        with_nutcracker, deb, nutcracker_deb, start_service, redis):
    chroot = with_nutcracker
    chroot.run("chown", "root:nutcracker", f"/{THEIR_CONFIG}")
    chroot.run("chmod", "640", f"/{THEIR_CONFIG}")
    chroot.write("etc/default/nutcracker", 'DAEMON_OPTS="--stats-port=1"\n')
    text = chroot.install(deb.file, nutcracker_deb.file).text
    assert "can read /etc/nutcracker/nutcracker.yml now" in text
    assert "DAEMON_OPTS of /etc/default/nutcracker is not read" in text
    assert chroot.owner_and_mode(f"/{THEIR_CONFIG}") == "root:ringmaster 640"
    before = chroot.tree()
    chroot.script("ringmaster-nutcracker", "postinst", "configure", "0.0.9")
    assert chroot.tree() == before
    assert start_service(chroot).stop() == 0


def test_a_file_it_refuses_is_not_restarted_into(with_nutcracker, deb, nutcracker_deb):
    chroot = with_nutcracker
    chroot.install(deb.file)
    chroot.write(THEIR_CONFIG, TEXT + "nonsense\n")
    chroot.pretend_systemd()
    text = chroot.install(nutcracker_deb.file).text
    assert chroot.systemctl_actions() == [] and "was not restarted" in text
    assert "nutcracker.yml:" in text


def test_without_a_nutcracker_its_names_lead_to_ours_and_go_again(with_ringmaster, nutcracker_deb,
                                                                  start_service, redis):
    chroot = Chroot("drop-in", below=with_ringmaster)
    before = chroot.tree()
    chroot.install(nutcracker_deb.file)
    assert chroot.path(THEIR_CONFIG).is_symlink()
    assert str(chroot.path(THEIR_CONFIG).readlink()) == "/etc/ringmaster/ringmaster.yml"
    assert start_service(chroot).stop() == 0
    chroot.pretend_systemd()
    chroot.apt("purge", "ringmaster-nutcracker")
    assert chroot.systemctl_actions() == ["restart"]  # with its own configuration again
    after = chroot.tree()
    new = {path for path in after if path not in before}
    assert new <= {"run/systemd", "var/log/ringmaster/ringmaster.log"}, new


def test_the_way_back(with_nutcracker, deb, nutcracker_deb):
    chroot = with_nutcracker
    chroot.install(deb.file, nutcracker_deb.file)
    chroot.apt("install", "nutcracker")
    assert chroot.is_installed("nutcracker") and not chroot.is_installed("ringmaster-nutcracker")
    assert chroot.read(THEIR_CONFIG) == TEXT
    assert not chroot.path("usr/sbin/nutcracker").is_symlink()
    assert chroot.is_enabled("nutcracker.service")
    wait_until(lambda: chroot.run("/etc/init.d/nutcracker", "status", check=False).code == 0,
               what="nutcracker to run again")
    chroot.run("/etc/init.d/nutcracker", "stop")
