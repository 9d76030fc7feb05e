# SPDX-License-Identifier: Apache-2.0
"""redis-py with its defaults."""

import contextlib

import redis

from steps import HOST, PORT, begin, end, step

BIG = b"0123456789abcdef" * 65536
BINARY_KEY = bytes(range(256))
FAR = 4102444800  # the year 2100

r = redis.Redis(host=HOST, port=PORT)
begin(redis.__version__, "RESP2")


def field(reply, name):
    """Of a flat list of names and values."""
    return reply[reply.index(name) + 1]


def connections():
    step("ping", r.ping)
    step("echo", r.echo, "hello")
    step("hello: proto", lambda: field(r.execute_command("HELLO"), b"proto"))
    step("client_setname", r.client_setname, "tester")
    step("client_getname", r.client_getname)
    step("client_id is positive", lambda: r.client_id() > 0)
    step("client_info: name", lambda: r.client_info()["name"])
    step("select", r.execute_command, "SELECT", 0)
    step("select of no number", r.execute_command, "SELECT", "x")
    step("time is two ints", lambda: [type(part) for part in r.time()])
    step("role", lambda: r.execute_command("ROLE"))
    step("info: what clients read", lambda: [
        r.info()[name] for name in ("redis_mode", "role", "loading", "connected_slaves")])
    step("config_get", r.config_get, "appendonly")
    step("config_get of nothing", r.config_get, "no-such-name")
    step("command_count is an int", lambda: type(r.command_count()))
    step("command_getkeys", r.command_getkeys, "MSET", "a", 1, "b", 2)
    step("command: get", lambda: r.command()["get"])
    step("acl_whoami", r.acl_whoami)
    step("wait", r.wait, 0, 0)
    step("lolwut is text", lambda: type(r.lolwut()))


def strings():
    step("set", r.set, "s", "value")
    step("get", r.get, "s")
    step("get of nothing", r.get, "none")
    step("set of an int", r.set, "int", 12)
    step("set of a float", r.set, "float", 1.5)
    step("set nx", r.set, "s", "other", nx=True)
    step("set xx get", r.set, "s", "other", xx=True, get=True)
    step("set ex", r.set, "ex", "v", ex=1000)
    step("set keepttl", r.set, "ex", "w", keepttl=True)
    step("set exat", r.set, "exat", "v", exat=FAR)
    step("getset", r.getset, "s", "third")
    step("setnx", r.setnx, "fresh", 1)
    step("setex", r.setex, "sx", 1000, "v")
    step("psetex", r.psetex, "px", 1000000, "v")
    step("getex", r.getex, "sx", persist=True)
    step("getdel", r.getdel, "fresh")
    step("append", r.append, "s", "!")
    step("strlen", r.strlen, "s")
    step("getrange", r.getrange, "s", 1, 3)
    step("setrange", r.setrange, "s", 2, "XY")
    step("incr", r.incr, "int")
    step("incrby", r.incrby, "int", 30)
    step("decr", r.decr, "int", 3)
    step("incrbyfloat", r.incrbyfloat, "float", 0.25)
    step("mset", r.mset, {f"m{i}": i for i in range(20)})
    step("mget", r.mget, [f"m{i}" for i in range(21)])
    step("msetnx", r.msetnx, {"{nx}a": 1, "{nx}b": 2})
    step("lcs", r.execute_command, "LCS", "{nx}a", "{nx}b", "LEN")
    step("setbit", r.setbit, "bits", 7, 1)
    step("getbit", r.getbit, "bits", 7)
    step("bitcount", r.bitcount, "bits")
    step("bitpos", r.bitpos, "bits", 1)
    step("bitop", r.bitop, "OR", "{nx}or", "{nx}a", "{nx}b")
    step("bitfield", lambda: r.bitfield("bits").incrby("u8", 0, 5).get("u4", 0).execute())


def keys():
    step("exists", r.exists, "m0", "m1", "m1", "none")
    step("touch", r.touch, "m0", "m1", "none")
    step("type", r.type, "s")
    step("type of nothing", r.type, "none")
    step("expire", r.expire, "m0", 1000)
    step("pexpire", r.pexpire, "m1", 1000000)
    step("expireat", r.expireat, "m2", FAR)
    step("expiretime", r.execute_command, "EXPIRETIME", "m2")
    step("ttl is near", lambda: 900 < r.ttl("m0") <= 1000)
    step("pttl is near", lambda: 900000 < r.pttl("m1") <= 1000000)
    step("ttl of a lasting key", r.ttl, "m3")
    step("persist", r.persist, "m0")
    step("rename", r.rename, "{nx}a", "{nx}c")
    step("renamenx", r.renamenx, "{nx}b", "{nx}c")
    step("copy", r.copy, "{nx}c", "{nx}d")
    step("object encoding", r.object, "encoding", "int")
    step("dump", r.dump, "m3")
    step("restore", lambda: r.restore("restored", 0, r.dump("m3")))
    step("restore onto a key", lambda: r.restore("restored", 0, r.dump("m3")))
    step("memory_usage is an int", lambda: type(r.memory_usage("s")))
    step("unlink", r.unlink, "m4", "m5", "none")
    step("delete", r.delete, *[f"m{i}" for i in range(20)])


def hashes():
    step("hset", r.hset, "h", mapping={"a": 1, "b": "two", "c": 3.5})
    step("hget", r.hget, "h", "b")
    step("hgetall", r.hgetall, "h")
    step("hgetall of nothing", r.hgetall, "none")
    step("hmget", r.hmget, "h", "a", "none", "c")
    step("hsetnx", r.hsetnx, "h", "a", 9)
    step("hincrby", r.hincrby, "h", "a", 5)
    step("hincrbyfloat", r.hincrbyfloat, "h", "c", 0.5)
    step("hexists", r.hexists, "h", "b")
    step("hkeys", r.hkeys, "h")
    step("hvals", r.hvals, "h")
    step("hlen", r.hlen, "h")
    step("hstrlen", r.hstrlen, "h", "b")
    step("hscan", r.hscan, "h")
    step("hrandfield", r.hrandfield, "h", 10)
    step("hdel", r.hdel, "h", "a", "none")


def lists():
    step("rpush", r.rpush, "l", "a", "b", "c", "d")
    step("lpush", r.lpush, "l", "z")
    step("lpushx", r.lpushx, "none", "z")
    step("lrange", r.lrange, "l", 0, -1)
    step("llen", r.llen, "l")
    step("lindex", r.lindex, "l", 2)
    step("lset", r.lset, "l", 2, "B")
    step("linsert", r.linsert, "l", "before", "B", "new")
    step("lpos", r.lpos, "l", "B")
    step("lrem", r.lrem, "l", 1, "new")
    step("ltrim", r.ltrim, "l", 0, 3)
    step("lpop", r.lpop, "l")
    step("rpop of two", r.rpop, "l", 2)
    step("rpoplpush", lambda: r.rpush("{l}a", 1, 2) and r.rpoplpush("{l}a", "{l}b"))
    step("lmove", r.lmove, "{l}a", "{l}b", "LEFT", "RIGHT")
    step("lmpop", r.execute_command, "LMPOP", 2, "{l}a", "{l}b", "LEFT")
    step("sort", lambda: r.rpush("nums", 3, 1, 2) and r.sort("nums", desc=True))


def sets():
    step("sadd", r.sadd, "{t}1", "a", "b", "c")
    step("sadd more", r.sadd, "{t}2", "b", "c", "d")
    step("smembers", r.smembers, "{t}1")
    step("sismember", r.sismember, "{t}1", "a")
    step("smismember", r.smismember, "{t}1", ["a", "x"])
    step("scard", r.scard, "{t}1")
    step("sinter", r.sinter, "{t}1", "{t}2")
    step("sintercard", r.execute_command, "SINTERCARD", 2, "{t}1", "{t}2")
    step("sunion", r.sunion, "{t}1", "{t}2")
    step("sdiff", r.sdiff, "{t}1", "{t}2")
    step("sunionstore", r.sunionstore, "{t}3", "{t}1", "{t}2")
    step("smove", r.smove, "{t}1", "{t}2", "a")
    step("srem", r.srem, "{t}1", "b", "x")
    step("spop", r.spop, "{t}1")
    step("srandmember of nothing", r.srandmember, "{t}1")
    step("sscan", lambda: sorted(r.sscan("{t}3")[1]))


def sorted_sets():
    step("zadd", r.zadd, "{z}1", {"a": 1, "b": 2.5, "c": "inf"})
    step("zadd again", r.zadd, "{z}1", {"a": 1.25}, ch=True)
    step("zscore", r.zscore, "{z}1", "b")
    step("zscore of nothing", r.zscore, "{z}1", "none")
    step("zmscore", r.zmscore, "{z}1", ["a", "none"])
    step("zincrby", r.zincrby, "{z}1", 0.5, "a")
    step("zcard", r.zcard, "{z}1")
    step("zcount", r.zcount, "{z}1", "-inf", 2)
    step("zrank", r.zrank, "{z}1", "b")
    step("zrevrank", r.zrevrank, "{z}1", "none")
    step("zrange withscores", r.zrange, "{z}1", 0, -1, withscores=True)
    step("zrevrange", r.zrevrange, "{z}1", 0, -1)
    step("zrangebyscore", r.zrangebyscore, "{z}1", 1, 2, withscores=True)
    step("zrangebylex", r.zrangebylex, "{z}1", "-", "+")
    step("zscan", r.zscan, "{z}1")
    step("zunionstore", r.zunionstore, "{z}2", ["{z}1"])
    step("zunion", r.zunion, ["{z}1", "{z}2"], withscores=True)
    step("zinter", r.zinter, ["{z}1", "{z}2"])
    step("zdiff", r.zdiff, ["{z}1", "{z}2"])
    step("zpopmin", r.zpopmin, "{z}1")
    step("zpopmax", r.zpopmax, "{z}2")
    step("zrem", r.zrem, "{z}1", "b", "none")
    step("geoadd", r.geoadd, "geo", [13.361389, 38.115556, "Palermo", 15.087269, 37.502669,
                                     "Catania"])
    step("geodist", r.geodist, "geo", "Palermo", "Catania", "km")
    step("geopos", r.geopos, "geo", "Palermo", "none")
    step("geosearch", r.geosearch, "geo", longitude=15, latitude=37, radius=200, unit="km",
         withdist=True, sort="ASC")


def streams():
    step("xadd", r.xadd, "x", {"a": 1}, id="1-1")
    step("xadd second", r.xadd, "x", {"b": 2, "c": 3}, id="1-2")
    step("xlen", r.xlen, "x")
    step("xrange", r.xrange, "x")
    step("xrevrange", r.xrevrange, "x", count=1)
    step("xread", r.xread, {"x": 0})
    step("xread of nothing", r.xread, {"x": "1-2"})
    step("xgroup_create", r.xgroup_create, "x", "g", 0)
    step("xgroup_create twice", r.xgroup_create, "x", "g", 0)
    step("xreadgroup", r.xreadgroup, "g", "me", {"x": ">"}, count=1)
    step("xpending", r.xpending, "x", "g")
    step("xack", r.xack, "x", "g", "1-1")
    step("xinfo_groups", r.xinfo_groups, "x")
    step("xinfo_stream", r.xinfo_stream, "x")
    step("xautoclaim", r.xautoclaim, "x", "g", "you", 0)
    step("xtrim", r.xtrim, "x", maxlen=1, approximate=False)
    step("xdel", r.xdel, "x", "1-2")


def others():
    step("pfadd", r.pfadd, "{p}1", "a", "b", "c")
    step("pfcount", r.pfcount, "{p}1")
    step("pfmerge", r.pfmerge, "{p}2", "{p}1")
    step("eval", r.eval, "return {KEYS[1], ARGV[1], 3.7, false, true}", 1, "k", "v")
    step("eval with a table error", r.eval, "return redis.error_reply('MY own')", 1, "k")
    step("evalsha of nothing", r.evalsha, "0" * 40, 1, "k")


def pipelines():
    pipe = r.pipeline(transaction=False)
    for i in range(50):
        pipe.set(f"pipe{i}", i).get(f"pipe{i}")
    step("pipeline", pipe.execute)
    pipe.set("s", 1).lpush("s", 1).get("s")
    step("pipeline with an error", pipe.execute, raise_on_error=False)
    pipe.get("s").lpush("s", 1)
    step("pipeline that raises", pipe.execute)
    step("empty pipeline", pipe.execute)


def sizes_and_bytes():
    step("set of 1 MiB", r.set, "big", BIG)
    step("get of 1 MiB", r.get, "big")
    step("mget of 1 MiB twice", r.mget, "big", "big")
    step("set of an empty value", r.set, "empty", "")
    step("get of an empty value", r.get, "empty")
    step("set of a binary key", r.set, BINARY_KEY, BINARY_KEY)
    step("get of a binary key", r.get, BINARY_KEY)
    step("set of an empty key", r.set, "", "nameless")
    step("get of an empty key", r.get, "")
    step("set of a long key", r.set, "k" * 3000, "long")
    step("get of a long key", r.get, "k" * 3000)
    step("set of text", r.set, "ключ", "значение")
    step("get of text", r.get, "ключ")


def errors():
    r.rpush("list", 1)
    step("wrong type", r.get, "list")
    step("not an integer", lambda: r.set("s", "text") and r.incr("s"))
    step("too few arguments", r.execute_command, "GET")
    step("unknown command", r.execute_command, "NOSUCH", "a", "b")
    step("unknown subcommand", r.execute_command, "CLIENT NOSUCH")
    step("syntax error", r.execute_command, "SET", "a", "b", "NOSUCH")
    step("get after errors", r.get, "empty")


def notice_the_end():
    """The server's close may come before the next command or after it."""
    with contextlib.suppress(redis.ConnectionError):
        r.ping()


def ends():
    step("quit", r.execute_command, "QUIT")
    notice_the_end()
    step("get after quit", r.get, "empty")
    step("client_kill of itself", lambda: r.client_kill_filter(_id=r.client_id(), skipme=False))
    notice_the_end()
    step("get after the kill", r.get, "empty")
    step("close", r.close)
    step("get after close", r.get, "empty")
    step("disconnect", r.connection_pool.disconnect)
    step("get after disconnect", r.get, "empty")
    checked = redis.Redis(host=HOST, port=PORT, health_check_interval=1, client_name="named",
                          decode_responses=True)
    step("health check, named, decoded", checked.get, "empty")
    step("its name", checked.client_getname)
    step("another client sees the keys", redis.Redis.from_url(f"redis://{HOST}:{PORT}/0").get, "s")
    step("no server", redis.Redis(host=HOST, port=1).ping)


for part in (connections, strings, keys, hashes, lists, sets, sorted_sets, streams, others,
             pipelines, sizes_and_bytes, errors, ends):
    part()
end()
