# SPDX-License-Identifier: Apache-2.0
"""Fake servers that tell who they are, and answer when they are told to: tests wait for events."""

import contextlib
import queue
import threading

from hostile import bulk, take_memcached_request, take_resp_request
from harness import FakeServer


class NamedServer(FakeServer):
    """A Redis or memcached that answers a read of KEY with "NAME:KEY", a write with success.

    With `gated` nothing is answered before open(), but all is read; close_gate() shuts it again.
    `keys` are those asked for, in the order they came; `most_waiting` is how many requests were here
    unanswered, at most.
    """

    def __init__(self, name, protocol="redis", gated=False):
        self.name = name.encode()
        self.gate = threading.Event()
        if not gated:
            self.gate.set()
        self.keys = []
        self.most_waiting = 0
        self._asked = self._answered = 0
        self.ended = 0  # connections that the proxy has closed
        redis = protocol == "redis"
        self._take = take_resp_request if redis else take_memcached_request
        self._reply = self._resp if redis else self._memcached
        super().__init__(self._serve_named)

    def value(self, key):
        return self.name + b":" + key

    def open(self):
        self.gate.set()

    def close_gate(self):
        self.gate.clear()

    def close(self):
        self.gate.set()
        super().close()

    def _serve_named(self, connection, fake):
        pending, replies = b"", queue.Queue()
        writer = threading.Thread(target=self._write, args=(connection, replies), daemon=True)
        writer.start()
        try:
            while True:
                data = fake.recv(connection)  # a shut gate does not stop the reading
                if not data:
                    return
                pending += data
                ready = []
                while True:
                    words, pending = self._take(pending)
                    if words is None:
                        break
                    reads = words[0].upper() in (b"GET", b"MGET", b"GETS")
                    self.keys += words[1:] if reads else words[1:2]
                    ready.append(self._reply(words))
                self._asked += len(ready)
                self.most_waiting = max(self.most_waiting, self._asked - self._answered)
                if ready:
                    replies.put((b"".join(ready), len(ready)))
        finally:
            self.ended += 1
            replies.put(None)
            writer.join(60)

    def _write(self, connection, replies):
        with contextlib.suppress(OSError):
            for data, count in iter(replies.get, None):
                self.gate.wait(60)
                self._answered += count  # first: nobody asks for more before it is sent
                connection.sendall(data)

    def _resp(self, words):
        command = words[0].upper()
        if command == b"GET":
            return bulk(self.value(words[1]))
        if command == b"MGET":
            return b"*%d\r\n" % (len(words) - 1) + b"".join(bulk(self.value(key))
                                                           for key in words[1:])
        return b"+OK\r\n"

    def _memcached(self, words):
        if words[0] in (b"get", b"gets"):
            found = [(key, self.value(key)) for key in words[1:]]
            return b"".join(b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(value), value)
                            for key, value in found) + b"END\r\n"
        return b"STORED\r\n" if words[0] == b"set" else b"OK\r\n"
