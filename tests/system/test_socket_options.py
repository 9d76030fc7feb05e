# SPDX-License-Identifier: Apache-2.0
"""Pool keys that become socket options, seen from outside: tcpkeepalive, backlog; and server names."""

import pathlib
import select
import socket

import pytest

from clients import encode
from harness import pool, stopped, wait_until

KEEPALIVE_TIMER = "02"


def timer_of(local_port, remote_port):
    """The kernel's timer of an established connection, as /proc/net/tcp has it."""
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        ends = [int(word.split(":")[1], 16) for word in words[1:3]]
        if ends == [local_port, remote_port] and words[3] == "01":
            return words[5].split(":")[0]
    return None


@pytest.mark.parametrize("on", [True, False])
def test_tcpkeepalive_is_set_on_client_connections(start_proxy, redis_servers, on):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, tcpkeepalive=on)})
    with proxy.redis() as client:
        assert client.call("PING") == "PONG"
        ours = client.socket.getsockname()[1]
        # Nothing is under way: what timer there is, is keepalive's.
        wait_until(lambda: (timer_of(proxy.address()[1], ours) == KEEPALIVE_TIMER) == on,
                   what="the timer of the connection")


def test_backlog_bounds_what_waits_to_be_accepted(start_proxy, redis_servers):
    backlog, tries = 3, 12
    proxy = start_proxy({"p": pool(redis_servers, redis=True, backlog=backlog)}, workers=1)
    waiting = []
    with stopped(proxy.wait_workers()):
        for _ in range(tries):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(proxy.address())
            waiting.append(client)

        def connected():
            _, writable, _ = select.select([], waiting, [], 0)
            return len(writable)

        # The kernel takes one more than the backlog; the rest try again later.
        wait_until(lambda: connected() >= backlog, what="the queue to fill")
        assert connected() <= backlog + 1 < tries
    for client in waiting:
        client.close()


def test_a_server_name_that_does_not_resolve_stops_nobody_else(start_proxy, redis_servers):
    proxy = start_proxy({
        "bad": pool(["no-such-host.invalid:6379:1"], redis=True),
        "good": pool(redis_servers, redis=True),
    })
    with proxy.redis("good") as client:
        assert client.call("SET", "k", "v") == "OK"
        assert client.call("GET", "k") == b"v"
    with proxy.redis("bad") as client:
        client.send(encode("GET", "k") + encode("PING"))
        assert client.read_line().startswith(b"-ERR Host is down")
        assert client.read_line() == b"+PONG\r\n"
