# SPDX-License-Identifier: Apache-2.0
"""Each client does the same things directly and through the proxy, and sees the same answers."""

import concurrent.futures
import dataclasses
import difflib

import pytest

import matrix
import programs

LEAST_CALLS = 60


@dataclasses.dataclass
class Outcome:
    """How a client fared: `problem` is "" when both transcripts are equal."""

    version: str
    protocol: str
    calls: int
    problem: str


def compare(sides, command):
    direct_side, proxied_side = sides
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        direct_run = both.submit(direct_side.run, command)
        proxied_run = both.submit(proxied_side.run, command)
        direct = direct_run.result()
        try:
            proxied = proxied_run.result()
        except programs.ScriptFailed as failure:
            return direct, f"through the proxy: {failure}"
    difference = difflib.unified_diff(direct.lines, proxied.lines, "direct", "through the proxy",
                                      lineterm="", n=0)
    return direct, "\n".join(difference)


def check(name, command, sides, outcomes):
    direct, problem = compare(sides, command)
    outcomes[name] = Outcome(direct.facts["version"], direct.facts["protocol"], len(direct.calls),
                             problem)
    assert len(direct.calls) >= LEAST_CALLS
    # A client the README gives up must fail: one that passes has to be named as passing.
    passes = matrix.read()[name].passes
    assert passes == (not problem), problem or f"{name} passes: say so in the README"


@pytest.mark.parametrize("name", programs.REDIS)
def test_redis_client_sees_no_difference(name, redis_sides, outcomes):
    check(name, programs.REDIS[name], redis_sides, outcomes)


@pytest.mark.parametrize("name", programs.MEMCACHED)
def test_memcached_client_sees_no_difference(name, memcached_sides, outcomes):
    check(name, programs.MEMCACHED[name], memcached_sides, outcomes)
