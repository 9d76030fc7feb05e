# SPDX-License-Identifier: Apache-2.0
"""A steady load that remembers every reply: when it was asked for, when it came, what it said.

One request at a time per connection, one thread for all of them. Each server holds for every key
the value "NUMBER:KEY" (tag_servers), so a reply says which server gave it, and a reply that belongs
to another request is noticed at once.
"""

import collections
import contextlib
import random
import selectors
import sys
import threading
import time

from clients import TIMEOUT_S, encode, to_bytes
from harness import wait_until

# client: its number. worker: the pid it is served by. sent, received: time.monotonic().
# outcome: the number of the server that answered, EMPTY, or the text of an error.
Record = collections.namedtuple("Record", "client worker key sent received outcome")

EMPTY = -1  # a server without a value answered: one that was started again


def is_error(record):
    return isinstance(record.outcome, str)


class Redis:
    """How the load speaks, and how values are put into the servers."""

    @staticmethod
    def get(key):
        return encode("GET", key)

    @staticmethod
    def reply(data):
        """A value, EMPTY, or an error's text; None while it is not whole."""
        if not data.endswith(b"\r\n"):
            return None
        if data.startswith(b"-"):
            return data[1:-2].decode()
        if not data.startswith(b"$"):
            return f"not a reply: {data!r}"
        head, _, body = data.partition(b"\r\n")
        if head == b"$-1":
            return EMPTY
        return body[:-2] if len(body) == int(head[1:]) + 2 else None

    @staticmethod
    def connect(proxy):
        return proxy.redis()

    @staticmethod
    def is_up(client):
        return client.call("PING") == "PONG"

    @staticmethod
    def fill(client, values):
        client.send(b"".join(encode("SET", key, value) for key, value in values.items()))
        return client.read_replies(len(values))

    @staticmethod
    def look_up(client, keys):
        """Asks for all keys, then reads: list of values, None or errors."""
        client.send(b"".join(encode("GET", key) for key in keys))
        return client.read_replies(len(keys))


class Memcached:
    @staticmethod
    def get(key):
        return b"get %s\r\n" % to_bytes(key)

    @staticmethod
    def reply(data):
        if data == b"END\r\n":
            return EMPTY
        if data.startswith(b"VALUE "):
            return data.split(b"\r\n")[1] if data.endswith(b"\r\nEND\r\n") else None
        return data[:-2].decode() if data.endswith(b"\r\n") else None

    @staticmethod
    def connect(proxy):
        return proxy.memcached()

    @staticmethod
    def is_up(client):
        return client.ask(b"version\r\n").startswith(b"VERSION")

    @staticmethod
    def fill(client, values):
        return [client.set(key, value) for key, value in values.items()]

    @staticmethod
    def look_up(client, keys):
        client.send(b"".join(b"get %s\r\n" % to_bytes(key) for key in keys))
        found = [client.read_values() for _ in keys]
        return [values[0][1] if values else None for values in found]


def tag_servers(protocol, servers, keys):
    """Writes to every server, not through a proxy, what it answers for each key."""
    for number, server in enumerate(servers):
        with server.client() as client:
            protocol.fill(client, {key: b"%d:%s" % (number, to_bytes(key)) for key in keys})


class _Client:
    def __init__(self, number, client, worker):
        self.number = number
        self.client = client
        self.worker = worker
        self.key = None  # asked for
        self.sent = 0.0
        self.data = b""
        self.is_closed = False


class SteadyLoad:
    """`clients`: {client: pid of its worker}. Use with `with`; they are the caller's again after it,
    and within paused()."""

    def __init__(self, protocol, clients, keys, pause_s=0.02, seed=1):
        self.records = []
        self._protocol = protocol
        self._clients = [_Client(number, client, worker)
                         for number, (client, worker) in enumerate(clients.items())]
        self._keys = list(keys)
        self._pause_s = pause_s
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._failure = None
        self._thread = None
        self._switch_interval_s = sys.getswitchinterval()

    def __enter__(self):
        sys.setswitchinterval(0.0005)  # threads of this process must not wait for one that polls
        self._start()
        return self

    def __exit__(self, kind, *_):
        self._end()
        sys.setswitchinterval(self._switch_interval_s)
        if kind is None:
            self.check()

    @contextlib.contextmanager
    def paused(self):
        self._end()
        self.check()
        yield
        self._start()

    def check(self):
        """A reply that was somebody else's, or a bug of the load."""
        if self._failure is not None:
            raise self._failure

    # -- what happened

    def mark(self):
        """A place in `records`, for recent()."""
        return len(self.records)

    def recent(self, mark):
        """What came after the mark. To be used when polling: looking at all records again and again
        keeps the interpreter from the load, and from servers that live in this process."""
        return self.records[mark:]

    def errors(self, since, until=float("inf")):
        """Failed requests that were sent in between."""
        return [r for r in self.records if is_error(r) and since <= r.sent < until]

    def answers(self, keys, since):
        """Good replies for these keys to requests sent later."""
        keys = set(keys)
        return [r for r in self.records
                if r.sent >= since and r.key in keys and not is_error(r)]

    def wait_for_rounds(self, rounds=3):
        """Until every client has had so many more replies."""
        start = self.mark()

        def done():
            self.check()
            seen = collections.Counter(record.client for record in self.recent(start))
            return all(seen[c.number] >= rounds for c in self._clients if not c.is_closed)

        wait_until(done, what=f"{rounds} replies for each client")

    def wait_for_calm(self, window_s=0.3):
        """Until there was no error for a while."""

        def done():
            self.check()
            since = time.monotonic() - window_s
            latest = [record for record in self.recent(-1000) if record.sent > since]
            return len(latest) > len(self._clients) and not any(map(is_error, latest))

        wait_until(done, what=f"{window_s} s without an error")

    # -- the thread

    def _start(self):
        self._stop.clear()
        for client in self._clients:
            client.client.socket.setblocking(False)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _end(self):
        self._stop.set()
        self._thread.join(TIMEOUT_S + 5)
        assert not self._thread.is_alive(), "the load waits for a reply that does not come"
        for client in self._clients:
            client.client.socket.settimeout(TIMEOUT_S)

    def _run(self):
        try:
            with selectors.DefaultSelector() as selector:
                self._loop(selector)
        except Exception as failure:  # pylint: disable=broad-except  # shown by check()
            self._failure = failure

    def _loop(self, selector):
        resting = collections.deque()  # (when, client): the pause is the same for all
        now = time.monotonic()
        live = [client for client in self._clients if not client.is_closed]
        for place, client in enumerate(live):
            selector.register(client.client.socket, selectors.EVENT_READ, client)
            resting.append((now + self._pause_s * place / len(live), client))
        give_up = None
        while True:
            if self._stop.is_set():
                resting.clear()
                give_up = give_up or time.monotonic() + TIMEOUT_S
                if not any(client.key for client in self._clients) or time.monotonic() > give_up:
                    return
            now = time.monotonic()
            while resting and resting[0][0] <= now:
                self._ask(resting.popleft()[1])
            rest = resting[0][0] - time.monotonic() if resting else 0.05
            for ready, _ in selector.select(max(0.0, min(rest, 0.05))):
                client = ready.data
                if self._read(client):
                    resting.append((time.monotonic() + self._pause_s, client))
                elif client.is_closed:
                    selector.unregister(client.client.socket)

    def _ask(self, client):
        client.key = self._random.choice(self._keys)
        client.data = b""
        client.sent = time.monotonic()
        with contextlib.suppress(OSError):  # the end of the connection is seen by reading
            client.client.socket.send(self._protocol.get(client.key))

    def _read(self, client):
        """True when a whole reply is there."""
        try:
            data = client.client.socket.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            client.is_closed = True
            self._record(client, "closed")
            return False
        client.data += data
        reply = self._protocol.reply(client.data)
        if reply is None:
            return False
        assert client.key is not None, f"a reply nobody asked for: {client.data!r}"
        if isinstance(reply, bytes):
            number, _, key = reply.partition(b":")
            assert key == to_bytes(client.key), f"{client.key} was answered with {reply!r}"
            reply = int(number)
        self._record(client, reply)
        return True

    def _record(self, client, outcome):
        self.records.append(Record(client.number, client.worker, client.key, client.sent,
                                   time.monotonic(), outcome))
        client.key = None
