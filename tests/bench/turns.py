# SPDX-License-Identifier: Apache-2.0
"""One workload over all contestants, in turns: A B C D, A B C D, ..."""

import contextlib
import statistics

import callgrind
import figures
import load
import rig

WARM_REQUESTS = 5000
BUSY_LIMIT = 0.2


def warm_up(workload, running):
    """Requests per second, from a short run."""
    batch = workload.connections * workload.pipeline
    wanted = max(WARM_REQUESTS // workload.width // max(1, max(workload.sizes) // 4096), batch)
    wanted = -(-wanted // batch) * batch
    return wanted / max(running.run(wanted)["seconds"], 1e-6)


def fill(bench, workload, proxies):
    """The keys are set through every program, as each may place them elsewhere; returns those that
    can speak the workload's protocol. What one set, another of the same placement must find."""
    able = {}
    for contestant, proxy in proxies.items():
        try:
            load.preload(bench.load, workload, proxy.port)
        except rig.BenchError as error:
            if workload.protocol != "meta" or "not supported" not in str(error):
                raise
            bench.note(f"{contestant.name} does not know meta commands")
            continue
        able[contestant] = proxy
    for contestant, proxy in able.items():
        load.verify(bench.load, workload, proxy.port)
    return able


def measure(bench, workload):
    """{"requests": per round, "rounds": {name: [figures]}, "callgrind": {name: count},
    "commands": {name: command}}."""
    result = {"requests": 0, "rounds": {}, "callgrind": {}, "commands": {}}
    backends = rig.Backends(workload.server_kind, workload.servers, bench.folder)
    with contextlib.ExitStack() as stack:
        stack.callback(backends.stop)
        able = [one for one in bench.contestants if one.can(workload)]
        with contextlib.ExitStack() as started:
            proxies = {}
            for contestant in able:
                proxies[contestant] = contestant.start(backends, bench.folder)
                started.callback(proxies[contestant].stop)
            proxies = fill(bench, workload, proxies)
            able = list(proxies)
            result["commands"] = {one.name: proxy.command for one, proxy in proxies.items()}
            if not bench.told.no_rounds:
                _rounds(bench, workload, proxies, result)
        for contestant in able if bench.told.callgrind else ():
            bench.progress(f"{workload.name} {contestant.name} callgrind")
            result["callgrind"][contestant.name] = callgrind.instructions(
                bench.load, workload, contestant, backends, bench.folder)
    return result


def _rounds(bench, workload, proxies, result):
    batch = workload.connections * workload.pipeline
    for number in range(bench.told.rounds):
        for contestant, proxy in proxies.items():
            bench.progress(f"{workload.name} {contestant.name} {number + 1}/{bench.told.rounds}")
            with load.Load(bench.load, workload, proxy.port) as running:
                rate = warm_up(workload, running)
                if result["requests"] == 0:
                    wanted = int(rate * bench.told.seconds)
                    result["requests"] = max(wanted // batch, 4) * batch
                seen = figures.timed_round(proxy, running, result["requests"], bench.abilities,
                                           bench.folder)
                seen.update(figures.syscall_round(proxy, running,
                                                  max(result["requests"] // 2, 4 * batch),
                                                  bench.abilities, bench.folder))
            result["rounds"].setdefault(contestant.name, []).append(seen)


def quiet_rounds(result):
    """The numbers of the rounds that nobody disturbed; all if fewer than two are."""
    rounds = list(zip(*result["rounds"].values()))
    quiet = [number for number, turn in enumerate(rounds)
             if max(seen["others"] for seen in turn) <= BUSY_LIMIT]
    result["quiet"] = len(quiet)
    return quiet if len(quiet) >= 2 else list(range(len(rounds)))


def summarize(result):
    """{name: {figure: median}} over the quiet rounds, and what callgrind counted."""
    used = quiet_rounds(result) if result["rounds"] else []
    summary = {}
    for name, rounds in result["rounds"].items():
        seen = [rounds[number] for number in used]
        summary[name] = {figure: statistics.median(one.get(figure, 0.0) for one in seen)
                         for figure in sorted({figure for one in seen for figure in one})}
    for name, count in result["callgrind"].items():
        of_it = summary.setdefault(name, {})
        of_it["callgrind"] = count
        if "kernel_estimate" in of_it:
            of_it["estimate"] = of_it["kernel_estimate"] + count
    return summary


def spread(result, figure, name, base):
    """The lowest and the highest ratio of a round's figure to the base's of the same turn."""
    ratios = [one[figure] / other[figure]
              for one, other in zip(result["rounds"].get(name, ()), result["rounds"].get(base, ()))
              if other.get(figure)]
    return (min(ratios), max(ratios)) if ratios else None
