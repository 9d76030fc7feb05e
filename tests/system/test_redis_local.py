# SPDX-License-Identifier: Apache-2.0
"""What the proxy answers itself: the bytes of a server where they can be the same, and its own
words where they cannot."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from clients import Connection, RespClient, RespError, encode
from harness import RedisServer, pool, spread_keys, stopped, wait_until

PASSWORD = "secret"


def replies(address, requests, protocol=2):
    """The bytes of each reply, one request after the other."""
    found = []
    with RawReplies(address) as connection:
        if protocol == 3:
            assert b"proto\r\n:3" in connection.call_raw("HELLO", "3")
        for words in requests:
            connection.send(encode(*words))
            found.append(connection.read_raw())
    return found


class RespAnyClient(RespClient):
    """Replies of RESP3, too: a map is a dict, text for people is bytes, a set is a list."""

    def read_reply(self):
        kind = self.peek()
        if kind == b"%":
            count = int(self.read_line()[1:])
            return {self.read_reply(): self.read_reply() for _ in range(count)}
        if kind == b"~":
            return [self.read_reply() for _ in range(int(self.read_line()[1:]))]
        if kind == b"=":
            size = int(self.read_line()[1:])
            return self.read_exactly(size + 2)[4:-2]
        if kind == b"_":
            self.read_line()
            return None
        return super().read_reply()

    def peek(self):
        while self._at == len(self._buffer):
            self._fill()
        return bytes(self._buffer[self._at:self._at + 1])


class RawReplies(Connection):
    """Reads a reply of either protocol as the bytes it came in."""

    def read_raw(self):
        line = self.read_line()
        kind = line[:1]
        if kind in (b"$", b"="):
            size = int(line[1:])
            return line if size < 0 else line + self.read_exactly(size + 2)
        count = 0
        if kind in (b"*", b"~", b">"):
            count = max(0, int(line[1:]))
        elif kind == b"%":
            count = 2 * int(line[1:])
        return line + b"".join(self.read_raw() for _ in range(count))

    def call_raw(self, *words):
        self.send(encode(*words))
        return self.read_raw()


LONG = "x" * 300
SAME = [
    # Unknown commands are quoted to the byte.
    ("NOSUCH",), ("nosuch", "a", "b"), (LONG, "a"), ("nosuch", LONG, "b"), ("", "a"), ("",),
    ("nosuch", "a" * 100, "b" * 100, "c"), ("nosuch", "a" * 125, "b"), ("nosuch", "a" * 124, "bc"),
    ("no\r\nsuch", b"a\x00b", b"c\td\x7f\xff"), (b"no\x00such", "a"), ("nosuch", ""),
    ("SENTINEL", "MASTERS"),
    # CLIENT
    ("CLIENT",), ("CLIENT", "nosuch"), ("CLIENT", b"a\r\nb"), ("CLIENT", LONG),
    ("CLIENT", "setname"), ("CLIENT", "SetName", "a", "b"), ("CLIENT", "GETNAME"),
    ("CLIENT", "SETNAME", "a b"), ("CLIENT", "SETNAME", "a\n"), ("CLIENT", "SETNAME", b"\xff"),
    ("CLIENT", "SETNAME", "me"), ("CLIENT", "GETNAME"), ("CLIENT", "SETNAME", ""),
    ("CLIENT", "GETNAME"), ("CLIENT", "GETNAME", "x"), ("CLIENT", "ID", "x"),
    ("CLIENT", "INFO", "x"), ("CLIENT", "LIST", "x"), ("CLIENT", "LIST", "TYPE"),
    ("CLIENT", "LIST", "TYPE", "x"), ("CLIENT", "LIST", "TYPE", "pubsub"), ("CLIENT", "LIST", "ID"),
    ("CLIENT", "LIST", "ID", "x"), ("CLIENT", "LIST", "ID", "99999"), ("CLIENT", "LIST", "ID", "0"),
    ("CLIENT", "NO-EVICT"), ("CLIENT", "NO-EVICT", "x"), ("CLIENT", "NO-EVICT", "on"),
    ("CLIENT", "NO-EVICT", "OFF"), ("CLIENT", "REPLY"), ("CLIENT", "REPLY", "x"),
    ("CLIENT", "REPLY", "ON"), ("CLIENT", "KILL"), ("CLIENT", "KILL", "x"),
    ("CLIENT", "KILL", "1.2.3.4:5"), ("CLIENT", "KILL", "ID", "x"), ("CLIENT", "KILL", "ID", "0"),
    ("CLIENT", "KILL", "ID", "-1"), ("CLIENT", "KILL", "ID", "99999"), ("CLIENT", "KILL", "FOO", "x"),
    ("CLIENT", "KILL", "ADDR", "1.2.3.4:5"), ("CLIENT", "KILL", "LADDR", "1.2.3.4:5"),
    ("CLIENT", "KILL", "ID", "1", "ADDR"), ("CLIENT", "KILL", "TYPE", "x"),
    ("CLIENT", "KILL", "TYPE", "pubsub"), ("CLIENT", "KILL", "USER", "x"),
    ("CLIENT", "KILL", "SKIPME", "x"), ("CLIENT", "HELP", "x"),
    ("CLIENT", "CAPA", "redirect"), ("CLIENT", "MAINT_NOTIFICATIONS", "on"),
    # The connection
    ("PING",), ("PING", "a"), ("PING", "a", "b"), ("ECHO",), ("ECHO", b"\x00\r\n"), ("ECHO", "a", "b"),
    ("SELECT",), ("SELECT", "0"), ("SELECT", "16"), ("SELECT", "-1"), ("SELECT", "x"),
    ("SELECT", ""), ("SELECT", "00"), ("SELECT", "0 "), ("SELECT", "+0"), ("SELECT", "2147483648"),
    ("SELECT", "99999999999999999999"), ("AUTH",), ("AUTH", "pw"), ("AUTH", "nobody", "pw"),
    # The server
    ("TIME", "x"), ("ROLE",), ("ROLE", "x"), ("ASKING",), ("READONLY", "x"), ("WAIT", "0", "0"),
    ("WAIT", "1", "1"), ("WAIT", "-1", "0"), ("WAIT", "x", "0"), ("WAIT", "0", "x"),
    ("WAIT", "0", "-1"), ("WAIT", "1"), ("LOLWUT", "VERSION", "x"),
    ("CONFIG",), ("CONFIG", "x"), ("CONFIG", "GET"), ("CONFIG", "GET", "timeout"),
    ("CONFIG", "GET", "TimeOut"), ("CONFIG", "GET", "nosuch"), ("CONFIG", "GET", "databases", "data*"),
    ("CONFIG", "GET", "notify-keyspace-events"), ("CONFIG", "GET", "replica-read-*"),
    ("CONFIG", "GET", "appendonly"), ("CONFIG", "GET", "maxmemory-policy"), ("CONFIG", "SET"),
    ("CONFIG", "SET", "x"), ("CONFIG", "RESETSTAT", "x"), ("CONFIG", "REWRITE", "x"),
    ("CLUSTER",), ("CLUSTER", "INFO"), ("CLUSTER", "slots"), ("CLUSTER", "NODES"),
    ("CLUSTER", "nosuch"), ("CLUSTER", "KEYSLOT"), ("CLUSTER", "KEYSLOT", "x"),
    ("ACL",), ("ACL", "WHOAMI"), ("ACL", "whoami", "x"), ("ACL", "nosuch"), ("MODULE",),
    ("MODULE", "LIST"), ("MODULE", "list", "x"), ("MODULE", "nosuch"),
    ("MEMORY",), ("MEMORY", "USAGE"), ("MEMORY", "nosuch"), ("MEMORY", "USAGE", "none"),
    # COMMAND
    ("COMMAND", "nosuch"), ("COMMAND", "COUNT", "x"), ("COMMAND", "INFO", "nosuch"),
    ("COMMAND", "DOCS", "nosuch"), ("COMMAND", "LIST", "x"), ("COMMAND", "LIST", "FILTERBY", "ACLCAT"),
    ("COMMAND", "LIST", "FILTERBY", "X", "y"), ("COMMAND", "LIST", "FILTERBY", "MODULE", "x"),
    ("COMMAND", "LIST", "FILTERBY", "PATTERN", "XLEN"), ("COMMAND", "GETKEYS"),
    ("COMMAND", "GETKEYS", "get"), ("COMMAND", "GETKEYS", "ping"), ("COMMAND", "GETKEYSANDFLAGS", "get"),
    ("COMMAND", "LIST", "FILTERBY", "ACLCAT", "nosuch"), ("COMMAND", "GETKEYS", "get", "a"),
    ("COMMAND", "GETKEYS", "mset", "a", "b", "c", "d"), ("COMMAND", "GETKEYS", "eval", "x", "0"),
    ("COMMAND", "GETKEYS", "client", "list"), ("COMMAND", "GETKEYS", "zunion", "0", "z"),
    ("COMMAND", "GETKEYS", "memory", "usage", "k"), ("COMMAND", "GETKEYS", "object", "x", "y"),
    ("COMMAND", "GETKEYSANDFLAGS", "copy", "a", "b"), ("COMMAND", "GETKEYSANDFLAGS", "get", "a"),
    ("COMMAND", "GETKEYSANDFLAGS", "zunionstore", "d", "2", "a", "b"),
    *(("COMMAND", "GETKEYSANDFLAGS", *words.split()) for words in (
        "set k v", "set k GET", "set k v NX get", "bitfield k", "bitfield k GET u8 0",
        "bitfield k get u8 0 set u8 0 1", "bitfield k OVERFLOW fail INCRBY u8 0 1", "sort k", "sort k BY w STORE d",
        "sort_ro k BY w", "georadius k 1 2 3 m", "georadius k 1 2 3 m STORE d", "georadiusbymember k m 3 m STOREDIST d",
        "xread STREAMS a 0", "eval s 2 a b", "bitop and d a b")),
    ("COMMAND", "INFO", "get", "copy", "zunionstore", "xread", "sdiffstore", "hset", "lmpop"),
]


@pytest.mark.parametrize("protocol", [2, 3])
def test_the_bytes_of_a_server(start_proxy, start_server, protocol):
    server = start_server(RedisServer)
    proxy = start_proxy({"p": pool([server], redis=True, timeout=5000)})
    expected = replies(("127.0.0.1", server.port), SAME, protocol)
    got = replies(proxy.address(), SAME, protocol)
    different = [(words, e, g) for words, e, g in zip(SAME, expected, got) if e != g]
    assert not different


def test_what_a_server_says_before_a_password(start_proxy, start_server):
    """First what the request is, then who may send it; the connection stays."""
    server = start_server(RedisServer)
    with server.client() as direct:
        direct.call("CONFIG", "SET", "requirepass", PASSWORD)
    proxy = start_proxy({"p": pool([server], redis=True, timeout=5000, redis_auth=PASSWORD)})
    requests = [("PING",), ("GET", "k"), ("NOSUCH", "a"), ("GET",), ("CLIENT", "NOSUCH"),
                ("CLIENT", "SETNAME"), ("CLIENT", "SETNAME", "me"), ("COMMAND",), ("INFO",),
                ("AUTH", "wrong"), ("SELECT", "0"), ("AUTH", "default", PASSWORD), ("PING",),
                ("AUTH", "nobody", PASSWORD), ("AUTH", PASSWORD)]
    expected = replies(("127.0.0.1", server.port), requests)
    # Compat: a wrong password takes the authentication away, as with nutcracker.
    assert replies(proxy.address(), requests) == expected
    with server.client() as direct:
        direct.call("AUTH", PASSWORD)
        direct.call("CONFIG", "SET", "requirepass", "")


@pytest.mark.parametrize("words", [
    ("CONFIG", "SET", "timeout", "1"), ("CONFIG", "RESETSTAT"), ("CONFIG", "REWRITE"),
    ("ACL", "LIST"), ("ACL", "CAT"), ("MODULE", "LOAD", "/x"), ("MULTI",), ("BLPOP", "k", "0"),
    ("SUBSCRIBE", "c"), ("SCAN", "0"), ("KEYS", "*"), ("SLOWLOG", "GET"), ("LATENCY", "DOCTOR"),
    ("CLIENT", "TRACKING", "on"), ("CLIENT", "PAUSE", "1"), ("CLIENT", "UNPAUSE"),
    ("CLIENT", "UNBLOCK", "1"), ("CLIENT", "CACHING", "yes"), ("MEMORY", "DOCTOR"),
], ids=" ".join)
def test_what_is_refused_leaves_the_connection_open(redis_proxy, words):
    with redis_proxy.redis() as client:
        client.send(encode("SET", "k", "v") + encode(*words) + encode("GET", "k"))
        stored, refused, value = client.read_replies(3)
        assert (stored, value) == ("OK", b"v")
        assert isinstance(refused, RespError)
        assert re.match(r"ERR (unknown|.*not supported through a proxy)", str(refused)), refused


def test_a_client_says_what_it_is(redis_proxy):
    with redis_proxy.redis() as client:
        assert client.call("CLIENT", "SETINFO", "LIB-NAME", "redis-py") == "OK"
        assert client.call("CLIENT", "SETINFO", "lib-ver", "8.0.0") == "OK"
        assert client.call("CLIENT", "SETNAME", "worker-1") == "OK"
        assert client.call("CLIENT", "GETNAME") == b"worker-1"
        assert client.call("CLIENT", "NO-TOUCH", "on") == "OK"
        assert client.call("CLIENT", "SETINFO", "LIB-NAME", "a b") == RespError(
            "ERR LIB-NAME cannot contain spaces, newlines or special characters.")
        assert client.call("CLIENT", "SETINFO", "foo", "x") == RespError(
            "ERR Unrecognized option 'foo'")
        number = client.call("CLIENT", "ID")
        fields = dict(word.split("=", 1) for word in client.call("CLIENT", "INFO").decode().split())
        host, port = client.socket.getsockname()
        assert fields["id"] == str(number)
        assert fields["addr"] == f"{host}:{port}"
        assert fields["name"] == "worker-1"
        assert fields["lib-name"] == "redis-py"
        assert fields["lib-ver"] == "8.0.0"
        assert fields["resp"] == "2"
        assert int(fields["age"]) < 100
        assert int(fields["idle"]) < 100


def test_ids_are_unique_over_workers_and_restarts(redis_proxy):
    seen = set()

    def collect(count):
        for _ in range(count):
            with redis_proxy.redis() as client:
                number = client.call("CLIENT", "ID")
                assert 0 < number < 1 << 53
                assert number not in seen
                seen.add(number)

    collect(60)
    assert len({number >> 43 for number in seen}) == 2, "one worker served all"
    before = set(redis_proxy.wait_workers())
    for pid in before:
        os.kill(pid, 9)
    wait_until(lambda: len(set(redis_proxy.wait_workers()) - before) == 2, what="new workers")
    collect(60)


def test_client_list_has_the_clients_of_this_pool_and_worker(start_proxy, redis_servers):
    proxy = start_proxy({"a": pool(redis_servers, redis=True), "b": pool(redis_servers, redis=True)},
                        workers=1)
    with proxy.redis("a") as one, proxy.redis("a") as two, proxy.redis("b") as other:
        ids = [client.call("CLIENT", "ID") for client in (one, two, other)]
        listed = one.call("CLIENT", "LIST").decode()
        assert re.findall(r"^id=(\d+) ", listed, re.M) == [str(number) for number in ids[:2]]
        assert re.findall(r" cmd=(\S+)", listed) == ["client|list", "NULL"]
        only = one.call("CLIENT", "LIST", "ID", ids[1], ids[2], "1").decode()
        assert re.findall(r"^id=(\d+) ", only, re.M) == [str(ids[1])]
        assert one.call("CLIENT", "LIST", "TYPE", "normal").count(b"\n") == 2


def test_client_kill(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, workers=1)
    with proxy.redis() as one, proxy.redis() as two, proxy.redis() as three:
        assert one.call("CLIENT", "KILL", "ID", two.call("CLIENT", "ID")) == 1
        assert two.read_to_end() == b""
        host, port = three.socket.getsockname()
        assert one.call("CLIENT", "KILL", f"{host}:{port}") == "OK"
        assert three.read_to_end() == b""
        number = one.call("CLIENT", "ID")
        assert one.call("CLIENT", "KILL", "ID", number) == 0, "SKIPME is yes by default"
        assert "another worker" in str(one.call("CLIENT", "KILL", "ID", number + (5 << 43)))
        # Itself: answered, then closed, and what stands behind it is not done.
        one.send(encode("SET", "k", "1") + encode("CLIENT", "KILL", "ID", number, "SKIPME", "no")
                 + encode("SET", "k", "2"))
        assert one.read_replies(2) == ["OK", 1]
        assert one.read_to_end() == b""
    with proxy.redis() as client:
        assert client.call("GET", "k") == b"1"


SILENT = [
    (("CLIENT", "REPLY", "OFF"), False), (("SET", "k", "v"), False), (("GET", "k"), False),
    (("MSET", "a", "1", "b", "2", "c", "3"), False), (("MGET", "a", "b", "c"), False),
    (("NOSUCH",), False), (("PING",), False), (("CLIENT", "REPLY", "SKIP"), False),
    (("CLIENT", "REPLY", "ON"), True), (("GET", "k"), True), (("CLIENT", "REPLY", "SKIP"), False),
    (("GET", "k"), False), (("GET", "k"), True), (("CLIENT", "REPLY", "SKIP"), False),
    (("CLIENT", "REPLY", "SKIP"), False), (("MGET", "a", "b"), False), (("ECHO", "x"), True),
    (("CLIENT", "REPLY", "SKIP"), False), (("NOSUCH",), False), (("MGET", "a", "b", "c"), True),
    (("CLIENT", "REPLY", "SKIP"), False), (("CLIENT", "REPLY", "ON"), True),
    (("CLIENT", "REPLY", "SKIP"), False), (("RESET",), False),
]


def test_silence_is_kept_in_the_order_of_the_pipeline(redis_proxy, redis_servers):
    request = b"".join(encode(*words) for words, _ in SILENT) + encode("ECHO", "end")
    expected = b"+OK\r\n$1\r\nv\r\n$1\r\nv\r\n$1\r\nx\r\n*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n+OK\r\n$3\r\nend\r\n"
    for connection in (redis_servers[0].client(), redis_proxy.redis()):
        with connection as client:
            client.send(request)
            assert client.read_exactly(len(expected)) == expected
            client.send_slowly(request, 7)
            assert client.read_exactly(len(expected)) == expected
            assert client.has_no_more()


def test_a_large_silent_reply_is_dropped(redis_proxy):
    value = b"x" * 300_000
    with redis_proxy.redis() as client:
        assert client.call("SET", "k", value) == "OK"
        client.send(encode("CLIENT", "REPLY", "OFF") + encode("GET", "k") * 20
                    + encode("CLIENT", "REPLY", "ON") + encode("STRLEN", "k"))
        assert client.read_replies(2) == ["OK", len(value)]


def test_a_silent_split_request_ends_with_its_last_part(start_proxy, start_server):
    """A part of over 64 KB is dropped as it comes, while another is still under way and it is not
    the request's turn yet."""
    servers = [start_server(RedisServer) for _ in range(3)]
    proxy = start_proxy({"p": pool(servers, redis=True, timeout=0)}, workers=1)
    with proxy.redis() as client:
        for key in spread_keys(30):
            client.call("SET", key, key)
        first, large, last = (sorted(server.keys())[0].decode() for server in servers)
        client.call("SET", large, b"x" * 100_000)
        named = {server.address: f"{server.host}:{server.port}" for server in servers}

        def answered(server):
            return proxy.stats()["p"][named[server.address]]["responses"]

        before = [answered(server) for server in servers]
        with stopped([servers[0].process.pid]):
            with stopped([servers[2].process.pid]):
                client.send(encode("GET", first) + encode("CLIENT", "REPLY", "SKIP")
                            + encode("MGET", large, last) + encode("ECHO", "end"))
                wait_until(lambda: answered(servers[1]) > before[1], what="the large part")
            wait_until(lambda: answered(servers[2]) > before[2], what="the last part")
        assert client.read_replies(2) == [first.encode(), b"end"]


def test_local_answers_take_their_place_in_a_pipeline(redis_proxy):
    one = (encode("SET", "k", "v") + encode("PING") + encode("GET", "k") + encode("CLIENT", "SETNAME", "n")
           + encode("MGET", "k", "none") + encode("NOSUCH") + encode("CONFIG", "GET", "save")
           + encode("CLIENT", "GETNAME") + encode("GET", "k"))
    expected = ["OK", "PONG", b"v", "OK", [b"v", None],
                RespError("ERR unknown command 'NOSUCH', with args beginning with: "),
                [b"save", b""], b"n", b"v"]
    with redis_proxy.redis() as client:
        client.send(one * 50)
        assert client.read_replies(50 * len(expected)) == expected * 50


def test_info_has_what_clients_parse(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, workers=1)
    with proxy.redis() as client:
        text = client.call("INFO").decode()
        fields = dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
        assert fields["redis_mode"] == "standalone"
        assert fields["role"] == "master"
        assert fields["loading"] == "0"
        assert fields["connected_clients"] == "1"
        assert fields["tcp_port"] == str(proxy.address()[1])
        assert fields["process_id"] == str(proxy.wait_workers()[0])
        assert re.fullmatch(r"[0-9a-f]{40}", fields["run_id"])
        assert re.fullmatch(r"\d+\.\d+\.\d+", fields["redis_version"])
        assert fields["proxy_pool"] == "p"
        assert "master_link_down_since_seconds" not in fields
        assert re.findall(r"^# (\w+)\r$", text, re.M) == [
            "Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Modules",
            "Cluster", "Keyspace", "Proxy"]
        assert client.call("INFO", "keyspace") == b"# Keyspace\r\n"
        assert client.call("INFO", "nosuch") == b""
        assert client.call("INFO", "REPLICATION", "proxy").startswith(b"# Replication\r\nrole:master\r\n")


def test_memory_usage_asks_the_server_of_the_key(redis_proxy):
    with redis_proxy.redis() as client:
        for i in range(20):
            assert client.call("SET", f"k{i}", "v") == "OK"
            assert client.call("MEMORY", "USAGE", f"k{i}") > 0


def test_the_facts_of_commands_are_the_servers(start_proxy, start_server):
    """COMMAND INFO of every command that both know, but for subcommands and for notes, which are for people."""
    server = start_server(RedisServer)
    proxy = start_proxy({"p": pool([server], redis=True, timeout=5000)})
    with server.client() as direct, proxy.redis() as client:
        known = {row[0]: row for row in direct.call("COMMAND")}
        rows = client.call("COMMAND")
        assert client.call("COMMAND", "COUNT") == len(rows)
        assert {name for name in client.call("COMMAND", "LIST")} == {row[0] for row in rows}
        compared = 0
        for row in rows:
            assert len(row) == 10
            if row[0] not in known:
                continue
            compared += 1
            theirs = known[row[0]]
            for spec in theirs[8]:
                if spec[0] == b"notes":
                    del spec[:2]
            assert row[:9] == theirs[:9], row[0]
        assert compared > 170
        docs = client.call("COMMAND", "DOCS")
        assert docs[::2] == [row[0] for row in rows]
        for fields in docs[1::2]:
            assert fields[::2][:3] == [b"summary", b"since", b"group"]


@pytest.mark.slow
def test_what_costs_much_is_bounded(redis_proxy):
    with redis_proxy.redis() as client:
        assert "commands asked for" in str(client.call("COMMAND", "DOCS", *["get"] * 1001))
        assert len(client.call("COMMAND", "INFO", *["get"] * 1000)) == 1000
        client.send(encode("COMMAND", "DOCS") * 300 + encode("CLIENT", "LIST") * 300)
        replies = client.read_replies(600)
        assert all(isinstance(reply, list) for reply in replies[:300])
        assert all(isinstance(reply, bytes) for reply in replies[300:])


def test_redis_benchmark_runs(redis_proxy):
    host, port = redis_proxy.address()
    run = subprocess.run(["redis-benchmark", "-h", host, "-p", str(port), "-n", "200", "-c", "4",
                          "-t", "ping,set,get,incr,lpush,hset,mset", "-q"],
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "WARNING" not in run.stderr + run.stdout, run.stderr
    for name in ("PING_MBULK", "SET", "GET", "MSET"):
        assert f"{name}" in run.stdout


class Terminal:
    """redis-cli at a terminal of its own."""

    def __init__(self, *options):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 200, 0, 0))
        environment = dict(os.environ, TERM="xterm", HOME="/nonexistent", REDISCLI_HISTFILE="/dev/null")
        self.process = subprocess.Popen(["redis-cli", *options], stdin=slave, stdout=slave,
                                        stderr=slave, env=environment, start_new_session=True)
        os.close(slave)
        self.seen = ""

    def wait_for(self, text, timeout=20):
        deadline = time.monotonic() + timeout
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"no {text!r} in {self.seen!r}"
            if select.select([self.master], [], [], left)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.mark.parametrize("protocol", ["-2", "-3"])
def test_redis_cli_at_a_terminal(redis_proxy, protocol):
    host, port = redis_proxy.address()
    terminal = Terminal(*(["-3"] if protocol == "-3" else []), "-h", host, "-p", str(port))
    prompt = f"{host}:{port}> "  # what is typed before it is thrown away by redis-cli
    try:
        terminal.wait_for(prompt)
        terminal.type("lpos")
        terminal.type(" ")
        terminal.wait_for("element [RANK rank]")  # the hint, made of COMMAND DOCS
        terminal.type("\x15")
        for typed, shown in (("set k hello", "\nOK"), ("get k", '\n"hello"'),
                             ("help getdel", "summary:")):
            terminal.type(typed + "\r")
            terminal.wait_for(shown)
            terminal.wait_for(prompt)
        terminal.type("quit\r")
        assert terminal.process.wait(timeout=20) == 0
    finally:
        terminal.close()


# Clients whose programs are not at hand: what they send on connect as one pipeline, read in their
# sources, and what must come back.
CONNECT = {
    "go-redis 9": [("HELLO", "3"), ("CLIENT", "SETNAME", "app"), ("CLIENT", "MAINT_NOTIFICATIONS", "ON"),
                   ("CLIENT", "SETINFO", "LIB-NAME", "go-redis(,go1.23)"),
                   ("CLIENT", "SETINFO", "LIB-VER", "9.9.0"), ("PING",)],
    "Jedis 8": [("HELLO", "3"), ("CLIENT", "SETNAME", "app"),
                ("CLIENT", "SETINFO", "lib-name", "jedis"), ("CLIENT", "SETINFO", "lib-ver", "8.0.0"),
                ("READONLY",), ("SELECT", "0"), ("PING",)],
    "Jedis 7": [("CLIENT", "SETNAME", "app"), ("CLIENT", "SETINFO", "lib-name", "jedis"),
                ("CLIENT", "SETINFO", "lib-ver", "7.0.0"), ("SELECT", "0"), ("PING",)],
    "Lettuce 7": [("HELLO", "3", "SETNAME", "app"), ("PING",), ("SELECT", "0"), ("READONLY",), ("CLIENT", "SETNAME", "app"),
                  ("CLIENT", "SETINFO", "lib-name", "Lettuce"), ("CLIENT", "SETINFO", "lib-ver", "7.0"),
                  ("CLIENT", "MAINT_NOTIFICATIONS", "on"), ("ROLE",)],
    "StackExchange.Redis 3": [
        ("AUTH", "pw"), ("HELLO", "3"), ("CLIENT", "SETNAME", "app"), ("CLIENT", "SETINFO", "lib-name", "SE.Redis"),
        ("CLIENT", "SETINFO", "lib-ver", "3.0"), ("CLIENT", "ID"), ("CONFIG", "GET", "timeout"),
        ("CONFIG", "GET", "slave-read-only"), ("CONFIG", "GET", "databases"), ("SENTINEL", "MASTERS"),
        ("INFO", "replication"), ("INFO", "server"), ("CLUSTER", "NODES"),
        ("GET", "__Booksleeve_TieBreak"), ("ECHO", bytes(range(240, 256)))],
    "predis 3": [("HELLO", "3", "SETNAME", "predis"),
                 ("CLIENT", "SETINFO", "LIB-NAME", "predis"), ("CLIENT", "SETINFO", "LIB-VER", "3.0"),
                 ("SELECT", "0")],
    "predis without HELLO": [("AUTH", "pw"), ("CLIENT", "SETNAME", "predis"),
                 ("CLIENT", "SETINFO", "LIB-NAME", "predis"), ("CLIENT", "SETINFO", "LIB-VER", "3.0"),
                 ("SELECT", "0")],
    "rueidis without its cache": [("HELLO", "3", "SETNAME", "app"), ("SELECT", "0"), ("CLIENT", "SETINFO", "LIB-NAME", "rueidis"),
                                  ("CLIENT", "SETINFO", "LIB-VER", "1.0"), ("PING",)],
    "Redisson": [("SELECT", "0"), ("CLIENT", "SETNAME", "app"), ("CLIENT", "CAPA", "redirect"),
                 ("READONLY",), ("PING",)],
    "valkey-glide": [("HELLO", "3"), ("CLIENT", "SETINFO", "lib-name", "GlidePy"),
                     ("CLIENT", "SETINFO", "lib-ver", "2.0"), ("INFO", "SERVER")],
    "node-redis 6": [("HELLO", "3", "SETNAME", "app"), ("SELECT", "0"),
                     ("CLIENT", "SETINFO", "LIB-VER", "6.2"),
                     ("CLIENT", "SETINFO", "LIB-NAME", "node-redis"),
                     ("CLIENT", "MAINT_NOTIFICATIONS", "ON"), ("PING",)],
    "ioredis 6": [("HELLO", "3"), ("SELECT", "0"), ("client", "setname", "app"),
                  ("client", "SETINFO", "LIB-VER", "6.0"), ("client", "SETINFO", "LIB-NAME", "ioredis"),
                  ("info",)],
    "redis-rb 6": [("HELLO", "3"), ("SELECT", "0"), ("CLIENT", "SETINFO", "LIB-NAME", "redis-rb"),
                   ("CLIENT", "SETINFO", "LIB-VER", "6.0"), ("CLIENT", "SETNAME", "app")],
    "node-redis 4": [("CLIENT", "SETNAME", "app"), ("SELECT", "0"),
                     ("CLIENT", "SETINFO", "LIB-NAME", "node-redis"),
                     ("CLIENT", "SETINFO", "LIB-VER", "4.7"), ("PING",)],
    "ioredis 5": [("SELECT", "0"), ("client", "setname", "app"),
                  ("client", "SETINFO", "LIB-VER", "5.4"), ("client", "SETINFO", "LIB-NAME", "ioredis"),
                  ("info",)],
    "Spring Session": [("CONFIG", "GET", "notify-keyspace-events")],
    "phpredis, a persistent connection": [("SELECT", "0"), ("ECHO", "phpredis-1234")],
}

# What a client takes for an error that it lives with: (client, command) -> how the error begins.
SURVIVED = {
    ("go-redis 9", "MAINT_NOTIFICATIONS"): "ERR unknown subcommand",
    ("Lettuce 7", "MAINT_NOTIFICATIONS"): "ERR unknown subcommand",
    ("Redisson", "CAPA"): "ERR unknown subcommand",
    ("node-redis 6", "MAINT_NOTIFICATIONS"): "ERR unknown subcommand",
    ("StackExchange.Redis 3", "pw"): "ERR AUTH <password> called without any password",
    ("StackExchange.Redis 3", "MASTERS"): "ERR unknown command",
    ("StackExchange.Redis 3", "NODES"): "ERR This instance has cluster support disabled",
    ("predis without HELLO", "pw"): "ERR AUTH <password> called without any password",
}


@pytest.mark.parametrize("client_name", CONNECT)
def test_what_clients_send_on_connect(redis_proxy, client_name):
    requests = CONNECT[client_name]
    with RespAnyClient(redis_proxy.address()) as client:
        client.send(b"".join(encode(*words) for words in requests) + encode("SET", "k", "v")
                    + encode("GET", "k") + encode("HSET", "h", "f", "w") + encode("HGETALL", "h"))
        for words in requests:
            reply = client.read_reply()
            error = SURVIVED.get((client_name, words[1] if len(words) > 1 else ""))
            if error:
                assert str(reply).startswith(error), (words, reply)
                continue
            assert not isinstance(reply, RespError), (words, reply)
            check_connect_reply(words, reply)
        assert client.read_replies(3) == ["OK", b"v", 1]
        is_resp3 = any(words[0] == "HELLO" for words in requests)
        assert client.read_reply() == ({b"f": b"w"} if is_resp3 else [b"f", b"w"])


def check_connect_reply(words, reply):
    name = words[0].upper()
    if isinstance(reply, dict) and name != "HELLO":
        reply = [part for pair in reply.items() for part in pair]
    if name == "HELLO":
        assert reply[b"proto"] == 3
        assert reply[b"role"] == b"master"
    elif name == "ECHO":
        assert reply == (words[1] if isinstance(words[1], bytes) else words[1].encode())
    elif name == "PING":
        assert reply == "PONG"
    elif name in ("SELECT", "READONLY"):
        assert reply == "OK"
    elif name == "ROLE":
        assert reply == [b"master", 0, []]
    elif name == "INFO":
        if len(words) == 1 or words[1].lower() == "server":
            assert re.search(rb"^redis_version:\d+\.\d+", reply, re.M)
        if len(words) == 1:
            assert b"\r\nloading:0\r\n" in reply
    elif name == "CONFIG":
        assert reply[0] == words[2].encode()
    elif name == "CLIENT":
        assert reply == "OK" or (words[1] == "ID" and reply > 0)
