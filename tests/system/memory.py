# SPDX-License-Identifier: Apache-2.0
"""What a process holds in memory, and clients that make it hold much."""

import contextlib
import json
import pathlib
import random
import sys
import threading
import time

from clients import RespError, encode
from harness import DEADLINE_S, cpu_seconds, let_time_pass, status_of, wait_until
from reloader import is_sanitized

MB = 1 << 20
PIECES = 64 * MB  # more at a time is more than the generator gives
TIMED_OUT = RespError("ERR Connection timed out")
PIECE = bytes(range(256)) * 4096  # 1 MB


def resident(pid):
    return int(status_of(pid)["VmRSS"][0]) << 10


def all_pool_stats(proxy):
    """By pool, as `status` has them: more than the statistics that nutcracker has."""
    code, out, err = proxy.command("status", "--json")
    assert code == 0, err
    return {shown["name"]: shown["stats"] for shown in json.loads(out)["pools"]}


def pool_stats(proxy):
    """Of its one pool."""
    [stats] = all_pool_stats(proxy).values()
    return stats


class Growth:
    """How much a worker's memory has grown beyond what it held at first, at most.

    Sanitizers keep freed memory: with them nothing is judged."""

    def __init__(self, pid):
        self.pid = pid
        self.at_first = resident(pid)
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew

    def peak(self):
        return (int(status_of(self.pid)["VmHWM"][0]) << 10) - self.at_first

    def assert_below(self, bound):
        if not is_sanitized():
            assert self.peak() < bound, f"grew by {self.peak() / MB:.1f} MB, not {bound / MB:.1f}"

    def wait_returned(self, seconds=20):
        """Back within 10 % + 20 MB in that time."""
        if not is_sanitized():
            bound = self.at_first * 11 // 10 + 20 * MB
            wait_until(lambda: resident(self.pid) < bound, seconds,
                       f"memory to go back below {bound / MB:.0f} MB")


def value_of_size(size, seed=0):
    """A piece of it that is lost or elsewhere shows."""
    source, pieces = random.Random(seed), []
    for start in range(0, size, PIECES):
        pieces.append(source.randbytes(min(PIECES, size - start)))
    return b"".join(pieces)


def set_head(key, size):
    """A SET up to its value."""
    return b"*3\r\n$3\r\nSET\r\n" + b"$%d\r\n%s\r\n$%d\r\n" % (len(key), key, size)


def send_zeros(client, count):
    for _ in range(count // len(PIECE)):
        client.send(PIECE)
    client.send(PIECE[:count % len(PIECE)])


def read_at_most(client, size, bytes_per_second):
    """`size` bytes, as a reader takes them that is no faster than that."""
    data, started = bytearray(), time.monotonic()
    piece = max(4 << 10, min(256 << 10, bytes_per_second // 50))
    while len(data) < size:
        ahead = len(data) / bytes_per_second - (time.monotonic() - started)
        if ahead > 0:
            let_time_pass(ahead, "the reader is slow")
        data += client.read_exactly(min(piece, size - len(data)))
    return bytes(data)


class Others:
    """Clients that ask for small values one after the other, each reply checked. What a client has
    behind a large reply may time out; that is counted."""

    def __init__(self, proxy, keys, count=8):
        self._stop = threading.Event()
        self.served = 0
        self.timed_out = 0
        self.errors = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(proxy, keys), daemon=True)
                         for _ in range(count)]

    def _run(self, proxy, keys):
        try:
            with proxy.redis() as client:
                while not self._stop.is_set():
                    for key in keys:
                        reply = client.call("GET", key)
                        with self._lock:
                            if reply == key.encode():
                                self.served += 1
                            elif reply == TIMED_OUT:
                                self.timed_out += 1
                            else:
                                self.errors.append(reply)
        except (OSError, EOFError, RespError) as problem:
            self.errors.append(problem)

    def wait_more(self, count):
        """So many more are served from now on."""
        wanted = self.served + count
        wait_until(lambda: self.served >= wanted or self.errors, 3 * DEADLINE_S,
                   f"{count} more replies")
        assert not self.errors, self.errors[:3]

    def __enter__(self):
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(0.0002)  # else the test's own thread waits for them most of its time
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        sys.setswitchinterval(self._interval)
        for thread in self._threads:
            thread.join(DEADLINE_S)


@contextlib.contextmanager
def few_cpu_seconds(pid, most):
    """Waiting must not be done by turning round and round."""
    before = cpu_seconds(pid)
    yield
    if not is_sanitized():
        used = cpu_seconds(pid) - before
        assert used < most, f"{used:.2f} s of CPU time while there was nothing to do"


__all__ = ["MB", "Growth", "Others", "encode", "few_cpu_seconds", "read_at_most", "resident",
           "send_zeros", "set_head", "value_of_size"]
