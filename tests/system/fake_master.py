# SPDX-License-Identifier: Apache-2.0
"""The master's side of the control channel, for one real worker process: what a test says, it says.

The bytes are those of common/control/PROTOCOL.md. Only the messages these tests need are here, and
each is named beside its fields, as in codec.cc.
"""

import contextlib
import os
import pathlib
import signal
import socket
import struct

from harness import BINARY, DEADLINE_S, is_alive, make_config, spawn, wait_until

SCHEMA = 2
SLOT = 0

HELLO, READY, FAILED, BEAT, STATS_REPORT = range(1, 6)
CONNECT_FAILED, ACCEPT_STOPPED, CLIENT_ASK, CLIENT_GONE = range(6, 10)
SUSPECT, PREPARED, COMMITTED = 10, 11, 12
CONFIG_BYTES, LISTENERS, RING_STATE, START, STATS_REQUEST = range(32, 37)
STOP, CLIENT_ANSWER, PREPARE, COMMIT, ABORT, RELEASE_LISTENERS = 39, 40, 42, 43, 44, 45


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def flag(value):
    return b"\1" if value else b"\0"


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return u32(len(data)) + data


def listing(entries):
    return u32(len(entries)) + b"".join(entries)


def uses_of(uses):
    """{listener number: pool index} as a vector of ListenerUse."""
    return listing([u32(listener) + u32(pool) for listener, pool in uses.items()])


def address_bytes(port):
    """io::SocketAddress::bytes() of a port on 127.0.0.1."""
    return struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + bytes([127, 0, 0, 1]) + (
        bytes(8))


def ring_state(generation, pool, epoch, ports):
    servers = [u32(0) + u32(0) + u64(0) + text(address_bytes(port)) for port in ports]
    return u64(generation) + u32(pool) + u64(epoch) + listing(servers)


class Reader:
    """Takes one payload apart."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def _take(self, form):
        (value,) = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return value

    def u32(self):
        return self._take("I")

    def u64(self):
        return self._take("Q")

    def i64(self):
        return self._take("q")

    def text(self):
        size = self.u32()
        self._at += size
        return self._data[self._at - size:self._at].decode()

    def listing(self, element):
        return [element() for _ in range(self.u32())]


class MasterOfOne:
    """Starts one worker on `pools` and speaks to it.

    A pool's listen address is bound here, as the master does it. Pools and servers stand in the
    order of their indexes: by length of name, then by bytes.
    """

    def __init__(self, folder, pools, process=None, env=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.generation = 0
        self.epoch = 0
        self.pools = {}
        self.listeners = {}  # number -> (listen address, socket)
        self._given = set()
        self._next_listener = 1
        self._buffer = b""
        self.answer_clients = True
        self.seen = []  # (type, Reader of the payload), those nobody has asked for yet
        ours, theirs = socket.socketpair()
        self.channel = ours
        self.channel.settimeout(DEADLINE_S)
        # slot;level;pid of the master;has a log: master/worker_environment.h
        environment = {**os.environ, **(env or {}), "RINGMASTER_WORKER": f"{SLOT};6;{os.getpid()};1;-1;"}
        with open(self.folder / "stderr", "wb") as errors:
            self.process = spawn(["/bin/bash", "-c", f'exec "$0" 3<&{theirs.fileno()} 4>>"$1"',
                                  BINARY, str(self.log)],
                                 stdout=errors, stderr=errors, env=environment,
                                 pass_fds=[theirs.fileno()])
        theirs.close()
        self.pid = self.process.pid
        self._start(pools, process)

    # -- the conversation

    def send(self, kind, payload=b"", descriptors=()):
        frame = struct.pack("<IH", len(payload), kind) + payload
        if descriptors:
            socket.send_fds(self.channel, [frame], list(descriptors))
        else:
            self.channel.sendall(frame)

    def receive(self, *kinds):
        """The next message of one of these kinds: (kind, Reader). Others are kept in `seen`."""
        while True:
            for i, (kind, reader) in enumerate(self.seen):
                if kind in kinds:
                    del self.seen[i]
                    return kind, reader
            data = self.channel.recv(1 << 16)
            if not data:
                raise EOFError(f"the worker is gone: {self.explain()}")
            self._buffer += data
            self._cut_messages()

    def _cut_messages(self):
        while len(self._buffer) >= 6:
            length, kind = struct.unpack_from("<IH", self._buffer)
            if len(self._buffer) < 6 + length:
                return
            payload, self._buffer = self._buffer[6:6 + length], self._buffer[6 + length:]
            if kind == BEAT:
                continue
            if kind == CLIENT_ASK and self.answer_clients:
                self.send(CLIENT_ANSWER, payload + flag(True))
                continue
            self.seen.append((kind, Reader(payload)))

    def expect(self, kind):
        """The reader of the next message of this kind."""
        return self.receive(kind)[1]

    def stats(self):
        """Of the worker, now: (generation, values)."""
        self.send(STATS_REQUEST, u64(77))
        while True:
            report = self.expect(STATS_REPORT)
            if report.u64() == 77:
                generation = report.u64()
                report.i64()
                report.i64()
                return generation, report.listing(report.i64)

    # -- what the master does

    @staticmethod
    def _port_of(listen):
        return int(listen.rpartition(":")[2])

    def _order(self, pools):
        return sorted(pools, key=lambda name: (len(name), name))

    def _bind(self, pools):
        """Sockets for the listen addresses that have none yet: their numbers."""
        bound = {listen for listen, _ in self.listeners.values()}
        for name in self._order(pools):
            listen = pools[name]["listen"]
            if listen in bound:
                continue
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("127.0.0.1", self._port_of(listen)))
            one.listen(128)
            one.setblocking(False)
            self.listeners[self._next_listener] = (listen, one)
            self._next_listener += 1

    def uses(self, pools):
        names = self._order(pools)
        of_listen = {pools[name]["listen"]: index for index, name in enumerate(names)}
        return {number: of_listen[listen] for number, (listen, _) in self.listeners.items()
                if listen in of_listen}

    def rings(self, generation, pools):
        self.epoch += 1
        states = []
        for index, name in enumerate(self._order(pools)):
            ports = [int(entry.split(":")[1]) for entry in pools[name]["servers"]]
            states.append(ring_state(generation, index, self.epoch, ports))
        return states

    def send_listeners(self, generation, uses):
        self._given |= set(uses)
        self.send(LISTENERS, u64(generation) + uses_of(uses),
                  [self.listeners[number][1].fileno() for number in uses])

    def _start(self, pools, process):
        hello = self.expect(HELLO)
        assert (hello.u32(), hello.u32(), hello.u32()) == (SCHEMA, SLOT, self.pid)
        self.generation, self.pools = 1, pools
        config = make_config(pools, process)
        self.send(CONFIG_BYTES, u64(1) + u64(0) + text("proxy.yml") + text(config))
        for state in self.rings(1, pools):
            self.send(RING_STATE, state)
        self._bind(pools)
        self.send_listeners(1, self.uses(pools))
        self.send(START)
        assert self.expect(READY).u64() == 1

    def prepare(self, pools, generation=None, process=None, config=None):
        """Sends Prepare and the new listeners; returns the worker's reason, "" for yes."""
        generation = self.send_prepare(pools, generation, process, config)
        prepared = self.expect(PREPARED)
        assert prepared.u64() == generation
        return prepared.text()

    def send_prepare(self, pools, generation=None, process=None, config=None):
        generation = generation or self.generation + 1
        config = make_config(pools, process) if config is None else config
        self.send(PREPARE, u64(generation) + u64(0) + text("proxy.yml") + text(config))
        self._bind(pools)
        fresh = {number: pool for number, pool in self.uses(pools).items()
                 if number not in self._given}
        if fresh:
            self.send_listeners(generation, fresh)
        return generation

    def send_commit(self, pools, generation, drain_timeout_ms=60000, surplus=False, uses=None,
                    removed=()):
        uses = ({} if surplus else self.uses(pools)) if uses is None else uses
        self.send(COMMIT, u64(generation) + uses_of(uses) +
                  listing([u32(number) for number in removed]) +
                  listing(self.rings(generation, pools)) +
                  u32(drain_timeout_ms) + flag(surplus))

    def commit(self, pools, generation=None, **options):
        """Sends Commit; returns Committed's `held`."""
        generation = generation or self.generation + 1
        self.send_commit(pools, generation, **options)
        committed = self.expect(COMMITTED)
        assert committed.u64() == generation
        self.generation, self.pools = generation, pools
        self._forget_listeners(() if options.get("surplus") else self.uses(pools))
        return committed.listing(committed.u32)

    def _forget_listeners(self, kept):
        """The worker has closed all others; a slot that is surplus keeps its sockets here."""
        self._given &= set(kept)
        for number in set(self.listeners) - set(kept) if kept else ():
            self.listeners.pop(number)[1].close()

    def reload(self, pools, **options):
        assert self.prepare(pools) == ""
        return self.commit(pools, **options)

    def abort(self, generation):
        self.send(ABORT, u64(generation))

    def stop(self, graceful=True, drain=False, timeout_ms=0):
        self.send(STOP, flag(graceful) + flag(drain) + u32(timeout_ms))

    # -- the worker

    def explain(self):
        errors = (self.folder / "stderr").read_text(errors="replace")
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"exit {self.process.poll()}; stderr: {errors[-2000:]}; log: {log[-2000:]}"

    def wait_exit(self):
        """The exit status; what it says meanwhile is kept in `seen`."""
        self.channel.setblocking(False)

        def gone():
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                self._buffer += self.channel.recv(1 << 16)
                self._cut_messages()
            return self.process.poll() is not None

        wait_until(gone, what="the worker to end")
        self.channel.settimeout(DEADLINE_S)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.stop(graceful=False)
            self.process.send_signal(signal.SIGCONT)
            with contextlib.suppress(Exception):
                wait_until(lambda: self.process.poll() is not None, 5, "the worker to end")
            if is_alive(self.pid):
                self.process.kill()
        self.process.wait(DEADLINE_S)
        self.channel.close()
        for _, one in self.listeners.values():
            one.close()
        errors = (self.folder / "stderr").read_text(errors="replace")
        assert "Sanitizer" not in errors and "runtime error" not in errors, errors[:4000]
