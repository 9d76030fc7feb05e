# SPDX-License-Identifier: Apache-2.0
"""Random pools and random keys for the differential test."""

import random

from differ import SENTINEL
from harness import free_ports

HASHES = ["one_at_a_time", "md5", "crc16", "crc32", "crc32a", "fnv1_64", "fnv1a_64", "fnv1_32",
          "fnv1a_32", "hsieh", "murmur", "jenkins"]
DISTRIBUTIONS = ["ketama", "modula", "random"]
TAGS = ["", "{}", "$$", "<>"]


def random_pool(rng, number, servers, redis, folder):
    """(settings without `listen`, the servers it has)."""
    count = rng.choice([1, 2, 3, 4, 4, 5, 6])
    chosen = rng.sample(servers, min(count, len(servers)))
    naming = rng.choice(["none", "none", "all", "some"])
    weighted = rng.random() < 0.5
    entries = []
    for i, server in enumerate(chosen):
        weight = rng.choice([1, 1, 2, 3, 5, 10, 40]) if weighted else 1
        named = naming == "all" or (naming == "some" and rng.random() < 0.5)
        name = f"{rng.choice(['node', 's', 'server-10', 'Z_'])}{rng.randrange(1000)}x{i}"
        entries.append(server.entry(weight, name if named else None))
    settings = {
        "hash": HASHES[number % len(HASHES)],
        "distribution": rng.choice(["ketama", "ketama", "modula", "modula", "random"]),
        "timeout": 10000,
        **({"redis": True} if redis else {}),
    }
    tag = rng.choice(TAGS)
    for key, value, odds in [("hash_tag", tag, 1.0 if tag else 0), ("preconnect", True, 0.3),
                             ("tcpkeepalive", True, 0.2), ("backlog", 512, 0.2),
                             ("auto_eject_hosts", False, 0.3), ("server_failure_limit", 3, 0.2)]:
        if rng.random() < odds:
            settings[key] = value
    if number < len(DISTRIBUTIONS):
        settings["distribution"] = DISTRIBUTIONS[number]
    settings["servers"] = entries
    unix = rng.random() < 0.5
    settings["listen"] = f"{folder}/{'r' if redis else 'm'}{number}" if unix else None
    return settings, chosen


def listening(pools):
    """The pools twice, with addresses of their own: for nutcracker, for ringmaster."""
    ports = iter(free_ports(2 * len(pools)))
    copies = []
    for suffix in "nr":
        placed = {}
        for name, settings in pools.items():
            listen = settings["listen"]
            listen = f"{listen}.{suffix}" if listen else f"127.0.0.1:{next(ports)}"
            placed[name] = {**settings, "listen": listen}
        copies.append(placed)
    return copies


class Keys:
    """Keys of every kind, none twice."""

    def __init__(self, rng, redis, prefix=None):
        self._rng = rng
        self._prefix = prefix
        self._seen = {SENTINEL}
        low = 0 if redis else 0x21
        self._bytes = [byte for byte in range(low, 256) if redis or byte != 0x7f]
        self._longest = 900 if redis else 250
        if redis:
            self._first = [b"", b"\x00", b"\r\n", b"a b\r\n$3\r\n"]
        else:
            self._first = [b"x" * 250, b"\xff\xfe"]

    def next(self):
        while True:
            if self._prefix:
                key = self._prefix + b"%08x" % self._rng.getrandbits(32)
            else:
                key = self._first.pop() if self._first else self._make()
            if key not in self._seen and len(key) <= self._longest:
                self._seen.add(key)
                return key

    def _make(self):
        rng = self._rng
        style = rng.randrange(6)
        number = b"%d" % rng.randrange(100000)
        if style == 0:
            return b"key:" + number
        if style == 1:
            left, right = rng.choice([b"{}", b"$$", b"<>"]).decode()
            return f"user:{left}{rng.randrange(50)}{right}:{number.decode()}".encode()
        if style == 2:
            pieces = [b"{", b"}", b"$", b"<", b">", b"{}", b"a", b"bc", number]
            return b"".join(rng.choices(pieces, k=rng.randint(2, 8))) + number
        if style == 3:
            return bytes(rng.choices(self._bytes, k=rng.randint(1, 20)))
        if style == 4:
            return bytes(rng.choices(self._bytes, k=rng.randint(100, self._longest)))
        return b"%08x" % rng.getrandbits(32)

    @property
    def seen(self):
        return self._seen


def fresh_rng(seed, *more):
    """The same numbers for both proxies."""
    return random.Random(f"{seed}/{more}")


def many_keys(rng, count, redis):
    """Quickly; without LF, and for memcached without what it does not take."""
    low = 0 if redis else 0x21
    allowed = bytes(byte for byte in range(low, 256) if byte not in (0x0a, 0x7f))
    table = bytes(allowed[byte % len(allowed)] for byte in range(256))
    blocks = rng.randbytes(count * 24).translate(table)
    numbers = [rng.getrandbits(30) for _ in range(count)]
    keys = []
    for i, number in enumerate(numbers):
        style = number % 8
        block = blocks[24 * i:24 * i + 1 + (number >> 8) % 23]
        if style < 2:
            keys.append(b"key:%d" % number)
        elif style == 2:
            keys.append(b"user:{%d}:%d" % (number % 997, i))
        elif style == 3:
            keys.append(b"$%d$%s{%d}" % (number % 97, block, i % 89))
        elif style == 4:
            keys.append(block + b"<" + block[:number % 5] + b">{}" + block)
        elif style == 5:
            keys.append(block * (1 + number % 10))
        else:
            keys.append(block)
    return keys
