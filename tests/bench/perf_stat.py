# SPDX-License-Identifier: Apache-2.0
"""perf stat over running processes, switched on and off around exactly the work that counts."""

import contextlib
import os
import select
import signal
import subprocess

import rig

PATIENCE_S = 10.0


def _order(word, control, acknowledged):
    os.write(control, word + b"\n")
    if not select.select([acknowledged], [], [], PATIENCE_S)[0]:
        raise rig.BenchError("perf stat does not answer")
    os.read(acknowledged, 64)


def _parse(path):
    counts = {}
    for line in path.read_text().splitlines():
        fields = line.split(",")
        if len(fields) > 2:
            counts[fields[2]] = int(fields[0]) if fields[0].isdigit() else None
    return counts


@contextlib.contextmanager
def counting(events, pids, folder):
    """Yields a dictionary that holds {event: count} of `pids` once the block is over; None for an
    event the machine lacks."""
    out, control_path, answer_path = (folder / f"perf.{name}" for name in ("csv", "ctl", "ack"))
    for path in (control_path, answer_path):
        path.unlink(missing_ok=True)
        os.mkfifo(path)
    counts = {}
    _, cpu = rig.cpus()
    perf = rig.spawn(rig.pinned(cpu, [
        "perf", "stat", "-x,", "-D", "-1", "-e", ",".join(events), "-o", out,
        "-p", ",".join(map(str, pids)), "--control", f"fifo:{control_path},{answer_path}"]),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # For both ways, or the opening waits for perf.
    control, acknowledged = (os.open(path, os.O_RDWR) for path in (control_path, answer_path))
    try:
        _order(b"enable", control, acknowledged)
        yield counts
        _order(b"disable", control, acknowledged)
        perf.send_signal(signal.SIGINT)
        perf.wait(PATIENCE_S)
        counts.update({event: None for event in events}, **_parse(out))
    finally:
        if perf.poll() is None:
            perf.kill()
            perf.wait()
        os.close(control)
        os.close(acknowledged)


def has(events, folder):
    if rig.find_binary("perf") is None:
        return False
    try:
        with counting(events, [os.getpid()], folder) as counts:
            rig.accepts(1)  # some work
    except (rig.BenchError, OSError, subprocess.SubprocessError):
        return False
    return all(counts[event] is not None for event in events)
