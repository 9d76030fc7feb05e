# SPDX-License-Identifier: Apache-2.0
"""What ringmaster is held to, compared with what was measured."""

import tables
import workloads

IDLE_KB = 0.7
PEAK_KB = 16
AFTER_RATIO = 1.2
SYSCALLS_C50_P1 = 3.0
# One connection, pipeline 1: a read and a write on each side, and an epoll_wait for each. The rest is
# what a worker does by the clock.
SYSCALLS_C1_P1 = 6.0
BY_THE_CLOCK = 0.05
WORKERS_RATIO = 1.10
P50_MORE_US, P99_RATIO, P999_RATIO = 10, 1.2, 1.5


class Verdicts:
    """Prints one line per target."""

    def __init__(self):
        self.missed = 0
        self.lines = []

    def at_most(self, what, value, limit):
        holds = value is not None and value <= limit
        self.missed += not holds
        shown = "not measured" if value is None else tables.number(value)
        self.lines.append([what, shown, tables.number(limit), "holds" if holds else "MISSED"])

    def show(self):
        print("\ntargets")
        tables.table(["", "measured", "at most", ""], self.lines)


def _of(summary, kind, figure):
    name = tables.of_kind(summary, kind)
    return summary[name].get(figure) if name else None


def _divided(one, other):
    return one / other if one is not None and other else None


def check_workloads(verdicts, results, abilities):
    for name, result in results.items():
        told, summary = workloads.BY_NAME[name], result["summary"]
        ours = tables.of_kind(summary, "ringmaster")
        if ours is None:
            continue
        mine = summary[ours].get("callgrind")
        floor = _of(summary, "floor", "callgrind")
        if told.over_floor is not None and floor is not None:
            verdicts.at_most(f"{name}: user instructions, the floor's {floor:.0f} and "
                             f"{told.over_floor}", mine, floor + told.over_floor)
        figure = "instructions" if abilities.counters else "estimate"
        if told.instructions is not None and tables.of_kind(summary, "nutcracker"):
            verdicts.at_most(f"{name}: {dict(tables.ROWS)[figure]}, ratio to nutcracker",
                             _divided(summary[ours].get(figure),
                                      _of(summary, "nutcracker", figure)), told.instructions)
        if told.cycles is not None and abilities.counters:
            verdicts.at_most(f"{name}: cycles, ratio to nutcracker",
                             _divided(summary[ours].get("cycles"),
                                      _of(summary, "nutcracker", "cycles")), told.cycles)
        _check_syscalls(verdicts, told, summary[ours])


def _check_syscalls(verdicts, told, ours):
    if "syscalls" not in ours:
        return
    if told.name == "c50_p1":
        verdicts.at_most("c50_p1: syscalls", ours["syscalls"], SYSCALLS_C50_P1)
    if told.name == "c1_p1":
        verdicts.at_most("c1_p1: syscalls, 6 and what the clock asks for", ours["syscalls"],
                         SYSCALLS_C1_P1 + BY_THE_CLOCK)
    if max(told.sizes) < 1024:
        verdicts.at_most(f"{told.name}: epoll_ctl in the steady state",
                         ours.get("syscall_epoll_ctl", 0.0), 0.0049)


def check_memory(verdicts, memory):
    name = tables.of_kind(memory, "ringmaster")
    if name is None:
        return
    seen = memory[name]
    verdicts.at_most("KB per client that is connected", seen["connected"], IDLE_KB)
    verdicts.at_most("KB per client after one request", seen["served"], IDLE_KB)
    verdicts.at_most("burst: KB per client at the peak", seen["peak_kb_per_client"], PEAK_KB)
    verdicts.at_most("burst: RSS 10 s after, ratio to before", seen["after_ratio"], AFTER_RATIO)


def check_growths(verdicts, growths):
    for name, seen in growths.items():
        for figure, what in (("callgrind", "user instructions"), ("cpu", "CPU time")):
            if figure in seen:
                small, large = seen[figure]
                verdicts.at_most(f"{name}: {what}, ratio", _divided(large, small), seen["limit"])


def check_workers(verdicts, workers):
    for count, cpu in workers.items():
        if count > 1:
            verdicts.at_most(f"{count} workers: CPU time per request, ratio to 1",
                             _divided(cpu, workers[1]), WORKERS_RATIO)


def check_latency(verdicts, latency):
    seen = latency["latency_us"]
    ours, peer = tables.of_kind(seen, "ringmaster"), tables.of_kind(seen, "haproxy")
    if ours is None or peer is None:
        return
    ours, peer = seen[ours], seen[peer]
    verdicts.at_most("latency p50, us more than HAProxy's", ours["p50"] - peer["p50"], P50_MORE_US)
    verdicts.at_most("latency p99, ratio to HAProxy's", _divided(ours["p99"], peer["p99"]),
                     P99_RATIO)
    verdicts.at_most("latency p99.9, ratio to HAProxy's", _divided(ours["p99.9"], peer["p99.9"]),
                     P999_RATIO)
