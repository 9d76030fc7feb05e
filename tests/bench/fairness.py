# SPDX-License-Identifier: Apache-2.0
"""What one bad neighbour costs the other clients of a proxy: their p99 beside it, to theirs alone.

The neighbour has the CPU of servers and load, but with the least right to it: proxy and servers run
with real-time priority and the load above them (chrt). So what is measured is who waits for whom in
the proxy and at the servers, and not how the kernel shares one CPU among six programs.
"""

import contextlib
import os
import pathlib
import signal
import statistics
import subprocess

import contestants
import load
import rig
import workloads

OTHERS = workloads.Workload("fairness", servers=1)
RATE = 2000
SERVE, LOAD = ("chrt", "-f", "1"), ("chrt", "-f", "2")
CASES = ("alone", "pipeliner", "slow reader", "stopped server")
SCRIPT = pathlib.Path(__file__).with_name("neighbour.py")


@contextlib.contextmanager
def _neighbour(kind, port):
    _, cpu = rig.cpus()
    process = rig.spawn(rig.pinned(cpu, ["/usr/bin/python3", SCRIPT, kind, port]),
                        stdin=subprocess.PIPE)
    try:
        rig.pause(0.5)  # until it is under way
        yield
        if process.poll() is not None:
            raise rig.BenchError(f"the {kind} has left")
    finally:
        process.stdin.close()
        process.wait()


@contextlib.contextmanager
def _stopped(backends):
    for child in backends.children:
        os.kill(child.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for child in backends.children:
            os.kill(child.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def _beside(case, port, stopped_port, stopped):
    """`case` while the block runs."""
    with contextlib.ExitStack() as stack:
        if case == "stopped server":
            stack.enter_context(_stopped(stopped))
            stack.enter_context(_neighbour("pipeliner", stopped_port))
        elif case != "alone":
            stack.enter_context(_neighbour(case.replace(" ", "-"), port))
        yield


def measure(bench):
    """{name: {case: [p99 of each round, us]}}; the stopped server is another pool's."""
    seen = {}
    with contextlib.ExitStack() as stack:
        backends = rig.Backends("redis", OTHERS.servers, bench.folder, prefix=SERVE)
        stack.callback(backends.stop)
        stopped = rig.Backends("redis", 1, bench.folder, prefix=SERVE)
        stack.callback(stopped.stop)
        for number in range(bench.told.rounds):
            for contestant in bench.contestants:
                if contestant.kind in ("nutcracker", "ringmaster"):
                    bench.progress(f"fairness {contestant.name} {number + 1}/{bench.told.rounds}")
                    of_it = seen.setdefault(contestant.name, {case: [] for case in CASES})
                    for case, p99 in _round(bench, contestant, backends, stopped):
                        of_it[case].append(p99)
    return seen


# A proxy of its own each time: one that still has much to do would have the CPU of the next.
def _round(bench, contestant, backends, stopped):
    port, stopped_port = rig.free_ports(2)
    pools = (contestants.pool("bench", port, backends)
             + contestants.pool("stopped", stopped_port, stopped))
    proxy = contestant.start(backends, bench.folder, prefix=SERVE, port=port, pools=pools)
    try:
        load.preload(bench.load, OTHERS, port)
        for case in CASES:
            with load.Load(bench.load, OTHERS, port, prefix=LOAD, rate=RATE) as others:
                others.run(RATE // 2)
                with _beside(case, port, stopped_port, stopped):
                    yield case, others.run(int(RATE * bench.told.seconds))["latency_us"]["p99"]
    finally:
        proxy.stop()


def summarize(seen):
    """{name: {case: (median p99, median of its ratios to the same round's alone)}}."""
    return {name: {case: (statistics.median(rounds),
                          statistics.median(one / alone
                                            for one, alone in zip(rounds, cases["alone"])))
                   for case, rounds in cases.items()}
            for name, cases in seen.items()}
