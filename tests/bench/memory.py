# SPDX-License-Identifier: Apache-2.0
"""Memory: per idle client, at the peak of a burst of pipelined requests, and after it."""

import pathlib
import time

import figures
import load
import rig
import workloads

FEW, MANY = 1000, 5000
BURST = workloads.Workload("burst", connections=2000, pipeline=16)
ONE_EACH = workloads.Workload("idle")
# One request of each client, but not of all at once: that would be a burst.
RATE = 10000
SETTLE_S = 3.0
AFTER_S = 10.0


def _reset_peaks(pids):
    for pid in pids:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def _clients(bench, contestant, backends, count):
    """(KB with so many connected, KB after one request of each, one after the other)."""
    proxy = contestant.start(backends, bench.folder)
    try:
        with load.Load(bench.load, ONE_EACH, proxy.port, connections=count, rate=RATE) as running:
            connected = figures.memory_kb(proxy.pids())
            running.run(count)
            rig.pause(SETTLE_S)
            return connected, figures.memory_kb(proxy.pids())
    finally:
        proxy.stop()


def idle(bench, contestant, backends):
    """KB per client: the difference between many and few, so that what a proxy has anyway does not
    count. {"connected": before its first request, "served": after it}"""
    few = _clients(bench, contestant, backends, FEW)
    many = _clients(bench, contestant, backends, MANY)
    return {name: (many[which] - few[which]) / (MANY - FEW)
            for which, name in enumerate(("connected", "served"))}


def burst(bench, contestant, backends):
    """{"idle_kb": all clients connected and served once, "peak_kb_per_client": above that,
    "after_kb", "after_ratio": 10 s later, to idle, "back_s": when within 20 %, or None}"""
    proxy = contestant.start(backends, bench.folder)
    try:
        pids = proxy.pids()
        with load.Load(bench.load, BURST, proxy.port) as running:
            running.run(BURST.connections)
            before = figures.memory_kb(pids)
            _reset_peaks(pids)
            running.run(BURST.connections * BURST.pipeline)
            peak = figures.memory_kb(pids, "VmHWM")
            ended = time.monotonic()
            back = None
            while (passed := time.monotonic() - ended) < AFTER_S:
                if back is None and figures.memory_kb(pids) <= 1.2 * before:
                    back = passed
                rig.pause(0.1)
            after = figures.memory_kb(pids)
        return {"idle_kb": before, "peak_kb_per_client": (peak - before) / BURST.connections,
                "after_kb": after, "after_ratio": after / before, "back_s": back}
    finally:
        proxy.stop()


def measure(bench):
    """{name: figures of both}."""
    result = {}
    backends = rig.Backends("redis", 4, bench.folder)
    try:
        proxies = {}
        for contestant in bench.contestants:
            if contestant.kind == "floor":
                continue  # it never frees anything
            proxies[contestant] = contestant.start(backends, bench.folder)
            load.preload(bench.load, ONE_EACH, proxies[contestant].port)
            proxies[contestant].stop()
        for contestant in proxies:
            bench.progress(f"memory {contestant.name}")
            result[contestant.name] = {**idle(bench, contestant, backends),
                                       **burst(bench, contestant, backends)}
    finally:
        backends.stop()
    return result
