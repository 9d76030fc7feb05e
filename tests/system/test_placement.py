# SPDX-License-Identifier: Apache-2.0
"""The same keys land on the same real servers through nutcracker and through ringmaster."""

import pytest

from clients import encode
from harness import MemcachedServer, RedisServer, free_port, listen_address, pool

KEYS = ([f"key:{i}".encode() for i in range(150)]
        + [f"user:{{{i}}}:name".encode() for i in range(30)]
        + [f"user:{{{i % 5}}}:{i}".encode() for i in range(30)]
        + [b"{}a", b"a{b", b"a}b{", b"{{x}}", b"x{}y{user1}z", "naïve-ключ".encode()]
        + [b"x" * 250, b"\xff\xfe", bytes(range(0x80, 0xff))])
BINARY_KEYS = [b"", b"\x00", b"\r\n", b"a b", bytes(range(256)), b"a\x00b", b"y" * 1000]

NAMES = ["server10", "server2", "alpha", "z"]

CASES = {
    "the defaults": {},
    "ketama over md5": {"hash": "md5"},
    "modula over crc16": {"distribution": "modula", "hash": "crc16"},
    "modula over weights": {"distribution": "modula", "weights": [1, 3, 2, 5]},
    "ketama over weights": {"weights": [1, 2, 5, 10]},
    "names in another order": {"names": NAMES, "hash": "murmur"},
    "names and weights": {"names": NAMES, "weights": [4, 1, 2, 1], "hash": "jenkins"},
    "hash tags": {"hash_tag": "{}", "hash": "hsieh"},
    "hash tags under modula": {"hash_tag": "$$", "distribution": "modula", "hash": "fnv1_32"},
    "crc32": {"hash": "crc32", "distribution": "modula"},
    "one_at_a_time": {"hash": "one_at_a_time"},
    "one server": {"count": 1},
}


def make_pool(servers, case, **more):
    settings = dict(case)
    weights = settings.pop("weights", [1] * len(servers))
    names = settings.pop("names", [None] * len(servers))
    servers = servers[:settings.pop("count", len(servers))]
    entries = [server.entry(weight, name) for server, weight, name in zip(servers, weights, names)]
    return pool(entries, **settings, **more)


def elsewhere(settings):
    """The same pool at another port."""
    return {**settings, "listen": f"127.0.0.1:{free_port()}"}


def redis_placement(proxy, servers, keys):
    for server in servers:
        server.flush()
    with proxy.redis() as client:
        client.send(b"".join(encode("SET", key, "x") for key in keys))
        assert set(client.read_replies(len(keys))) == {"OK"}
    placed = [server.keys() for server in servers]
    assert sum(map(len, placed)) == len(set(keys))
    return placed


def memcached_placement(proxy, servers, keys):
    for server in servers:
        server.flush()
    with proxy.memcached() as client:
        for key in keys:
            assert client.set(key, b"x") == b"STORED\r\n"
    placed = [server.keys(keys) for server in servers]
    assert sum(map(len, placed)) == len(set(keys))
    return placed


@pytest.mark.parametrize("name", CASES)
def test_redis_keys_land_where_nutcracker_puts_them(name, start_proxy, start_nutcracker,
                                                    redis_servers):
    settings = make_pool(redis_servers, CASES[name], redis=True)
    keys = KEYS + BINARY_KEYS
    expected = redis_placement(start_nutcracker({"p": settings}), redis_servers, keys)
    ours = start_proxy({"p": elsewhere(settings)})
    assert redis_placement(ours, redis_servers, keys) == expected


@pytest.mark.parametrize("name", ["the defaults", "modula over weights", "names and weights",
                                  "hash tags", "one server"])
def test_memcached_keys_land_where_nutcracker_puts_them(name, start_proxy, start_nutcracker,
                                                        memcached_servers):
    settings = make_pool(memcached_servers, CASES[name])
    expected = memcached_placement(start_nutcracker({"p": settings}), memcached_servers, KEYS)
    ours = start_proxy({"p": elsewhere(settings)})
    assert memcached_placement(ours, memcached_servers, KEYS) == expected


@pytest.mark.parametrize("names", [None, NAMES[:3]], ids=["unnamed", "named"])
def test_servers_on_unix_sockets_are_placed_alike(names, folder, start_server, start_proxy,
                                                  start_nutcracker):
    servers = [start_server(RedisServer, path=folder / f"r{i}.sock") for i in range(3)]
    case = {"weights": [1, 1, 2], **({"names": names} if names else {})}
    settings = make_pool(servers, case, redis=True)
    expected = redis_placement(start_nutcracker({"p": settings}), servers, KEYS)
    ours = start_proxy({"p": elsewhere(settings)})
    assert redis_placement(ours, servers, KEYS) == expected


def test_memcached_on_unix_sockets_is_placed_alike(folder, start_server, start_proxy,
                                                   start_nutcracker):
    servers = [start_server(MemcachedServer, path=folder / f"m{i}.sock") for i in range(3)]
    settings = make_pool(servers, {})
    expected = memcached_placement(start_nutcracker({"p": settings}), servers, KEYS)
    ours = start_proxy({"p": elsewhere(settings)})
    assert memcached_placement(ours, servers, KEYS) == expected


def test_all_workers_place_alike(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, workers=4)
    expected = redis_placement(proxy, redis_servers, KEYS)
    for _ in range(12):
        assert redis_placement(proxy, redis_servers, KEYS) == expected


def test_random_reaches_every_server(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, distribution="random")}, workers=1)
    placed = redis_placement(proxy, redis_servers, [b"k%d" % i for i in range(400)])
    # 400 keys over 4 servers: 100 each, standard deviation under 9.
    assert all(50 < len(keys) < 150 for keys in placed), [len(keys) for keys in placed]


def test_several_pools_do_not_mix(start_proxy, redis_servers, memcached_servers):
    proxy = start_proxy({"zz": pool(redis_servers[:1], redis=True),
                         "a": pool(redis_servers[1:2], redis=True),
                         "mem": pool(memcached_servers)})
    assert len({listen_address(settings) for settings in proxy.pools.values()}) == 3
    with proxy.redis("zz") as client:
        client.call("SET", "only", "zz")
    with proxy.redis("a") as client:
        assert client.call("GET", "only") is None
    with proxy.memcached("mem") as client:
        assert client.get(b"only") is None
    assert redis_servers[0].keys() == {b"only"}
