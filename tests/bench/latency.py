# SPDX-License-Identifier: Apache-2.0
"""Added latency at half load: requests arrive at their own times, whether replies come or not.

With one server, which is all that a TCP relay can have, and with four. Servers and load share a CPU:
with four of them a request also waits for that CPU to go from one to the next, whoever sends it."""

import statistics

import load
import rig
import workloads

SHAPE = workloads.Workload("latency")
SHARES = ("p50", "p99", "p99.9", "max")
LOAD = 0.5
SERVERS = (1, 4)


class Direct:
    """No proxy: the first server itself."""

    name = kind = "direct"

    def __init__(self, backends):
        self.port = backends.ports[0]

    def stop(self):
        pass


def measure(bench, servers):
    """{"rate": offered, "latency_us": {name: {"p50": median of the rounds, ...}}}."""
    backends = rig.Backends("redis", servers, bench.folder)
    proxies = {"direct": Direct(backends)}
    try:
        for contestant in bench.contestants:
            proxies[contestant.name] = contestant.start(backends, bench.folder)
        fastest = {}
        for name, proxy in proxies.items():
            bench.progress(f"latency: the most that {name} carries")
            load.preload(bench.load, SHAPE, proxy.port)
            with load.Load(bench.load, SHAPE, proxy.port) as running:
                running.run(20000)
                fastest[name] = 100000 / running.run(100000)["seconds"]
        rate = LOAD * min(fastest.values())
        requests = int(rate * bench.told.seconds)
        seen = {name: [] for name in proxies}
        for number in range(bench.told.rounds):
            for name, proxy in proxies.items():
                bench.progress(f"latency {name} {number + 1}/{bench.told.rounds}")
                with load.Load(bench.load, SHAPE, proxy.port, rate=rate) as running:
                    running.run(requests // 5)
                    seen[name].append(running.run(requests)["latency_us"])
    finally:
        for proxy in proxies.values():
            proxy.stop()
        backends.stop()
    return {"rate": rate, "fastest": fastest, "latency_us": {
        name: {share: statistics.median(one[share] for one in rounds) for share in SHARES}
        for name, rounds in seen.items()}}
