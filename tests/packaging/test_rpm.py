# SPDX-License-Identifier: Apache-2.0
"""The .rpm in a folder of its own (rpm --root), whose other files are Debian's."""

import subprocess

import pytest
from chroots import Chroot
from clients import RespClient

CONFIG = "etc/ringmaster/ringmaster.yml"
# Folders that other packages own on a system of rpms.
SYSTEM_FOLDERS = {"etc/sysconfig", "usr/lib/sysusers.d", "usr/share/fish",
                  "usr/share/fish/vendor_completions.d", "usr/share/licenses", "usr/share/zsh",
                  "usr/share/zsh/site-functions", "usr/share/bash-completion",
                  "usr/share/bash-completion/completions", "run/systemd"}


def run_rpm(chroot, *words):
    """Dependencies are those of another distribution: their list is held elsewhere."""
    more = [] if words[0] == "-q" else ["--nodeps", "--force-debian"]
    done = subprocess.run(["rpm", "--root", chroot.root, *more, *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=120)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def chroot(with_dependencies):
    return Chroot("rpm", below=with_dependencies)


def test_install_run_and_erase_leave_nothing_but_the_account(chroot, rpm, start_service, redis):
    before = chroot.tree()
    assert run_rpm(chroot, "-i", rpm.file) == ""  # scripts that have nothing to complain about
    assert run_rpm(chroot, "-V", "ringmaster") == ""
    assert chroot.run("getent", "passwd", "ringmaster").text.endswith(":/usr/sbin/nologin\n")
    assert chroot.owner_and_mode(f"/{CONFIG}") == "root:ringmaster 640"
    assert chroot.owner_and_mode("/var/log/ringmaster") == "ringmaster:adm 2750"
    service = start_service(chroot)
    with RespClient(("127.0.0.1", 22120)) as client:
        assert client.call("SET", "r", "pm") == "OK"
        assert client.call("GET", "r") == b"pm"
    assert service.reload()[0] == 0
    assert service.stop() == 0
    chroot.path("var/log/ringmaster/ringmaster.log").unlink()  # logs stay, as in other rpms
    assert run_rpm(chroot, "-e", "ringmaster") == ""
    after = chroot.tree()
    assert {path for path in after if path not in before} <= SYSTEM_FOLDERS


def test_upgrade_keeps_what_was_edited(chroot, rpm, old_rpm):
    run_rpm(chroot, "-i", old_rpm)
    edited = chroot.read(CONFIG).replace("timeout: 1000", "timeout: 777")
    chroot.write(CONFIG, edited)
    assert run_rpm(chroot, "-U", rpm.file) == ""
    assert run_rpm(chroot, "-q", "ringmaster").startswith(rpm.file.name.removesuffix(".rpm"))
    assert chroot.read(CONFIG) == edited
    assert chroot.owner_and_mode(f"/{CONFIG}") == "root:ringmaster 640"
    run_rpm(chroot, "-e", "ringmaster")
    assert chroot.read(f"{CONFIG}.rpmsave") == edited  # an edited one is never thrown away


def test_scripts_ask_systemd_where_it_runs(chroot, rpm, old_rpm):
    chroot.pretend_systemd()
    run_rpm(chroot, "-i", old_rpm)
    assert chroot.systemctl_actions() == ["preset"]
    chroot.forget_systemctl()
    run_rpm(chroot, "-U", rpm.file)
    assert chroot.systemctl_actions() == ["try-restart"]
    chroot.forget_systemctl()
    chroot.write(CONFIG, chroot.read(CONFIG) + "nonsense\n")
    assert "not restarted" in run_rpm(chroot, "-U", "--force", rpm.file)
    assert chroot.systemctl_actions() == []
    run_rpm(chroot, "-e", "ringmaster")
    assert chroot.systemctl_actions() == ["disable"]


def test_the_drop_in_serves_nutcrackers_file(chroot, rpm, nutcracker_rpm, start_service, redis):
    text = "alpha:\n  listen: 127.0.0.1:22121\n  redis: true\n  servers:\n   - 127.0.0.1:6379:1\n"
    chroot.write("etc/nutcracker/nutcracker.yml", text, 0o600)
    run_rpm(chroot, "-i", rpm.file)
    run_rpm(chroot, "-i", nutcracker_rpm.file)
    assert chroot.read("etc/nutcracker/nutcracker.yml") == text
    assert chroot.run("nutcracker", "-V").text.startswith("This is ringmaster-")
    service = start_service(chroot)
    with RespClient(("127.0.0.1", 22121)) as client:
        assert client.call("PING") == "PONG"
    assert service.stop() == 0
    run_rpm(chroot, "-e", "ringmaster-nutcracker")
    assert chroot.read("etc/nutcracker/nutcracker.yml") == text
