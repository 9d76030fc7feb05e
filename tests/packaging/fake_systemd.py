# SPDX-License-Identifier: Apache-2.0
"""Plays systemd for one service: reads its unit file inside a chroot and runs the commands in it.

What is obeyed: User, Group, Environment, EnvironmentFile, ExecStart, ExecReload, RuntimeDirectory,
UMask, KillSignal, KillMode=mixed, Type=notify with NOTIFY_SOCKET and WATCHDOG_USEC, drop-ins. The
sandbox is systemd's own business.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess

from harness import wait_until
from notify_socket import NotifySocket

FOLDERS = ("usr/lib/systemd/system", "etc/systemd/system")


class Unit:
    """The settings of a unit and its drop-ins: NAME -> the values, in their order."""

    def __init__(self, chroot, name):
        self.settings = {}
        files = [chroot.path(f"{folder}/{name}") for folder in FOLDERS]
        files += [one for folder in FOLDERS
                  for one in sorted(chroot.path(f"{folder}/{name}.d").glob("*.conf"))]
        for file in files:
            if file.is_file():
                self._read(file.read_text())

    def _read(self, text):
        for line in text.splitlines():
            match = re.match(r"(\w+)=(.*)", line)
            if match:
                name, value = match.groups()
                values = self.settings.setdefault(name, [])
                values.append(value) if value else values.clear()

    def all(self, name):
        return self.settings.get(name, [])

    def one(self, name, default=None):
        return self.all(name)[-1] if self.all(name) else default


class FakeSystemd:
    """Starts, reloads and stops `name` inside `chroot` as its unit says."""

    def __init__(self, chroot, name="ringmaster.service"):
        self.chroot = chroot
        self.unit = Unit(chroot, name)
        self.process = None
        inside = "/run/systemd/notify"
        outside = chroot.path(inside)
        outside.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            outside.unlink()
        # Its path from outside is too long for a Unix address.
        here = os.open(outside.parent, os.O_PATH | os.O_DIRECTORY)
        self.says = NotifySocket(f"/proc/self/fd/{here}/notify")
        os.close(here)
        outside.chmod(0o777)
        self._notify = inside
        assert self.unit.one("Type") == "notify"
        # Read as a user does: only this user, no group besides its own.
        self.user = self.unit.one("User")

    def environment(self):
        """As systemd.exec(5): Environment=, over it the files in their order."""
        found = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
        for value in self.unit.all("Environment"):
            found.update(word.split("=", 1) for word in shlex.split(value))
        for name in self.unit.all("EnvironmentFile"):
            path = self.chroot.path(name.lstrip("-"))
            assert path.is_file() or name.startswith("-"), name
            if path.is_file():
                for line in path.read_text().splitlines():
                    if line and line[0] not in "#;":
                        key, value = line.split("=", 1)
                        # Quotes go; without them all of the line counts, spaces included.
                        quoted = value.lstrip()[:1] in ("'", '"')
                        found[key] = "".join(shlex.split(value)) if quoted else value.strip()
        return found

    def command(self, setting):
        """The one command of ExecStart or ExecReload, with its variables put in."""
        lines = self.unit.all(setting)
        assert len(lines) == 1, f"{setting}: {lines}"
        environment = self.environment()
        words = []
        for word in lines[0].split():
            if re.fullmatch(r"\$\w+", word):  # splits, and may be nothing
                words += environment.get(word[1:], "").split()
            else:
                words.append(re.sub(r"\$\{(\w+)\}", lambda m: environment.get(m.group(1), ""), word))
        return words

    def _inside(self, words, **more):
        """Runs as the service's user in the chroot."""
        umask = int(self.unit.one("UMask", "0022"), 8)
        return subprocess.Popen(
            ["setpriv", f"--reuid={self._id('-u')}", f"--regid={self._id('-g')}", "--clear-groups",
             "--no-new-privs", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=lambda: (  # noqa: PLW1509
                os.chroot(self.chroot.root), os.chdir("/"), os.umask(umask)), **more)

    def _id(self, flag):
        return self.chroot.run("id", flag, self.user).text.strip()

    def start(self):
        """Until READY=1, as `systemctl start` waits for it."""
        for name in self.unit.all("RuntimeDirectory"):
            folder = self.chroot.path(f"run/{name}")
            folder.mkdir(exist_ok=True)
            os.chown(folder, int(self._id("-u")), int(self._id("-g")))
            folder.chmod(int(self.unit.one("RuntimeDirectoryMode", "0755"), 8))
        watchdog = int(self.unit.one("WatchdogSec", "0")) * 1_000_000
        self.process = self._inside(self.command("ExecStart"), env={
            **self.environment(), "NOTIFY_SOCKET": self._notify, "WATCHDOG_USEC": str(watchdog)})
        wait_until(lambda: self.process.poll() is not None or self.says.has("READY"),
                   what="READY from the service")
        assert self.process.poll() is None, self.process.stdout.read().decode()

    def reload(self):
        """ExecReload: its exit code and what it prints."""
        done = self._inside(self.command("ExecReload"), env=self.environment())
        text = done.communicate(timeout=30)[0].decode()
        return done.returncode, text

    def stop(self):
        """The exit status of the main process, after its signal."""
        assert not self.unit.all("ExecStop")
        assert self.unit.one("KillMode") == "mixed"  # so only the main process gets it
        self.process.send_signal(getattr(signal, self.unit.one("KillSignal", "SIGTERM")))
        status = self.process.wait(timeout=int(self.unit.one("TimeoutStopSec")))
        self.says.read()
        for name in self.unit.all("RuntimeDirectory"):
            shutil.rmtree(self.chroot.path(f"run/{name}"))
        return status

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()
        self.says.close()

    def names(self):
        """What it said, without status lines and what feeds the watchdog."""
        return self.says.names(without=("STATUS", "WATCHDOG", "MONOTONIC_USEC"))
