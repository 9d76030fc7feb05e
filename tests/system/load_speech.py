# SPDX-License-Identifier: Apache-2.0
"""How the load speaks Redis and memcached: requests, the exact bytes of their replies, verdicts.

Pure: no sockets, no clock. An Operation is one request with the reply it must get, byte for byte. A
reply that is not these bytes is judged: an error line, values that are gone (a miss, which is
legal only where a key's server may have changed), the right values in another order (memcached),
or WRONG.
"""

import re

# What became of a request. Only OK and VANISHED are replies a client may be given.
OK, VANISHED, ERROR, WRONG = "ok", "vanished", "error", "wrong"

# Written keys go away by themselves: a long run must not fill the servers.
EXPIRE_S = 120


def value_of(client, number, size):
    """`size` bytes that only this write of this client can have written."""
    unit = b"%d.%d;" % (client, number)
    return (unit * (size // len(unit) + 1))[:size]


def is_own_value(client, value):
    """Whether some write of this client could have written it."""
    number = re.match(rb"%d\.(\d+);" % client, value)
    return bool(number) and value == value_of(client, int(number.group(1)), len(value))


class Operation:
    """One request. `found`: {key: value} for a read, None for a write. `lenient`: sent behind a
    request that failed, so that a read may find any value of its client, or none."""

    __slots__ = ("request", "reply", "found", "since", "lenient")

    def __init__(self, request, reply, found=None):
        self.request = request
        self.reply = reply
        self.found = found
        self.since = 0.0
        self.lenient = False


class Malformed(Exception):
    """These bytes can never become a reply."""


def _line_end(data, at):
    """Behind the CR LF of the line at `at`; None when it is not whole."""
    end = data.find(b"\r\n", at)
    if end < 0:
        if len(data) - at > 4096:
            raise Malformed("a line of over 4 KB")
        return None
    return end + 2


class Redis:
    @staticmethod
    def _encode(*words):
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word)
                                                 for word in words)

    @classmethod
    def write(cls, key, value):
        return Operation(cls._encode(b"SET", key, value, b"EX", b"%d" % EXPIRE_S), b"+OK\r\n")

    @classmethod
    def read(cls, found):
        """A GET, or an MGET for several keys."""
        bulks = b"".join(b"$%d\r\n%s\r\n" % (len(value), value) for value in found.values())
        if len(found) == 1:
            return Operation(cls._encode(b"GET", *found), bulks, found)
        return Operation(cls._encode(b"MGET", *found), b"*%d\r\n" % len(found) + bulks, found)

    @classmethod
    def end_of_reply(cls, data, at):
        """Behind the first whole reply from `at`; None when there is none yet."""
        end = _line_end(data, at)
        if end is None:
            return None
        kind, line = data[at:at + 1], data[at + 1:end - 2]
        if kind in b"+-:":
            return end
        if kind not in b"$*" or not re.fullmatch(rb"-1|\d{1,9}", line):
            raise Malformed(f"not a reply: {bytes(data[at:at + 60])!r}")
        count = int(line)
        if kind == b"$":
            if count < 0:
                return end
            return end + count + 2 if len(data) >= end + count + 2 else None
        for _ in range(max(0, count)):
            end = cls.end_of_reply(data, end)
            if end is None:
                return None
        return end

    @classmethod
    def judge(cls, operation, reply, client):
        """For a whole reply that is not the expected one."""
        if reply.startswith(b"-"):
            return ERROR
        if operation.found is None:
            return WRONG
        at = 0
        if len(operation.found) > 1:
            head = b"*%d\r\n" % len(operation.found)
            if not reply.startswith(head):
                return WRONG
            at = len(head)
        for value in operation.found.values():
            end = cls.end_of_reply(reply, at)
            if end is None:
                return WRONG
            legal = (b"$%d\r\n%s\r\n" % (len(value), value), b"$-1\r\n")
            bulk = reply[at:end]
            if bulk not in legal and not cls._is_own_bulk(operation, bulk, client):
                return WRONG
            at = end
        return VANISHED if at == len(reply) else WRONG

    @staticmethod
    def _is_own_bulk(operation, bulk, client):
        head, _, rest = bulk.partition(b"\r\n")
        return operation.lenient and head.startswith(b"$") and is_own_value(client, rest[:-2])


class Memcached:
    @staticmethod
    def write(key, value):
        return Operation(b"set %s 0 %d %d\r\n%s\r\n" % (key, EXPIRE_S, len(value), value),
                         b"STORED\r\n")

    @staticmethod
    def read(found):
        blocks = [b"VALUE %s 0 %d\r\n%s\r\n" % (key, len(value), value)
                  for key, value in found.items()]
        return Operation(b"get " + b" ".join(found) + b"\r\n", b"".join(blocks) + b"END\r\n",
                         found)

    @staticmethod
    def end_of_reply(data, at):
        while True:
            end = _line_end(data, at)
            if end is None:
                return None
            if not data.startswith(b"VALUE ", at):
                return end
            words = bytes(data[at:end - 2]).split()
            if len(words) != 4 or not words[3].isdigit():
                raise Malformed(f"not a reply: {bytes(data[at:at + 60])!r}")
            at = end + int(words[3]) + 2
            if len(data) < at:
                return None

    @classmethod
    def judge(cls, operation, reply, client):
        if re.match(rb"ERROR|SERVER_ERROR|CLIENT_ERROR", reply):
            return ERROR
        if operation.found is None:
            return WRONG
        at, missing = 0, dict(operation.found)
        while not reply.startswith(b"END\r\n", at):
            block = re.compile(rb"VALUE (\S+) 0 (\d+)\r\n").match(reply, at)
            if not block or block.group(1) not in missing:
                return WRONG
            end = block.end() + int(block.group(2))
            value = reply[block.end():end]
            if value != missing.pop(block.group(1)) and not (operation.lenient
                                                             and is_own_value(client, value)):
                return WRONG
            if reply[end:end + 2] != b"\r\n":
                return WRONG
            at = end + 2
        if at + len(b"END\r\n") != len(reply):
            return WRONG
        # Keys of several servers come in the servers' order: no fault.
        return VANISHED if missing else OK


SPEECHES = {"redis": Redis, "memcached": Memcached}
