# SPDX-License-Identifier: Apache-2.0
"""The stats document: nutcracker's keys and layout, summed over workers, current when asked."""

import contextlib
import json
import os
import re
import signal
import socket

import pytest

from clients import Connection, encode
from harness import (FakeServer, close_on_request, free_port, never_answer, pool, spread_keys,
                     wait_until)

POOL_KEYS = ["client_eof", "client_err", "client_connections", "server_ejects", "forward_error",
             "fragments"]
SERVER_KEYS = ["server_eof", "server_err", "server_timedout", "server_connections",
               "server_ejected_at", "requests", "request_bytes", "responses", "response_bytes",
               "in_queue", "in_queue_bytes", "out_queue", "out_queue_bytes"]
GLOBAL_KEYS = ["service", "source", "version", "uptime", "timestamp", "total_connections",
               "curr_connections"]


def shape(text):
    """The document with its values blanked out."""
    text = re.sub(r'"(service|source|version)":"[^"]*"', r'"\1":"T"', text)
    return re.sub(r'":-?\d+', '":N', text)


def servers_of(stats, name):
    return {key: value for key, value in stats[name].items() if isinstance(value, dict)}


def total(stats, name, counter):
    return sum(server[counter] for server in servers_of(stats, name).values())


def test_the_document_has_nutcrackers_layout_byte_for_byte(
        start_proxy, start_nutcracker, redis_servers, memcached_servers, folder):
    pools = {
        "zeta": pool(redis_servers, redis=True),
        "a": pool([server.entry(1, name) for server, name in
                   zip(memcached_servers, ["server10", "b", "server2", "a"])]),
        "unix": pool([f"{folder}/x.sock:1", "127.0.0.1:11211:1", "127.0.0.1:1:1"]),
    }
    theirs = start_nutcracker(pools).stats_text()
    elsewhere = {name: {**settings, "listen": f"127.0.0.1:{free_port()}"}
                 for name, settings in pools.items()}
    ours = start_proxy(elsewhere).stats_text()
    assert shape(ours) == shape(theirs)


def test_the_keys_and_their_order(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)})
    stats = proxy.stats()
    assert list(stats) == GLOBAL_KEYS + ["p"]
    assert list(stats["p"])[:len(POOL_KEYS)] == POOL_KEYS
    assert sorted(servers_of(stats, "p")) == sorted(f"127.0.0.1:{s.port}" for s in redis_servers)
    for server in servers_of(stats, "p").values():
        assert list(server) == SERVER_KEYS
    assert stats["source"] == socket.gethostname()
    assert 0 <= stats["uptime"] < 100


def test_counters_are_summed_over_the_workers_and_current(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, workers=3)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(30)]
        for number, client in enumerate(clients):
            for i in range(10):
                assert client.call("SET", f"k{number}:{i}", "v") == "OK"
        stats = proxy.stats()
        assert total(stats, "p", "requests") == 300
        assert total(stats, "p", "responses") == 300
        assert total(stats, "p", "response_bytes") == 300 * len(b"+OK\r\n")
        assert total(stats, "p", "request_bytes") == sum(
            len(encode("SET", f"k{n}:{i}", "v")) for n in range(30) for i in range(10))
        assert stats["p"]["client_connections"] == 30
        assert stats["curr_connections"] >= 30 + total(stats, "p", "server_connections")
        assert total(stats, "p", "in_queue") == total(stats, "p", "out_queue") == 0
        # The very next request is in the very next answer.
        clients[0].call("GET", "k0:0")
        assert total(proxy.stats(), "p", "requests") == 301
    wait_until(lambda: proxy.stats()["p"]["client_connections"] == 0, what="the clients to be gone")
    stats = proxy.stats()
    assert stats["p"]["client_eof"] == 30
    assert stats["p"]["client_err"] == 0
    assert stats["total_connections"] >= 30


def test_fragments_count_as_requests_of_their_servers(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)})
    keys = spread_keys(100)
    with proxy.redis() as client:
        client.call("MGET", *keys)
        client.call("PING")
    stats = proxy.stats()
    assert total(stats, "p", "requests") == 4
    assert total(stats, "p", "responses") == 4


def test_queues_show_what_is_waiting(start_proxy):
    with FakeServer(never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True)}, workers=1,
                            process={"shutdown_timeout": 200})
        with proxy.redis() as client:
            client.send(encode("GET", "k") * 7)
            fake.wait_for_bytes(encode("GET", "k") * 7)
            server = proxy.stats()["p"][f"127.0.0.1:{fake.port}"]
            assert server["requests"] == 7
            assert server["responses"] == 0
            assert server["in_queue"] + server["out_queue"] == 7
            waiting = server["in_queue_bytes"] + server["out_queue_bytes"]
            assert waiting == 7 * len(encode("GET", "k"))
            assert server["server_connections"] == 1


def test_failures_are_counted_where_they_belong(start_proxy):
    with FakeServer(close_on_request) as closes, FakeServer(never_answer) as silent:
        proxy = start_proxy({"closes": pool([closes], redis=True),
                             "silent": pool([silent], redis=True, timeout=200),
                             "dead": pool([f"127.0.0.1:{free_port()}:1"], redis=True)})
        for name in ("closes", "silent", "dead"):
            with proxy.redis(name) as client:
                client.call("GET", "k")
        # The client's clock may run out a moment before the one that ends the connection.
        wait_until(lambda: total(proxy.stats(), "silent", "server_timedout"), what="its timeout")
        stats = proxy.stats()
    assert total(stats, "closes", "server_eof") == 1
    assert total(stats, "silent", "server_timedout") == 1
    assert total(stats, "dead", "server_err") == 1
    for name in ("closes", "silent", "dead"):
        assert stats[name]["forward_error"] == 1
        assert sum(total(stats, name, counter)
                   for counter in ("server_eof", "server_err", "server_timedout")) == 1


def test_no_counter_goes_down_when_a_worker_dies(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, workers=3)

    def counters():
        stats = proxy.stats()
        flat = {name: stats["p"][name] for name in ("client_eof", "client_err", "forward_error")}
        flat["total_connections"] = stats["total_connections"]
        for server, values in servers_of(stats, "p").items():
            for counter in ("requests", "request_bytes", "responses", "response_bytes",
                            "server_eof", "server_err", "server_timedout"):
                flat[server, counter] = values[counter]
        return flat

    sent = 0
    for _ in range(4):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(proxy.redis()) for _ in range(12)]
            for client in clients:
                for i in range(10):
                    assert client.call("SET", f"k{i}", "v") == "OK"
                    sent += 1
            before = counters()
            victim = proxy.wait_workers(3)[0]
            os.kill(victim, signal.SIGKILL)
            for _ in range(20):  # also while the slot is empty
                after = counters()
                assert all(after[name] >= before[name] for name in before), (before, after)
                before = after
            proxy.wait_workers(3, without=[victim])
            after = counters()
            assert all(after[name] >= before[name] for name in before), (before, after)
    assert total(proxy.stats(), "p", "requests") == sent


def test_gauges_forget_a_dead_worker(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, workers=2)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis()) for _ in range(12)]
        for client in clients:
            client.call("GET", "k")
        workers = proxy.wait_workers(2)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        proxy.wait_workers(2, without=workers)
        wait_until(lambda: proxy.stats()["p"]["client_connections"] == 0, what="the gauge at 0")
        assert total(proxy.stats(), "p", "server_connections") == 0


def test_a_stats_address_may_be_a_unix_path(start_proxy, redis_servers, folder):
    path = str(folder / "stats.sock")
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, stats_address=path)
    assert "p" in proxy.stats()
    proxy.stop()
    assert not os.path.exists(path)


@pytest.mark.parametrize("address", ["localhost", "0.0.0.0", "127.0.0.1"])
def test_stats_addresses(start_proxy, redis_servers, address):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, stats_address=address)
    assert "p" in proxy.stats()


def test_many_readers_at_once_each_get_a_whole_document(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)})
    readers = [Connection(("127.0.0.1", proxy.stats_port)) for _ in range(50)]
    for reader in readers:
        text = reader.read_to_end().decode()
        assert text.endswith("\n") and text.count("\n") == 1
        assert list(json.loads(text)) == GLOBAL_KEYS + ["p"]
        reader.close()


def test_a_reader_that_reads_nothing_blocks_nobody(start_proxy, redis_servers):
    proxy = start_proxy({f"pool{i}": pool(redis_servers, redis=True) for i in range(30)})
    lazy = [Connection(("127.0.0.1", proxy.stats_port), receive_buffer_bytes=2048)
            for _ in range(10)]
    for _ in range(5):
        assert len(proxy.stats()) == len(GLOBAL_KEYS) + 30
    for reader in lazy:
        reader.close()
