# SPDX-License-Identifier: Apache-2.0
"""The requests of the differential test.

ALIKE: a line is a story, told in one stream; its requests are separated by " ; ". In words,
@1 @2 ... are keys (new ones for each telling), ~ is a random value (for memcached with its length in
front), "" is an empty word, | is CR LF (memcached).
DIFFERENT: (rows of README.md that may explain it, the request, what ringmaster's reply must match or
None). The first row whose rule in differ.RULES fits is the one that was met.
"""

import re

from clients import encode

REDIS_ALIKE = r"""
PING
SET @1 ~ ; GET @1 ; STRLEN @1 ; APPEND @1 ~ ; GET @1 ; GETRANGE @1 0 5 ; SETRANGE @1 2 ~ ; GET @1
SET @1 "" ; GET @1 ; STRLEN @1 ; APPEND @1 "" ; GETRANGE @1 0 -1
SET @1 v EX 1000 ; TTL @1 ; PERSIST @1 ; TTL @1 ; PTTL @1 ; PTTL @2
SET @1 v NX ; SET @1 w NX ; SET @1 w XX GET ; SET @2 w XX ; SET @1 x KEEPTTL ; GET @1
SET @1 ; SET @1 a b c ; SET @1 v EX nonsense ; SET @1 v EX -1
set @1 v ; gEt @1 ; sTrLeN @1
GETDEL @1 ; SET @1 v ; GETDEL @1 ; GET @1
SET @1 v ; GETEX @1 EX 1000 ; TTL @1 ; GETEX @1 PERSIST ; TTL @1 ; GETEX @2
GETSET @1 a ; GETSET @1 b ; GET @1
SETNX @1 a ; SETNX @1 b ; SETEX @2 1000 v ; PSETEX @3 1000000 v ; TTL @2 ; SETEX @1 0 v
INCR @1 ; INCRBY @1 41 ; DECR @1 ; DECRBY @1 9 ; INCRBYFLOAT @1 0.5 ; INCR @1 ; INCRBY @2 x
SET @1 word ; INCR @1 ; INCRBYFLOAT @1 1 ; DECRBY @1 99999999999999999999
SETBIT @1 7 1 ; GETBIT @1 7 ; GETBIT @1 900 ; BITCOUNT @1 ; BITCOUNT @1 0 0 ; BITPOS @1 1 ; BITPOS @1 x
BITFIELD @1 SET u8 0 255 GET u4 0 INCRBY u2 100 1 ; BITFIELD @1 ; SETBIT @1 -1 1 ; SETBIT @1 0 2
EXPIRE @1 100 ; SET @1 v ; EXPIRE @1 1000 ; EXPIREAT @1 4102444800 ; PEXPIRE @1 9000000 ; PEXPIREAT @1 4102444800000 ; PERSIST @1
TYPE @1 ; SET @1 v ; TYPE @1 ; LPUSH @2 a ; TYPE @2 ; DUMP @1 ; DUMP @3
SET @1 v ; LPUSH @1 a ; HGET @1 f ; SADD @1 a ; ZADD @1 1 a ; GET @1
RESTORE @1 0 nonsense ; RESTORE @1 0 \x00\xc0\x01\x0a\x00\x6a\x59\xa0\x4c\x42\x0f\x5d\xd0 ; GET @1
MSET @1 ~ @2 ~ @3 ~ @4 ~ ; MGET @1 @2 @3 @4 @5 ; MGET @4 @1 @4 ; DEL @1 @2 @5 ; MGET @1 @3
MSET @1 a ; MGET @1 ; DEL @1 ; DEL @1 ; MGET @1 ; MGET @1 @1
MSET @1 "" @2 "" ; MGET @2 @1 @3 ; mget @2 @1 ; MGet @1 @2
MSET @1 a @2 b @1 c ; MGET @1 @2
SET @1 a ; SET @2 b ; TOUCH @1 @2 @3 ; TOUCH @3 ; UNLINK @1 @2 @3 ; UNLINK @1 ; TOUCH @1 @2
LPUSH @1 a ; SET @2 b ; MGET @1 @2 @3 ; DEL @2 @1
SET @1 v ; EXISTS @1 ; EXISTS @2
SET @1 v ; COPY @1 @1 ; COPY @1 ; COPY @2 @2
HSET @1 a 1 b ~ c "" ; HGET @1 a ; HGET @1 z ; HGET @2 a ; HMGET @1 a z c ; HGETALL @1 ; HLEN @1
HSET @1 a ; HSET @1 ; HMSET @1 a 1 b 2 ; HMSET @1 a ; HKEYS @1 ; HVALS @1 ; HDEL @1 a z ; HEXISTS @1 a
HSETNX @1 a 1 ; HSETNX @1 a 2 ; HINCRBY @1 a 4 ; HINCRBYFLOAT @1 a 0.25 ; HSTRLEN @1 a ; HINCRBY @1 a x
HSET @1 a 1 ; HRANDFIELD @1 ; HRANDFIELD @1 5 WITHVALUES ; HSCAN @1 0 ; HSCAN @1 0 MATCH z* COUNT 10
LPUSH @1 a b c ; RPUSH @1 ~ "" ; LRANGE @1 0 -1 ; LLEN @1 ; LINDEX @1 0 ; LINDEX @1 99 ; LPOP @1 ; RPOP @1 ; LPOP @1 2
LPUSHX @1 a ; RPUSHX @1 a ; RPUSH @1 a b a c ; LREM @1 1 a ; LSET @1 0 z ; LSET @1 99 z ; LTRIM @1 0 1 ; LRANGE @1 0 -1
RPUSH @1 a b ; LINSERT @1 BEFORE b x ; LINSERT @1 AFTER q x ; LPOS @1 x ; LPOS @1 none ; LPOS @1 a COUNT 0
RPUSH @1 a b ; RPOPLPUSH @1 @1 ; LMOVE @1 @1 LEFT RIGHT ; LRANGE @1 0 -1 ; LRANGE @2 0 -1 ; RPOP @2 ; LPOP @2 3
RPUSH @1 3 1 2 ; SORT @1 ; SORT @1 DESC LIMIT 0 2 ; SORT @1 BY nosort ; SORT @2 ; SORT @1 STORE @1
SADD @1 1 2 3 ; SADD @1 2 ; SCARD @1 ; SMEMBERS @1 ; SISMEMBER @1 2 ; SMISMEMBER @1 2 9 ; SREM @1 2 9 ; SSCAN @1 0
SADD @1 7 ; SRANDMEMBER @1 ; SRANDMEMBER @1 3 ; SPOP @1 ; SPOP @1 ; SPOP @2 3
SADD @1 1 2 3 ; SINTER @1 @1 ; SUNION @1 ; SDIFF @1 @1 ; SINTERSTORE @1 @1 ; SUNIONSTORE @1 @1 ; SDIFFSTORE @1 @1 ; SMOVE @1 @1 1
SET @1 v ; SINTER @1 @1 ; SADD @1 a
ZADD @1 1 a 2 b 3 c ; ZADD @1 GT CH 9 a ; ZADD @1 INCR 1 b ; ZADD @1 x y ; ZCARD @1 ; ZSCORE @1 a ; ZSCORE @1 q ; ZMSCORE @1 a q
ZADD @1 1 a 2 b 3 c ; ZRANGE @1 0 -1 WITHSCORES ; ZRANGE @1 0 1 REV ; ZREVRANGE @1 0 -1 ; ZRANK @1 b ; ZREVRANK @1 b ; ZRANK @1 q
ZADD @1 1 a 2 b 3 c ; ZRANGEBYSCORE @1 -inf +inf LIMIT 1 1 ; ZREVRANGEBYSCORE @1 3 (1 ; ZCOUNT @1 1 2 ; ZINCRBY @1 2.5 a ; ZREM @1 a q
ZADD @1 0 a 0 b 0 c ; ZRANGEBYLEX @1 - + ; ZREVRANGEBYLEX @1 [c - ; ZLEXCOUNT @1 [a [b ; ZREMRANGEBYLEX @1 [a [a
ZADD @1 1 a 2 b 3 c 4 d ; ZREMRANGEBYRANK @1 0 0 ; ZREMRANGEBYSCORE @1 2 2 ; ZPOPMIN @1 ; ZPOPMAX @1 1 ; ZPOPMIN @1
ZADD @1 1 a ; ZRANDMEMBER @1 ; ZRANDMEMBER @1 2 WITHSCORES ; ZSCAN @1 0 ; ZSCAN @2 0 ; ZRANGESTORE @1 @1 0 -1
ZADD @1 1 a 2 b ; ZUNIONSTORE @1 1 @1 ; ZINTERSTORE @1 1 @1 WEIGHTS 2 ; ZRANGE @1 0 -1 WITHSCORES ; ZDIFFSTORE @1 1 @1
GEOADD @1 13.361389 38.115556 Palermo 15.087269 37.502669 Catania ; GEODIST @1 Palermo Catania km ; GEOHASH @1 Palermo ; GEOPOS @1 Catania none
GEOADD @1 13.361389 38.115556 P ; GEORADIUS @1 15 37 200 km ASC ; GEORADIUSBYMEMBER @1 P 10 m ; GEOSEARCH @1 FROMLONLAT 15 37 BYRADIUS 200 km ASC ; GEOSEARCHSTORE @1 @1 FROMLONLAT 15 37 BYRADIUS 200 km
PFADD @1 a b c ; PFADD @1 a ; PFCOUNT @1 ; PFMERGE @1 @1 ; PFCOUNT @2
EVAL return(1) 1 @1 ; EVAL return(KEYS[1]) 1 @1 ; EVAL return({1,{2,'three'},false}) 01 @1 ; EVAL return({ok='FINE'}) 1 @1
EVAL return(redis.call('set',KEYS[1],ARGV[1])) 1 @1 ~ ; GET @1 ; EVAL nonsense 1 @1 ; EVAL return({}) 1 @1
EVAL return(redis.error_reply('MISCONF\ no')) 1 @1 ; EVAL return(redis.error_reply('BUSYKEY\ there')) 1 @1 ; EVAL return(redis.error_reply('READONLY\ no')) 1 @1
EVALSHA 0000000000000000000000000000000000000000 1 @1 ; EVALSHA short 1 @1
SETRANGE @1 100000 x ; STRLEN @1 ; GETRANGE @1 99990 -1 ; GET @1 ; DEL @1
SETRANGE @1 6000000 x ; GET @1 ; DEL @1
HSCAN @1 nonsense ; SSCAN @1 0 COUNT 0 ; SRANDMEMBER @1 x ; LPOP @1 -1 ; HRANDFIELD @1 x
LOLWUT VERSION 0
PING ; PING ; SET @1 a ; PING ; GET @1
SET @1 a ; SET @2 b ; SET @3 c ; GET @2 ; MGET @3 @1 ; GET @3 ; DEL @1 @2 @3 ; GET @1 ; PING
"""

# Not here, as nutcracker has no answer to compare with: numbers beyond 32 bits, which it wraps, and
# memcached lines that the server answers twice (an exptime beyond 64 bits, LF inside a key): it gives
# the second answer to the next request.

# Raw bytes: what the encoder does not make.
REDIS_ALIKE_RAW = [
    b"*3\r\n$3\r\nsEt\r\n$0\r\n\r\n$1\r\n\n\r\n",
    b"*1\r\n$4\r\nPiNg\r\n",
]

_LONG = "x" * 300

REDIS_DIFFERENT = [
    *((["refused", "commands"], words, None) for words in [
        ["NOSUCH"], ["nosuch", "a", "b"], ["KEYS", "*"], ["SCAN", "0"], ["INFO"], ["DBSIZE"],
        ["FLUSHALL"], ["FLUSHDB"], ["CONFIG", "GET", "maxmemory"], ["CLIENT", "LIST"], ["TIME"],
        ["MULTI"], ["EXEC"], ["WATCH", "@1"], ["SUBSCRIBE", "c"], ["PUBLISH", "c", "m"],
        ["BLPOP", "@1", "0"], ["WAIT", "0", "0"], ["RANDOMKEY"], ["SHUTDOWN", "NOSAVE"],
        ["SCRIPT", "FLUSH"], ["HELLO"], ["MONITOR"], ["DEBUG", "SLEEP", "9"], ["SELECT", "7"],
        ["COMMAND", "DOCS"], ["PUBSUB", "CHANNELS"], ["SLAVEOF", "NO", "ONE"], ["SAVE"],
        ["CLUSTER", "INFO"], ["ACL", "WHOAMI"], ["", "a"], [_LONG], ["MOVE", "@1", "1"]]),
    *((["refused"], words, rb"-ERR wrong number of arguments for '[a-z]+' command\r\n")
      for words in [["GET"], ["GET", "a", "b"], ["SET"], ["MSET"], ["MSET", "@1"],
                    ["MSET", "@1", "v", "@2"], ["DEL"], ["MGET"], ["HGET", "@1"], ["INCRBY", "@1"],
                    ["EXPIRE", "@1"], ["LRANGE", "@1", "0"], ["ZSCORE", "@1"], ["EVAL", "s"],
                    ["LINSERT", "@1", "BEFORE", "a"], ["TTL"], ["SADD"]]),
    *((["refused", "commands"], words, None)
      for words in [["EVAL", "s", "1"], ["EVAL", "return(1)", "0"], ["EVAL", "return(1)", "x", "@1"],
                    ["EVAL", "return(1)", "-1", "@1"], ["AUTH", "user", "password"]]),
    *((["commands"], words, wanted) for words, wanted in [
        (["PING", "hello"], rb"\$5\r\nhello\r\n"), (["ECHO", "hello"], rb"\$5\r\nhello\r\n"),
        (["SELECT", "0"], rb"\+OK\r\n"), (["XADD", "@1", "1-1", "f", "v"], rb"\$3\r\n1-1\r\n"),
        (["XLEN", "@1"], rb":0\r\n"), (["MSETNX", "@1", "1"], rb":1\r\n"),
        (["EXPIRETIME", "@1"], rb":-2\r\n"), (["SINTERCARD", "1", "@1"], rb":0\r\n"),
        (["LMPOP", "1", "@1", "LEFT"], rb"\*-1\r\n"), (["LCS", "@1", "@1"], rb"\$0\r\n\r\n"),
        (["SORT_RO", "@1"], rb"\*0\r\n"), (["BITFIELD_RO", "@1", "GET", "u8", "0"], None),
        (["OBJECT", "ENCODING", "@1"], rb"\$-1\r\n"), (["SUBSTR", "@1", "0", "1"], None),
        (["GEORADIUS_RO", "@1", "15", "37", "200", "km"], rb"\*0\r\n"),
        (["EVAL_RO", "return(KEYS[1])", "1", "@1"], None), (["XRANGE", "@1", "-", "+"], None)]),
    (["quit"], ["QUIT"], None),
    (["garbage"], b"*-1\r\n", None),
    (["garbage"], b"*1\r\n$-1\r\n", None),
    (["garbage"], b"*1\r\n:3\r\n", None),
    (["garbage"], b"*abc\r\n", None),
    (["garbage"], b"*3\r\n*abcde\r\n", None),
    (["garbage"], b"*1\r\n$4\r\nPINGxx", None),
    (["garbage"], b"*2\r\n$3\r\nGET\r\n$1\r\nab\r\n", None),
    (["garbage"], b"*1\r\n$x\r\n", None),
    (["garbage"], b"*2\r\n$3\r\nGET\r\n$-5\r\n", None),
]

# Each of them is an `inline` difference.
REDIS_INLINE = [b"PING\r\n", b"nosuch command\r\n", b"GET none\r\n"]

MEMCACHED_ALIKE = rb"""
set @1 5 0 ~ ; get @1 ; gets @1 ; append @1 0 0 ~ ; prepend @1 0 0 ~ ; get @1
set @1 0 0 ~ ; set @2 1 0 ~ ; add @3 2 0 ~ ; get @1 @2 @3 ; get @3 @4 @1 ; gets @2 @1
set @1 0 0 5|hello ; get @1 ; gets @1 ; append @1 0 0 1|! ; prepend @1 0 0 1|> ; get @1 ; delete @1 ; get @1
set @1 77 0 0| ; get @1 ; set @1 4294967295 0 4|a|b ; get @1 ; set @1 4294967296 0 1|x ; get @1
set @1 0 0 4||| ; get @1 ; set @1 0 1000 1|v ; touch @1 500 ; touch @2 500 ; touch @1 -1 ; get @1
add @1 0 0 1|a ; add @1 0 0 1|b ; replace @1 0 0 1|c ; replace @2 0 0 1|d ; get @1 @2 ; get @2 @1
append @1 0 0 1|a ; prepend @1 0 0 1|a ; get @1
set @1 0 0 2|10 ; incr @1 5 ; decr @1 6 ; get @1 ; incr @1 18446744073709551615 ; decr @1 99 ; incr @2 1 ; decr @2 1
set @1 0 0 4|text ; incr @1 1 ; decr @1 1 ; incr @1 -1 ; get @1
set @1 0 0 1|v ; cas @1 0 0 1 999999999|x ; cas @2 0 0 1 1|x ; get @1
set @1 0 0 1 noreply|v ; get @1 ; add @1 0 0 1 noreply|w ; get @1 ; append @1 0 0 1 noreply|z ; get @1
set @1 0 0 2 noreply|10 ; incr @1 1 noreply ; decr @1 2 noreply ; touch @1 900 noreply ; get @1 ; delete @1 noreply ; get @1
replace @1 0 0 1 noreply|v ; prepend @1 0 0 1 noreply|v ; get @1 ; cas @1 0 0 1 5 noreply|v ; get @1
set @1 0 0 1|a ; set @2 0 0 1|b ; set @3 0 0 1|c ; get @1 @2 @3 ; gets @3 @1 ; get @1 @1 ; get @2 @2 @2
set @1 1 0 1|a ; set @2 2 0 0| ; get @4 @1 @5 ; get @4 @5 ; gets @4 ; get @2 @5 ; delete @1 ; delete @1
get @1 ; get @1 @2 @3 @4 @5 @6 ; gets @1 @2
get   @1   ; get  @1  @2  ;   get @1 ; set  @1  0  0  1 |x ; delete @1   ; touch @1  1  ; incr @1  1
delete @1 ; set @1 0 0 1|x ; delete @1 ; delete @1
set @1 0 0 3|abc ; get @1 noreply ; get noreply
"""

MEMCACHED_DIFFERENT = [
    *((["refused", "memcached"], request, None) for request in [
        b"GET @1\r\n", b"VERSION\r\n", b"nosuch\r\n", b"nosuch a b\r\n", b"\r\n", b"get\r\n",
        b"get \r\n", b"set @1 0 0\r\n", b"incr @1 abc\r\n", b"delete @1 nope\r\n", b"shutdown\r\n",
        b"delete @1 noreplyx\r\n", b"incr @1\r\n", b"touch @1\r\n", b"decr @1 0 extra\r\n",
        b"touch @1 soon\r\n", b"slabs\r\n", b"lru\r\n", b"watch\r\n", b"cache_memlimit 10\r\n",
        b"get " + b"x" * 251 + b"\r\n", b"get a " + b"x" * 300 + b"\r\n",
        b"delete " + b"x" * 260 + b"\r\n", b"version x\r\n", b"set @1 0 0 -1\r\n",
        b"gat 10 @1\r\n", b"gats 10 @1 @2\r\n", b"flush_all\r\n", b"stats\r\n", b"verbosity 1\r\n",
        b"set @1 -1 0 1\r\nx\r\n", b"set @1 0 0 1 foo\r\nx\r\n",
        b"set " + b"x" * 251 + b" 0 0 1\r\nv\r\n"]),
    *((["meta"], request, wanted) for request, wanted in [
        (b"mg @1 v\r\n", rb"EN\r\n"), (b"md @1\r\n", rb"NF\r\n"), (b"mn\r\n", rb"MN\r\n"),
        (b"me @1\r\n", rb"EN\r\n"), (b"ma @1\r\n", rb"NF\r\n"),
        (b"ms @1 1 c\r\nx\r\n", rb"HD c\d+\r\n"), (b"mg @1 q\r\nmn\r\n", rb"MN\r\n")]),
    (["version"], b"version\r\n", rb"VERSION 1\.6\.27\r\n"),
    (["memcached"], b"set @1 0 -1 1\r\nx\r\n", rb"STORED\r\n"),
    (["memcached"], b"add @1 0 -5 1\r\nx\r\n", rb"STORED\r\n"),
    (["memcached"], b"delete @1 0\r\n", rb"NOT_FOUND\r\n"),
    *((["control-bytes"], request, None) for request in [
        b"get a\x01b\r\n", b"get a\tb\r\n", b"get a\x00b\r\n", b"get a\x7fb\r\n",
        b"delete a\x02\r\n", b"get @1 a\x1fb\r\n", b"set a\x01b 0 0 1\r\nx\r\n"]),
]


def _values(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return b""
    if kind == 1:
        return b"\r\n" * rng.randint(1, 5)
    length = rng.choice([1, 5, 40, 300, 5000]) if kind < 4 else rng.randint(10000, 40000)
    return rng.randbytes(length)


def _word(word, keys, named, rng):
    if word == '""':
        return b""
    if word == "~":
        return _values(rng)
    if word.startswith("@") and word[1:].isdigit():
        if word not in named:
            named[word] = keys.next()
        return named[word]
    return word.encode().decode("unicode_escape").encode("latin-1") if "\\x" in word \
        else word.replace("\\ ", " ").encode()


def redis_story(line, keys, rng):
    """The bytes of a line of REDIS_ALIKE."""
    named = {}
    requests = []
    for request in line.replace("\\ ", "\x01").split(" ; "):
        words = [word.replace("\x01", "\\ ") for word in request.split()]
        requests.append(encode(*(_word(word, keys, named, rng) for word in words)))
    return b"".join(requests)


def memcached_request(request, keys, named, rng):
    def fill(match):
        if match.group() == b" ~":
            value = _values(rng)
            return b" %d\r\n%s" % (len(value), value)
        if match.group() not in named:
            named[match.group()] = keys.next()
        return named[match.group()]

    return re.sub(rb"@\d| ~", fill, request)


def memcached_story(line, keys, rng):
    """The bytes of a line of MEMCACHED_ALIKE."""
    named = {}
    return b"".join(memcached_request(request.replace(b"|", b"\r\n") + b"\r\n", keys, named, rng)
                    for request in line.split(b" ; "))


def redis_case(request, keys, rng):
    if isinstance(request, bytes):
        return request
    named = {}
    return encode(*(_word(word, keys, named, rng) for word in request))


def stories(text):
    return [line for line in text.splitlines() if line.strip()]
