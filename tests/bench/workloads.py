# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: what the load is, and what ringmaster is held to."""

import typing


class Workload(typing.NamedTuple):
    """`instructions`, `cycles`: the largest allowed ratio to nutcracker, user and kernel.
    `over_floor`: user instructions that a request may cost more than the floor's."""
    name: str
    protocol: str = "redis"
    connections: int = 50
    pipeline: int = 1
    sizes: typing.Tuple[int, ...] = (32,)
    width: int = 1
    gets: int = 10
    sets: int = 1
    servers: int = 4
    keys: int = 20000
    zipf: float = 0
    instructions: typing.Optional[float] = None
    cycles: typing.Optional[float] = None
    over_floor: typing.Optional[int] = None

    @property
    def server_kind(self):
        return "redis" if self.protocol == "redis" else "memcached"

    def text(self):
        sizes = ("/".join(f"{size} B" if size % 1024 else f"{size >> 10} KB"
                          for size in self.sizes))
        keys = f"{self.width} keys a request, " if self.width > 1 else ""
        return (f"{self.protocol}, {self.connections} connections, pipeline {self.pipeline}, "
                f"{keys}{sizes}, {self.servers} servers")


SHALLOW, DEEP = 400, 250
MIXED = (16, 100, 500, 2000, 10000)

WORKLOADS = (
    Workload("c1_p1", connections=1, over_floor=SHALLOW),
    Workload("c50_p1", instructions=0.82, cycles=0.82, over_floor=SHALLOW),
    Workload("c500_p1", connections=500, instructions=0.79, cycles=0.80, over_floor=SHALLOW),
    Workload("c50_p16", pipeline=16, instructions=0.50, cycles=0.60, over_floor=DEEP),
    Workload("c10_p100", connections=10, pipeline=100, instructions=0.22, cycles=0.28,
             over_floor=DEEP),
    Workload("c50_p1_4k", sizes=(4096,), keys=4000, instructions=0.79, cycles=0.82),
    Workload("c20_p4_64k", connections=20, pipeline=4, sizes=(65536,), keys=400,
             instructions=0.80, cycles=0.80),
    Workload("c20_p1_100k", connections=20, sizes=(102400,), keys=200),
    Workload("c50_p4_mixed", pipeline=4, sizes=MIXED, keys=5000),
    Workload("mget10", width=10, sets=0, instructions=0.55, cycles=0.60),
    Workload("mget100_8", width=100, sets=0, servers=8, instructions=0.40, cycles=0.45),
    Workload("mc_c50_p1", "memcached", instructions=0.82, cycles=0.82, over_floor=SHALLOW),
    Workload("mc_c500_p1", "memcached", connections=500, instructions=0.79, cycles=0.80,
             over_floor=SHALLOW),
    Workload("mc_c50_p16", "memcached", pipeline=16, instructions=0.50, cycles=0.60,
             over_floor=DEEP),
    Workload("mc_c10_p100", "memcached", connections=10, pipeline=100, instructions=0.22,
             cycles=0.28, over_floor=DEEP),
    Workload("mc_c50_p1_4k", "memcached", sizes=(4096,), keys=4000, instructions=0.79,
             cycles=0.82),
    Workload("mc_get10", "memcached", width=10, sets=0, instructions=0.55, cycles=0.60),
    Workload("meta_c50_p1", "meta", over_floor=SHALLOW),
    Workload("meta_c50_p16", "meta", pipeline=16, over_floor=DEEP),
)
BY_NAME = {workload.name: workload for workload in WORKLOADS}
