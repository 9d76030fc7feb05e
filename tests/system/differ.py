# SPDX-License-Identifier: Apache-2.0
"""Two proxies, the same bytes: random pools, conversations cut anywhere, and what may differ.

What may differ is README.md's table "What differs, and why". Its first column is an id; an id in
backticks is one that the differential test has to meet. RULES says how a difference of each such
row looks. A difference that no rule of its case explains, or whose row is not in README.md, fails.
To allow one more: a row in README.md, a rule in RULES, a case in differ_corpus.py naming the row.

The servers are shared: one proxy talks, the servers are read and emptied, then the other talks.
Two sets of servers would have two sets of addresses, and ketama's labels are the addresses.
"""

import dataclasses
import re
import select
import socket
import time

from clients import encode
from harness import DEADLINE_S, ROOT, wait_until

SENTINEL = b"the-sentinel"


# ---- the table of README.md ----------------------------------------------------------------------


def intended_differences():
    """{id: True when the differential test has to meet it}."""
    text = (ROOT / "README.md").read_text()
    section = text.split("### What differs", 1)[1].split("\n#", 1)[0]
    lines = section.splitlines()
    heading = next(i for i, line in enumerate(lines) if line.startswith("| id |"))
    rows = {}
    for line in lines[heading + 2:]:
        if not line.startswith("|"):
            break
        cell = line.split("|")[1].strip()
        name = cell.strip("`")
        assert re.fullmatch(r"[a-z0-9-]+", name), f"README.md: not an id: {cell!r}"
        assert name not in rows, f"README.md: {name} is there twice"
        rows[name] = cell.startswith("`")
    return rows


# ---- what came back ------------------------------------------------------------------------------


@dataclasses.dataclass
class Outcome:
    reply: bytes  # what came for the case, without what stands around it
    alive: bool   # the connection answered a request sent behind it

    def __str__(self):
        shown = self.reply if len(self.reply) < 600 else self.reply[:300] + b"..."
        return f"{shown!r}, {'alive' if self.alive else 'closed'}"


def is_error(reply):
    """One error line of either protocol, and nothing else."""
    if reply.count(b"\r\n") != 1 or not reply.endswith(b"\r\n"):
        return False
    return reply.startswith((b"-", b"ERROR", b"CLIENT_ERROR ", b"SERVER_ERROR "))


def around_the_difference(one, other):
    """Both as text, from a little before the first byte that differs."""
    pairs = enumerate(zip(one.reply, other.reply))
    at = next((i for i, (a, b) in pairs if a != b), min(len(one.reply), len(other.reply)))
    start = max(0, at - 60)
    return [f"from byte {start}: {outcome.reply[start:at + 200]!r}, "
            f"{'alive' if outcome.alive else 'closed'}" for outcome in (one, other)]


def _died(theirs):
    return not theirs.alive


INVALID = b"-ERR Invalid argument\r\n"

# How a difference of a row looks: (nutcracker's outcome, ours) -> bool.
RULES = {
    "refused": lambda n, r: _died(n) and not n.reply and r.alive and is_error(r.reply),
    "garbage": lambda n, r: _died(n) and not n.reply and not r.alive and is_error(r.reply),
    "pending": lambda n, r: _died(n) and len(n.reply) < len(r.reply)
    and r.reply.startswith(n.reply),
    "commands": lambda n, r: _died(n) and not n.reply and r.alive and r.reply
    and not is_error(r.reply),
    "inline": lambda n, r: _died(n) and not n.reply and r.alive and r.reply,
    "first-key": lambda n, r: n.alive and r.alive and not is_error(r.reply),
    "quit": lambda n, r: _died(n) and not n.reply and not r.alive and r.reply == b"+OK\r\n",
    "exists": lambda n, r: n.alive and r.alive and n.reply[:1] == r.reply[:1] == b":"
    and int(n.reply[1:]) < int(r.reply[1:]),
    "shard-fails": lambda n, r: _died(n) and (not n.reply or is_error(n.reply)) and r.alive
    and is_error(r.reply),
    "error-texts": lambda n, r: n.reply == INVALID and r.alive and is_error(r.reply)
    and r.reply != INVALID,
    "server-errors": lambda n, r: n.reply == INVALID and r.alive
    and re.match(rb"-(OOM|BUSY|LOADING) ", r.reply),
    "auth": lambda n, r: r.alive and (is_error(r.reply) or r.reply == b"+OK\r\n")
    and (_died(n) or is_error(n.reply)),
    "auth-then-select": lambda n, r: n.reply == b"0" and r.reply == b"3",
    "memcached": lambda n, r: _died(n) and not n.reply and r.alive and r.reply
    and not r.reply.startswith((b"ERROR", b"SERVER_ERROR")),
    "meta": lambda n, r: _died(n) and not n.reply and r.alive
    and re.match(rb"(EN|HD|NF|MN)( c\d+)?\r\n", r.reply),
    "version": lambda n, r: n.alive and r.alive and n.reply[:8] == r.reply[:8] == b"VERSION ",
    "bare-lf": lambda n, r: not n.reply and r.reply == b"END\r\n",
    "cross-shard": lambda n, r: n.alive and r.alive and r.reply.startswith(b"-CROSSSLOT ")
    and is_error(r.reply),
    "control-bytes": lambda n, r: r.alive and r.reply.startswith(b"CLIENT_ERROR ")
    and is_error(r.reply),
}


class Judge:
    """Compares outcomes; remembers which rows were met and what was wrong."""

    def __init__(self):
        self.rows = intended_differences()
        self.met = {}
        self.wrong = []

    def same(self, what, theirs, ours):
        if theirs != ours:
            if isinstance(theirs, Outcome):
                theirs, ours = around_the_difference(theirs, ours)
            self.wrong.append(f"{what}\n  nutcracker: {theirs}\n  ringmaster: {ours}")

    def same_or(self, row, what, theirs, ours):
        if theirs != ours:
            self.different([row], what, theirs, ours)

    def different(self, rows, what, theirs, ours, wanted=None):
        """`rows`: the ids that may explain it; the first whose rule fits does."""
        text = f"{what}\n  nutcracker: {theirs}\n  ringmaster: {ours}"
        if wanted is not None and not re.fullmatch(wanted, ours.reply, re.DOTALL):
            self.wrong.append(f"{text}\n  wanted of ringmaster: {wanted!r}")
            return
        if theirs == ours:
            self.wrong.append(f"{text}\n  no difference any more: {rows}")
            return
        for row in rows:
            if RULES[row](theirs, ours):
                if row not in self.rows:
                    self.wrong.append(f"{text}\n  README.md has no row {row}")
                self.met[row] = self.met.get(row, 0) + 1
                return
        self.wrong.append(f"{text}\n  not as the rows {rows} say")

    def verdict(self, note):
        """Raises with everything that was wrong."""
        wrong, self.wrong = self.wrong, []
        assert not wrong, (f"{note}: {len(wrong)} differences that README.md does not name\n"
                           + "\n".join(wrong[:12]))


# ---- conversations -------------------------------------------------------------------------------


class Talk:
    """One client connection. It reads while it sends, and remembers whether it was closed."""

    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.closed = False
        self._no_more_sending = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _turn(self, data, wait_s):
        """Waits for the socket, reads what there is; returns how much of `data` was sent."""
        readable, writable, _ = select.select([self.socket], [self.socket] if data else [], [],
                                              wait_s)
        try:
            if readable:
                came = self.socket.recv(1 << 20)
                self.received += came
                self.closed = not came
            if writable and not self.closed:
                return self.socket.send(data)
        except BlockingIOError:
            pass
        except (ConnectionResetError, BrokenPipeError):
            self.closed = True
        return 0

    def send(self, data, rng=None):
        """In one piece, or cut at random bytes."""
        for piece in cut(data, rng):
            while piece and not self.closed:
                piece = piece[self._turn(piece, DEADLINE_S):]

    def read_until(self, predicate, timeout=DEADLINE_S):
        """True when it held before the connection was closed and the time was over."""
        deadline = time.monotonic() + timeout
        while not predicate(self.received):
            left = deadline - time.monotonic()
            if self.closed or left <= 0:
                return False
            self._turn(b"", left)
        return True

    def finish(self):
        """Our FIN, then everything up to theirs."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        assert self.read_until(lambda _: self.closed) or self.closed, "no end after our FIN"
        return self.received


def cut(data, rng):
    """`data` in pieces: whole, in bytes, or cut at a few places."""
    if rng is None or len(data) < 2 or rng.random() < 0.2:
        return [data]
    if len(data) < 200 and rng.random() < 0.2:
        return [data[i:i + 1] for i in range(len(data))]
    places = sorted(rng.sample(range(1, len(data)), min(len(data) - 1, rng.randint(1, 12))))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)])]


class Protocol:
    """What a conversation needs of a protocol: a request whose answer nothing else looks like."""

    def __init__(self, redis, nonce, key=SENTINEL):
        self.redis = redis
        self.nonce = nonce
        self.key = key
        if redis:
            self.sentinel = encode("GET", key)
            self.answer = b"$%d\r\n%s\r\n" % (len(nonce), nonce)
        else:
            self.sentinel = b"get %s\r\n" % key
            self.answer = b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(nonce), nonce)

    def store(self, servers):
        """Puts the sentinel on every server, so that every route finds it."""
        for server in servers:
            with server.client() as client:
                if self.redis:
                    assert client.call("SET", self.key, self.nonce) == "OK"
                else:
                    assert client.set(self.key, self.nonce) == b"STORED\r\n"


def all_alike(address, protocol, requests, rng):
    """Requests that end alike everywhere, sent as one stream cut anywhere."""
    with Talk(address) as talk:
        talk.send(b"".join(requests) + protocol.sentinel, rng)
        alive = talk.read_until(lambda data: data.endswith(protocol.answer))
        received = talk.finish()
    if alive and received.endswith(protocol.answer):
        received = received[:-len(protocol.answer)]
    return Outcome(received, alive)


def one_case(address, protocol, request, rng):
    """One request behind an answered one; what it brings, and whether the connection lives on."""
    with Talk(address) as talk:
        talk.send(protocol.sentinel)
        assert talk.read_until(lambda data: data == protocol.answer), talk.received
        talk.send(request, rng)
        before = len(protocol.answer)
        talk.read_until(lambda data: len(data) > before)
        talk.send(protocol.sentinel)
        received = talk.finish()[before:]
    if received.endswith(protocol.answer):
        return Outcome(received[:-before], True)
    return Outcome(received, False)


def in_one_write(address, protocol, request, rng):
    """A request with answered ones before and behind it, all at once: what came is all there is."""
    with Talk(address) as talk:
        talk.send(protocol.sentinel * 2 + request + protocol.sentinel, rng)
        talk.read_until(lambda data: data.count(protocol.answer) == 3)
        received = talk.finish()
    return Outcome(received, received.count(protocol.answer) == 3)


def until_the_end(address, request):
    """What a request brings on a connection of its own; alive: the end was the answer to ours."""
    with Talk(address) as talk:
        talk.send(request)
        talk.read_until(len)
        ended = not talk.read_until(lambda _: False, 0) and talk.closed
        return Outcome(talk.finish(), not ended)


def _was_read(connection):
    """The other end has taken all we sent out of its socket (/proc/net/tcp: its receive queue)."""
    ports = [connection.getpeername()[1], connection.getsockname()[1]]
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            words = line.split()
            if [int(word.split(":")[1], 16) for word in words[1:3]] == ports:
                return words[4].split(":")[1] == "00000000"
    return False


def with_fin(address, request):
    """What comes when our FIN follows the request.

    Not in the same instant: nutcracker's first read may take both for one edge and then waits for
    ever (seen in every second start of it; never with ringmaster, see test_hostile.py).
    """
    with Talk(address) as talk:
        talk.send(request)
        wait_until(lambda: _was_read(talk.socket), what="the request to be read")
        return Outcome(talk.finish(), True)


def without_uniques(reply):
    """A memcached stream with its cas uniques replaced: they count up for ever."""
    out, at = [], 0
    while at < len(reply):
        end = reply.find(b"\r\n", at)
        if end < 0:
            break
        words = reply[at:end].split(b" ")
        line = reply[at:end + 2]
        at = end + 2
        if words[0] == b"VALUE" and len(words) in (4, 5) and words[3].isdigit():
            length = int(words[3]) + 2
            line = b" ".join(words[:4] + [b"U"] * (len(words) - 4)) + b"\r\n"
            line += reply[at:at + length]
            at += length
        out.append(line)
    return b"".join(out) + reply[at:]
