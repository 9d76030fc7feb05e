# SPDX-License-Identifier: Apache-2.0
"""Fixtures. Servers live for the whole run and are emptied before each test that asks for them."""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402
import reloader  # noqa: E402

# A load may be asked to run longer than the limit of a test.
TEST_LIMIT_S = 180 + int(os.environ.get("RM_LOAD_SECONDS", 0))


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: left out by tests/run --quick")
    config.addinivalue_line("markers", "alone: about time; tests/run gives it the machine")


def pytest_sessionstart(session):
    if not os.access(harness.BINARY, os.X_OK):
        pytest.exit(f"{harness.BINARY} is missing: build it, or set RM_BINARY", returncode=3)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    yield from harness.limit_test(TEST_LIMIT_S)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


@pytest.fixture(scope="session")
def run_folder():
    # Short: a Unix socket's path has 107 bytes.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rm-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(run_folder):
    path = pathlib.Path(tempfile.mkdtemp(dir=run_folder))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _servers(kind, count, folder):
    servers = []
    try:
        for index in range(count):
            servers.append(kind(folder / f"{kind.__name__}{index}"))
        yield servers
    finally:
        for server in servers:
            server.stop()


@pytest.fixture(scope="session")
def redis_servers_of_the_run(run_folder):
    yield from _servers(harness.RedisServer, 4, run_folder)


@pytest.fixture(scope="session")
def memcached_servers_of_the_run(run_folder):
    yield from _servers(harness.MemcachedServer, 4, run_folder)


@pytest.fixture
def redis_servers(redis_servers_of_the_run):
    for server in redis_servers_of_the_run:
        server.flush()
    return redis_servers_of_the_run


@pytest.fixture
def memcached_servers(memcached_servers_of_the_run):
    for server in memcached_servers_of_the_run:
        server.flush()
    return memcached_servers_of_the_run


@pytest.fixture(scope="session")
def memcached_server_alone_of_the_run(run_folder):
    yield from _servers(harness.MemcachedServer, 1, run_folder / "alone")


@pytest.fixture
def memcached_server_alone(memcached_server_alone_of_the_run):
    """One no pool has, to compare with."""
    server, = memcached_server_alone_of_the_run
    server.flush()
    return server


@pytest.fixture
def start_proxy(request, folder):
    """start_proxy(pools, ...) -> harness.Proxy; each is stopped and checked after the test."""
    started = []

    def start(pools, **options):
        proxy = harness.Proxy(folder / f"proxy{len(started)}", pools, **options)
        started.append(proxy)
        return proxy

    yield start
    report = getattr(request.node, "report_call", None)
    failed = report is not None and report.failed
    try:
        for proxy in started:
            if failed:
                print(f"--- {proxy.folder.name}: {proxy.explain()} {proxy.sanitizer_reports()}")
            else:
                proxy.stop()
    finally:
        for proxy in started:
            proxy.kill()


@pytest.fixture
def start_reloadable(start_proxy):
    """start_reloadable(pools, process=..., ...) -> reloader.Reloader of a proxy like start_proxy's."""
    return lambda *arguments, **options: reloader.Reloader(start_proxy, *arguments, **options)


@pytest.fixture
def start_nutcracker(start_proxy):
    """The same for the reference; it listens where the pools given say."""
    if harness.NUTCRACKER is None:
        pytest.skip("nutcracker is not installed")

    def start(pools, **options):
        return start_proxy(pools, binary=harness.NUTCRACKER, **options)

    return start


@pytest.fixture
def redis_proxy(start_proxy, redis_servers):
    """Two workers in front of four Redis servers."""
    return start_proxy({"redis": harness.pool(redis_servers, redis=True, timeout=5000,
                                              hash_tag="{}")})


@pytest.fixture
def memcached_proxy(start_proxy, memcached_servers):
    """Two workers in front of four memcached."""
    return start_proxy({"memcached": harness.pool(memcached_servers, timeout=5000)})


@pytest.fixture
def start_server(folder):
    """start_server(harness.RedisServer, ...) -> a server only this test uses."""
    started = []

    def start(kind, **options):
        server = kind(folder / f"server{len(started)}", **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
