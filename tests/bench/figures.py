# SPDX-License-Identifier: Apache-2.0
"""What is measured of a proxy while a load runs, always over all its processes and per request."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import perf_stat
import rig

COUNTERS = ("instructions:u", "instructions:k", "cycles:u", "cycles:k")
ALL_SYSCALLS = "raw_syscalls:sys_enter"
SYSCALLS = ("read", "readv", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg",
            "epoll_wait", "epoll_pwait", "epoll_ctl", "clock_gettime", "accept4", "close")

# What a machine without counters estimates with: kernel instructions per call. Measured with perf
# on Linux 6.x over loopback, 40-byte messages: 17.8k for a send and its recv, 0.3k more as write
# and read, 1.1k for epoll_wait with an event, 0.73k for epoll_ctl. How the pair divides is assumed:
# on loopback the sender also pays for the receiver's TCP input, so nearly all is the write's.
KERNEL_COST = {"read": 1800, "readv": 1800, "recvfrom": 1600, "recvmsg": 1800,
               "write": 16000, "writev": 16000, "sendto": 15800, "sendmsg": 16000,
               "epoll_wait": 1100, "epoll_pwait": 1100, "epoll_ctl": 730}
OTHER_CALL_COST = 300


class Abilities:
    """Which ways of counting this machine offers."""

    def __init__(self, folder):
        self.counters = perf_stat.has(COUNTERS, folder)
        self.tracepoints = perf_stat.has([ALL_SYSCALLS], folder)
        self.strace = rig.find_binary("strace") is not None

    def text(self):
        syscalls = ("perf tracepoints" if self.tracepoints else
                    "strace -c (slow: smaller batches than in the timed rounds)" if self.strace
                    else "not available")
        counters = "yes" if self.counters else "NO (instructions, cycles: n/a)"
        return f"hardware counters: {counters}; syscalls: {syscalls}"


def _tasks(pids):
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield from pathlib.Path(f"/proc/{pid}/task").iterdir()


def cpu_ns(pids):
    """Nanoseconds on a CPU, user and kernel, of every thread. (utime and stime of /proc/PID/stat
    count in ticks of 10 ms.)"""
    total = 0
    for task in _tasks(pids):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def context_switches(pids):
    total = 0
    for task in _tasks(pids):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)",
                                             (task / "status").read_text())))
    return total


def memory_kb(pids, field="VmRSS"):
    """`field` of /proc/PID/status. Pages that the memory reclaim of a machine has put away count."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            told = pathlib.Path(f"/proc/{pid}/status").read_text()
            for name in (field, "VmSwap"):
                match = re.search(rf"^{name}:\s+(\d+)", told, re.MULTILINE)
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


def timed_round(proxy, running, requests, abilities, folder):
    """One round: CPU time, memory and, where there are counters, instructions and cycles."""
    pids = proxy.pids()
    cpu, _ = rig.cpus()
    counting = (perf_stat.counting(COUNTERS, pids, folder) if abilities.counters
                else contextlib.nullcontext({}))
    with counting as counts:
        busy_before, all_before = _cpu_seconds(cpu)
        before, switches = cpu_ns(pids), context_switches(pids)
        said = running.run(requests)
        used, switches = cpu_ns(pids) - before, context_switches(pids) - switches
        busy_after, all_after = _cpu_seconds(cpu)
    if proxy.pids() != pids:
        raise rig.BenchError(f"a process died or was replaced under load: {proxy.log_tail()}")
    length = max(all_after - all_before, 0.01)
    figures = {"cpu": used / 1e3 / requests, "rss_mb": memory_kb(pids) / 1024,
               "switches": switches / requests, "rate": requests / said["seconds"],
               "others": max(0.0, busy_after - busy_before - used / 1e9) / length}
    if counts and None not in counts.values():
        figures["instructions_user"] = counts["instructions:u"] / requests
        figures["instructions_kernel"] = counts["instructions:k"] / requests
        figures["instructions"] = figures["instructions_user"] + figures["instructions_kernel"]
        figures["cycles"] = (counts["cycles:u"] + counts["cycles:k"]) / requests
    return figures


def syscall_round(proxy, running, requests, abilities, folder):
    """Syscalls per request, in all and by name. A run of its own: counting them costs time."""
    if abilities.tracepoints:
        names = {f"syscalls:sys_enter_{name}": name for name in SYSCALLS}
        with perf_stat.counting([ALL_SYSCALLS, *names], proxy.pids(), folder) as counts:
            running.run(requests)
        figures = {"syscalls": counts[ALL_SYSCALLS] / requests}
        figures.update({f"syscall_{name}": counts[event] / requests
                        for event, name in names.items() if counts[event]})
        return _with_estimate(figures)
    return _strace_round(proxy, running, requests // 4, folder) if abilities.strace else {}


def _strace_round(proxy, running, requests, folder):
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

    try:
        rig.wait_until(traced, "strace to attach")
        running.run(requests)
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
    figures = {}
    for line in out.read_text().splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit():
            name = "syscalls" if fields[-1] == "total" else f"syscall_{fields[-1]}"
            figures[name] = int(fields[3]) / requests
    return _with_estimate(figures)


def _with_estimate(figures):
    """Adds the kernel instructions that these calls stand for."""
    known = {name: figures.get(f"syscall_{name}", 0.0) for name in KERNEL_COST}
    others = max(0.0, figures.get("syscalls", 0.0) - sum(known.values()))
    figures["kernel_estimate"] = others * OTHER_CALL_COST + sum(
        calls * KERNEL_COST[name] for name, calls in known.items())
    return figures
