# SPDX-License-Identifier: Apache-2.0
"""Small clients on raw sockets: they send any bytes, and read exactly the replies asked for."""

import contextlib
import json
import socket

TIMEOUT_S = 20.0


class RespError(Exception):
    """An error reply, e.g. RespError("ERR Connection refused"). Returned, never raised."""

    def __eq__(self, other):
        return isinstance(other, RespError) and self.args == other.args

    def __hash__(self):
        return hash(self.args)

    def __str__(self):
        return self.args[0]


class Status(str):
    """A simple string reply: Status("OK") == "OK"."""


class Connection:
    """A socket with a read buffer. `address` is a path or (host, port)."""

    def __init__(self, address, timeout=TIMEOUT_S, receive_buffer_bytes=None):
        family = socket.AF_UNIX if isinstance(address, str) else (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data, piece_bytes=1):
        """In pieces, each a segment of its own as far as the kernel allows (TCP_NODELAY is set)."""
        for start in range(0, len(data), piece_bytes):
            self.socket.sendall(data[start:start + piece_bytes])

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _fill(self):
        if self._at > 1 << 20:
            del self._buffer[:self._at]
            self._at = 0
        data = self.socket.recv(1 << 20)
        if not data:
            rest = bytes(self._buffer[self._at:])
            raise EOFError(f"the connection was closed; unread: {rest[:200]!r}")
        self._buffer += data

    def read_line(self):
        """Up to and with CR LF."""
        searched = self._at
        while True:
            end = self._buffer.find(b"\r\n", searched)
            if end >= 0:
                line = bytes(self._buffer[self._at:end + 2])
                self._at = end + 2
                return line
            searched = self._at + max(0, len(self._buffer) - self._at - 1)
            before = self._at
            self._fill()
            searched -= before - self._at

    def read_exactly(self, count):
        while len(self._buffer) - self._at < count:
            self._fill()
        data = bytes(self._buffer[self._at:self._at + count])
        self._at += count
        return data

    def read_to_end(self):
        """Everything until the other side closes (a reset counts as a close)."""
        try:
            while True:
                self._fill()
        except (EOFError, ConnectionResetError):
            rest = bytes(self._buffer[self._at:])
            self._at = len(self._buffer)
            return rest

    def read_to_fin(self):
        """Everything until the other side closes in order; a reset raises."""
        with contextlib.suppress(EOFError):
            while True:
                self._fill()
        rest = bytes(self._buffer[self._at:])
        self._at = len(self._buffer)
        return rest

    def read_to_end_or_reply(self):
        """One line, or b"" when the connection was closed or reset instead."""
        try:
            return self.read_line()
        except (EOFError, ConnectionResetError):
            return b""

    def has_no_more(self):
        """True when nothing is buffered and nothing has arrived up to now."""
        if len(self._buffer) > self._at:
            return False
        self.socket.setblocking(False)
        try:
            data = self.socket.recv(1)
            self._buffer += data
            return False
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT_S)

    def is_closed_by_peer(self):
        """True when the other side has closed and no byte is left to read."""
        if len(self._buffer) > self._at:
            return False
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT_S)


def to_bytes(value):
    if isinstance(value, bytes):
        return value
    return str(value).encode()


def encode(*words):
    """A RESP2 request."""
    parts = [b"*%d\r\n" % len(words)]
    for word in map(to_bytes, words):
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class RespClient(Connection):
    def call(self, *words):
        self.send(encode(*words))
        return self.read_reply()

    def read_reply(self):
        """bytes, int, None, list, Status or RespError."""
        line = self.read_line()
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return Status(rest.decode())
        if kind == b"-":
            return RespError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return None
            body = self.read_exactly(length + 2)
            assert body.endswith(b"\r\n"), f"a bulk string of {length} bytes ends in {body[-2:]!r}"
            return body[:-2]
        if kind == b"*":
            count = int(rest)
            return None if count < 0 else [self.read_reply() for _ in range(count)]
        raise AssertionError(f"not a reply: {line!r}")

    def read_replies(self, count):
        return [self.read_reply() for _ in range(count)]


class MemcachedClient(Connection):
    def ask(self, data):
        """Sends, and reads one line back."""
        self.send(data)
        return self.read_line()

    def store(self, command, key, value, flags=0, exptime=0, extra=b""):
        head = b"%s %s %d %d %d%s\r\n" % (to_bytes(command), to_bytes(key), flags, exptime,
                                         len(value), extra)
        return self.ask(head + value + b"\r\n")

    def set(self, key, value, **options):
        return self.store("set", key, value, **options)

    def get_many(self, keys, command="get"):
        self.send(to_bytes(command) + b"".join(b" " + to_bytes(key) for key in keys) + b"\r\n")
        return self.read_values()

    def get(self, key):
        found = self.get_many([key])
        return found[0][1] if found else None

    def gets(self, key):
        """(value, unique) or None."""
        found = self.get_many([key], "gets")
        return (found[0][1], found[0][3]) if found else None

    def read_values(self):
        """[(key, value, flags, unique or None)] in the order they came; an error line is raised."""
        found = []
        while True:
            line = self.read_line()
            if line == b"END\r\n":
                return found
            words = line.split()
            if words[:1] != [b"VALUE"]:
                raise MemcachedError(line[:-2].decode())
            value = self.read_exactly(int(words[3]) + 2)
            assert value.endswith(b"\r\n")
            unique = int(words[4]) if len(words) > 4 else None
            found.append((words[1], value[:-2], int(words[2]), unique))


class MemcachedError(Exception):
    """An error line where values were expected."""


def read_stats(address, raw=False):
    """The stats document: connect, read to the end."""
    with Connection(address) as connection:
        text = connection.read_to_end().decode()
    return text if raw else json.loads(text)
