# SPDX-License-Identifier: Apache-2.0
"""The processes of a benchmark and the real servers among them.

Everything listens on loopback at ports the kernel chose, lives in one temporary folder and is ended
by pid. The proxies run on the first CPU this process may use, servers and load on the second: the
price of a request is then the proxy's own, and the scheduler does not mix the two.
"""

import contextlib
import ctypes
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
START_S = 20.0

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """Something that makes the figures meaningless; the text says what."""


def cpus():
    """(the proxies' CPU, the CPU of servers and load); the same one twice on a one-CPU machine."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu)] + [str(word) for word in command]


def pause(seconds):
    time.sleep(seconds)  # lint: allow-sleep between two looks at another process, always bounded


def wait_until(predicate, what, timeout=START_S):
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise BenchError(f"waited {timeout:.0f} s for {what}")
        pause(0.005)


def free_ports(count):
    """Distinct ports: all are held until the last is known."""
    with contextlib.ExitStack() as held:
        ports = []
        for _ in range(count):
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
        return ports


def accepts(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def find_binary(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _in_the_child():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spawn(command, **options):
    """A child that does not outlive this script, whatever happens to it."""
    options.setdefault("stdin", subprocess.DEVNULL)
    command = [str(word) for word in command]
    return subprocess.Popen(command, preexec_fn=_in_the_child, **options)


def descendants(pid):
    found = []
    with contextlib.suppress(OSError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child)] + descendants(int(child))
    return found


class Child:
    """A long-running process that listens on `port`; `log` gets what it says."""

    def __init__(self, command, port, log):
        self.command = command
        self.port = port
        self.log = log
        with open(log, "wb") as sink:
            self.process = spawn(command, stdout=sink, stderr=sink)
        try:
            wait_until(self._ready, f"port {port} of: {' '.join(command)}")
        except BenchError as error:
            self.stop()
            raise BenchError(f"{error}\n{self.log_tail()}") from None

    def _ready(self):
        if self.process.poll() is not None:
            raise BenchError(f"exit code {self.process.returncode} from: {' '.join(self.command)}")
        return accepts(self.port)

    def log_tail(self):
        return pathlib.Path(self.log).read_text(errors="replace")[-2000:]

    def pids(self):
        return [self.process.pid] + descendants(self.process.pid)

    def stop(self, first=signal.SIGTERM, grace=5.0):
        """Politely, then by SIGKILL; children that the process left behind go too."""
        family = [(pid, _started(pid)) for pid in self.pids()]
        if self.process.poll() is None:
            self.process.send_signal(first)
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        deadline = time.monotonic() + grace
        for pid, started in family[1:]:
            while _started(pid) == started is not None and time.monotonic() < deadline:
                pause(0.005)
            if _started(pid) == started is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _started(pid):
    """The start time, which tells a process from a later one with its number; None if gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


class Backends:
    """Real servers of one protocol ("redis" or "memcached")."""

    def __init__(self, protocol, count, folder):
        self.protocol = protocol
        self.ports = free_ports(count)
        self.children = []
        _, cpu = cpus()
        try:
            for port in self.ports:
                self.children.append(
                    Child(pinned(cpu, self._command(port)), port, folder / f"server-{port}.log"))
        except BenchError:
            self.stop()
            raise

    def _command(self, port):
        if self.protocol == "redis":
            return ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "",
                    "--appendonly", "no", "--daemonize", "no"]
        command = ["memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", "-t", "1", "-m", "256",
                   "-c", "10000"]
        return command + (["-u", "nobody"] if os.geteuid() == 0 else [])

    def stop(self):
        for child in self.children:
            child.stop()
