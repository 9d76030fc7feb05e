# SPDX-License-Identifier: Apache-2.0
"""The processes of a benchmark: real servers, the proxies in front of them, the load.

Everything listens on loopback at ports the kernel chose, lives in one temporary folder and is ended
by pid. The proxies run on the first CPU this process may use, servers and load on the second: the
price of a request is then the proxy's own, and the scheduler does not mix the two.
"""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SHARDS = 4
KEYS = 20000
VALUE = "v" * 32
GETS_PER_SET = 10
# Set, because nutcracker pays for its timers only then and everybody is told to set it; too long to
# trip on a busy machine.
TIMEOUT_MS = 5000
START_S = 20.0
LOAD_S = 120.0

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


def _die_with_us():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command, **options):
    """A child that does not outlive this script, whatever happens to it."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_us, **options)


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
    """SHARDS real servers of one protocol."""

    def __init__(self, protocol, folder):
        self.protocol = protocol
        self.ports = free_ports(SHARDS)
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
        command = ["memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", "-t", "1", "-m", "64"]
        return command + (["-u", "nobody"] if os.geteuid() == 0 else [])

    def stop(self):
        for child in self.children:
            child.stop()


class Contestant:
    """One of the two programs that are compared; start() puts it in front of the servers."""

    def __init__(self, binary):
        self.binary = binary
        told = subprocess.run([binary, "-V"], capture_output=True, text=True, timeout=START_S,
                              check=False)
        match = re.search(r"This is ((\w+)-\S+)", told.stdout + told.stderr)
        if not match:
            raise BenchError(f"{binary} -V does not say what it is")
        self.version, self.kind = match.group(1), match.group(2)

    def start(self, backends, folder, prefix=(), log_name="proxy"):
        port, stats_port = free_ports(2)
        config = folder / f"{log_name}-{port}.yml"
        servers = "".join(f"    - 127.0.0.1:{server}:1 shard{number}\n"
                          for number, server in enumerate(backends.ports))
        config.write_text(
            f"bench:\n  listen: 127.0.0.1:{port}\n  hash: fnv1a_64\n  distribution: ketama\n"
            f"  redis: {'true' if backends.protocol == 'redis' else 'false'}\n"
            f"  timeout: {TIMEOUT_MS}\n  preconnect: true\n  auto_eject_hosts: false\n"
            f"  servers:\n{servers}")
        # -v 4 for both: at its default, 5, Debian's nutcracker spends about twice the user
        # instructions per request preparing log lines, and a win over that would be a cheap one.
        # The stats stay on (port and 30 s interval as by default).
        command = [self.binary, "-c", config, "-v", "4", "-a", "127.0.0.1", "-s", stats_port,
                   "-o", folder / f"{log_name}-{port}.log", "-p", folder / f"{log_name}-{port}.pid"]
        if self.kind == "ringmaster":
            command += ["--workers", "1"]
        proxy_cpu, _ = cpus()
        return Child(pinned(proxy_cpu, list(prefix) + command), port,
                     folder / f"{log_name}-{port}.out")


# ---- load ----------------------------------------------------------------------------------------


def key_name(number):
    """What redis-benchmark makes of __rand_int__. The digits come first: FNV-1a multiplies the last
    bytes of a key only once or twice, so keys that differ only at the end clump on one shard."""
    return f"{number:012d}:bench"


def load_commands(workload, port, requests):
    """[(command, requests it sends)]: GETS_PER_SET GETs for each SET."""
    _, cpu = cpus()
    if workload.protocol == "memcached":
        script = HERE / "memcached_load.py"
        return [(pinned(cpu, [sys.executable, script, "--port", port,
                              "--connections", workload.connections,
                              "--pipeline", workload.pipeline, "--requests", requests]), requests)]
    sets = max(workload.connections * workload.pipeline, requests // (GETS_PER_SET + 1))
    gets = max(workload.connections * workload.pipeline, requests - sets)
    base = ["redis-benchmark", "-h", "127.0.0.1", "-p", port, "-c", workload.connections,
            "-P", workload.pipeline, "-r", KEYS, "-q"]
    template = key_name(0).replace("0" * 12, "__rand_int__")
    return [(pinned(cpu, base + ["-n", gets, "GET", template]), gets),
            (pinned(cpu, base + ["-n", sets, "SET", template, VALUE]), sets)]


def run_load(command):
    """Runs one load command to its end; a reply that is an error makes the run void."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LOAD_S, check=False)
    # redis-benchmark asks for CONFIG first and says that a proxy did not answer: harmless.
    said = [line for line in re.split(r"[\r\n]+", done.stdout + done.stderr)
            if re.search("error", line, re.IGNORECASE) and "CONFIG" not in line]
    if done.returncode != 0 or said:
        raise BenchError(f"exit code {done.returncode} from: {' '.join(command)}\n"
                         f"{chr(10).join(said[:5]) or done.stderr[-1000:]}")


def _exchange(port, message, reply_bytes):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(message)
        reply = b""
        while len(reply) < reply_bytes:
            piece = client.recv(1 << 16)
            if not piece:
                break
            reply += piece
    return reply


def fill(protocol, port, keys=KEYS):
    """Every key once, so that every GET is a hit."""
    ok = b"+OK\r\n" if protocol == "redis" else b"STORED\r\n"
    for first in range(0, keys, 500):
        names = [key_name(number) for number in range(first, min(first + 500, keys))]
        if protocol == "redis":
            text = "".join(f"*3\r\n$3\r\nSET\r\n${len(name)}\r\n{name}\r\n${len(VALUE)}\r\n"
                           f"{VALUE}\r\n" for name in names)
        else:
            text = "".join(f"set {name} 0 0 {len(VALUE)}\r\n{VALUE}\r\n" for name in names)
        expected = ok * len(names)
        if _exchange(port, text.encode(), len(expected)) != expected:
            raise BenchError(f"port {port}: not every SET was stored")


def verify(protocol, port, keys=1000):
    """Keys that were filled through the other program are found: both place them alike."""
    names = [key_name(number * (KEYS // keys)) for number in range(keys)]
    if protocol == "redis":
        text = "".join(f"*2\r\n$3\r\nGET\r\n${len(name)}\r\n{name}\r\n" for name in names)
        expected = f"${len(VALUE)}\r\n{VALUE}\r\n" * keys
    else:
        text = "".join(f"get {name}\r\n" for name in names)
        expected = "".join(f"VALUE {name} 0 {len(VALUE)}\r\n{VALUE}\r\nEND\r\n" for name in names)
    if _exchange(port, text.encode(), len(expected)) != expected.encode():
        raise BenchError(f"port {port}: not every key is found: placed elsewhere, or lost")


def find_binary(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
