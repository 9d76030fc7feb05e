# SPDX-License-Identifier: Apache-2.0
"""nutcracker and ringmaster side by side: random pools, random keys, every request cut anywhere.

RM_DIFFER_SEED repeats a run (a failure prints its seed), RM_DIFFER_POOLS sets how many pools.
"""

import os
import random
import re

import pytest

import differ
import differ_corpus as corpus
import differ_pools
from clients import encode
from differ import Outcome, Talk
from differ_pools import fresh_rng
from harness import NUTCRACKER, ROOT, MemcachedServer, RedisServer, free_port, pool
from index_servers import DEFAULT_PORT, IndexServers

SEED = int(os.environ.get("RM_DIFFER_SEED") or random.SystemRandom().randrange(1 << 32))
POOLS = int(os.environ.get("RM_DIFFER_POOLS") or 30)
NOTE = f"RM_DIFFER_SEED={SEED}"
KEYS_TO_PLACE = 150
CASES_PER_POOL = 14

SLOW = {"test_many_more_random_pools",
        "test_a_million_keys_over_fifty_random_pools_are_placed_alike"}

pytestmark = pytest.mark.skipif(NUTCRACKER is None, reason="nutcracker is not installed")


@pytest.fixture(scope="module")
def judge():
    return differ.Judge()


@pytest.fixture
def both(start_proxy, start_nutcracker):
    """both(pools) -> [nutcracker, ringmaster], the pools at addresses of their own."""

    def start(pools):
        theirs, ours = differ_pools.listening(pools)
        return [start_nutcracker(theirs), start_proxy(ours)]

    return start


@pytest.fixture
def six_servers(start_server, redis_servers, memcached_servers, folder):
    """Four on ports and two on Unix sockets, of either kind."""

    def six(redis):
        kind = RedisServer if redis else MemcachedServer
        unix = [start_server(kind, path=folder / f"u{i}.sock") for i in range(2)]
        return (redis_servers if redis else memcached_servers) + unix

    return six


# ---- random pools --------------------------------------------------------------------------------


def session_of(number, redis, cases, protocol, address, spreads):
    """All conversations with one pool: [(kind, what, outcome, rows, wanted)], and the keys used."""
    rng = fresh_rng(SEED, redis, number)
    keys = differ_pools.Keys(rng, redis)
    found = []

    def note(kind, what, outcome, rows=None, wanted=None):
        found.append((kind, what, outcome, rows, wanted))

    # The answers of stories depend on the keys' places: not under `random`.
    lines = corpus.stories(corpus.REDIS_ALIKE if redis else corpus.MEMCACHED_ALIKE)
    rng.shuffle(lines)
    while lines and not spreads:
        some = [lines.pop() for _ in range(min(len(lines), rng.randint(1, 9)))]
        tell = corpus.redis_story if redis else corpus.memcached_story
        requests = [tell(line, keys, rng) for line in some]
        outcome = differ.all_alike(address, protocol, requests, rng)
        note("alike", b"".join(requests)[:4000], outcome)
    for request in corpus.REDIS_ALIKE_RAW if redis and not spreads else []:
        note("alike", request, differ.all_alike(address, protocol, [request], rng))
    # Keys that only one of the proxies may have stored.
    uncompared = differ_pools.Keys(rng, redis, b"case:")
    for rows, request, wanted in cases:
        words = (corpus.redis_case(request, uncompared, rng) if redis
                 else corpus.memcached_request(request, uncompared, {}, rng))
        outcome = differ.one_case(address, protocol, words, rng)
        note("different", words, outcome, rows, wanted)
        if not {"quit", "control-bytes", "version"} & set(rows) and not spreads:
            note("in one write", words, differ.in_one_write(address, protocol, words, rng), rows)
    placed = [keys.next() for _ in range(KEYS_TO_PLACE)]
    requests = [encode("SET", key, key[:9]) if redis else b"set %s 0 0 1\r\nx\r\n" % key
                for key in placed]
    note("alike", b"(placing keys)", differ.all_alike(address, protocol, requests, rng))
    return found, keys.seen - uncompared.seen


def placement(servers, redis, keys):
    """The keys on each server, and what else tells whether they are the same."""
    if redis:
        return [server.keys() & keys for server in servers]
    found = []
    for server in servers:
        with server.client() as client:
            values = []
            ordered = sorted(keys)
            for start in range(0, len(ordered), 50):
                values += client.get_many(ordered[start:start + 50])
            found.append({(key, value, flags) for key, value, flags, _ in values})
    return found


def empty(servers, redis):
    for server in servers:
        server.flush()
        if redis:
            with server.client() as client:
                client.call("SCRIPT", "FLUSH")


def judge_pool(judge, what, results):
    """`results`: what session_of and placement gave for each of the two proxies."""
    (theirs, their_keys, their_places), (ours, our_keys, our_places) = results
    assert their_keys == our_keys and len(theirs) == len(ours), f"{NOTE}: not repeatable"
    for (kind, request, n, rows, wanted), (_, _, r, _, _) in zip(theirs, ours):
        about = f"{what}\n  {kind}: {request[:1500]!r}"
        if kind == "alike":
            judge.same(about, n, r)
        elif kind == "different":
            judge.different(rows, about, n, r, wanted)
        else:
            judge_one_write(judge, about, n, r)
    if "random" not in what:
        for theirs_at, ours_at in zip(their_places, our_places):
            judge.same(f"{what}\n  the keys of a server", sorted(theirs_at - ours_at),
                       sorted(ours_at - theirs_at))
    else:
        union = [set().union(*places) for places in (their_places, our_places)]
        judge.same(f"{what}\n  the keys of all servers", *union)
        judge.same(f"{what}\n  keys that are twice", sum(map(len, our_places)), len(union[1]))


def judge_one_write(judge, about, theirs, ours):
    """We give every earlier reply; nutcracker, when it closes, some of them or none."""
    judge.same_or("pending", about, theirs, ours)


@pytest.mark.parametrize("redis", [True, False], ids=["redis", "memcached"])
def test_random_pools_give_the_same_places_and_bytes(redis, six_servers, both, judge, folder):
    run_random_pools(redis, six_servers, both, judge, folder, POOLS, 0)


@pytest.mark.slow
@pytest.mark.parametrize("redis", [True, False], ids=["redis", "memcached"])
def test_many_more_random_pools(redis, six_servers, both, judge, folder):
    run_random_pools(redis, six_servers, both, judge, folder, 4 * POOLS, 1000)


def run_random_pools(redis, six_servers, both, judge, folder, count, first):
    servers = six_servers(redis)
    made = [differ_pools.random_pool(fresh_rng(SEED, "pool", redis, first + i), i, servers, redis,
                               folder) for i in range(count)]
    proxies = both({f"p{i}": settings for i, (settings, _) in enumerate(made)})
    cases = corpus.REDIS_DIFFERENT if redis else corpus.MEMCACHED_DIFFERENT
    if redis:
        cases = cases + [(["inline"], request, None)
                         for request in corpus.REDIS_INLINE]
    deck = []
    while len(deck) < count * CASES_PER_POOL:
        deck += fresh_rng(SEED, "deck", first, len(deck)).sample(cases, len(cases))
    for i, (settings, chosen) in enumerate(made):
        what = str(settings)
        spreads = settings["distribution"] == "random" and len(chosen) > 1
        dealt = deck[i * CASES_PER_POOL:(i + 1) * CASES_PER_POOL]
        results = []
        for proxy in proxies:
            empty(chosen, redis)
            protocol = differ.Protocol(redis, b"%016x" % fresh_rng(SEED, i).getrandbits(64))
            protocol.store(chosen)
            found, keys = session_of(first + i, redis, dealt, protocol, proxy.address(f"p{i}"),
                                     spreads)
            if not redis:
                found = [(kind, request, Outcome(differ.without_uniques(o.reply), o.alive), *more)
                         for kind, request, o, *more in found]
            results.append((found, keys, placement(chosen, redis, keys)))
        judge_pool(judge, what, results)
    judge.verdict(NOTE)


# ---- what needs servers of a certain kind --------------------------------------------------------


def start_protocol(redis, servers, key=differ.SENTINEL):
    protocol = differ.Protocol(redis, b"%016x" % fresh_rng(SEED).getrandbits(64), key)
    protocol.store(servers)
    return protocol


def of_both(proxies, protocol, request):
    return [differ.one_case(proxy.address(), protocol, request, None) for proxy in proxies]


def test_commands_with_several_keys_go_to_the_right_servers(both, redis_servers, judge):
    proxies = both({"p": {**pool(redis_servers, redis=True, timeout=5000), "listen": None}})
    protocol = start_protocol(True, redis_servers)
    keys = [b"key:%d:%d" % (i, SEED) for i in range(24)]
    with proxies[0].redis() as client:
        for key in keys:
            assert client.call("ZADD", key, "1", key) == 1
    for key in keys:
        for words in [("ZUNION", "1", key), ("ZINTER", "1", key), ("ZDIFF", "1", key)]:
            judge.same_or("first-key", words, *of_both(proxies, protocol, encode(*words)))
    for words in [("SINTER",), ("SUNION",), ("SDIFF",), ("PFCOUNT",), ("RPOPLPUSH",), ("COPY",)]:
        for pair in zip(keys, keys[1:]):
            request = encode(*words, *(b"not-" + key for key in pair))
            judge.same_or("cross-shard", request, *of_both(proxies, protocol, request))
    theirs, ours = of_both(proxies, protocol, encode("EXISTS", *keys, "none", keys[0]))
    judge.different(["exists"], "EXISTS", theirs, ours, rb":25\r\n")
    judge.verdict(NOTE)


@pytest.mark.parametrize("word", ["OOM", "BUSY", "LOADING"])
def test_a_server_that_is_busy_says_so(word, both, redis_servers, judge):
    proxies = both({"p": {**pool(redis_servers, redis=True, timeout=5000), "listen": None}})
    protocol = start_protocol(True, redis_servers)
    script = encode("EVAL", f"return(redis.error_reply('{word} for now'))", "1", "key")
    theirs, ours = of_both(proxies, protocol, script)
    judge.different(["server-errors"], word, theirs, ours, b"-%s for now\r\n" % word.encode())
    judge.verdict(NOTE)


@pytest.mark.parametrize("redis", [True, False], ids=["redis", "memcached"])
def test_one_dead_server(redis, both, redis_servers, memcached_servers, judge):
    servers = (redis_servers if redis else memcached_servers)[:2]
    entries = [server.entry(1, f"live{i}") for i, server in enumerate(servers)]
    entries.append(f"127.0.0.1:{free_port()}:1 dead")
    settings = pool(entries, redis=redis, timeout=5000)
    proxies = both({"p": {**settings, "listen": None}})

    def get(*keys):
        return encode("MGET" if keys[1:] else "GET", *keys) if redis \
            else b"get %s\r\n" % b" ".join(keys)

    def is_dead(key):
        return differ.is_error(differ.until_the_end(proxies[1].address(), get(key)).reply)

    keys = [b"key:%d:%d" % (i, SEED) for i in range(40)]
    dead = [key for key in keys if is_dead(key)]
    live = [key for key in keys if key not in dead]
    assert dead and live
    protocol = start_protocol(redis, servers, live[0])
    for key in keys:
        judge.same(("get", key), *of_both(proxies, protocol, get(key)))
    judge.same("live keys", *of_both(proxies, protocol, get(*live)))
    theirs, ours = of_both(proxies, protocol, get(live[1], dead[0], live[0]))
    text = b"-ERR" if redis else b"SERVER_ERROR"
    judge.different(["shard-fails"], "a dead key", theirs, ours, text + b" Connection refused\r\n")
    if redis:
        for words in [("DEL", live[1], dead[0]), ("MSET", live[1], "a", dead[0], "b"),
                      ("UNLINK", dead[0], live[1]), ("TOUCH", live[1], dead[0]),
                      ("SET", dead[0], "a"), ("PING",)]:
            judge.same(words, *of_both(proxies, protocol, encode(*words)))
    else:
        for request in [b"set %s 0 0 1\r\nx\r\n", b"delete %s\r\n", b"incr %s 1\r\n"]:
            judge.same(request, *of_both(proxies, protocol, request % dead[0]))
    judge.verdict(NOTE)


def test_a_line_that_ends_in_lf(both, memcached_servers, judge):
    proxies = both({"p": {**pool(memcached_servers, timeout=5000), "listen": None}})
    judge.same("half a line", *(differ.with_fin(proxy.address(), b"get ke") for proxy in proxies))
    judge.same("half-close", *(differ.with_fin(proxy.address(), b"get key\r\nget other\r\nget k")
                               for proxy in proxies))
    judge.different(["bare-lf"], "get with LF", *(differ.with_fin(proxy.address(), b"get key\n")
                                                  for proxy in proxies))
    judge.verdict(NOTE)


def test_a_cas_unique_that_was_read_stores_once(both, memcached_servers, judge):
    proxies = both({"p": {**pool(memcached_servers, timeout=5000), "listen": None}})
    found = []
    for proxy in proxies:
        with proxy.memcached() as client:
            client.set(b"key", b"1")
            _, unique = client.gets(b"key")
            found.append([client.store("cas", b"key", b"2", extra=b" %d" % unique),
                          client.store("cas", b"key", b"3", extra=b" %d" % unique),
                          client.get(b"key"), client.ask(b"delete key\r\n")])
    judge.same("cas", *found)
    assert found[0][:3] == [b"STORED\r\n", b"EXISTS\r\n", b"2"]
    judge.verdict(NOTE)


def test_servers_that_refuse_to_write(both, start_server, judge):
    servers = [start_server(RedisServer) for _ in range(2)]
    proxies = both({"p": {**pool(servers, redis=True, timeout=5000), "listen": None}})
    protocol = start_protocol(True, servers)
    for server in servers:
        with server.client() as client:
            assert client.call("REPLICAOF", "127.0.0.1", free_port()) == "OK"
    for words in [("SET", "a", "b"), ("DEL", "a"), ("MSET", "a", "b"), ("LPUSH", "a", "b")]:
        judge.same(words, *of_both(proxies, protocol, encode(*words)))
    for words in [("DEL", "a", "b", "c", "d"), ("MSET", "a", "1", "b", "2", "c", "3"),
                  ("UNLINK", "a", "b", "c")]:
        theirs, ours = of_both(proxies, protocol, encode(*words))
        judge.different(["error-texts"], words, theirs, ours, rb"-READONLY .*\r\n")
    judge.verdict(NOTE)


def test_passwords_and_databases(both, start_server, judge):
    server = start_server(RedisServer)
    with server.client() as client:
        assert client.call("CONFIG", "SET", "requirepass", "secret") == "OK"
    settings = {**pool([server], redis=True, timeout=5000), "listen": None}
    ours_alone = {**settings, "redis_auth": "secret"}
    proxies = both({"auth": ours_alone, "open": settings, "db": {**ours_alone, "redis_db": 3}})

    def ask(name, *requests):
        data = b"".join(encode(*words) for words in requests)
        return [differ.until_the_end(proxy.address(name), data) for proxy in proxies]

    sign_in = ("AUTH", "secret")
    for name, requests in [("auth", [sign_in]), ("auth", [sign_in, ("SET", "k", "v")]),
                           ("auth", [sign_in, ("GET", "k"), ("MGET", "k", "l"), ("PING",)]),
                           ("auth", [sign_in, sign_in]),
                           ("open", [("PING",)]), ("open", [("GET", "k")])]:
        judge.same((name, requests), *ask(name, *requests))
    for name, requests in [("auth", [("PING",)]), ("auth", [("GET", "k")]),
                           ("auth", [("MGET", "k", "l")]), ("auth", [("AUTH", "wrong")]),
                           ("auth", [("AUTH", "default", "secret")])]:
        judge.different(["auth"], (name, requests), *ask(name, *requests))
    judge.same_or("auth", "AUTH without need", *ask("open", sign_in))
    found = []
    for proxy in proxies:
        differ.until_the_end(proxy.address("db"), encode(*sign_in) + encode("SET", "in-db", "v"))
        with server.client() as client:
            client.call(*sign_in)
            for database in (b"0", b"3"):
                client.call("SELECT", database)
                if client.call("DEL", "in-db") == 1:
                    found.append(Outcome(database, True))
    judge.different(["auth-then-select"], "redis_db beside redis_auth", *found)
    judge.verdict(NOTE)


# ---- a million keys ------------------------------------------------------------------------------


def addresses_of_all_kinds(folder, redis, rng):
    """Hosts of different length, Unix sockets, IPv6, and the port that names leave out."""
    hosts = ["127.0.0.1"] * 14 + [f"127.{rng.randrange(256)}.{rng.randrange(256)}.7"
                                  for _ in range(10)]
    default = [(f"127.{rng.randrange(1, 256)}.{i}.{rng.randrange(1, 255)}", DEFAULT_PORT)
               for i in range(3)]
    return ([(host, 0) for host in hosts] + default + [("::1", 0), ("::1", 0)]
            + [f"{folder}/{'r' if redis else 'm'}{i}.sock" for i in range(4)])


def pool_to_place(rng, number, listeners, redis):
    chosen = rng.sample(listeners, rng.choice([1, 2, 3, 4, 5, 8, 12, 20, 25]))
    if number < 2:  # where ketama's rounding shows
        chosen = rng.sample(listeners, 25)
    weighted, named = number > 2 and rng.random() < 0.5, rng.random() < 0.35
    entries = [listener.entry(rng.choice([1, 1, 2, 3, 7, 10, 100]) if weighted else 1,
                              f"n{rng.randrange(10 ** rng.randint(1, 6))}-{i}" if named else None)
               for i, listener in enumerate(chosen)]
    tag = rng.choice(differ_pools.TAGS)
    return {"listen": None, "hash": differ_pools.HASHES[number % 12], "timeout": 30000,
            "distribution": ["ketama", "modula"][number // 12 % 2],
            **({"redis": True} if redis else {}), **({"hash_tag": tag} if tag else {}),
            "servers": entries}


def answers(address, redis, requests, count):
    lines = count * (2 if redis else 1)
    with Talk(address) as talk:
        talk.send(requests)
        assert talk.read_until(lambda data: data.count(b"\n") >= lines), talk.received[-200:]
        return talk.received.split(b"\r\n")[1 if redis else 0:-1:2 if redis else 1]


def place_many(both, folder, pools, keys_each):
    """Asks for every key through both; returns how many were asked for."""
    rng = fresh_rng(SEED, "places")
    asked = 0
    with IndexServers(True, addresses_of_all_kinds(folder, True, rng)) as redis_listeners, \
            IndexServers(False, addresses_of_all_kinds(folder, False, rng)) as other_listeners:
        made = {}
        for i in range(pools):
            redis = (i + i // 24) % 2 == 0
            listeners = redis_listeners if redis else other_listeners
            made[f"p{i}"] = pool_to_place(rng, i, listeners, redis)
            if i % 5:  # a hundred free ports might not stay free
                made[f"p{i}"]["listen"] = f"{folder}/p{i}"
        proxies = both(made)
        for name, settings in made.items():
            redis = settings.get("redis", False)
            keys = differ_pools.many_keys(rng, keys_each, redis)
            requests = b"".join([b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key) if redis
                                 else b"incr %s 1\r\n" % key for key in keys])
            theirs, ours = (answers(proxy.address(name), redis, requests, len(keys))
                            for proxy in proxies)
            assert len(theirs) == len(ours) == len(keys), (NOTE, settings, theirs[:5], ours[:5])
            asked += len(keys)
            if theirs != ours:
                wrong = [(key, n, r) for key, n, r in zip(keys, theirs, ours) if n != r]
                pytest.fail(f"{NOTE}: {len(wrong)} of {len(keys)} keys are elsewhere: "
                            f"{wrong[:5]} in {settings}")
            assert all(map(bytes.isdigit, set(ours))), (NOTE, settings, set(ours))
            even = all(re.search(r":1( |$)", entry) for entry in settings["servers"])
            if len(settings["servers"]) > 1 and even and settings["hash"] != "crc32":
                assert len(set(ours)) > 1, (NOTE, settings)
    return asked


def test_many_keys_over_random_pools_are_placed_alike(both, folder):
    assert place_many(both, folder, 24, 1000) == 24_000


@pytest.mark.slow
def test_a_million_keys_over_fifty_random_pools_are_placed_alike(both, folder):
    assert place_many(both, folder, 50, 20_000) == 1_000_000


# ---- the corpus and the table --------------------------------------------------------------------


def test_every_command_that_nutcracker_forwards_is_in_the_corpus():
    rows = (ROOT / "tests/golden/redis_commands.tsv").read_text().splitlines()
    heading = rows[0].split("\t")
    wanted = {row.split("\t")[0].upper() for row in rows[1:]
              if row.split("\t")[heading.index("supported")] == "yes"}
    words = set(re.findall(r"(?:^|; )(\w+)", corpus.REDIS_ALIKE.upper(), re.MULTILINE))
    tried_alone = {"ZUNION", "ZINTER", "ZDIFF", "COMMAND"}
    assert len(wanted) == 133
    assert wanted - words - tried_alone == set()


def test_command_is_answered_by_the_proxy_with_what_it_allows(both, redis_servers, judge):
    proxies = both({"p": {**pool(redis_servers, redis=True, timeout=5000), "listen": None}})
    protocol = start_protocol(True, redis_servers)
    with proxies[0].redis() as theirs, proxies[1].redis() as ours:
        server_commands = {row[0] for row in theirs.call("COMMAND")}
        allowed = {row[0] for row in ours.call("COMMAND")}
    assert {b"get", b"mset", b"client", b"info"} <= allowed
    assert {b"multi", b"blpop", b"scan", b"shutdown"} <= server_commands - allowed
    judge.same("the connection", *of_both(proxies, protocol, encode("PING")))
    judge.verdict(NOTE)


def test_every_row_of_the_table_was_met(request, judge):
    """Last of this file, as it judges what the others met."""
    here = {item.originalname for item in request.session.items
            if item.fspath == request.node.fspath}
    if not {name for name in globals() if name.startswith("test_")} - SLOW <= here:
        pytest.skip("only some tests of this file were chosen")
    never = {row for row, wanted in judge.rows.items() if wanted} - set(judge.met)
    assert not never, f"README.md has rows that no test met: {sorted(never)}"
    assert {row for row, wanted in judge.rows.items() if wanted} <= set(differ.RULES)
