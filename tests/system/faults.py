# SPDX-License-Identifier: Apache-2.0
"""For the tests of ejection: pools that eject, servers whose behaviour changes, and what the master
says about it in its log. A path that breaks: fault_proxy.py."""

import contextlib
import json
import re
import socket
import time

from clients import to_bytes
from harness import BINARY, FakeServer, pid_serving, pool, reset, wait_until
from hostile import bulk, take_memcached_request, take_resp_request

# ---- what the log says: the one place that knows the words ---------------------------------------

_POOL = r"pool '(?P<pool>[^']*)': "
_SERVER = r"server '(?P<server>[^']*)' "
EJECTED = re.compile(_POOL + _SERVER + r"ejected\b.*\bepoch (?P<epoch>\d+)")
BACK = re.compile(_POOL + _SERVER + r"is back\b.*\bepoch (?P<epoch>\d+)")
VETO = re.compile(_POOL + "veto: " + _SERVER)
REFUSED = re.compile(_POOL + _SERVER + r".*\bcannot be spared\b.*\bepoch (?P<epoch>\d+)")
ALONE = re.compile(_POOL + r"the master does not answer, " + _SERVER + r"is out\b")
CHANGED = re.compile(_POOL + _SERVER + r"(?:ejected|is back|is bad)\b.*\bepoch (?P<epoch>\d+)")


def log_lines(proxy, pattern, server=None, pool_name="p"):
    """The matches so far, in order; only those about `server` (its name), if given."""
    found = [match for line in proxy.log_text().splitlines() if (match := pattern.search(line))]
    return [match for match in found if match.group("pool") == pool_name
            and server in (None, match.group("server"))]


def wait_for_log(proxy, pattern, server=None):
    wait_until(lambda: log_lines(proxy, pattern, server),
               what=f"{pattern.pattern!r} about {server or 'any server'} in the log")


def assert_ejections_counted(proxy, by_master):
    """So many by the master, and those of workers to whom it did not answer in time: it may have
    stood still for a moment. The stats count both, the log tells both."""
    assert len(log_lines(proxy, EJECTED)) == by_master
    alone = len(log_lines(proxy, ALONE))
    assert proxy.stats()["p"]["server_ejects"] == by_master + alone


def assert_epochs_grow(proxy):
    """The ring's number goes up with its changes; two of one moment may share a line's number."""
    epochs = [int(match.group("epoch")) for match in log_lines(proxy, CHANGED)]
    assert epochs == sorted(set(epochs)), epochs
    assert len(set(epochs)) > len(epochs) // 2, epochs


# ---- set-up --------------------------------------------------------------------------------------

# Wall-clock bars hold for the release build; a sanitized one only has to get there.
IS_SANITIZED = "asan" in BINARY or "tsan" in BINARY


def bar(seconds):
    return seconds * 20 if IS_SANITIZED else seconds


def names(servers):
    """Entries "host:port:1 sN" of real and fake servers: the log and the stats then say sN."""
    return [server.entry(name=f"s{number}") for number, server in enumerate(servers)]


def eject_pool(servers, **settings):
    """A pool that ejects soon and takes back soon."""
    timeout = 1000  # a healthy server on a busy machine must not miss it
    return pool(names(servers), **{"redis": True, "auto_eject_hosts": True, "timeout": timeout,
                                   "server_failure_limit": 2, "server_retry_timeout": 300,
                                   "probe_timeout": timeout, **settings})


@contextlib.contextmanager
def spread_clients(proxy, protocol, per_worker=10):
    """{client: pid}: so many connections at each worker. Their end is closed after the block."""
    with contextlib.ExitStack() as stack:
        workers = proxy.wait_workers()
        found = {pid: [] for pid in workers}
        for _ in range(100 * per_worker):
            client = protocol.connect(proxy)
            assert protocol.is_up(client)
            pid = pid_serving(client.socket, workers)
            if pid is None or len(found[pid]) >= per_worker:
                client.close()
                continue
            stack.enter_context(client)
            found[pid].append(client)
            if all(len(clients) == per_worker for clients in found.values()):
                break
        assert all(len(clients) == per_worker for clients in found.values()), "no even spread"
        yield {client: pid for pid, clients in found.items() for client in clients}


def keys_by_server(protocol, client, keys, servers):
    """Lists of the keys each server answers for (tag_servers(), or a fake's value_of())."""
    placed = [[] for _ in servers]
    for key, value in zip(keys, protocol.look_up(client, keys)):
        number, _, rest = value.partition(b":")
        assert rest == to_bytes(key), f"{key}: {value!r}"
        placed[int(number)].append(key)
    assert all(placed), f"a server without keys: {[len(each) for each in placed]}"
    return placed


def request_times(client, requests, read):
    """Seconds each request takes, sorted, and the set of replies."""
    times, replies = [], set()
    for request in requests:
        began = time.monotonic()
        client.send(request)
        replies.add(read())
        times.append(time.monotonic() - began)
    return sorted(times), replies


def wait_agreed(proxy, pool_name="p"):
    """Until every worker goes by the master's newest ring. Returns when that was seen."""

    def epochs(pools):
        return [entry["epoch"] for entry in pools if entry["name"] == pool_name]

    def agreed():
        code, out, err = proxy.command("status", "--json")
        assert code == 0, err
        document = json.loads(out)
        return all(epochs(worker["pools"]) == epochs(document["pools"])
                   for worker in document["workers"])

    wait_until(agreed, what="all workers to have the newest ring")
    return time.monotonic()


# ---- servers whose behaviour changes -------------------------------------------------------------

RESET = "reset"  # what a mode may return in place of bytes: the connection ends with an RST,
CLOSE = "close"  # with a FIN,
SILENCE = "silence"  # or the request is never answered


def well(_words, honest):
    return honest


def resets(_words, _honest):
    return RESET


def says(line):
    """A mode that answers everything with this line."""
    return lambda _words, _honest: line


class ModeServer(FakeServer):
    """Answers by `mode`, a function (words, honest reply) -> bytes, RESET, CLOSE or SILENCE, which
    may be changed at any time. The value of a key is "NUMBER:KEY". Counts what arrives."""

    def __init__(self, number, mode=well, memcached=False):
        self.number = number
        self.mode = mode
        self.counts = {}  # by command
        self._memcached = memcached
        self._take = take_memcached_request if memcached else take_resp_request
        super().__init__(self._serve_requests)

    def honest(self, words):
        command = words[0].upper()
        value = b"%d:%s" % (self.number, words[1]) if len(words) > 1 else b""
        if self._memcached:
            return {b"GET": b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (words[-1], len(value), value),
                    b"SET": b"STORED\r\n",
                    b"VERSION": b"VERSION 1.6.0\r\n"}.get(command, b"ERROR\r\n")
        return {b"PING": b"+PONG\r\n", b"GET": bulk(value)}.get(command, b"+OK\r\n")

    def count(self, command):
        return self.counts.get(command, 0)

    def close_connections(self):
        """All that are open, with a FIN; new ones are served."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _serve_requests(self, connection, _):
        pending = b""
        while data := self.recv(connection):
            pending += data
            replies = b""
            while True:
                words, pending = self._take(pending)
                if words is None:
                    break
                command = words[0].upper()
                # First: who has seen it counted may change the mode.
                reply = self.mode(words, self.honest(words))
                with self._lock:
                    self.counts[command] = self.counts.get(command, 0) + 1
                if reply is RESET:
                    reset(connection)
                    return
                if reply is CLOSE:
                    return
                if reply is SILENCE:  # for good: a later reply would be taken for this one's
                    connection.sendall(replies)
                    while self.recv(connection):
                        pass
                    return
                replies += reply
            connection.sendall(replies)
