# SPDX-License-Identifier: Apache-2.0
"""The benchmark's own programs work: a few checked requests, nothing is timed."""

import json
import pathlib
import subprocess

import pytest

import harness

TOOLS = pathlib.Path(harness.BINARY).parent
LOAD = TOOLS / "bench_load"
FLOOR = TOOLS / "bench_floor"
SHAPES = {
    "one at a time": ("--connections", 10),
    "pipelined": ("--connections", 3, "--pipeline", 7),
    "sizes that are cut by reads": ("--connections", 2, "--pipeline", 3, "--size", 5, "--size", 3000,
                                    "--size", 150000, "--keys", 30),
    "open loop": ("--connections", 5, "--rate", 5000, "--zipf", 0.9),
}
SPLIT = {
    "several keys a request": ("--connections", 4, "--width", 13, "--pipeline", 2),
}

pytestmark = pytest.mark.skipif(not LOAD.exists() or not FLOOR.exists(),
                                reason="the build has no target bench_tools")


def send(port, protocol, *words):
    """Runs bench_load; what it says is right only if every reply was."""
    command = [LOAD, "--port", port, "--protocol", protocol, *words]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=harness.DEADLINE_S, check=False)
    return done.returncode, done.stdout, done.stderr


def send_100(port, protocol, shape):
    keys = () if "--keys" in shape else ("--keys", 200)
    filled = send(port, protocol, *shape, *keys, "--preload")
    assert filled[0] == 0, filled
    code, out, error = send(port, protocol, *shape, *keys, "--requests", 100)
    assert code == 0, error
    said = json.loads(out)
    assert said["requests"] == 100
    assert 0 < said["latency_us"]["p50"] <= said["latency_us"]["p99"] <= said["latency_us"]["max"]


@pytest.fixture
def start_floor(folder):
    started = []

    def start(protocol, servers):
        port = harness.free_port()
        words = [FLOOR, protocol, port, *(server.port for server in servers)]
        started.append(harness.spawn([str(word) for word in words]))
        harness.wait_until(lambda: harness.port_is_open(port), what="the floor to listen")
        return port

    yield start
    for floor in started:
        assert floor.poll() is None, "the floor ended"
        floor.kill()
        floor.wait()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_floor_relays_redis(start_floor, redis_servers, shape):
    send_100(start_floor("redis", redis_servers), "redis", shape)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("protocol", ["memcached", "meta"])
def test_the_floor_relays_memcached(start_floor, memcached_servers, protocol, shape):
    send_100(start_floor("memcached", memcached_servers), protocol, shape)


@pytest.mark.parametrize("shape", [*SHAPES.values(), *SPLIT.values()], ids=[*SHAPES, *SPLIT])
def test_redis_load_through_ringmaster(redis_proxy, shape):
    send_100(redis_proxy.address()[1], "redis", shape)


@pytest.mark.parametrize("shape", [*SHAPES.values(), *SPLIT.values()], ids=[*SHAPES, *SPLIT])
def test_memcached_load_through_ringmaster(memcached_proxy, shape):
    send_100(memcached_proxy.address()[1], "memcached", shape)


@pytest.mark.parametrize("words", [
    ("SET", "000000000007:bench", "x" * 32),  # the right size, another value
    ("SET", "000000000007:bench", "x" * 31),
    ("DEL", "000000000007:bench"),
])
def test_the_load_sees_a_wrong_value(redis_proxy, words):
    port = redis_proxy.address()[1]
    assert send(port, "redis", "--keys", 20, "--preload")[0] == 0
    with redis_proxy.redis() as client:
        client.call(*words)
    code, _, error = send(port, "redis", "--keys", 20, "--sets", 0, "--requests", 1000)
    assert code == 1
    assert "not the reply that was due" in error
