# SPDX-License-Identifier: Apache-2.0
"""One client that pipelines as fast as it can: what stands in front of the others, and that it is
read on while it takes no replies. Counted in requests, never in time."""

import threading

import pytest

from clients import encode
from gated import NamedServer
from harness import RedisServer, pool, wait_until

# kFairRequests, kLoneRequests, kRequestsPerTurn.
FAIR, LONE, OF_A_TURN = 256, 1024, 256


@pytest.mark.parametrize("protocol", ["redis", "memcached"])
@pytest.mark.parametrize("alone", [False, True])
def test_the_next_client_stands_behind_a_bounded_part_of_a_long_pipeline(start_proxy, protocol,
                                                                         alone):
    """100,000 requests are under way at a server that answers none of them."""
    most_in_front = (LONE if alone else FAIR) + OF_A_TURN
    redis, count = protocol == "redis", 100_000

    def get(key):
        return encode("GET", key) if redis else f"get {key:.<20}\r\n".encode()

    with NamedServer("s", protocol, gated=True) as server:
        proxy = start_proxy({"p": pool([server], redis=redis, timeout=0)}, workers=1)
        connect = proxy.redis if redis else proxy.memcached
        with connect() as pipeliner, connect() as other:
            if not alone:
                other.send(get("first"))
                wait_until(lambda: len(server.keys) == 1, what="a request of somebody else")
            everything = b"".join(get(f"p{number:06}") for number in range(count))
            sender = threading.Thread(target=pipeliner.send, args=(everything,), daemon=True)
            sender.start()
            wait_until(lambda: len(server.keys) > FAIR, what="the pipeline at the server")
            other.send(get("other"))
            mine = get("other").split()[-1]
            wait_until(lambda: mine in server.keys, what="the other client's request")
            assert server.keys.index(mine) <= most_in_front
            assert len(server.keys) <= most_in_front + 2
            # Those in front of it, and not the whole pipeline, have to be answered first.
            server.open()
            if redis:
                assert alone or other.read_reply() == b"s:first"
                assert other.read_reply() == b"s:other"
                for number in range(count):
                    assert pipeliner.read_reply() == b"s:p%06d" % number
            else:
                assert other.read_line().startswith(b"VALUE other" if alone else b"VALUE first")
            # Nor is there ever more of it at the server: it is read on in pieces of a turn.
            assert server.most_waiting <= LONE + OF_A_TURN + 2
            sender.join(60)


def test_a_pipeline_is_read_on_while_its_replies_are_not_taken(start_proxy, start_server):
    """More replies than a quarter of what a client may leave in the proxy, and less than that."""
    server, count, value = start_server(RedisServer), 60_000, b"v" * 100
    proxy = start_proxy({"p": pool([server], redis=True, timeout=20000)}, workers=1,
                        process={"max_memory": "32m"})

    def passed():
        return proxy.stats()["p"][f"127.0.0.1:{server.port}"]["requests"]

    with proxy.redis(receive_buffer_bytes=4096) as client:
        assert client.call("SET", "k", value) == "OK"
        client.send(encode("GET", "k") * count)
        wait_until(lambda: passed() == count + 1, what="the whole pipeline at the server")
        assert client.read_replies(count) == [value] * count
