# SPDX-License-Identifier: Apache-2.0
"""pylibmc with its defaults: the text protocol."""

import pylibmc

from steps import HOST, PORT, begin, end, step

BIG = b"0123456789abcdef" * 65000
FAR = 2100000000  # in 2036


def connect(**options):
    return pylibmc.Client([f"{HOST}:{PORT}"], **options)


c = connect()
begin(pylibmc.__version__, "text")


def connections():
    step("stats: names", lambda: sorted(
        {"pid", "uptime", "curr_connections", "version"} & set(c.get_stats()[0][1])))
    step("number of servers", lambda: len(c.get_stats()))


def values():
    step("set", c.set, "s", "value")
    step("get", c.get, "s")
    step("get of nothing", c.get, "none")
    step("get with a default", c.get, "none", 7)
    step("set of an int", c.set, "int", 12)
    step("get of an int", c.get, "int")
    step("set of a bool", c.set, "bool", True)
    step("get of a bool", c.get, "bool")
    step("set of a float", c.set, "float", 1.5)
    step("get of a float", c.get, "float")
    step("set of an object", c.set, "object", {"a": [1, None, "x"]})
    step("get of an object", c.get, "object")
    step("set of bytes", c.set, "bytes", bytes(range(256)))
    step("get of bytes", c.get, "bytes")
    step("set with a time", c.set, "timed", "v", time=1000)
    step("set to the year 2036", c.set, "far", "v", time=FAR)
    step("get of the far", c.get, "far")
    step("add", c.add, "added", 1)
    step("add again", c.add, "added", 2)
    step("get of the added", c.get, "added")
    step("replace", c.replace, "s", "third")
    step("replace of nothing", c.replace, "none", "x")
    step("append", c.append, "s", "!")
    step("append to nothing", c.append, "none", "x")
    step("prepend", c.prepend, "s", "<")
    step("prepend to nothing", c.prepend, "none", "x")
    step("get of the joined", c.get, "s")
    step("touch", c.touch, "s", 1000)
    step("touch of nothing", c.touch, "none", 1000)
    step("contains", lambda: "s" in c)
    step("contains nothing", lambda: "none" in c)
    step("item", lambda: c["s"])
    step("item of nothing", lambda: c["none"])


def swaps():
    swapping = connect(behaviors={"cas": True})
    step("gets: value", lambda: swapping.gets("s")[0])
    step("gets of nothing", swapping.gets, "none")
    step("cas", lambda: swapping.cas("s", "swapped", swapping.gets("s")[1]))
    step("cas that comes too late", swapping.cas, "s", "late", 1)
    step("cas of nothing", swapping.cas, "none", "x", 1)
    step("get of the swapped", swapping.get, "s")
    step("get_multi of the swapping client", swapping.get_multi, ["s", "int", "none"])


def numbers():
    step("incr", c.incr, "int", 5)
    step("incr by one", c.incr, "int")
    step("decr", c.decr, "int", 7)
    step("decr below zero", c.decr, "int", 100)
    step("incr of nothing", c.incr, "none")
    step("decr of nothing", c.decr, "none")
    step("get of the number", c.get, "int")
    step("incr of text", c.incr, "s")
    step("incr_multi", lambda: c.set_multi({"n1": 1, "n2": 2}) or c.incr_multi(["n1", "n2"], "", 5))
    step("get of the numbers", c.get_multi, ["n1", "n2"])


def many():
    step("set_multi", c.set_multi, {f"m{i}": i for i in range(40)})
    step("get_multi", lambda: sorted(c.get_multi([f"m{i}" for i in range(41)]).items()))
    step("get_multi with a prefix", lambda: sorted(c.get_multi(["1", "2"], key_prefix="m").items()))
    step("get_multi of nothing", c.get_multi, ["none", "nothing"])
    step("add_multi", c.add_multi, {"m1": 5, "fresh": 6})
    step("delete", c.delete, "m0")
    step("delete of nothing", c.delete, "m0")
    step("delete_multi", c.delete_multi, ["m1", "m2"])
    step("delete_multi of nothing", c.delete_multi, ["m1", "m2"])
    step("get_multi after deletes", lambda: sorted(c.get_multi(["m0", "m1", "m3"]).items()))


def sizes_and_bytes():
    step("set of 1 MB", c.set, "big", BIG)
    step("get of 1 MB", c.get, "big")
    step("set of 1 MB, compressed", c.set, "big", BIG, min_compress_len=100)
    step("get of 1 MB, compressed", c.get, "big")
    step("get_multi of 1 MB", c.get_multi, ["big"])
    step("set of an empty value", c.set, "empty", "")
    step("get of an empty value", c.get, "empty")
    step("set of the longest key", c.set, "k" * 250, "long")
    step("get of the longest key", c.get, "k" * 250)
    step("set of a longer key", c.set, "k" * 251, "long")
    step("set of an empty key", c.set, "", "x")
    step("set of text", c.set, "ключ", "значение")
    step("get of text", c.get, "ключ")


def behaviours():
    for name in ("tcp_nodelay", "no_block", "buffer_requests", "ketama"):
        other = connect(behaviors={name: True})
        step(f"set with {name}", other.set, name, "v")
        step(f"get with {name}", other.get, name)
    silent = connect(behaviors={"num_replicas": 0})
    step("get of another client", silent.get, "s")


def ends():
    step("disconnect_all", c.disconnect_all)
    step("get after that", c.get, "s")
    pool = pylibmc.ClientPool(c, 2)

    def borrowed():
        with pool.reserve() as one:
            return one.get("s")

    step("get from a pool", borrowed)
    step("clone", lambda: c.clone().get("s"))
    step("flush_all", c.flush_all)
    step("get of the flushed", c.get_multi, [f"m{i}" for i in range(40)])
    step("set after the flush", c.set, "s", "new")
    step("get after the flush", c.get, "s")
    step("no server", lambda: pylibmc.Client([f"{HOST}:1"]).get("s"))


for part in (connections, values, swaps, numbers, many, sizes_and_bytes, behaviours, ends):
    part()
end()
