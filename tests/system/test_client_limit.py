# SPDX-License-Identifier: Apache-2.0
"""client_connections: enforced per pool, over all workers. nutcracker ignores it."""

import os
import signal

import pytest

from harness import pool, wait_until

LIMIT = 5


@pytest.mark.parametrize("kind, line", [
    ("redis", b"-ERR max number of clients reached\r\n"),
    ("memcached", b"SERVER_ERROR max number of clients reached\r\n"),
])
def test_the_limit_holds_over_all_workers(start_proxy, redis_servers, memcached_servers, kind, line):
    servers = redis_servers if kind == "redis" else memcached_servers
    proxy = start_proxy({"p": pool(servers, redis=kind == "redis", client_connections=LIMIT)},
                        workers=3)
    connect = proxy.redis if kind == "redis" else proxy.memcached

    def works(client):
        if kind == "redis":
            return client.call("PING") == "PONG"
        return client.ask(b"version\r\n").startswith(b"VERSION")

    inside = [connect() for _ in range(LIMIT)]
    assert all(works(client) for client in inside)
    for _ in range(20):
        with connect() as extra:
            assert extra.read_to_end() == line
    assert all(works(client) for client in inside)  # nobody inside noticed
    inside.pop().close()
    wait_until(lambda: proxy.stats()["p"]["client_connections"] == LIMIT - 1,
               what="the place to be free again")
    with connect() as newcomer:
        assert works(newcomer)
        with connect() as extra:
            assert extra.read_to_end() == line
    for client in inside:
        client.close()


def test_places_of_a_killed_worker_are_free_again(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, client_connections=LIMIT)})
    first = proxy.wait_workers()
    clients = [proxy.redis() for _ in range(LIMIT)]
    assert all(client.call("PING") == "PONG" for client in clients)
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    proxy.wait_workers(without=first)
    for client in clients:
        client.close()
    again = [proxy.redis() for _ in range(LIMIT)]
    assert all(client.call("PING") == "PONG" for client in again)
    with proxy.redis() as extra:
        assert extra.read_to_end() == b"-ERR max number of clients reached\r\n"
    for client in again:
        client.close()


def test_without_a_limit_nobody_is_asked(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, client_connections=0)})
    clients = [proxy.redis() for _ in range(50)]
    assert all(client.call("PING") == "PONG" for client in clients)
    for client in clients:
        client.close()
