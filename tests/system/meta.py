# SPDX-License-Identifier: Apache-2.0
"""memcached's meta commands for tests: a client that reads their replies, and random commands."""

import base64
import re

from clients import MemcachedClient

# What a flag of a reply tells of the clock or of one server's own counters.
_OWN = re.compile(rb"(?<= )([ctl])\d+(?=[ \r])")
_OWN_DEBUG = re.compile(rb"(exp|la|cas)=(?!-1 )-?\d+")  # exp=-1 is never


class MetaClient(MemcachedClient):
    def read_meta_reply(self):
        """One reply as it came: a line, or VA or VALUE with what follows."""
        line = self.read_line()
        if line.startswith(b"VA "):
            return line + self.read_exactly(int(line.split()[1]) + 2)
        found = line
        while line.startswith(b"VALUE "):
            found += self.read_exactly(int(line.split()[3]) + 2)
            line = self.read_line()
            found += line
        return found

    def read_to_noops(self, count=1):
        """All replies up to and with the count-th MN."""
        found = []
        while count > 0:
            found.append(self.read_meta_reply())
            count -= found[-1] == b"MN\r\n"
        return found

    def talk(self, data):
        """Sends it and a no-op; the replies without the MN."""
        self.send(data + b"mn\r\n")
        return self.read_to_noops()[:-1]

    def unique_of(self, key):
        """The cas number of a key ("KEY", or "ENCODED b"), 0 when it is not there."""
        found = self.talk(b"mg %s c\r\n" % key)
        match = re.match(rb"HD c(\d+)", found[0])
        return int(match.group(1)) if match else 0


def masked(replies):
    """Without times, which pass, and cas numbers, which each server counts for itself. It goes by
    the bytes, not by replies: a raw key with line ends in it makes those unreadable."""
    return _OWN_DEBUG.sub(rb"\1=#", _OWN.sub(rb"\1#", replies))


class Commands:
    """Random requests, good and bad ones, over a few keys: (line, data block with its line end).
    `{n}` in a line stands for the cas number of named[n], which only who sends it can know. It is
    always the number of the line's own key: which of two keys' numbers is the larger depends on
    the servers they are at, and a `ms` with I goes by that.

    A pipeline either reads or does arithmetic: a server that still has to send the reply to an mg
    makes a new item of a sum, and that one has lost some of its marks."""

    GET = ["c", "f", "h", "k", "l", "q", "s", "t", "u", "v", "v", "v", "O#", "N30", "R10", "R9000",
           "T3600", "T0", "Pa", "Lb"]
    SET = ["c", "k", "q", "I", "O#", "F7", "F4294967295", "T0", "T3600", "MS", "ME", "MA", "MP",
           "MR", "Ms", "Me", "C{}", "C77777777", "Pa"]
    DELETE = ["k", "q", "I", "O#", "T3600", "C{}", "C77777777", "Lb"]
    ARITHMETIC = ["c", "k", "q", "t", "v", "v", "O#", "N0", "N3600", "J17", "D5", "D0",
                  "T3600", "MI", "MD", "M+", "M-", "C{}", "C77777777"]
    BAD = ["x", "A", "%", "Tx", "T", "N", "Fx", "C", "Cx", "MX", "M", "Dx", "Jx", "O" + "o" * 40,
           "q", "k", "noreply", "\xff"]

    def __init__(self, rng, prefix):
        self.rng = rng
        self.keys = [b"%s%d" % (prefix, i) for i in range(5)]
        # memcached 1.6.18 shows keys of some items as they are: these try to pass for replies.
        self.binary = [prefix + rng.choice([b"\r\nMN\r\n", b"\n", b" k\r\nEN Oend\r\n", b"\r\nEN\r\nHD",
                                            rng.randbytes(rng.randint(1, 12))]) for _ in range(3)]
        self.named = self.keys + [base64.b64encode(key) + b" b" for key in self.binary]
        self._opaque = 0

    def _flags(self, of):
        rng = self.rng
        found = rng.sample(of, rng.randint(0, min(6, len(of))))
        if rng.random() < 0.5:  # a flag twice is an error: most lines are to be good
            found = [flag for i, flag in enumerate(found)
                     if flag[0] not in [other[0] for other in found[:i]]]
        if rng.random() < 0.08:
            found.insert(rng.randint(0, len(found)), rng.choice(self.BAD))
        self._opaque += 1
        return [flag.replace("#", str(self._opaque)).encode("latin-1") for flag in found]

    def _key(self):
        """(the word of the line, the flag b or none, its number in `named` or none)"""
        rng = self.rng
        kind = rng.random()
        if kind < 0.6:
            number = rng.randrange(len(self.keys))
            return self.keys[number], [], number
        if kind < 0.8:
            number = rng.randrange(len(self.keys))
            return base64.b64encode(self.keys[number]), [b"b"], number
        if kind < 0.97:
            number = rng.randrange(len(self.binary))
            return base64.b64encode(self.binary[number]), [b"b"], len(self.keys) + number
        return rng.choice([b"Zg=", b"!!!!", b"====", b"a" * 251, b"a" * 250]), [b"b"], None

    def _line(self, command, flags, middle=()):
        key, encoded, number = self._key()
        unique = b"77777777" if number is None else b"{%d}" % number
        words = [flag.replace(b"{}", unique) for flag in self._flags(flags)]
        words[self.rng.randint(0, len(words)):0] = encoded
        gap = b"  " if self.rng.random() < 0.05 else b" "
        end = b"\n" if self.rng.random() < 0.05 else b"\r\n"
        return gap.join([command, key, *middle, *words]) + end, key

    def _set(self):
        rng = self.rng
        value = rng.choice([b"", b"5", b"12", b"MN\r\n", rng.randbytes(rng.randint(1, 60)),
                            rng.randbytes(rng.choice([4000, 70000]))])
        line, key = self._line(b"ms", self.SET, [b"%d" % len(value)])
        # A server would run the data block of a key that is too long.
        return self._set() if len(key) > 250 else (line, value + b"\r\n")

    def pipeline(self, most):
        reads = self.rng.random() < 0.6
        return [self._one(reads) for _ in range(self.rng.randint(1, most))]

    def _one(self, reads):
        rng = self.rng
        kind = rng.random()
        if kind < 0.35:
            return self._line(*((b"mg", self.GET) if reads else (b"ma", self.ARITHMETIC)))[0], b""
        if kind < 0.65:
            return self._set()
        if kind < 0.75:
            return self._line(b"md", self.DELETE)[0], b""
        if kind < 0.78:
            return self._line(b"me", ["b", "k", "v"])[0], b""
        key = rng.choice(self.keys)
        reading = [b"get %s\r\n" % key, b"gat 3600 %s\r\n" % key]
        return rng.choice((reading if reads else [b"incr %s 1\r\n" % key]) + [
            b"mn\r\n", b"mn q k\r\n", b"version\r\n",
            b"set %s 3 0 1\r\n7\r\n" % key, b"delete %s\r\n" % key, b"touch %s 0\r\n" % key,
            b"add %s 0 0 1 noreply\r\n9\r\n" % key, b"mg\r\n", b"ms\r\n", b"md\r\n", b"ma\r\n",
            b"me\r\n", b"ms %s\r\n" % key, b"ms %s x v\r\n" % key, b"ms %s -1\r\n" % key,
            b"nosuch\r\n", b"mg %s %s\r\n" % (key, b" ".join([b"x"] * 30)),
        ]), b""
