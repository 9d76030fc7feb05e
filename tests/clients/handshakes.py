# SPDX-License-Identifier: Apache-2.0
"""What clients send on connect that neither Debian nor npm carries, read in their sources.

Each is sent as one pipeline, as most of them do. What has to come back is a function of the reply's
bytes; where a client goes on after an error any line of error will do, but not a close.
"""

PASSWORD = "s3cret"
TRACER = b"\x8f\x01tracer of 16 b"


def ok(reply):
    return reply == b"+OK\r\n"


def pong(reply):
    return reply == b"+PONG\r\n"


def integer(reply):
    return reply[:1] == b":"


def nothing(reply):
    return reply in (b"$-1\r\n", b"_\r\n")


def is_error(reply):
    return reply[:1] == b"-"


def ok_or_error(reply):
    return ok(reply) or is_error(reply)


def error(start):
    return lambda reply: reply.startswith(b"-" + start)


def bulk(text):
    return lambda reply: reply == b"$%d\r\n%s\r\n" % (len(text), text)


def contains(*texts):
    return lambda reply: all(text in reply for text in texts) and not is_error(reply)


def map_of_3(reply):
    """The answer to HELLO 3: a map that says so."""
    return reply[:1] == b"%" and b"$5\r\nproto\r\n:3\r\n" in reply and b"$6\r\nserver\r\n" in reply


def list_of_2(reply):
    return reply[:1] == b"*" and b"$5\r\nproto\r\n:2\r\n" in reply


def pair(name):
    """The answer to CONFIG GET of a name that every server knows, in either protocol."""
    return lambda reply: (reply[:4] in (b"*2\r\n", b"%1\r\n")
                          and (b"$%d\r\n%s\r\n" % (len(name), name)) in reply)


def library(name, version, words="CLIENT SETINFO LIB-NAME"):
    """CLIENT SETINFO is of Redis 7.2: older servers say no, and clients do not mind."""
    return [(words.split() + [name], ok_or_error),
            (["CLIENT", "SETINFO", "LIB-VER", version], ok_or_error)]


INFO_FIELDS = contains(b"redis_version:", b"redis_mode:standalone")
MAINTENANCE = (["CLIENT", "MAINT_NOTIFICATIONS", "ON"], is_error)
USED = [(["SET", "handshake", "1"], ok), (["GET", "handshake"], bulk(b"1"))]

# Without a password.
OPEN = {
    "redis-py 8": [(["HELLO", "3"], map_of_3), MAINTENANCE, *library("redis-py", "8.0.0"), *USED,
                   (["PING"], pong)],
    "redis-py 5": [*library("redis-py", "5.2.1"), *USED, (["PING"], pong)],
    "node-redis 5": [(["CLIENT", "SETNAME", "app"], ok), (["SELECT", "0"], ok),
                     *library("node-redis", "5.9.0"), *USED],
    "ioredis 5": [(["client", "setname", "app"], ok), *library("ioredis", "5.8.0"),
                  (["info"], contains(b"loading:0", b"redis_version:")), *USED],
    "Jedis 8": [(["HELLO", "3"], map_of_3), (["CLIENT", "SETNAME", "app"], ok),
                *library("jedis", "8.0.0"), (["SELECT", "0"], ok), *USED, (["PING"], pong)],
    "Jedis 7": [(["CLIENT", "SETNAME", "app"], ok), *library("jedis", "7.0.0"),
                (["SELECT", "0"], ok), *USED, (["PING"], pong)],
    "Lettuce 7": [(["HELLO", "3", "SETNAME", "app"], map_of_3),
                  *library("Lettuce", "7.0.0"), MAINTENANCE, *USED, (["PING"], pong)],
    "go-redis 9": [(["hello", "3"], map_of_3),
                   (["client", "maint_notifications", "on"], is_error),
                   *library("go-redis(,go1.25)", "9.16.0", "client setinfo LIB-NAME"), *USED],
    "StackExchange.Redis": [
        (["HELLO", "3"], map_of_3), (["CLIENT", "SETNAME", "app"], ok), *library("SE.Redis", "3.0"),
        (["CLIENT", "ID"], integer), (["CONFIG", "GET", "timeout"], pair(b"timeout")),
        (["CONFIG", "GET", "replica-read-only"], pair(b"replica-read-only")),
        (["CONFIG", "GET", "databases"], pair(b"databases")),
        (["SENTINEL", "MASTERS"], is_error), (["INFO", "replication"], contains(b"role:master")),
        (["INFO", "server"], INFO_FIELDS), (["CLUSTER", "NODES"], is_error),
        (["GET", "__Booksleeve_TieBreak"], nothing), (["ECHO", TRACER], bulk(TRACER)), *USED,
        (["ECHO", TRACER], bulk(TRACER)), (["TIME"], contains(b"*2\r\n"))],
    "StackExchange.Redis, RESP2": [(["HELLO", "2"], list_of_2), (["CLIENT", "ID"], integer), *USED],
    "predis 3": [(["HELLO", "3", "SETNAME", "predis"], map_of_3), *library("predis", "3.2.0"),
                 (["SELECT", "0"], ok), *USED],
    "redis-rb 6": [(["HELLO", "3"], map_of_3), *library("redis-client", "0.26.0"), *USED],
    "rueidis": [(["HELLO", "3"], map_of_3), (["CLIENT", "TRACKING", "ON", "OPTIN"], ok_or_error),
                *library("rueidis", "1.0.70"), *USED, (["PING"], pong)],
    "redis-rs": [*library("redis-rs", "1.0.0"), *USED],
    "Redisson": [(["CLIENT", "SETNAME", "app"], ok), (["CLIENT", "CAPA", "redirect"], is_error),
                 *USED, (["PING"], pong)],
    "valkey-glide": [(["HELLO", "3"], map_of_3), *library("GlidePy", "2.1.0"),
                     (["INFO", "SERVER"], INFO_FIELDS), *USED],
    "memtier_benchmark": [(["HELLO", "3"], map_of_3), (["SELECT", "0"], ok), *USED],
}

# With a password. The first words of those that are refused are the server's own.
CLOSED = {
    "HELLO with AUTH": [(["HELLO", "3", "AUTH", "default", PASSWORD, "SETNAME", "app"], map_of_3),
                        *library("lib", "1"), *USED],
    "AUTH of one word, HELLO": [(["AUTH", PASSWORD], ok), (["HELLO", "3"], map_of_3), *USED],
    "AUTH of two words": [(["AUTH", "default", PASSWORD], ok), *library("lib", "1"), *USED],
    "HELLO before AUTH": [(["HELLO", "3"], error(b"NOAUTH HELLO must be called with the client")),
                          (["GET", "k"], error(b"NOAUTH Authentication required.")),
                          (["AUTH", "default", PASSWORD], ok), (["HELLO", "3"], map_of_3), *USED],
    "a wrong password": [(["HELLO", "3", "AUTH", "default", "wrong"], error(b"WRONGPASS")),
                         (["AUTH", "wrong"], error(b"WRONGPASS")),
                         (["CLIENT", "ID"], error(b"NOAUTH")),
                         (["PING"], error(b"NOAUTH")), (["AUTH", PASSWORD], ok), *USED],
}

# Conversations with memcached, in one write each. The answers are compared as bytes: all of each
# conversation but the version and cas numbers.
MEMCACHED = {
    "gomemcache": b"version\r\nset k 0 0 5\r\nhello\r\ngets k\r\ngets k none\r\ntouch k 100\r\n"
                  b"gat 100 k\r\nincr k 1\r\nappend k 0 0 1\r\n!\r\ndelete k\r\ndelete k\r\n",
    "spymemcached": b"version\r\nset k 1 0 5\r\nhello\r\nget k\r\nappend k 0 0 1\r\n!\r\ngets k\r\n"
                    b"verbosity 0\r\nadd k 0 0 1\r\nx\r\nreplace k 0 0 1\r\ny\r\nget a b k c\r\n",
    "Dalli 5": b"version\r\n"
               b"ms k 5 T300 F1 MS\r\nhello\r\nmg k v f\r\nmg none v f\r\nmg k v f T100\r\n"
               b"ms a 1 F0 q\r\n1\r\nms b 1 F0 q\r\n2\r\nms c 1 F0 q\r\n3\r\nmn\r\n"
               b"mg a v f k q s\r\nmg none v f k q s\r\nmg b v f k q s\r\nmg c v f k q s\r\nmn\r\n"
               b"ma a D5\r\nma a v D5\r\nma none N0 J7 v\r\nma a MD v\r\n"
               b"md a q\r\nmd none\r\nmd b\r\nmn\r\nms k 1 MA\r\n!\r\nms k 1 MP\r\n<\r\nmg k v\r\n"
               b"ms c2Vzc2lvbiBrZXk= 3 b\r\nabc\r\nmg c2Vzc2lvbiBrZXk= v k b\r\n",
    "python-memcached": b"set k 0 0 5\r\nhello\r\ndelete k 0\r\nget k\r\nset k 0 -1 1\r\nx\r\nget k\r\n",
}
