# SPDX-License-Identifier: Apache-2.0
"""User instructions per request, exact: the same count on a busy machine."""

import re
import signal
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
    """One run to open connections and grow buffers, a dump of the counts, a run four times as long,
    a dump: the second dump divided by its requests. Of several processes the one that executed most
    counts: the worker, which holds the connections."""
    small = small_run(workload)
    idle = options.pop("idle", 0)
    out = folder / f"callgrind-{contestant.kind}"
    out.mkdir(exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    prefix = _preload(contestant, folder) + [
        "valgrind", "--tool=callgrind", "--trace-children=yes",
        f"--callgrind-out-file={out}/%p.out", f"--log-file={out}/%p.log"]
    proxy = contestant.start(backends, folder, prefix=prefix, **options)
    try:
        with load.Load(binary, workload, proxy.port, idle=idle) as running:
            for requests in (small, 4 * small):
                running.run(requests)
                pids = proxy.pids()
                for pid in pids:
                    _dump(pid)
    finally:
        proxy.stop(signal.SIGKILL, 0.2)
    counts = [_total(out / f"{pid}.out.2") for pid in pids]
    if max(counts, default=0) == 0:
        raise rig.BenchError(f"callgrind left no figures for {contestant.name}")
    return max(counts) / (4 * small)


def _dump(pid):
    subprocess.run(["callgrind_control", "--dump", str(pid)], check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _total(path):
    told = path.read_text(errors="replace") if path.exists() else ""
    match = re.search(r"^(?:totals|summary): (\d+)", told, re.MULTILINE)
    return int(match.group(1)) if match else 0
