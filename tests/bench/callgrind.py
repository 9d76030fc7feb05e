# SPDX-License-Identifier: Apache-2.0
"""User instructions per request, exact: the same count on a busy machine."""

import re
import subprocess

import load
import rig

# The slow program makes more requests wait in each turn than in a timed round, so batches are
# larger; for all contestants alike.
REQUESTS = 4000
BYTES = 40_000_000  # of values: with large ones, fewer requests


def _preload(contestant, folder):
    """What stands in front of valgrind's command: see exec_by_path.cc."""
    if contestant.kind != "ringmaster":
        return []
    library = folder / "exec_by_path.so"
    if not library.exists():
        subprocess.run(["c++", "-O1", "-shared", "-fPIC", "-o", library,
                        rig.HERE / "exec_by_path.cc"], check=True, timeout=60)
    return ["env", f"LD_PRELOAD={library}"]


def small_run(workload):
    """A whole number of batches per connection; several, unless they are huge, so that buffers have
    grown."""
    batch = workload.connections * workload.pipeline
    wanted = min(REQUESTS, BYTES // (4 * max(workload.sizes) * workload.width)) // workload.width
    least = 4 if batch * workload.width <= 20000 else 1
    return max(wanted // batch, least) * batch


def instructions(binary, workload, contestant, backends, folder, **options):
    """Two runs with N and 4N requests, the difference divided by 3N: start, connections and end
    cancel out. Of several processes the one that executed most counts: the worker, which holds
    the connections."""
    small = small_run(workload)
    ports = options.pop("ports", None)
    idle = options.pop("idle", 0)
    totals = []
    for factor in (1, 4):
        out = folder / f"callgrind-{contestant.kind}-{factor}"
        out.mkdir(exist_ok=True)
        for old in out.iterdir():
            old.unlink()
        prefix = _preload(contestant, folder) + [
            "valgrind", "--tool=callgrind", "--trace-children=yes",
            f"--callgrind-out-file={out}/%p.out", f"--log-file={out}/%p.log"]
        proxy = contestant.start(backends, folder, prefix=prefix, **options)
        try:
            with load.Load(binary, workload, ports or proxy.port, idle=idle) as running:
                running.run(small * factor)
        finally:
            proxy.stop(contestant.end_signal, 20.0)
        counts = [_total(path) for path in out.glob("*.out")]
        if not counts or max(counts) == 0:
            raise rig.BenchError(f"callgrind left no figures for {contestant.name}")
        totals.append(max(counts))
    return (totals[1] - totals[0]) / (3 * small)


def _total(path):
    match = re.search(r"^(?:totals|summary): (\d+)", path.read_text(errors="replace"), re.MULTILINE)
    return int(match.group(1)) if match else 0
