# SPDX-License-Identifier: Apache-2.0
"""Servers that answer by a rule, so that every reply can be checked, and lie on demand.

The value of a key is a function of the key (value_of), so a reply that reaches the wrong client or
the wrong place is noticed. A ScriptedServer is honest except for the keys its script names.
"""

import errno
import contextlib
import random
import re
import threading
import time
import zlib

from clients import RespError, encode
from harness import FakeServer, reset, wait_until

# Everything an honest proxy may say when a server fails. Another error, or another value: wrong.
FAILURES = {"ERR unknown", "ERR Connection reset by peer", "ERR Connection refused",
            "ERR Connection timed out", "ERR Invalid argument", "ERR Broken pipe"}


def value_of(key):
    """Some tens of bytes to some kilobytes, a few keys 100 KB: "big" in the key makes it so."""
    size = 100_000 if b"big" in key else 1 << (zlib.crc32(key) % 13)
    unit = key + b"=%08x;" % zlib.crc32(key)
    return unit * (size // len(unit) + 1)


def bulk(value):
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


def take_resp_request(pending):
    """(words or None, the rest) of a request as the proxy forwards it: always well-formed."""
    head = re.match(rb"\*(\d+)\r\n", pending)
    if not head:
        return None, pending
    at, words = head.end(), []
    for _ in range(int(head.group(1))):
        length = re.compile(rb"\$(\d+)\r\n").match(pending, at)
        if not length or len(pending) < length.end() + int(length.group(1)) + 2:
            return None, pending
        at = length.end() + int(length.group(1))
        words.append(pending[length.end():at])
        at += 2
    return words, pending[at:]


def honest_resp_reply(words):
    command = words[0].upper()
    if command == b"GET":
        return bulk(value_of(words[1]))
    if command == b"MGET":
        return b"*%d\r\n" % (len(words) - 1) + b"".join(bulk(value_of(key)) for key in words[1:])
    if command in (b"SET", b"MSET"):
        return b"+OK\r\n"
    if command in (b"DEL", b"EXISTS"):
        return b":%d\r\n" % (len(words) - 1)
    return b"-ERR the scripted server does not know this\r\n"


def take_memcached_request(pending):
    line, found, rest = pending.partition(b"\r\n")
    if not found:
        return None, pending
    words = line.split()
    if words[0] == b"set":
        size = int(words[4])
        if len(rest) < size + 2:
            return None, pending
        rest = rest[size + 2:]
    return words, rest


def honest_memcached_reply(words):
    if words[0] == b"set":
        return b"STORED\r\n"
    values = [b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(value_of(key)), value_of(key))
              for key in words[1:]]
    return b"".join(values) + b"END\r\n"


class ScriptedServer(FakeServer):
    """`script(words, connection, reply)` is called for each request. True: it has done what is to be
    done; None: answer honestly. It may raise EOFError to end the connection.
    `gate` is for scripts that have to wait; close() opens it."""

    def __init__(self, script=None, memcached=False):
        self.script = script or (lambda words, connection, reply: None)
        self.gate = threading.Event()
        self.requests = []
        self._take = take_memcached_request if memcached else take_resp_request
        self._honest = honest_memcached_reply if memcached else honest_resp_reply
        super().__init__(lambda connection, _: self._serve_requests(connection))

    def _serve_requests(self, connection):
        pending = b""
        while True:
            data = connection.recv(1 << 18)
            if not data:
                return
            pending += data
            replies = b""
            while True:
                words, pending = self._take(pending)
                if words is None:
                    break
                self.requests.append(words)
                reply = self._honest(words)
                # What came before stands before: a script may wait or end the connection.
                if self._is_scripted(words) and replies:
                    connection.sendall(replies)
                    replies = b""
                if not self.script(words, connection, reply):
                    replies += reply
            connection.sendall(replies)

    def _is_scripted(self, words):
        return True

    def wait_for_request(self, key, count=1):
        wait_until(lambda: sum(key in words for words in list(self.requests)) >= count,
                   what=f"{key!r} at the server")

    def close(self):
        self.gate.set()
        super().close()


def lie(replies):
    """A script: {key: bytes}, sent instead of the honest reply."""

    def script(words, connection, reply):
        for word in words[1:]:
            if word in replies:
                connection.sendall(replies[word])
                return True
        return None

    return script


def check(key, reply):
    """A reply to GET `key`: True when it is the value, False for an honest failure."""
    if isinstance(reply, RespError):
        assert str(reply) in FAILURES, f"{key!r}: {reply}"
        return False
    expected = value_of(key)
    assert reply == expected, (f"{key!r} got {len(reply) if reply else 0} bytes that are not its own: "
                               f"{reply[:60] if reply else reply!r}")
    return True


def gauges(proxy, pool_name=None):
    pool_name = pool_name or next(iter(proxy.pools))
    stats = proxy.stats()
    pool = stats[pool_name]
    servers = [entry for entry in pool.values() if isinstance(entry, dict)]
    return {"clients": pool["client_connections"],
            # The listeners are counted, too: one per pool.
            "drift": stats["curr_connections"] - len(proxy.pools) - pool["client_connections"]
            - sum(server["server_connections"] for server in servers),
            "queued": sum(server["in_queue"] + server["out_queue"] for server in servers),
            "queued_bytes": sum(server["in_queue_bytes"] + server["out_queue_bytes"]
                                for server in servers)}


def wait_settled(proxy, pool_name=None):
    """Every gauge is back at zero when no client is left."""
    last = {}

    def settled():
        last.clear()
        last.update(gauges(proxy, pool_name))
        return not any(last.values())

    try:
        wait_until(settled, what="the gauges to return to zero")
    except AssertionError:
        raise AssertionError(f"the gauges do not return to zero: {last}") from None


# ---- chaos -------------------------------------------------------------------------------------


class Chaos:
    """Servers and clients that do one of many bad things now and then, from one seed."""

    def __init__(self, seed, fault_share=0.03):
        self.seed = seed
        self.share = fault_share
        self.stop = threading.Event()
        self.problems = []
        self.counts = {"ok": 0, "failed": 0, "left": 0, "cut": 0, "refused": 0}
        self._lock = threading.Lock()
        self._rng = random.Random(seed)

    def _random(self):
        with self._lock:
            return random.Random(self._rng.getrandbits(64))

    # -- servers

    def script(self):
        rng = self._random()

        def script(words, connection, reply):
            if self.stop.is_set() or rng.random() > self.share:
                return None
            return self._misbehave(rng, connection, reply)

        return script

    def _misbehave(self, rng, connection, reply):
        kind = rng.randrange(11)
        cut = rng.randrange(len(reply))
        if kind == 0:
            connection.sendall(reply[:cut])
            reset(connection)
            raise EOFError
        if kind == 1:
            connection.sendall(reply[:cut])
            raise EOFError
        if kind == 2:
            connection.sendall(rng.choice([b"garbage\r\n", b"%1\r\n", b"*99999999999\r\n",
                                           b"$-5\r\n", b"\0" * 100, b"+" + b"x" * 2_000_000 + b"\n"]))
            return True
        if kind == 3:
            connection.sendall(reply + b"?")  # extra bytes
            return True
        if kind == 4:  # later than the timeout
            self.stop.wait(rng.uniform(0.1, 0.5))
            return None
        if kind == 5:  # never
            self.stop.wait(1)
            raise EOFError
        if kind == 6 and len(reply) < 3000:
            for at in range(len(reply)):
                connection.sendall(reply[at:at + 1])
            return True
        if kind == 7:
            connection.sendall(b"-ERR unknown\r\n")
            return True
        if kind == 8:
            connection.sendall(b"*1\r\n" * 100_000)
            raise EOFError
        connection.sendall(reply[:cut])
        self.stop.wait(rng.uniform(0, 0.05))
        connection.sendall(reply[cut:])
        return True

    # -- clients

    def client(self, number, connect):
        """Runs until stop; every reply is checked. Problems are collected, not raised."""
        rng = self._random()
        sequence = 0
        while not self.stop.is_set():
            try:
                with connect() as connection:
                    for _ in range(rng.randrange(1, 20)):
                        if self.stop.is_set():
                            break
                        sequence += 1
                        if not self._one_batch(rng, b"c%d.%d" % (number, sequence), connection):
                            break
            except ConnectionRefusedError:
                self._count("refused")
            except (EOFError, ConnectionError, RecursionError):  # the last: a reply nested too deep
                self._count("cut")
            except (AssertionError, OSError, ValueError) as problem:
                if isinstance(problem, OSError) and problem.errno == errno.ENOTCONN:
                    self._count("cut")  # a half-close that came after the worker's end
                    continue
                self.problems.append(f"client {number} batch {sequence}: {problem!r}"[:600])
                return

    def _count(self, what, number=1):
        with self._lock:
            self.counts[what] += number

    def _one_batch(self, rng, prefix, connection):
        requests = [self._request(rng, b"%s.%d" % (prefix, i))
                    for i in range(rng.choice([1, 2, 10, 100]))]
        data = b"".join(encode(*words) for words in requests)
        way = rng.randrange(12)
        if way == 0:  # leaves in the middle of a request
            connection.send(data[:rng.randrange(len(data))])
            self._count("left")
            return False
        if way == 1:  # leaves without reading, or after a few replies
            connection.send(data)
            for words in requests[:rng.randrange(3)]:
                self._check_reply(words, connection.read_reply())
            if rng.random() < 0.5:
                reset(connection.socket)
            self._count("left")
            return False
        if way == 2:
            connection.send_slowly(data, rng.randrange(1, 200) + len(data) // 100)
        elif way == 3:
            connection.send(data)
            connection.half_close()
        elif way == 4:
            connection.send(data + b"*x\r\n" + rng.randbytes(50))
        else:
            connection.send(data)
        for words in requests:
            self._check_reply(words, connection.read_reply())
        if way == 3:
            assert connection.read_to_end() == b""
            return False
        if way == 4:
            with contextlib.suppress(EOFError, ConnectionError):
                connection.read_to_end()
            return False
        return True

    def _request(self, rng, key):
        kind = rng.randrange(20)
        if kind == 0:
            return [b"MGET", *(b"%s.m%d" % (key, i) for i in range(rng.randrange(1, 30)))]
        if kind == 1:
            return [b"DEL", *(b"%s.d%d" % (key, i) for i in range(rng.randrange(1, 30)))]
        if kind == 2:
            return [b"SET", key, value_of(key + b"big" * rng.randrange(2))]
        if kind == 3:
            return [b"MSET", *(word for i in range(9) for word in (b"%s.s%d" % (key, i), b"v"))]
        if kind == 4:
            return [b"GET", key + b".big"]
        if kind == 5:
            return [b"PING", key]
        return [b"GET", key]

    def _check_reply(self, words, reply):
        if isinstance(reply, RespError):
            assert str(reply) in FAILURES, f"{words[:3]!r}: {reply}"
            self._count("failed")
            return
        keys = words[1:]
        expected = {b"GET": lambda: value_of(keys[0]), b"MGET": lambda: list(map(value_of, keys)),
                    b"SET": lambda: "OK", b"MSET": lambda: "OK", b"DEL": lambda: len(keys),
                    b"PING": lambda: keys[0]}[words[0]]()
        assert reply == expected, f"{words[:3]!r} got {str(reply)[:100]!r}: WRONG"
        self._count("ok")

    def run(self, connect, clients, seconds, disturb=None, least_ok=101):
        """For so many seconds, and until so many replies were right: a machine that is busy takes
        longer. `disturb(rng)` is called again and again meanwhile, from this thread."""
        threads = [threading.Thread(target=self.client, args=(i, connect), daemon=True)
                   for i in range(clients)]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        rng = self._random()
        try:
            while not self.problems:
                passed = time.monotonic() - began
                if passed >= seconds and (self.counts["ok"] >= least_ok or passed > seconds + 60):
                    break
                if disturb:
                    disturb(rng)
                self.stop.wait(0.2)
        finally:
            self.stop.set()
        for thread in threads:
            thread.join(30)
        hanging = sum(thread.is_alive() for thread in threads)
        assert not self.problems, f"seed {self.seed}: {self.problems[:3]} {self.counts}"
        assert not hanging, f"seed {self.seed}: {hanging} clients hang {self.counts}"
