# SPDX-License-Identifier: Apache-2.0
"""Reloads under load: 0 failed, 0 wrong, 0 disconnected, 0 refused. And nothing is left behind.

RM_LOAD_SECONDS makes the runs longer (default 10 s each).
"""

import contextlib
import os
import re
import time

import pytest

from harness import free_port, let_time_pass, pool, wait_until
from load import Load, long_lived, short_lived
from reloader import is_sanitized

pytestmark = pytest.mark.alone

SECONDS = int(os.environ.get("RM_LOAD_SECONDS", 10))
EVERY_S = 0.5

# A pool that comes and goes: its address is refused meanwhile, and a client that reaches the
# listener as it closes is not served. Who is served is served to the end.
OF_A_POOL_THAT_GOES = ("refused", "unserved")


class Changing:
    """Two configs that differ in everything a reload may change, and the clients of their pools."""

    def __init__(self, redis_servers, memcached_servers):
        self._redis, self._memcached = redis_servers, memcached_servers
        names = ("redis", "memcached", "still", "moving", "moved", "extra")
        self._listen = {name: f"127.0.0.1:{free_port()}" for name in names}

    def pools(self, second):
        """`second`: a server less, another hash, other timeouts, no `extra`, `moving` elsewhere."""
        changing = {"hash": "murmur" if second else "fnv1a_64",
                    "distribution": "modula" if second else "ketama",
                    "timeout": 8000 if second else 9000}
        count = 3 if second else 4
        pools = {
            "redis": pool(self._redis[:count], self._listen["redis"], redis=True, **changing),
            "memcached": pool(self._memcached[:count], self._listen["memcached"], **changing),
            "still": pool(self._redis, self._listen["still"], redis=True,
                          timeout=changing["timeout"]),
            "moving": pool(self._redis[:2], self._listen["moved" if second else "moving"],
                           redis=True, timeout=9000),
        }
        if not second:
            pools["extra"] = pool(self._memcached[:2], self._listen["extra"], timeout=9000)
        return pools

    @staticmethod
    def process(second):
        return {"workers": 3 if second else 2}

    def groups(self):
        def address(name):
            host, _, port = self._listen[name].rpartition(":")
            return host, int(port)

        return [
            long_lived("redis", address("redis"), may_vanish=True, large_bytes=200_000),
            short_lived("redis-short", address("redis"), may_vanish=True),
            long_lived("redis-pieces", address("redis"), may_vanish=True, clients=2, depth=8,
                       piece_bytes=101),
            long_lived("memcached", address("memcached"), "memcached", may_vanish=True,
                       large_bytes=200_000),
            short_lived("memcached-short", address("memcached"), "memcached", may_vanish=True),
            # These pools keep their servers: a miss is as wrong as another value.
            long_lived("still", address("still"), clients=6),
            short_lived("still-short", address("still")),
            long_lived("moving", address("moving")),
            short_lived("extra-short", address("extra"), "memcached"),
        ]

    LIVE_FOR_EVER = {"redis": 4, "redis-pieces": 2, "memcached": 4, "still": 6, "moving": 4}


def every(seconds, count_for, at_least=0):
    """Counts up, at that pace, for so long, and `at_least` so far."""
    begin = time.monotonic()
    number = 0
    while number < at_least or time.monotonic() - begin < count_for:
        number += 1
        yield number
        left = begin + number * seconds - time.monotonic()
        if left > 0:
            let_time_pass(left, "the pace of the reloads")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["command", "signal"])
def test_a_reload_every_half_second(start_reloadable, redis_servers, memcached_servers, how):
    changing = Changing(redis_servers, memcached_servers)
    reloader = start_reloadable(changing.pools(False), changing.process(False), workers=None)
    with Load(changing.groups(), limit_s=SECONDS + 120) as load:
        load.wait_served(20)
        for count in every(EVERY_S, SECONDS, SECONDS / EVERY_S / 2):
            config = changing.pools(count % 2 == 1), changing.process(count % 2 == 1)
            if how == "command":
                reloader.reload(*config)
            else:
                outcome = reloader.reload_by_signal(*config)
                assert outcome.generation, outcome.text
        reloader.reload(changing.pools(False), changing.process(False))
        # The placement stands still: from here on what is written is found.
        for name in ("redis", "memcached"):
            load.strict(name)
        load.wait_served(50)
        summary = load.stop()
    print(summary.explain())
    for name in summary.by_group:
        summary.assert_clean(name, OF_A_POOL_THAT_GOES if name == "extra-short" else ())
    for name, clients in changing.LIVE_FOR_EVER.items():
        summary.assert_never_reconnected(name, clients)
    assert summary.count("vanished", "redis") and summary.count("vanished", "memcached"), \
        "the placement did not change: the test has seen nothing"


@pytest.mark.slow
def test_reloads_as_fast_as_they_go(start_reloadable, redis_servers, memcached_servers):
    """No pause between them: each begins while the former generation still has requests."""
    changing = Changing(redis_servers, memcached_servers)
    reloader = start_reloadable(changing.pools(False), changing.process(False), workers=None)
    with Load(changing.groups(), limit_s=SECONDS + 120) as load:
        load.wait_served(20)
        for count in every(0, SECONDS / 2):
            reloader.reload(changing.pools(count % 2 == 1), changing.process(count % 2 == 1))
        reloader.reload(changing.pools(False), changing.process(False))
        load.wait_served(50)
        summary = load.stop()
    for name in summary.by_group:
        summary.assert_clean(name, OF_A_POOL_THAT_GOES if name == "extra-short" else ())
    for name, clients in changing.LIVE_FOR_EVER.items():
        summary.assert_never_reconnected(name, clients)


@pytest.mark.slow
def test_bad_reloads_under_load_are_not_noticed(start_reloadable, redis_servers):
    settings = pool(redis_servers, redis=True, timeout=9000)
    reloader = start_reloadable({"p": settings})
    with Load([long_lived("long", reloader.proxy.address()),
               short_lived("short", reloader.proxy.address())]) as load:
        load.wait_served(20)
        for _ in range(20):
            reloader.refuse("p:\n  listen: nowhere\n")
        load.wait_served(20)
        summary = load.stop()
    summary.assert_clean()
    summary.assert_never_reconnected("long", 4)


@pytest.mark.slow
def test_workers_four_two_eight_one(start_reloadable, redis_servers, memcached_servers):
    """Every connection stays where it is, every new one is served."""
    pools = {"r": pool(redis_servers, redis=True, timeout=9000),
             "m": pool(memcached_servers, timeout=9000)}
    reloader = start_reloadable(pools, {"workers": 4}, workers=None)
    proxy = reloader.proxy
    with Load([long_lived("r", proxy.address("r"), clients=12),
               long_lived("m", proxy.address("m"), "memcached", clients=12),
               short_lived("r-short", proxy.address("r"), clients=3, batches=1),
               short_lived("m-short", proxy.address("m"), "memcached", clients=3, batches=1)],
              limit_s=SECONDS + 120) as load:
        load.wait_served(20)
        begin = time.monotonic()
        while True:
            for workers in (2, 8, 1, 4):
                reloader.reload(process={"workers": workers})
                load.wait_served(150, ["r", "m"])
                load.wait_served(60, ["r-short", "m-short"])
            if time.monotonic() - begin > SECONDS:
                break
        reloader.reload(process={"workers": 1})
        load.wait_served(50)
        summary = load.stop()
    summary.assert_clean()
    summary.assert_never_reconnected("r", 12)
    summary.assert_never_reconnected("m", 12)
    wait_until(lambda: len(proxy.worker_pids()) == 1, what="the surplus workers' end")


@pytest.mark.slow
def test_more_and_fewer_workers_as_fast_as_it_goes(start_reloadable, redis_servers):
    settings = pool(redis_servers, redis=True, timeout=9000)
    reloader = start_reloadable({"p": settings}, {"workers": 2}, workers=None)
    with Load([long_lived("long", reloader.proxy.address(), clients=8),
               short_lived("short", reloader.proxy.address(), clients=8, batches=1, think_ms=1)],
              limit_s=SECONDS + 120) as load:
        load.wait_served(20)
        for count in every(0, SECONDS / 2):
            reloader.reload(process={"workers": (4, 1, 3, 2)[count % 4]})
        load.wait_served(20)
        summary = load.stop()
    summary.assert_clean()
    summary.assert_never_reconnected("long", 8)


# ---- what is left behind -------------------------------------------------------------------------


def resident_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", open(f"/proc/{pid}/status").read()).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.slow
def test_two_hundred_reloads_leave_nothing_behind(start_reloadable, redis_servers,
                                                  memcached_servers):
    """Memory and descriptors of every process, within 5 % (and 512 KB, 2 descriptors)."""
    changing = Changing(redis_servers, memcached_servers)
    reloader = start_reloadable(changing.pools(False), {"workers": 2}, workers=None)
    proxy = reloader.proxy
    pids = [proxy.pid, *proxy.wait_workers(2)]

    def use():
        """The same each time: memory of requests is not the matter here."""
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                for name in ("redis", "still", "moving"):
                    client = stack.enter_context(proxy.redis(name))
                    assert client.call("SET", "k", "v") == "OK"
                client = stack.enter_context(proxy.memcached("memcached"))
                assert client.set("k", b"v") == b"STORED\r\n"
        wait_until(lambda: proxy.stats()["curr_connections"] <= 64, what="the clients' end")

    def reload(times):
        for number in range(times):
            reloader.reload(changing.pools(number % 2 == 0), {"workers": 2})
            if number % 20 == 0:
                use()

    reload(4)
    use()
    before = {pid: (resident_kb(pid), descriptors(pid)) for pid in pids}
    reload(200)
    use()

    def settled():
        """What came for a moment may take a moment to go."""
        return all(descriptors(pid) <= before[pid][1] * 1.05 + 2 for pid in pids) and (
            is_sanitized() or all(resident_kb(pid) <= before[pid][0] * 1.05 + 512 for pid in pids))

    try:
        wait_until(settled, what="memory and descriptors to be as before")
    except AssertionError as late:
        after = {pid: (resident_kb(pid), descriptors(pid)) for pid in pids}
        raise AssertionError(f"before {before}, after {after}") from late
    assert [proxy.pid, *proxy.worker_pids()] == pids
