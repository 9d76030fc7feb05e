# SPDX-License-Identifier: Apache-2.0
"""The other end of NOTIFY_SOCKET: what a service tells systemd."""

import contextlib
import socket

from harness import wait_until


class NotifySocket:
    """`messages`: what came, in order, as dicts of the lines' names and values."""

    def __init__(self, address):
        """`address` is bound: a path, or an abstract one that begins with a zero byte."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(address)
        self.messages = []

    def read(self):
        """All of them, those included that have come meanwhile."""
        with contextlib.suppress(BlockingIOError):
            while True:
                text = self._socket.recv(65536).decode()
                self.messages.append(dict(line.split("=", 1) for line in text.split("\n")))
        return self.messages

    def has(self, name, count=1):
        return sum(name in message for message in self.read()) >= count

    def wait_for(self, name, count=1):
        """The `count`th message with that name."""
        wait_until(lambda: self.has(name, count), what=f"{name} {count} times in {self.messages}")
        return [message for message in self.messages if name in message][count - 1]

    def names(self, without=("STATUS",)):
        return [name for message in self.read() for name in message if name not in without]

    def close(self):
        self._socket.close()
