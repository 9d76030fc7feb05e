# SPDX-License-Identifier: Apache-2.0
"""What is measured of a proxy while load runs, always over all its processes and per request."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import rig

COUNTERS = ("instructions:u", "instructions:k", "cycles:u", "cycles:k")
ALL_SYSCALLS = "raw_syscalls:sys_enter"
SYSCALLS = ("read", "readv", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg",
            "epoll_wait", "epoll_pwait", "epoll_ctl")

# What a machine without counters estimates with: kernel instructions per call. Measured with perf
# on Linux 6.x over loopback, 40-byte messages: 17.8k for a send and its recv, 0.3k more as write
# and read, 1.1k for epoll_wait with an event, 0.73k for epoll_ctl. How the pair divides is assumed:
# on loopback the sender also pays for the receiver's TCP input, so nearly all is the write's.
KERNEL_COST = {"read": 1800, "readv": 1800, "recvfrom": 1600, "recvmsg": 1800,
               "write": 16000, "writev": 16000, "sendto": 15800, "sendmsg": 16000,
               "epoll_wait": 1100, "epoll_pwait": 1100, "epoll_ctl": 730}
OTHER_CALL_COST = 300


def perf_counts(events, pids, command, folder):
    """{event: count} of `pids` while `command` runs; None for an event the machine lacks."""
    out = folder / "perf.csv"
    words = ["perf", "stat", "-x,", "-e", ",".join(events), "-o", str(out)]
    if pids:
        words += ["-p", ",".join(map(str, pids))]
    _, cpu = rig.cpus()
    rig.run_load(rig.pinned(cpu, words + ["--"] + command))
    counts = {}
    for line in out.read_text().splitlines():
        fields = line.split(",")
        if len(fields) > 2:
            counts[fields[2]] = int(fields[0]) if fields[0].isdigit() else None
    return {event: counts.get(event) for event in events}


def perf_has(events, folder):
    if rig.find_binary("perf") is None:
        return False
    try:
        counts = perf_counts(events, [], ["true"], folder)
    except (rig.BenchError, OSError):
        return False
    return all(count is not None for count in counts.values())


class Abilities:
    """Which ways of counting this machine offers."""

    def __init__(self, folder):
        self.counters = perf_has(COUNTERS, folder)
        self.tracepoints = perf_has([ALL_SYSCALLS], folder)
        self.strace = rig.find_binary("strace") is not None

    def text(self):
        syscalls = ("perf tracepoints" if self.tracepoints else
                    "strace -c (slow: smaller batches than in the timed rounds)" if self.strace
                    else "not available")
        counters = "yes" if self.counters else "NO (instructions, cycles: n/a)"
        return f"hardware counters: {counters}; syscalls: {syscalls}"


def cpu_ns(pids):
    """Nanoseconds on a CPU, user and kernel, of every thread. (utime and stime of /proc/PID/stat
    count in ticks of 10 ms.)"""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total += int((task / "schedstat").read_text().split()[0])
    return total


def rss_kb(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            match = re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(),
                              re.MULTILINE)
            total += int(match.group(1)) if match else 0
    return total


def _cpu_seconds(cpu):
    """(busy, all) seconds of one CPU since boot."""
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{cpu} "):
            ticks = [int(field) for field in line.split()[1:9]]
            hertz = os.sysconf("SC_CLK_TCK")
            return (sum(ticks) - ticks[3] - ticks[4]) / hertz, sum(ticks) / hertz
    return 0.0, 0.0


def timed_round(workload, proxy, requests, abilities, folder):
    """One round: CPU time, memory and, where there are counters, instructions and cycles."""
    pids = proxy.pids()
    cpu, _ = rig.cpus()
    sent = 0
    counts = {}
    busy_before, all_before = _cpu_seconds(cpu)
    before = cpu_ns(pids)
    for command, number in rig.load_commands(workload, proxy.port, requests):
        sent += number
        if abilities.counters:
            for event, count in perf_counts(COUNTERS, pids, command, folder).items():
                counts[event] = counts.get(event, 0) + (count or 0)
        else:
            rig.run_load(command)
    used = cpu_ns(pids) - before
    busy_after, all_after = _cpu_seconds(cpu)
    if proxy.pids() != pids:
        raise rig.BenchError(f"a process died or was replaced under load: {proxy.log_tail()}")
    length = max(all_after - all_before, 0.01)
    others = max(0.0, busy_after - busy_before - used / 1e9) / length
    figures = {"cpu_us": used / 1e3 / sent, "rss_mb": rss_kb(pids) / 1024,
               "rate": sent / length, "others": others}
    if counts:
        figures["instructions_user"] = counts["instructions:u"] / sent
        figures["instructions_kernel"] = counts["instructions:k"] / sent
        figures["instructions"] = figures["instructions_user"] + figures["instructions_kernel"]
        figures["cycles"] = (counts["cycles:u"] + counts["cycles:k"]) / sent
    return figures


def syscall_round(workload, proxy, requests, abilities, folder):
    """Syscalls per request, in all and by name. A run of its own: counting them costs time."""
    if abilities.tracepoints:
        names = {f"syscalls:sys_enter_{name}": name for name in SYSCALLS}
        sent, counts = 0, {}
        for command, number in rig.load_commands(workload, proxy.port, requests):
            sent += number
            told = perf_counts([ALL_SYSCALLS, *names], proxy.pids(), command, folder)
            for event, count in told.items():
                counts[event] = counts.get(event, 0) + (count or 0)
        figures = {"syscalls": counts.pop(ALL_SYSCALLS) / sent}
        figures.update({f"syscall_{names[event]}": count / sent
                        for event, count in counts.items() if count})
        return _with_estimate(figures)
    return _strace_round(workload, proxy, requests, folder) if abilities.strace else {}


def _strace_round(workload, proxy, requests, folder):
    out = folder / "strace.txt"
    pids = proxy.pids()
    words = ["strace", "-c", "-f", "-o", str(out)]
    for pid in pids:
        words += ["-p", str(pid)]
    tracer = rig.spawn(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def traced():
        if tracer.poll() is not None:
            raise rig.BenchError("strace could not attach")
        return all("TracerPid:\t0\n" not in pathlib.Path(f"/proc/{pid}/status").read_text()
                   for pid in pids)

    sent = 0
    try:
        rig.wait_until(traced, "strace to attach")
        for command, number in rig.load_commands(workload, proxy.port, requests // 4):
            sent += number
            rig.run_load(command)
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
    figures = {}
    for line in out.read_text().splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit():
            name = "syscalls" if fields[-1] == "total" else f"syscall_{fields[-1]}"
            figures[name] = int(fields[3]) / sent
    return _with_estimate(figures)


def _with_estimate(figures):
    """Adds the kernel instructions that these calls stand for."""
    known = {name: figures.get(f"syscall_{name}", 0.0) for name in KERNEL_COST}
    others = max(0.0, figures.get("syscalls", 0.0) - sum(known.values()))
    figures["kernel_estimate"] = others * OTHER_CALL_COST + sum(
        calls * KERNEL_COST[name] for name, calls in known.items())
    return figures


# ---- callgrind -----------------------------------------------------------------------------------


def _preload(contestant, folder):
    """What stands in front of valgrind's command: see exec_by_path.cc."""
    if contestant.kind != "ringmaster":
        return []
    library = folder / "exec_by_path.so"
    if not library.exists():
        subprocess.run(["c++", "-O1", "-shared", "-fPIC", "-o", library,
                        rig.HERE / "exec_by_path.cc"], check=True, timeout=60)
    return ["env", f"LD_PRELOAD={library}"]


def callgrind_instructions(workload, contestant, backends, folder):
    """User instructions per request, exact: two runs with N and 4N requests, difference / 3N, so
    that start, connections and end cancel out. Of several processes the one that executed most
    counts: the worker, which holds the connections."""
    # Several batches per connection even in the small run, so that buffers have grown in both.
    small = max(4000, 5 * workload.connections * workload.pipeline)
    totals, sents = [], []
    for factor in (1, 4):
        out = folder / f"callgrind-{contestant.kind}-{factor}"
        out.mkdir(exist_ok=True)
        for old in out.iterdir():
            old.unlink()
        prefix = _preload(contestant, folder) + [
            "valgrind", "--tool=callgrind", "--trace-children=yes",
            f"--callgrind-out-file={out}/%p.out", f"--log-file={out}/%p.log"]
        proxy = contestant.start(backends, folder, prefix=prefix, log_name="callgrind")
        try:
            rig.fill(backends.protocol, proxy.port, keys=100)  # warm: every server is connected
            sent = 0
            for command, number in rig.load_commands(workload, proxy.port, small * factor):
                sent += number
                rig.run_load(command)
        finally:
            # nutcracker ends in order on SIGINT only.
            proxy.stop(signal.SIGINT if contestant.kind == "nutcracker" else signal.SIGTERM, 20.0)
        counts = [_callgrind_total(path) for path in out.glob("*.out")]
        if not counts or max(counts) == 0:
            raise rig.BenchError(f"callgrind left no figures for {contestant.version}")
        totals.append(max(counts))
        sents.append(sent)
    return (totals[1] - totals[0]) / (sents[1] - sents[0])


def _callgrind_total(path):
    match = re.search(r"^(?:totals|summary): (\d+)", path.read_text(errors="replace"), re.MULTILINE)
    return int(match.group(1)) if match else 0
