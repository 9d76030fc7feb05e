# SPDX-License-Identifier: Apache-2.0
"""The process that makes load (load.py starts it): many clients on one thread, each reply checked.

Reads a JSON line with the groups, then one command a line; each is answered by one JSON line with
the summary so far. `strict GROUP`: from now on no read may miss. `stop`: what is in flight is
waited for, then it ends. It ends by itself at its time limit and when its parent is gone.
"""

import collections
import errno
import heapq
import itertools
import json
import os
import random
import select
import socket
import time

import load_speech
from load_speech import ERROR, OK, SPEECHES, VANISHED, WRONG, Malformed

EXAMPLES_MAX = 5
LATENCIES_MAX = 200_000
KEYS_REMEMBERED = 16
RETRY_S = 0.01
# EAGAIN: a Unix socket's queue is full.
REFUSALS = (errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOENT, errno.EAGAIN)
READ_BYTES = 1 << 18
# Unbuffered: what has arrived is what epoll sees.
ORDERS = open(0, "rb", buffering=0)


class Tally:
    """What happened to the clients of a group."""

    def __init__(self):
        self.counts = collections.Counter()
        self.examples = {}
        self.latencies = []
        self.longest = 0.0

    def add(self, what, text, count=1):
        self.counts[what] += count
        examples = self.examples.setdefault(what, [])
        if len(examples) < EXAMPLES_MAX:
            examples.append(f"{time.time():.3f} {text}")

    def took(self, seconds):
        self.longest = max(self.longest, seconds)
        if len(self.latencies) < LATENCIES_MAX:
            self.latencies.append(seconds)

    def summary(self, final):
        ordered = sorted(self.latencies) if final else []

        def at(part):
            return round(ordered[int((len(ordered) - 1) * part)] * 1000, 2) if ordered else None

        return {"counts": dict(self.counts), "examples": self.examples,
                "latency_ms": {"p50": at(.5), "p99": at(.99), "max": round(self.longest * 1000, 2)}}


class Group:
    """Clients that behave alike. load.Group has the meaning of the settings."""

    def __init__(self, settings):
        self.name = settings["name"]
        address = settings["address"]
        self.address = address if isinstance(address, str) else tuple(address)
        self.speech = SPEECHES[settings["protocol"]]
        self.clients = settings["clients"]
        self.depth = settings["depth"]
        self.window = settings["window"]
        self.batches = settings["batches"]
        self.think = settings["think_ms"] / 1000
        self.may_vanish = settings["may_vanish"]
        self.large = settings["large_bytes"]
        self.timeout = settings["timeout_s"]
        self.piece = settings["piece_bytes"]
        self.greeting = settings["greeting"]
        self.tally = Tally()


class Client:
    """One client: its connection, its keys, what it waits for."""

    def __init__(self, loop, group, number):
        self.loop, self.group, self.number = loop, group, number
        self.writes = 0
        self.life = 0
        self.known = {}
        self.wait_until = 0.0
        self.socket = None
        self._forget()
        loop.at(loop.now() + random.random() * 0.05, self.open)

    def _forget(self):
        """A new connection knows no key: what a lost write did is not known."""
        self.life += 1
        self.known = {}

    # ---- the connection

    def open(self):
        if self.loop.stopping:
            return
        path = isinstance(self.group.address, str)
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.setblocking(False)
        if not path:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.out = bytearray()
        self.pending = collections.deque()
        self.data = bytearray()
        self.got_reply = False
        self.batches_left = self.group.batches
        self.since = self.loop.now()
        self.connected = False
        self.mask = 0
        code = self.socket.connect_ex(self.group.address)
        if code in (0, errno.EINPROGRESS):
            self.loop.add(self)
            self.watch(select.EPOLLOUT)
        else:
            self.refused(code)

    def refused(self, code):
        what = "refused" if code in REFUSALS else "local"
        self.group.tally.add(what, f"client {self.number}: {os.strerror(code)}")
        self.close(RETRY_S)

    def close(self, pause):
        self.loop.remove(self)
        self.socket.close()
        self.socket = None
        self.loop.at(self.loop.now() + pause, self.open)

    def broken(self, what, text, count=1):
        """Something was lost; another connection, other keys."""
        near = self.socket.getsockname()
        port = near[1] if isinstance(near, tuple) else near
        self.group.tally.add(what, f"client {self.number}, port {port}: {text}", count)
        self._forget()
        self.close(RETRY_S)

    def ended(self, text, reset):
        self.group.tally.counts["resets"] += reset and self.got_reply
        if not self.got_reply and (self.pending or reset):
            self.broken("unserved", f"{text} before the first reply")
        elif not self.pending:
            self.broken("reset_idle" if reset else "closed_idle", text)
        else:
            self.broken("lost", f"{text} with {len(self.pending)} outstanding", len(self.pending))

    def watch(self, mask):
        if mask != self.mask:
            self.loop.watch(self, mask)
            self.mask = mask

    # ---- events

    def on_event(self, events):
        if not self.connected:
            code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.refused(code)
                return
            self.connected = True
            self.group.tally.counts["connects"] += 1
            self.greet()
            self.watch(select.EPOLLIN)
            self.fill()
            return
        if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self.read()
        if self.socket and events & select.EPOLLOUT:
            self.write()

    def read(self):
        try:
            piece = self.socket.recv(self.group.piece or READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.ended(error.strerror, True)
            return
        if not piece:
            self.ended("end of stream", False)
            return
        self.data += piece
        try:
            self.check()
        except Malformed as problem:
            self.wrong(str(problem))
        if self.socket:
            self.fill()
            if self.group.piece and self.socket:
                self.watch(self.mask & ~select.EPOLLIN)
                self.loop.at(self.loop.now() + 0.002, self.read_on)

    def read_on(self):
        if self.socket and self.connected:
            self.watch(self.mask | select.EPOLLIN)

    def wrong(self, text):
        self.broken("wrong", text)

    def check(self):
        at, data, tally, now = 0, self.data, self.group.tally, self.loop.now()
        while at < len(data):
            if not self.pending:
                raise Malformed(f"nobody asked for {bytes(data[at:at + 80])!r}")
            operation = self.pending[0]
            if data.startswith(operation.reply, at):
                end, verdict = at + len(operation.reply), OK
            elif operation.reply.startswith(data[at:]):
                break
            else:
                end = self.group.speech.end_of_reply(data, at)
                if end is None:
                    break
                verdict = self.group.speech.judge(operation, bytes(data[at:end]), self.number)
            if verdict == WRONG or (verdict == VANISHED and not self.may_miss(operation)):
                raise Malformed(f"{operation.request[:80]!r} was answered "
                                f"{bytes(data[at:end][:160])!r} instead of "
                                f"{operation.reply[:160]!r}")
            self.pending.popleft()
            self.got_reply = True
            tally.counts[verdict] += verdict != ERROR
            if verdict == ERROR:
                tally.add(ERROR, f"client {self.number}: {operation.request[:60]!r} -> "
                                 f"{bytes(data[at:end][:120])!r}")
                self._forget()
                for later in self.pending:  # they may read what the failed request should have done
                    later.lenient = True
            tally.took(now - operation.since)
            at = end
        if at:
            del data[:at]

    def may_miss(self, operation):
        return (self.group.may_vanish or operation.lenient
                or operation.since < self.loop.strict_since(self.group))

    def on_tick(self, now):
        """Every 100 ms: what takes too long."""
        oldest = self.pending[0].since if self.pending else self.since
        if (self.pending or not self.connected) and now - oldest > self.group.timeout:
            text = f"{len(self.pending)} outstanding" if self.connected else "connecting"
            self.broken("timeout", f"{text} after {self.group.timeout} s",
                        max(1, len(self.pending)))

    # ---- what is sent

    def greet(self):
        if self.group.greeting:
            request, reply = (text.encode("latin-1") for text in self.group.greeting)
            self.queue(load_speech.Operation(request, reply))

    def queue(self, operation):
        operation.since = self.loop.now()
        self.pending.append(operation)
        self.out += operation.request

    def fill(self):
        """Sends the next batches, as many as may be in flight."""
        if self.loop.stopping and not self.pending:
            self.loop.remove(self)
            self.socket.close()
            self.socket = None
            return
        if self.loop.stopping:
            return
        if self.batches_left == 0:
            if not self.pending:
                self.close(self.group.think)  # an orderly end of a short life
            return
        if self.group.think and self.loop.now() < self.wait_until:
            return
        while len(self.pending) <= self.group.depth * (self.group.window - 1):
            if self.batches_left is not None:
                if self.batches_left == 0:
                    break
                self.batches_left -= 1
            for _ in range(self.group.depth):
                self.queue(self.next_operation())
            if self.group.think and self.batches_left != 0:
                self.wait_until = self.loop.now() + self.group.think
                self.loop.at(self.wait_until, self.go_on)
                break
        if self.out and not self.mask & select.EPOLLOUT:
            self.write()

    def go_on(self):
        if self.socket and self.connected:
            self.fill()

    def next_operation(self):
        dice = random.random()
        if dice < 0.5 or not self.known:
            return self.next_write(dice)
        if dice < 0.9:
            key = random.choice(list(self.known))
            return self.group.speech.read({key: self.known[key]})
        keys = random.sample(list(self.known), min(3, len(self.known)))
        return self.group.speech.read({key: self.known[key] for key in keys})

    def next_write(self, dice):
        """A key that may change servers is written once: a former value elsewhere would be legal
        and yet look like a mistake. Other keys are written again and again."""
        self.writes += 1
        place = self.writes
        if not self.group.may_vanish:
            place %= KEYS_REMEMBERED
        key = b"c%d.%d.%d" % (self.number, self.life, place)
        size = random.randrange(20, 80) if dice > 0.02 else random.randrange(1000, 6000)
        if self.group.large and dice < 0.002:
            size = self.group.large
        value = load_speech.value_of(self.number, self.writes, size)
        self.known[key] = value
        if len(self.known) > KEYS_REMEMBERED:
            del self.known[next(iter(self.known))]
        return self.group.speech.write(key, value)

    def write(self):
        limit = self.group.piece or len(self.out)
        try:
            sent = self.socket.send(memoryview(self.out)[:limit])
        except BlockingIOError:
            sent = 0
        except OSError:
            # The reason, and replies still to be had, come from reading.
            self.out.clear()
            self.watch(select.EPOLLIN)
            return
        del self.out[:sent]
        if self.group.piece and self.out:
            self.watch(self.mask & ~select.EPOLLOUT)
            self.loop.at(self.loop.now() + 0.001, self.write_on)
            return
        keep = self.mask & select.EPOLLIN
        self.watch(keep | (select.EPOLLOUT if self.out else 0))

    def write_on(self):
        if self.socket and self.connected and self.out:
            self.watch(self.mask | select.EPOLLOUT)


class Loop:
    def __init__(self, groups, limit_s):
        self.groups = [Group(settings) for settings in groups]
        self.poll = select.epoll()
        self.by_fd = {}
        self.timers = []
        self.order = itertools.count()
        self.stopping = False
        self.ends = time.monotonic() + limit_s
        self._now = time.monotonic()
        self._strict = {}
        numbers = itertools.count(1)
        self.clients = [Client(self, group, next(numbers)) for group in self.groups
                        for _ in range(group.clients)]
        self.at(self._now, self.tick)

    def now(self):
        return self._now

    def at(self, when, what):
        heapq.heappush(self.timers, (when, next(self.order), what))

    def tick(self):
        for client in self.clients:
            if client.socket:
                client.on_tick(self._now)
        self.at(self._now + 0.1, self.tick)

    def add(self, client):
        self.by_fd[client.socket.fileno()] = client
        self.poll.register(client.socket, 0)

    def watch(self, client, mask):
        self.poll.modify(client.socket, mask)

    def remove(self, client):
        if self.by_fd.pop(client.socket.fileno(), None):
            self.poll.unregister(client.socket)

    def strict_since(self, group):
        """Reads sent before this moment may still miss."""
        return self._strict.get(group.name, 0.0)

    def command(self, line):
        words = line.split()
        if words[0] == "strict":
            self._strict[words[1]] = self._now
            for client in self.clients:
                if client.group.name == words[1]:
                    client.group.may_vanish = False
                    client._forget()
        elif words[0] == "stop":
            self.stop()
        self.say()
        return words[0] != "stop"

    def say(self):
        print(json.dumps({group.name: group.tally.summary(self.stopping) for group in self.groups}),
              flush=True)

    def turn(self, others_timeout=0.05):
        wait = others_timeout
        if self.timers:
            wait = max(0.0, min(wait, self.timers[0][0] - time.monotonic()))
        events = self.poll.poll(wait)
        self._now = time.monotonic()
        ready = False
        for fd, mask in events:
            if fd == ORDERS.fileno():
                ready = True
                continue
            client = self.by_fd.get(fd)
            if client:
                client.on_event(mask)
        while self.timers and self.timers[0][0] <= self._now:
            heapq.heappop(self.timers)[2]()
        return ready

    def stop(self):
        """Nothing new; what is in flight ends, or is lost by its timeout."""
        self.stopping = True
        for client in self.clients:
            if client.socket and client.connected:
                client.fill()
        while any(client.socket and client.connected for client in self.clients):
            self.turn()

    def run(self):
        self.poll.register(ORDERS, select.EPOLLIN)
        while time.monotonic() < self.ends:
            if self.turn():
                line = ORDERS.readline().decode()
                if not line or not self.command(line):
                    return
        self.poll.unregister(ORDERS)
        self.stop()
        for _ in iter(ORDERS.readline, b""):  # the summary waits for whoever asks
            self.say()


def main():
    settings = json.loads(ORDERS.readline())
    Loop(settings["groups"], settings["limit_s"]).run()


if __name__ == "__main__":
    main()
