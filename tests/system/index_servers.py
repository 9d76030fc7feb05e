# SPDX-License-Identifier: Apache-2.0
"""Servers that answer every request with their own number, for placing many keys fast.

One process, forked, for all of them. It does not parse: it counts LF bytes, so keys must have none.
A Redis request has to be GET KEY (five LF, answered with a bulk string), a memcached one
`incr KEY 1` (one LF, answered with a number).
"""

import contextlib
import multiprocessing
import selectors
import socket

from harness import DEADLINE_S, _die_with_the_tests

DEFAULT_PORT = 11211  # left out of the server's name in the ring


class Listener:
    def __init__(self, number, redis, address):
        self.lines = 5 if redis else 1
        text = b"%d" % number
        self.answer = b"$%d\r\n%s\r\n" % (len(text), text) if redis else text + b"\r\n"
        if isinstance(address, str):
            self.socket, self.where = socket.socket(socket.AF_UNIX), address
            self.socket.bind(address)
        else:
            six = ":" in address[0]
            self.socket = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
            self.socket.bind(address)
            self.where = f"{address[0]}:{self.socket.getsockname()[1]}"
        self.socket.listen(256)

    def entry(self, weight=1, name=None):
        return f"{self.where}:{weight}" + (f" {name}" if name else "")


class Connection:
    def __init__(self, connection, listener):
        connection.setblocking(False)
        self.socket = connection
        self.listener = listener
        self.lines = 0
        self.unsent = b""

    def turn(self):
        """Reads once, answers what is whole; False at the end."""
        try:
            data = self.socket.recv(1 << 18)
            if not data:
                return False
            self.lines += data.count(b"\n")
            whole, self.lines = divmod(self.lines, self.listener.lines)
            self.unsent += self.listener.answer * whole
        except BlockingIOError:
            pass
        except OSError:
            return False
        return self.flush()

    def flush(self):
        try:
            while self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent):]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


def _serve(listeners):
    _die_with_the_tests()
    selector = selectors.EpollSelector()
    for listener in listeners:
        selector.register(listener.socket, selectors.EVENT_READ, listener)
    while True:
        for key, events in selector.select():
            if isinstance(key.data, Listener):
                connection = Connection(key.fileobj.accept()[0], key.data)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                continue
            connection = key.data
            goes_on = connection.turn() if events & selectors.EVENT_READ else connection.flush()
            if goes_on:
                more = selectors.EVENT_WRITE if connection.unsent else 0
                selector.modify(connection.socket, selectors.EVENT_READ | more, connection)
            else:
                selector.unregister(connection.socket)
                connection.socket.close()


class IndexServers:
    """`addresses`: (host, port or 0) or a path each. Use with `with`."""

    def __init__(self, redis, addresses):
        self.listeners = []
        for address in addresses:
            with contextlib.suppress(OSError):  # no IPv6, or somebody has the port
                self.listeners.append(Listener(len(self.listeners), redis, address))
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_serve, args=(self.listeners,), daemon=True)
        self._process.start()
        for listener in self.listeners:
            listener.socket.close()

    def __enter__(self):
        return self.listeners

    def __exit__(self, *_):
        self._process.kill()
        self._process.join(DEADLINE_S)
