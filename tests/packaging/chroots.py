# SPDX-License-Identifier: Apache-2.0
"""Debian systems to install packages into: layers over one that make-chroot has made.

Nobody else's files are touched: every layer keeps its changes in the scratch folder.
"""

import os
import pathlib
import shutil
import stat
import subprocess

BASE = pathlib.Path(os.environ["RM_CHROOT"])
SCRATCH = pathlib.Path(os.environ["RM_SCRATCH"])

# What changes whenever packages come and go, and belongs to no package.
BOOKKEEPING = ("var/lib/dpkg", "var/lib/apt", "var/cache", "var/log/apt", "var/log/dpkg.log",
               "var/log/alternatives.log", "var/lib/rpm", "etc/ld.so.cache", "proc", "tmp", "root", "srv",
               "run/systemd", "usr/bin/systemctl", "etc/passwd-", "etc/group-", "etc/shadow-",
               "etc/gshadow-")
# Where an account is written down; it may stay.
ACCOUNTS = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/subuid", "etc/subgid",
            "var/log/lastlog", "var/log/faillog", "etc/.pwd.lock", "etc/subuid-", "etc/subgid-")


class Result:
    def __init__(self, code, text):
        self.code = code
        self.text = text


class Chroot:
    """One system. `below` is the layer it starts from; that one must not change any more."""

    count = 0

    def __init__(self, name, below=None):
        Chroot.count += 1
        place = SCRATCH / f"{Chroot.count:02}-{name}"
        self.root = place / "root"
        self.lowers = [*([below.upper] if below else []), *(below.lowers if below else [BASE])]
        self.upper = place / "upper"
        for folder in (self.root, self.upper, place / "work"):
            folder.mkdir(parents=True)
        options = (f"lowerdir={':'.join(map(str, self.lowers))},upperdir={self.upper},"
                   f"workdir={place / 'work'}")
        mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:  # a file system that cannot be a layer: whole copies
            for layer in reversed(self.lowers):
                subprocess.run(["cp", "-a", f"{layer}/.", self.root], check=True)
            self.upper, self.lowers = self.root, []
        subprocess.run(["mount", "-t", "proc", "proc", self.root / "proc"], check=True)

    def run(self, *command, env=None, user=None, check=True):
        """Runs it inside; standard output and error together."""
        words = ["chroot", *([f"--userspec={user}:{user}"] if user else []), str(self.root),
                 *map(str, command)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, check=False,
                              env={**self.environment(), **(env or {})})
        result = Result(done.returncode, done.stdout.decode(errors="replace"))
        if check:
            assert result.code == 0, f"{' '.join(map(str, command))}: {result.code}\n{result.text}"
        return result

    @staticmethod
    def environment():
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "HOME": "/root"}

    def apt(self, *words, check=True):
        """As an unattended upgrade: where a question could be asked, the edited file stays."""
        return self.run("apt-get", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0",
                        "-o", "Dpkg::Options::=--force-unsafe-io",
                        "-o", "Dpkg::Options::=--force-confdef",
                        "-o", "Dpkg::Options::=--force-confold", *words, check=check)

    def script(self, package, name, *words):
        """A maintainer script, as dpkg runs it."""
        return self.run(f"/var/lib/dpkg/info/{package}.{name}", *words,
                        env={"DPKG_MAINTSCRIPT_PACKAGE": package, "DPKG_MAINTSCRIPT_NAME": name})

    def unit_helper(self, *words, check=True):
        return self.run("deb-systemd-helper", *words, check=check,
                        env={"DPKG_MAINTSCRIPT_PACKAGE": "ringmaster"})

    def bring(self, file):
        """A copy of a package inside; its path there."""
        shutil.copy(file, self.root / "srv")
        return f"/srv/{pathlib.Path(file).name}"

    def install(self, *packages, check=True):
        return self.apt("install", *(self.bring(one) for one in packages), check=check)

    def path(self, name):
        return self.root / name.lstrip("/")

    def read(self, name):
        return self.path(name).read_text()

    def write(self, name, text, mode=None):
        """As an editor does: owner and mode of an existing file stay."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if mode is not None:
            path.chmod(mode)

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def owner_and_mode(self, name):
        return self.run("stat", "-c", "%U:%G %a", name).text.strip()

    def tree(self):
        """Every path with what can be seen of it, without bookkeeping and accounts."""
        found = {}
        for folder, names, files in os.walk(self.root):
            inside = os.path.relpath(folder, self.root)
            names[:] = [n for n in names if not self._skipped(os.path.normpath(f"{inside}/{n}"))]
            for name in names + files:
                path = os.path.normpath(f"{inside}/{name}")
                if self._skipped(path):
                    continue
                status = os.lstat(self.root / path)
                size = status.st_size if stat.S_ISREG(status.st_mode) else 0
                found[path] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid, size)
        return found

    @staticmethod
    def _skipped(path):
        return path in ACCOUNTS or any(path == one or path.startswith(one + "/")
                                       for one in BOOKKEEPING)

    # ---- a systemd that only takes notes ----

    def pretend_systemd(self, start_succeeds=True):
        """Maintainer scripts find a running systemd. It notes what it is asked, and only enables."""
        self.path("run/systemd/system").mkdir(parents=True, exist_ok=True)
        code = 0 if start_succeeds else 1
        self.write("usr/bin/systemctl", "#!/bin/sh\n"
                   'echo "$*" >>/srv/systemctl.log\n'
                   "eval unit=\\${$#}\n"
                   'link=/etc/systemd/system/multi-user.target.wants/$unit\n'
                   'case " $* " in\n'
                   '    *" preset "*)\n'
                   '        mkdir -p "${link%/*}"\n'
                   '        ln -sf "/lib/systemd/system/$unit" "$link" ;;\n'
                   '    *" is-enabled "*) [ -L "$link" ] && echo enabled; exit ;;\n'
                   f'    *" start "* | *" restart "*) exit {code} ;;\n'
                   "esac\n", 0o755)
        self.forget_systemctl()

    def forget_systemctl(self):
        self.write("srv/systemctl.log", "")

    def systemctl_actions(self, unit="ringmaster.service"):
        """What was asked for a unit, without questions and options."""
        lines = [[w for w in line.split() if not w.startswith("-")]
                 for line in self.read("srv/systemctl.log").splitlines()]
        return [words[0] for words in lines if unit in words[1:]
                and not words[0].startswith("is-")]

    # ---- what deb-systemd-helper leaves ----

    def is_enabled(self, unit="ringmaster.service"):
        link = self.path(f"etc/systemd/system/multi-user.target.wants/{unit}")
        return link.is_symlink() and self.unit_helper("is-enabled", unit, check=False).code == 0

    def is_installed(self, package):
        done = self.run("dpkg-query", "-W", "-f", "${db:Status-Status}", package, check=False)
        return done.code == 0 and done.text.strip() == "installed"
