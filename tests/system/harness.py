# SPDX-License-Identifier: Apache-2.0
"""Real processes for the system tests: servers, the proxy, nutcracker, fake servers.

Everything listens on loopback at ports the kernel chose, lives in a temporary folder and is stopped
by pid. Waiting is done in one place, wait_until(), always with a deadline. Clients: clients.py.
"""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from clients import MemcachedClient, RespClient, read_stats

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("RM_BINARY") or ROOT / "build/release/bin/ringmaster")
NUTCRACKER = shutil.which("nutcracker", path=os.environ.get("PATH", "") + ":/usr/sbin")

# Sanitized binaries on a busy machine are slow; a deadline only ends a test that is lost anyway.
DEADLINE_S = 20.0
# The leak check of a process that was killed while it ended, as a stop that is tightened does to
# workers: what it says then is no report.
KILLED_AT_ITS_END = re.compile(r"==\d+==Unable to get registers from thread \d+\.\n")


def wait_until(predicate, timeout=DEADLINE_S, what="a condition"):
    """Returns predicate()'s first true answer; fails the test after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(0.003)  # lint: allow-sleep the one polling loop, bounded by the deadline


def limit_test(seconds):
    """The body of a pytest_runtest_protocol hook wrapper: no test hangs the run."""

    def expired(*_):
        raise AssertionError(f"the test took more than {seconds} s")

    signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    yield
    signal.alarm(0)


def let_time_pass(seconds, why):
    """For tests about time itself: `why` names the clock that has to run."""
    assert why
    time.sleep(seconds)  # lint: allow-sleep the passing of time is what is tested


def within(seconds, attempt, tries=10):
    """Runs attempt() until it takes less than `seconds`; returns its answer. The bar for wall-clock
    time: a slow proxy misses it every time, a machine that is busy now and then does not."""
    took = []
    for _ in range(tries):
        began = time.monotonic()
        answer = attempt()
        took.append(time.monotonic() - began)
        if took[-1] < seconds:
            return answer
    raise AssertionError(f"never within {seconds} s: {[round(one, 3) for one in took]}")


# Ports lie outside those that the kernel gives out: nobody's connection and nobody's bind to port 0
# can take one before it is used. A process has blocks of its own, locked by abstract names.
_BLOCK = 200
_locks = []  # held until this process ends


def _port_blocks():
    words = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    first, last = map(int, words)
    usable = range(10000, first) if first > 10000 + 20 * _BLOCK else range(last + 1, 65536)
    return [range(start, start + _BLOCK)
            for start in range(usable.start, usable.stop - _BLOCK + 1, _BLOCK)]


def _own_ports():
    """One after the other; when all blocks are used up, those used longest ago come again."""
    own = []
    for block in _port_blocks():
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lock.bind(f"\0ringmaster-test-ports-{block.start}")
        except OSError:  # another process has this one
            lock.close()
            continue
        _locks.append(lock)
        own.append(block)
        yield from block
    assert own, "no ports outside those that the kernel gives out"
    while True:
        for block in own:
            yield from block


_ports = _own_ports()


def free_port(family=socket.AF_INET):
    """A port nobody has now, and that nobody but who asked will take."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    for port in _ports:
        with socket.socket(family, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port
    raise AssertionError("not reached")


def free_ports(count):
    """Distinct ports."""
    return [free_port() for _ in range(count)]


def have_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


def port_is_open(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


_LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def _die_with_the_tests():
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _with_descriptors(limit):
    """A preexec_fn: dies with the tests, under that RLIMIT_NOFILE if any."""

    def prepare():
        if limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        _die_with_the_tests()

    return prepare


def spawn(command, nofile=None, **options):
    """A child that does not outlive the test run, whatever happens to it."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen([str(word) for word in command],
                            preexec_fn=_with_descriptors(nofile), **options)


# ---- processes, seen through /proc ---------------------------------------------------------------


def is_alive(pid):
    """False for a zombie as well: it holds nothing any more."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def children_of(pid):
    try:
        found = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in found if is_alive(int(child))]


def title_of(pid):
    """What `ps` shows."""
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return words.replace(b"\0", b" ").decode()


def open_descriptors(pid):
    """{number: what it is} as /proc shows it."""
    found = {}
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found[int(entry.name)] = os.readlink(entry)
    return found


def status_of(pid):
    """{"Uid": ["0", "0", ...], ...} of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].split() for line in lines}


def cpu_seconds(pid):
    """CPU time the process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def socket_inodes(pid):
    """Of all sockets it has open."""
    inodes = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry))
            if match:
                inodes.add(match.group(1))
    return inodes


def _inode_from_proc(local, remote):
    ends = [f"{local[1]:04X}", f"{remote[1]:04X}"]
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if [fields[1].rpartition(":")[2], fields[2].rpartition(":")[2]] == ends:
            return fields[9]
    return None


def inode_of(local, remote):
    """Of the TCP (IPv4) socket with these ends; None: there is none.

    The kernel is asked for this one (sock_diag(7)). Its table in /proc has all connections of the
    last minute: with thousands of them it takes a tenth of a second to read.
    """
    by_family, request, error = 20, 1, 2
    ends = struct.pack("!HH4s12x4s12x", local[1], remote[1], socket.inet_aton(local[0]),
                       socket.inet_aton(remote[0]))
    body = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xffffffff) + ends
    body += struct.pack("=III", 0, 0xffffffff, 0xffffffff)  # any interface, any cookie
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 4) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(body), by_family, request, 1, 0) + body)
        answer = kernel.recv(8192)
    if struct.unpack_from("=IH", answer)[1] == error:  # or a kernel that cannot be asked
        return _inode_from_proc(local, remote)
    return str(struct.unpack_from("=I", answer, 16 + 4 + 48 + 16)[0])


def pids_serving(client_sockets, pids):
    """Which of `pids` holds the other end of each TCP (IPv4 loopback) connection; None: nobody yet."""
    owners = {inode: pid for pid in pids for inode in socket_inodes(pid)}
    return [owners.get(inode_of(client.getpeername(), client.getsockname()))
            for client in client_sockets]


def clients_of_all(connect, pids, count=2):
    """`count` connections or more, until each of `pids` serves one: the kernel deals them out as
    it likes. They have to be served by the time connect() returns."""
    clients = []
    while True:
        clients.append(connect())
        if len(clients) >= count:
            homes = pids_serving([client.socket for client in clients], pids)
            if set(homes) >= set(pids):
                return clients
        assert len(clients) < count + 500, f"somebody serves nobody: {homes}"


def pid_serving(client_socket, pids):
    """The same for one connection."""
    return pids_serving([client_socket], pids)[0]


def is_stopped(pid):
    """Every thread of the process is in state T."""
    states = [(task / "stat").read_text().rpartition(")")[2].split()[0]
              for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    return all(state in "Tt" for state in states)


@contextlib.contextmanager
def stopped(pids):
    """SIGSTOP for the length of the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: all(is_stopped(pid) for pid in pids), what="the processes to stop")
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


# ---- real servers --------------------------------------------------------------------------------


class RealServer:
    """Starts on a free port, or on `path` (a Unix socket)."""

    def __init__(self, folder, path=None, host="127.0.0.1"):
        self.host = host
        self.path = str(path) if path else None
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for _ in range(5):  # somebody may take the port in between
            self.port = None if path else free_port(family)
            if self._try_start():
                return
        raise AssertionError(f"{type(self).__name__} did not start: {self.log_tail()}")

    @property
    def address(self):
        """As a client connects to it."""
        return self.path or (self.host, self.port)

    def entry(self, weight=1, name=None):
        """The line of a config's `servers`."""
        where = self.path or f"{self.host}:{self.port}"
        return f"{where}:{weight}" + (f" {name}" if name else "")

    def log_tail(self):
        return (self.folder / "log").read_text(errors="replace")[-1000:]

    def _try_start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = spawn(self.command(), stdout=log, stderr=log)
        return wait_until(lambda: "up" if self._answers() else self._dead(),
                          what=f"{type(self).__name__} to start") == "up"

    def _dead(self):
        return "dead" if self.process.poll() is not None else None

    def _answers(self):
        try:
            with self.client() as client:
                self.ping(client)
                return self.process.poll() is None
        except (OSError, EOFError):
            return False

    def stop(self):
        """At once, as a crash would; returns when the process is gone."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(DEADLINE_S)

    def restart(self):
        assert self.process.poll() is not None
        assert self._try_start(), self.log_tail()


class RedisServer(RealServer):
    def command(self):
        command = ["redis-server", "--save", "", "--appendonly", "no", "--dir", self.folder,
                   "--bind", self.host, "--port", self.port or 0]
        return command + (["--unixsocket", self.path] if self.path else [])

    def client(self):
        return RespClient(self.address)

    def ping(self, client):
        client.call("PING")

    def flush(self):
        with self.client() as client:
            client.call("FLUSHALL")

    def keys(self):
        with self.client() as client:
            return set(client.call("KEYS", "*"))


class MemcachedServer(RealServer):
    def command(self):
        command = ["memcached", "-U", "0", "-m", "256", "-I", "32m", "-t", "1"]
        command += ["-u", "root"] if os.geteuid() == 0 else []
        return command + (["-s", self.path] if self.path else ["-l", self.host, "-p", self.port])

    def client(self):
        return MemcachedClient(self.address)

    def ping(self, client):
        client.ask(b"version\r\n")

    def version(self):
        with self.client() as client:
            return client.ask(b"version\r\n").split()[1].decode()

    def flush(self):
        """Until it is empty: in the first second of its life it says OK to a flush, and forgets
        nothing."""
        with self.client() as client:

            def is_empty():
                assert client.ask(b"set flushed 0 0 1\r\n1\r\n") == b"STORED\r\n"
                assert client.ask(b"flush_all\r\n") == b"OK\r\n"
                return client.get(b"flushed") is None

            wait_until(is_empty, what="a flush that takes effect")

    def keys(self, candidates):
        with self.client() as client:
            return {key for key in candidates if client.get(key) is not None}


# ---- fake servers --------------------------------------------------------------------------------


class FakeServer:
    """A server whose behaviour is a function: behave(connection, fake), one thread per connection.

    The function owns the connection until it returns; then the connection is closed. It reads with
    fake.recv(), which records what arrived. Use with `with`.
    """

    def __init__(self, behave, family=socket.AF_INET):
        self._behave = behave
        self.received = b""
        self.connections = 0
        self._open = set()
        self._closing = False
        self._lock = threading.Lock()
        self._listener = socket.socket(family)
        self._listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def entry(self, weight=1, name=None):
        return f"127.0.0.1:{self.port}:{weight}" + (f" {name}" if name else "")

    def recv(self, connection):
        """The next bytes; b"" at the end."""
        data = connection.recv(65536)
        with self._lock:
            self.received += data
        return data

    def wait_for_bytes(self, wanted):
        wait_until(lambda: wanted in self.received, what=f"{wanted!r} at the server")

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closing:
                    connection.close()
                    return
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, EOFError):
            self._behave(connection, self)
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def close(self):
        with self._lock:
            self._closing = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def reset(connection):
    """Closes with an RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def close_on_request(connection, fake):
    """With a FIN: a close() would be a reset when another request has come in the meantime."""
    fake.recv(connection)
    connection.shutdown(socket.SHUT_WR)
    while fake.recv(connection):
        pass


def reset_on_request(connection, fake):
    fake.recv(connection)
    reset(connection)


def never_answer(connection, fake):
    while fake.recv(connection):
        pass


def answer_always(reply):
    """Every batch of bytes is answered with `reply`, whatever it was."""

    def behave(connection, fake):
        while fake.recv(connection):
            connection.sendall(reply)

    return behave


# ---- configs -------------------------------------------------------------------------------------


def _yaml_scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not re.fullmatch(r"[\w./:][\w./: -]*", value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def spread_keys(count):
    """Keys that spread over the servers under every hash (key1, key2... do not under FNV)."""
    return [hashlib.md5(str(i).encode()).hexdigest() for i in range(count)]


def make_config(pools, process=None):
    """{"pool": {"listen": ..., "servers": [...]}} -> YAML; `process` is the ringmaster: section."""
    lines = []
    sections = dict(pools)
    if process:
        sections = {"ringmaster": process, **sections}
    for name, settings in sections.items():
        lines.append(f"{name}:")
        for key, value in settings.items():
            if isinstance(value, (list, tuple)):
                lines.append(f"  {key}:")
                lines += [f"    - {_yaml_scalar(entry)}" for entry in value]
            else:
                lines.append(f"  {key}: {_yaml_scalar(value)}")
    return "\n".join(lines) + "\n"


def pool(servers, listen=None, **settings):
    """A pool's settings; `listen` defaults to a free loopback port."""
    entries = [server if isinstance(server, str) else server.entry() for server in servers]
    return {"listen": listen or f"127.0.0.1:{free_port()}", **settings, "servers": entries}


def listen_address(settings):
    """What a client connects to: a path or (host, port)."""
    listen = settings["listen"]
    if listen.startswith("/"):
        return listen.split(" ")[0]
    host, _, port = listen.rpartition(":")
    return host, int(port)


# ---- the proxies ---------------------------------------------------------------------------------


class Proxy:
    """One running proxy: ringmaster, or nutcracker when `binary` is that.

    The log goes to `log` in the folder, the control socket is `control` there, or where `control`
    says, or with False wherever the configuration says. Construction returns when it serves; stop()
    checks that it ends well and leaves nothing behind. workers=None: the config decides, as the
    command line would win over it; the same for stats_address=None, stats_port and pid file with it.
    """

    def __init__(self, folder, pools, *, process=None, workers=2, arguments=(), binary=None,
                 stats_address="127.0.0.1", wait=True, env=None, nofile=None, pass_fds=(),
                 control=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.binary = binary or BINARY
        self.is_nutcracker = "nutcracker" in os.path.basename(self.binary)
        self.pools = pools
        self.config = self.folder / "proxy.yml"
        self.log = self.folder / "log"
        self.pid_file = self.folder / "pid"
        self.control = self.folder / "control" if control in (True, False) else control
        self.stats_port = free_port()
        self.stats_address = stats_address
        self.workers = workers
        text = pools if isinstance(pools, str) else make_config(pools, process)
        self.config.write_text(text)
        command = [self.binary, "-c", self.config, "-o", self.log]
        if stats_address:
            command += ["-p", self.pid_file, "-a", stats_address, "-s", self.stats_port]
        if self.is_nutcracker:
            command += ["-i", "20"]
        elif workers is not None:
            command += ["--workers", workers]
        command += ["--control", self.control] if control and not self.is_nutcracker else []
        self.start_command = [str(word) for word in [*command, *arguments]]
        self.errors = self.folder / "stderr"
        self._san = self.folder / "sanitizer"
        environment = {**os.environ, **(env or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            environment[name] = environment.get(name, "") + f":log_path={self._san}"
        with open(self.errors, "wb") as errors:
            self.process = spawn(self.start_command, stdout=errors, stderr=errors, env=environment,
                                 nofile=nofile, pass_fds=pass_fds)
        self.pid = self.process.pid
        self._seen_pids = {self.pid}
        if wait:
            self.wait_started()

    # -- state

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def explain(self):
        errors = self.errors.read_text(errors="replace")
        return (f"exit {self.process.poll()}; stderr: {errors[-2000:]}; "
                f"log: {self.log_text()[-2000:]}")

    def wait_started(self):
        if self.is_nutcracker:
            addresses = [listen_address(settings) for settings in self.pools.values()]
            ready = lambda: all(_can_connect(address) for address in addresses)
        else:
            ready = lambda: re.search(r"\bstarted\b", self.log_text())
        wait_until(lambda: ready() or self.process.poll() is not None, what="the proxy to start")
        assert self.process.poll() is None, f"the proxy did not start: {self.explain()}"

    def worker_pids(self):
        """Living workers, ordered by slot."""
        found = {pid: title_of(pid) for pid in children_of(self.pid)}
        workers = {pid: title for pid, title in found.items()
                   if re.match(r"ringmaster: worker \d+", title)}
        self._seen_pids |= set(workers)
        return sorted(workers, key=lambda pid: int(re.search(r"\d+", workers[pid]).group()))

    def wait_workers(self, count=None, without=()):
        """Waits for a full set of workers none of which is in `without`."""
        wanted = self.workers if count is None else count

        def complete():
            pids = self.worker_pids()
            return pids if len(pids) == wanted and not set(pids) & set(without) else None

        return wait_until(complete, what=f"{wanted} workers")

    def all_pids(self):
        return [self.pid, *self.worker_pids()]

    # -- access

    def address(self, pool_name=None):
        if pool_name is None:
            pool_name = next(iter(self.pools))
        return listen_address(self.pools[pool_name])

    def redis(self, pool_name=None, **options):
        return RespClient(self.address(pool_name), **options)

    def memcached(self, pool_name=None, **options):
        return MemcachedClient(self.address(pool_name), **options)

    def stats_target(self):
        """What a reader of the stats connects to."""
        if self.stats_address.startswith("/"):
            return self.stats_address
        found = socket.getaddrinfo(self.stats_address, self.stats_port, type=socket.SOCK_STREAM)
        host = found[0][4][0]
        return ("127.0.0.1" if host == "0.0.0.0" else host, self.stats_port)

    def stats_text(self):
        return read_stats(self.stats_target(), raw=True)

    def stats(self):
        return read_stats(self.stats_target())

    def command(self, *words, timeout=DEADLINE_S):
        """ringmaster WORDS... to this proxy: (exit code, stdout, stderr)."""
        head, *rest = words
        return run_binary(head, "--control", self.control, *rest, binary=self.binary,
                          timeout=timeout)

    # -- the end

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, timeout=DEADLINE_S):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end in {timeout} s: {self.explain()}") from None

    def sanitizer_reports(self):
        return "".join(KILLED_AT_ITS_END.sub("", path.read_text(errors="replace")[:4000])
                       for path in self.folder.glob("sanitizer.*"))

    def assert_nothing_left(self):
        """After the end: no process, no pid file, no socket, no open port, no sanitizer report."""
        wait_until(lambda: not any(is_alive(pid) for pid in self._seen_pids),
                   what=f"the end of all of {self._seen_pids}")
        assert not self.pid_file.exists(), "the pid file is left behind"
        assert not self.control.exists(), "the control socket is left behind"
        if isinstance(self.pools, dict):
            for settings in self.pools.values():
                address = listen_address(settings)
                if isinstance(address, str):
                    assert not os.path.exists(address), f"{address} is left behind"
                else:
                    assert not port_is_open(address[1], address[0]), f"{address} is still open"
        if (self.stats_address or "").startswith("/"):
            assert not os.path.exists(self.stats_address), f"{self.stats_address} is left behind"
        assert not self.sanitizer_reports(), self.sanitizer_reports()

    def stop(self):
        """TERM, and everything that must hold after it. A second call does nothing."""
        if self.process.returncode is not None:
            return
        if self.is_nutcracker:
            self.process.kill()
            self.process.wait(DEADLINE_S)
            return
        self.worker_pids()  # so that leftovers are noticed
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        code = self.wait_exit()
        assert code == 0, f"TERM ended with {code}: {self.explain()}"
        self.assert_nothing_left()

    def kill(self):
        """Last resort of a failed test: ends everything, checks nothing."""
        with contextlib.suppress(ProcessLookupError):
            orphans = [pid for pid in self._seen_pids if title_of(pid).startswith("ringmaster: ")]
            running = self.all_pids() if self.process.poll() is None else []
            for pid in {*running, *orphans}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


def _can_connect(address):
    try:
        if isinstance(address, str):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address)
        else:
            socket.create_connection(address, timeout=2).close()
        return True
    except OSError:
        return False


def run_binary(*arguments, cwd=None, timeout=DEADLINE_S, binary=None, nofile=None, **options):
    """Runs the binary to its end; returns (exit code, stdout, stderr) as text."""
    done = subprocess.run([binary or BINARY, *map(str, arguments)], cwd=cwd, timeout=timeout,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          preexec_fn=_with_descriptors(nofile), **options)
    return (done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"))
