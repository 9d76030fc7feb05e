# SPDX-License-Identifier: Apache-2.0
"""Tools that print figures: what they did is compared, not how long it took."""

import csv
import re
import subprocess

import pytest

import matrix
import programs
from test_clients import Outcome

REQUESTS = 2000
TOOL_LIMIT_S = 60


def benchmark(address, options):
    """The tests redis-benchmark ran, in their order, and what it said besides."""
    host, port = address
    done = subprocess.run(["redis-benchmark", *options, "-h", host, "-p", str(port), "--csv",
                           "-n", str(REQUESTS)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=TOOL_LIMIT_S)
    rows = list(csv.reader(done.stdout.splitlines()))
    assert all(float(row[1]) > 0 for row in rows[1:]), done.stdout
    return done.returncode, [row[0] for row in rows[1:]], done.stderr


@pytest.mark.parametrize("name", programs.BENCHMARKS)
def test_redis_benchmark_runs_all_its_tests(name, redis_sides, outcomes):
    options = programs.BENCHMARKS[name]
    direct, proxied = (benchmark(side.address, options) for side in redis_sides)
    code, tests, complaints = direct
    assert code == 0 and not complaints and len(tests) > 15
    problem = "" if proxied == direct else f"through the proxy: {proxied}"
    version = subprocess.run(["redis-benchmark", "--version"], capture_output=True, text=True,
                             check=True).stdout
    outcomes[name] = Outcome(re.search(r"[\d.]+", version).group(),
                             "RESP3" if "-3" in options else "RESP2", len(tests), problem)
    passes = matrix.read()[name].passes
    assert passes == (not problem), problem or f"{name} passes: say so in the README"
