# SPDX-License-Identifier: Apache-2.0
"""What must not cost more when there is more of it: workers, keys of a request, requests of a
pipeline, servers of a pool, connections, pools. Only of ringmaster."""

import statistics
import typing

import callgrind
import contestants
import figures
import load
import rig
import workloads

WORKERS = (1, 2, 4, 8)
PER_WORKER = 50
LONG_S = 2.0


class Size(typing.NamedTuple):
    """One size of something. `per`: how many units (keys) a request has."""
    workload: workloads.Workload
    per: int = 1
    idle: int = 0
    entries: typing.Optional[int] = None
    pools: int = 1


class Growth(typing.NamedTuple):
    """`large` may cost at most `limit` times what `small` costs, per unit."""
    name: str
    small: Size
    large: Size
    limit: float


def _load(name, **more):
    return workloads.Workload(name, **{"connections": 1, **more})


GROWTHS = (
    Growth("keys of an MGET: 100, 100000",
           Size(_load("mget", width=100, sets=0), per=100),
           Size(_load("mget", width=100000, sets=0), per=100000), 1.5),
    Growth("pipeline: 100, 200000",
           Size(_load("pipeline", pipeline=100)), Size(_load("pipeline", pipeline=200000)), 1.15),
    Growth("servers of the pool: 4, 1000, pipeline 1",
           Size(_load("servers")), Size(_load("servers"), entries=1000), 1.15),
    Growth("connections: 1000, and 9000 idle ones",
           Size(_load("connections", connections=1000)),
           Size(_load("connections", connections=1000), idle=9000), 1.15),
    Growth("pools: 1, 100, pipeline 1",
           Size(_load("pools")), Size(_load("pools"), pools=100), 1.15),
)


def _options(size, backends):
    """For Contestant.start: the first of several pools gets the load."""
    ports = rig.free_ports(size.pools)
    text = "".join(contestants.pool(f"pool{number}", port, backends, size.entries)
                   for number, port in enumerate(ports))
    return {"port": ports[0], "pools": text}


def _requests(size, running):
    """As many as take about LONG_S; whole batches."""
    batch = size.workload.connections * size.workload.pipeline
    seconds = max(running.run(batch)["seconds"], 1e-4)
    if batch < 1000:  # the first one also makes what the others find
        seconds = max(running.run(10 * batch)["seconds"] / 10, 1e-4)
    return max(2, int(LONG_S / seconds)) * batch


def _cpu(bench, ringmaster, size, backends):
    """CPU microseconds per unit, the median of the rounds."""
    proxy = ringmaster.start(backends, bench.folder, **_options(size, backends))
    try:
        load.preload(bench.load, size.workload, proxy.port)  # more servers have other keys
        with load.Load(bench.load, size.workload, proxy.port, idle=size.idle) as running:
            requests = _requests(size, running)
            rounds = [figures.timed_round(proxy, running, requests, bench.abilities, bench.folder)
                      for _ in range(bench.told.rounds)]
    finally:
        proxy.stop()
    return statistics.median(one["cpu"] for one in rounds) / size.per


def growths(bench, ringmaster):
    """{name: {"limit", "cpu": (small, large), "callgrind": (small, large)}}, per unit."""
    result = {}
    backends = rig.Backends("redis", 4, bench.folder)
    try:
        for growth in GROWTHS:
            sizes = (growth.small, growth.large)
            bench.progress(growth.name)
            result[growth.name] = {
                "limit": growth.limit,
                "cpu": tuple(_cpu(bench, ringmaster, size, backends) for size in sizes)}
            if bench.told.callgrind:
                result[growth.name]["callgrind"] = tuple(
                    callgrind.instructions(bench.load, size.workload, ringmaster, backends,
                                           bench.folder, idle=size.idle,
                                           **_options(size, backends)) / size.per
                    for size in sizes)
    finally:
        backends.stop()
    return result


def workers(bench, ringmaster):
    """{N: CPU microseconds per request}, with so many connections for each worker."""
    backends = rig.Backends("redis", 4, bench.folder)
    proxies, seen = {}, {count: [] for count in WORKERS}
    try:
        for count in WORKERS:
            proxies[count] = ringmaster.start(backends, bench.folder, workers=count)
        load.preload(bench.load, workloads.BY_NAME["c50_p1"], proxies[1].port)
        for _ in range(bench.told.rounds):
            for count, proxy in proxies.items():
                bench.progress(f"{count} workers")
                shape = workloads.Workload("workers", connections=PER_WORKER * count)
                with load.Load(bench.load, shape, proxy.port) as running:
                    requests = _requests(Size(shape), running)
                    seen[count].append(figures.timed_round(
                        proxy, running, requests, bench.abilities, bench.folder)["cpu"])
    finally:
        for proxy in proxies.values():
            proxy.stop()
        backends.stop()
    return {count: statistics.median(rounds) for count, rounds in seen.items()}
