# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one server to speak to directly, and a proxy in front of three. Started by `run`."""

import contextlib
import pathlib
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import harness  # noqa: E402
import programs  # noqa: E402

TEST_LIMIT_S = 150
SERVERS_BEHIND = 3


def pytest_sessionstart(session):
    if not programs.NODE_MODULES.is_dir():
        pytest.exit("start these tests with tests/clients/run", returncode=3)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    yield from harness.limit_test(TEST_LIMIT_S)


class Side:
    """An address a script is run against, and the servers that are behind it."""

    def __init__(self, address, servers):
        self.address = address
        self.servers = servers

    def flush(self):
        for server in self.servers:
            server.flush()

    def run(self, command):
        self.flush()
        return programs.run(command, self.address)


@contextlib.contextmanager
def _both_sides(kind, **settings):
    with contextlib.ExitStack() as ends:
        folder = pathlib.Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="rm-")))

        def start_server(name):
            server = kind(folder / name)
            ends.callback(server.stop)
            return server

        alone = start_server("direct")
        behind = [start_server(f"server{index}") for index in range(SERVERS_BEHIND)]
        proxy = harness.Proxy(folder / "proxy",
                              {"clients": harness.pool(behind, timeout=5000, **settings)})
        ends.callback(proxy.kill)
        yield Side(alone.address, [alone]), Side(proxy.address(), behind)
        proxy.stop()


@pytest.fixture(scope="session")
def redis_sides():
    """(direct, proxied). Commands with several keys need them on one server: hash tags."""
    with _both_sides(harness.RedisServer, redis=True, hash_tag="{}") as sides:
        yield sides


@pytest.fixture(scope="session")
def memcached_sides():
    """(direct, proxied)."""
    with _both_sides(harness.MemcachedServer, flush_all=True) as sides:
        yield sides


@pytest.fixture(scope="session")
def outcomes():
    """{client: Outcome} of what has run: the README's table is held against it."""
    return {}
