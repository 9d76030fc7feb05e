# SPDX-License-Identifier: Apache-2.0
"""Drives bench_load: connections are opened once, then runs of an exact number of requests."""

import json
import select
import subprocess
import time

import rig

LOAD_S = 180.0


class Load:
    """`with Load(binary, workload, port) as load: load.run(1000)`; every reply is checked."""

    def __init__(self, binary, workload, ports, **more):
        ports = ports if isinstance(ports, (list, tuple)) else [ports]
        _, cpu = rig.cpus()
        words = [binary, "--protocol", workload.protocol, "--stepwise", "--keys", workload.keys]
        told = {"connections": workload.connections, "pipeline": workload.pipeline,
                "gets": workload.gets, "sets": workload.sets, "width": workload.width,
                "zipf": workload.zipf}
        told.update(more)
        for size in workload.sizes:
            words += ["--size", size]
        for port in ports:
            words += ["--port", port]
        for name, value in told.items():
            words += [f"--{name}"] if value is True else [f"--{name}", value]
        self.command = rig.pinned(cpu, words)
        self.process = rig.spawn(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        self._answer(LOAD_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _answer(self, timeout):
        deadline = time.monotonic() + timeout
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.close()
                raise rig.BenchError(f"no answer in {timeout:.0f} s from: {' '.join(self.command)}")
            piece = self.process.stdout.read1(4096)
            if not piece:
                said = self.process.stderr.read().decode(errors="replace")
                self.close()
                raise rig.BenchError(f"{said.strip()}\nfrom: {' '.join(self.command)}")
            line += piece
        return json.loads(line)

    def run(self, requests, timeout=LOAD_S):
        """Returns what bench_load says: seconds, latency_us."""
        self.begin(requests)
        return self._answer(timeout)

    def begin(self, requests):
        self.process.stdin.write(b"%d\n" % requests)
        self.process.stdin.flush()

    def finish(self, timeout=LOAD_S):
        return self._answer(timeout)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def preload(binary, workload, port):
    """SETs every key once, so that every GET is a hit."""
    with Load(binary, workload, port, connections=10, pipeline=max(1, min(
            100, 100000 // max(workload.sizes))), preload=True) as filling:
        filling.run(workload.keys)


def verify(binary, workload, port):
    """Keys that were set through another program are found: both place them alike."""
    with Load(binary, workload, port, connections=10, pipeline=10, gets=1, sets=0) as reading:
        reading.run(2000)
