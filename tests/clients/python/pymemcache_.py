# SPDX-License-Identifier: Apache-2.0
"""pymemcache with its defaults."""

import pymemcache
from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.client.retrying import RetryingClient

from steps import HOST, PORT, begin, end, step

BIG = b"0123456789abcdef" * 65000
FAR = 2100000000  # in 2036

c = Client((HOST, PORT))
begin(pymemcache.__version__, "text")


def connections():
    step("version has three numbers", lambda: len(c.version().split(b".")))
    step("stats: names", lambda: sorted(
        {b"pid", b"uptime", b"curr_connections", b"version"} & set(c.stats())))
    step("cache_memlimit of no number", c.cache_memlimit, "x")


def strings():
    step("set", c.set, "s", "value")
    step("get", c.get, "s")
    step("get of nothing", c.get, "none")
    step("get with a default", c.get, "none", "default")
    step("set of an int", c.set, "int", 12)
    step("set with an answer", c.set, "s", b"second", noreply=False)
    step("set with flags", c.set, "flagged", b"v", flags=77)
    step("set with a time", c.set, "timed", "v", expire=1000, noreply=False)
    step("set in the past", c.set, "past", "v", expire=-1, noreply=False)
    step("get of the past", c.get, "past")
    step("set to the year 2036", c.set, "far", "v", expire=FAR, noreply=False)
    step("get of the far", c.get, "far")
    step("add", c.add, "added", 1)
    step("add with an answer", c.add, "added", 2, noreply=False)
    step("get of the added", c.get, "added")
    step("replace", c.replace, "s", "third", noreply=False)
    step("replace of nothing", c.replace, "none", "x", noreply=False)
    step("append", c.append, "s", "!", noreply=False)
    step("append to nothing", c.append, "none", "x", noreply=False)
    step("prepend", c.prepend, "s", "<", noreply=False)
    step("get of the joined", c.get, "s")
    step("touch", c.touch, "s", 1000, noreply=False)
    step("touch of nothing", c.touch, "none", 1000, noreply=False)
    step("touch with noreply", c.touch, "s", 1000)
    step("get of the touched", c.get, "s")


def swaps():
    step("gets: kind", lambda: [type(part) for part in c.gets("s")])
    step("gets of nothing", c.gets, "none")
    step("cas", lambda: c.cas("s", "swapped", c.gets("s")[1]))
    step("cas that comes too late", c.cas, "s", "late", b"1")
    step("cas of nothing", c.cas, "none", "x", b"1")
    step("cas with noreply", lambda: c.cas("s", "again", c.gets("s")[1], noreply=True))
    step("get of the swapped", c.get, "s")


def numbers():
    step("incr", c.incr, "int", 5)
    step("decr", c.decr, "int", 7)
    step("decr below zero", c.decr, "int", 100)
    step("incr of nothing", c.incr, "none", 1)
    step("incr with noreply", c.incr, "int", 3, noreply=True)
    step("get of the number", c.get, "int")
    step("incr of text", c.incr, "s", 1)


def many():
    step("set_many", c.set_many, {f"m{i}": str(i) for i in range(40)})
    step("set_many with answers", c.set_many, {"{a}": "1", "b": "2"}, noreply=False)
    step("get_many", c.get_many, [f"m{i}" for i in range(41)])
    step("get_many of nothing", c.get_many, ["none", "nothing"])
    step("get_many of no keys", c.get_many, [])
    step("gets_many: values", lambda: {key: value for key, (value, _) in
                                       c.gets_many(["m1", "m2", "none"]).items()})
    step("delete", c.delete, "m0", noreply=False)
    step("delete of nothing", c.delete, "m0", noreply=False)
    step("delete with noreply", c.delete, "m1")
    step("delete_many", c.delete_many, ["m2", "m3"], noreply=False)
    step("get_many after deletes", c.get_many, ["m0", "m1", "m2", "m3", "m4"])


def sizes_and_bytes():
    step("set of 1 MB", c.set, "big", BIG, noreply=False)
    step("get of 1 MB", c.get, "big")
    step("get_many of 1 MB", c.get_many, ["big", "m4"])
    step("set of an empty value", c.set, "empty", "", noreply=False)
    step("get of an empty value", c.get, "empty")
    step("set of bytes", c.set, "bytes", bytes(range(256)), noreply=False)
    step("get of bytes", c.get, "bytes")
    step("set of the longest key", c.set, "k" * 250, "long", noreply=False)
    step("get of the longest key", c.get, "k" * 250)
    step("set of a longer key", c.set, "k" * 251, "long", noreply=False)
    step("set of a key with a space", c.set, "a b", "x", noreply=False)
    unicode = Client((HOST, PORT), allow_unicode_keys=True, encoding="utf-8")
    step("set of text", unicode.set, "ключ", "значение", noreply=False)
    step("get of text", unicode.get, "ключ")


def errors():
    step("cas with no number", c.cas, "s", "x", "nonsense")
    step("set with a time of text", c.set, "s", "x", expire="soon")
    step("get after errors", c.get, "s")


def ends():
    step("quit", c.quit)
    step("get after quit", c.get, "s")
    step("close", c.close)
    step("get after close", c.get, "s")
    pooled = PooledClient((HOST, PORT), max_pool_size=2)
    step("get from a pool", pooled.get, "s")
    step("close of the pool", pooled.close)
    step("get after that", pooled.get, "s")
    hashed = HashClient([(HOST, PORT)])
    step("set_many of the hashing client", hashed.set_many, {"h1": "1", "h2": "2"})
    step("get_many of the hashing client", hashed.get_many, ["h1", "h2", "h3"])
    patient = RetryingClient(Client((HOST, PORT)), attempts=2)
    step("get of the retrying client", patient.get, "s")
    step("flush_all", c.flush_all, noreply=False)
    step("get of the flushed", c.get_many, [f"m{i}" for i in range(40)])
    step("set after the flush", c.set, "s", "new", noreply=False)
    step("get after the flush", c.get, "s")
    step("no server", Client((HOST, 1)).get, "s")


for part in (connections, strings, swaps, numbers, many, sizes_and_bytes, errors, ends):
    part()
end()
