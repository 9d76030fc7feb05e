# SPDX-License-Identifier: Apache-2.0
"""A reload changes what it has to, and nothing else: connections, requests in flight, bytes."""

import contextlib
import os
import signal
import socket

import pytest

import harness
from clients import Connection, MemcachedClient, RespClient, RespError, encode
from faults import EJECTED, wait_for_log
from gated import NamedServer
from harness import FakeServer, RedisServer, free_port, pids_serving, pool, wait_until


def redis_pool(servers, **settings):
    return pool(servers, redis=True, **{"timeout": 10000, **settings})


def entry(server, name, weight=1):
    return f"127.0.0.1:{server.port}:{weight} {name}"


def open_clients(stack, proxy, count, pool_name=None, works=lambda client: client.call("PING")):
    """Connected, accepted and served once."""
    clients = [stack.enter_context(proxy.redis(pool_name)) for _ in range(count)]
    for client in clients:
        assert works(client) is not None
    return clients


def open_clients_of_all(stack, proxy, count, works=lambda client: client.call("PING")):
    """`count` or more, of whom every worker has some."""

    def connect():
        client = stack.enter_context(proxy.redis())
        assert works(client) is not None
        return client

    return harness.clients_of_all(connect, proxy.worker_pids(), count)


def homes_of(clients, pids):
    return pids_serving([client.socket for client in clients], pids)


def wait_refused(address):
    """From about now on nobody can connect; a connect that hangs fails the test."""

    def is_refused():
        try:
            socket.create_connection(address, timeout=2).close()
            return False
        except ConnectionRefusedError:
            return True

    wait_until(is_refused, what=f"{address} to be refused")


# ---- what is told --------------------------------------------------------------------------------


def test_a_reload_counts_generations_and_tells_command_and_log(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings})
    first = reloader.reload({"p": {**settings, "timeout": 9000}})
    second = reloader.reload({"p": {**settings, "timeout": 8000}})
    assert second == first + 1
    third = reloader.reload_by_signal({"p": {**settings, "timeout": 7000}}).generation
    assert third == second + 1
    assert [outcome.generation for outcome in reloader.outcomes()] == [first, second, third]


def test_no_process_is_replaced(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, workers=3)
    before = [reloader.proxy.pid, *reloader.proxy.wait_workers(3)]
    reloader.reload({"p": {**settings, "hash": "murmur", "servers": settings["servers"][:3]}})
    reloader.reload_by_signal({"p": settings})
    assert reloader.proxy.all_pids() == before


# ---- servers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["command", "signal"])
def test_servers_that_stay_keep_their_connections(start_reloadable, how):
    with NamedServer("a") as a, NamedServer("b") as b, NamedServer("c") as c, \
            contextlib.ExitStack() as stack:
        settings = redis_pool([entry(a, "a"), entry(b, "b")])
        reloader = start_reloadable({"p": settings}, workers=2)
        keys = harness.spread_keys(30)
        clients = open_clients_of_all(
            stack, reloader.proxy, 12,
            works=lambda client: [client.call("GET", key) for key in keys])
        assert (a.connections, b.connections) == (2, 2)
        three = [entry(a, "a"), entry(b, "b"), entry(c, "c")]
        for change in ({"timeout": 9000}, {"hash": "murmur"}, {"distribution": "modula"},
                       {"servers": three}, {"servers": three, "hash": "md5"}, {},
                       {"servers": [entry(b, "b", 7), entry(a, "a")]},
                       {"client_connections": 100}, {"hash_tag": "{}"}):
            changed = {"p": {**settings, **change}}
            if how == "command":
                reloader.reload(changed)
            else:
                assert reloader.reload_by_signal(changed).generation
            for client in clients:
                for key in keys:
                    assert client.call("GET", key).endswith(b":" + key.encode())
        assert (a.connections, b.connections) == (2, 2)
        assert c.connections > 0  # it was there meanwhile ...
        wait_until(lambda: c.ended == c.connections, what="the connections of the server that left")


def test_a_real_server_sees_the_same_connections_before_and_after(start_reloadable, start_server):
    server = start_server(RedisServer)
    settings = redis_pool([server], server_connections=3)
    reloader = start_reloadable({"p": settings}, workers=2)

    def connections():
        with server.client() as direct:
            me = direct.call("CLIENT", "ID")
            lines = direct.call("CLIENT", "LIST").decode().splitlines()
        return {line.split()[0] for line in lines} - {f"id={me}"}

    with contextlib.ExitStack() as stack:
        clients = open_clients_of_all(stack, reloader.proxy, 10)

        def use_all():
            for client in clients:
                for _ in range(3):
                    assert client.call("SET", "k", "v") == "OK"

        use_all()
        before = connections()
        assert len(before) == 6
        for timeout in range(5000, 5005):
            reloader.reload({"p": {**settings, "timeout": timeout, "hash": "crc32"}})
            use_all()
        assert connections() == before


def test_the_requests_after_a_reload_go_by_the_new_placement(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers[:1])
    reloader = start_reloadable({"p": settings})
    with reloader.proxy.redis() as client:
        assert client.call("SET", "k", "v") == "OK"
        reloader.reload({"p": redis_pool(redis_servers[1:2], listen=settings["listen"])})
        assert client.call("GET", "k") is None
        assert client.call("SET", "other", "v") == "OK"
    assert redis_servers[0].keys() == {b"k"}
    assert redis_servers[1].keys() == {b"other"}


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_server_whose_address_changes_under_its_name(start_reloadable, kind):
    """The connection to the old address ends; every worker goes to the new one."""
    with NamedServer("old", kind) as old, NamedServer("new", kind) as new, \
            contextlib.ExitStack() as stack:
        settings = pool([entry(old, "s1")], redis=kind == "redis", timeout=10000)
        reloader = start_reloadable({"p": settings}, workers=2)

        def get(client, key):
            return client.call("GET", key) if kind == "redis" else client.get(key)

        connect = getattr(reloader.proxy, kind)
        clients = [stack.enter_context(connect()) for _ in range(8)]
        for client in clients:
            assert get(client, "k") == b"old:k"
        reloader.reload({"p": {**settings, "servers": [entry(new, "s1")]}})
        for client in clients:
            assert get(client, "k") == b"new:k"
        wait_until(lambda: old.ended == old.connections, what="the old connections' end")


# ---- requests in flight --------------------------------------------------------------------------


def test_a_request_in_flight_ends_where_it_began_and_the_next_goes_by_the_new(start_reloadable):
    with NamedServer("old", gated=True) as old, NamedServer("new") as new:
        settings = redis_pool([entry(old, "s1")])
        reloader = start_reloadable({"p": settings})
        with reloader.proxy.redis() as client:
            client.send(encode("GET", "a"))
            old.wait_for_bytes(b"\r\na\r\n")
            reloader.reload({"p": {**settings, "servers": [entry(new, "s1")]}})
            client.send(encode("GET", "b"))
            new.wait_for_bytes(b"\r\nb\r\n")
            assert client.has_no_more()  # b's reply is there, but it is not its turn
            old.open()
            assert client.read_replies(2) == [b"old:a", b"new:b"]
            assert (old.keys, new.keys) == ([b"a"], [b"b"])
            wait_until(lambda: old.ended == old.connections, what="the old connection's end")


def test_requests_in_flight_survive_many_generations(start_reloadable):
    with contextlib.ExitStack() as stack:
        fakes = [stack.enter_context(NamedServer(f"s{i}", gated=True)) for i in range(6)]
        settings = redis_pool([entry(fakes[0], "s")])
        reloader = start_reloadable({"p": settings})
        client = stack.enter_context(reloader.proxy.redis())
        for number, fake in enumerate(fakes):
            if number:
                reloader.reload({"p": {**settings, "servers": [entry(fake, "s")]}})
            client.send(encode("GET", f"k{number}"))
            fake.wait_for_bytes(b"\r\nk%d\r\n" % number)
        for fake in reversed(fakes):
            fake.open()
        assert client.read_replies(6) == [b"s%d:k%d" % (i, i) for i in range(6)]


def test_a_split_request_in_flight_is_joined_from_its_own_generation(start_reloadable):
    with NamedServer("a") as a, NamedServer("b", gated=True) as b, NamedServer("c") as c:
        settings = redis_pool([entry(a, "a"), entry(b, "b")])
        reloader = start_reloadable({"p": settings})
        keys = harness.spread_keys(20)
        with reloader.proxy.redis() as client:
            client.send(encode("MGET", *keys))
            wait_until(lambda: a.keys and b.keys, what="both parts at their servers")
            theirs = {key: b"a" for key in a.keys} | {key: b"b" for key in b.keys}
            reloader.reload({"p": {**settings, "servers": [entry(c, "c")]}})
            b.open()
            assert client.read_reply() == [theirs[key.encode()] + b":" + key.encode()
                                           for key in keys]
            assert client.call("GET", "k") == b"c:k"


def test_what_the_old_generation_cannot_finish_ends_at_drain_timeout(start_reloadable):
    """The client gets an answer, an error line, in its place; then it is served by the new."""
    with NamedServer("old", gated=True) as old, NamedServer("new") as new:
        settings = redis_pool([entry(old, "s1")], timeout=0)
        reloader = start_reloadable({"p": settings}, {"drain_timeout": 400})
        with reloader.proxy.redis() as client:
            client.send(encode("GET", "a"))
            old.wait_for_bytes(b"\r\na\r\n")
            reloader.reload({"p": {**settings, "servers": [entry(new, "s1")]}})
            client.send(encode("GET", "b"))
            first, second = client.read_replies(2)
            assert isinstance(first, RespError) and second == b"new:b"
            assert client.call("GET", "c") == b"new:c"


# ---- clients -------------------------------------------------------------------------------------


def test_clients_of_a_pool_that_stays_keep_their_connections(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, workers=3)
    with contextlib.ExitStack() as stack:
        clients = open_clients(stack, reloader.proxy, 30)
        homes = homes_of(clients, reloader.proxy.worker_pids())
        for change in ({"hash": "md5"}, {"servers": settings["servers"][:2]}, {"timeout": 12345},
                       {"backlog": 64}, {"tcpkeepalive": True}):
            reloader.reload({"p": {**settings, **change}})
            for number, client in enumerate(clients):
                assert client.call("SET", f"k{number}", "v") == "OK"
                assert client.call("GET", f"k{number}") == b"v"
        assert homes == homes_of(clients, reloader.proxy.worker_pids())
        stats = reloader.proxy.stats()
        assert stats["p"]["client_connections"] == len(clients)
        assert stats["p"]["client_eof"] == 0 and stats["p"]["client_err"] == 0


def test_a_renamed_pool_keeps_its_clients(start_reloadable):
    with NamedServer("x") as x, NamedServer("y") as y, contextlib.ExitStack() as stack:
        settings = redis_pool([x])
        reloader = start_reloadable({"before": settings})
        clients = open_clients(stack, reloader.proxy, 10, works=lambda c: c.call("GET", "k"))
        reloader.reload({"after": {**settings, "servers": [y.entry()]}})
        for client in clients:
            assert client.call("GET", "k") == b"y:k"
        with reloader.proxy.redis("after") as newcomer:
            assert newcomer.call("GET", "k") == b"y:k"
        wait_until(lambda: reloader.proxy.stats()["after"]["client_connections"] == 10,
                   what="the newcomer's leave to be noticed")


def test_a_pool_that_moves_to_another_address_keeps_its_clients(start_reloadable):
    with NamedServer("x") as x, contextlib.ExitStack() as stack:
        settings = redis_pool([x])
        reloader = start_reloadable({"p": settings})
        old = reloader.proxy.address()
        clients = open_clients(stack, reloader.proxy, 10, works=lambda c: c.call("GET", "k"))
        reloader.reload({"p": {**settings, "listen": f"127.0.0.1:{free_port()}"}})
        for client in clients:
            assert client.call("GET", "k") == b"x:k"
        wait_refused(old)
        with reloader.proxy.redis() as newcomer:
            assert newcomer.call("GET", "k") == b"x:k"
        reloader.reload({"p": settings})  # and back
        for client in clients:
            assert client.call("GET", "k") == b"x:k"
        with RespClient(old) as newcomer:
            assert newcomer.call("GET", "k") == b"x:k"


def test_clients_follow_their_listen_address_before_the_name(start_reloadable):
    with NamedServer("x") as x, NamedServer("y") as y, contextlib.ExitStack() as stack:
        one, two = redis_pool([x]), redis_pool([y])
        reloader = start_reloadable({"a": one, "b": two})
        at_one = open_clients(stack, reloader.proxy, 6, "a", lambda c: c.call("GET", "k"))
        at_two = open_clients(stack, reloader.proxy, 6, "b", lambda c: c.call("GET", "k"))
        # The names change places, the addresses keep their servers ...
        reloader.reload({"b": one, "a": two})
        assert {client.call("GET", "k") for client in at_one} == {b"x:k"}
        assert {client.call("GET", "k") for client in at_two} == {b"y:k"}
        # ... and the servers change places under the addresses.
        reloader.reload({"b": {**one, "servers": two["servers"]},
                         "a": {**two, "servers": one["servers"]}})
        assert {client.call("GET", "k") for client in at_one} == {b"y:k"}
        assert {client.call("GET", "k") for client in at_two} == {b"x:k"}


def test_an_added_pool_is_served_when_the_command_returns(start_reloadable):
    with NamedServer("x") as x, NamedServer("y") as y:
        one = redis_pool([x])
        reloader = start_reloadable({"one": one}, workers=3)
        for _ in range(5):
            two = redis_pool([y])
            reloader.reload({"one": one, "two": two})
            with contextlib.ExitStack() as stack:
                open_clients(stack, reloader.proxy, 20, "two",
                             lambda c: c.call("GET", "k") == b"y:k" or None)


def test_a_unix_socket_is_added_moved_and_removed(start_reloadable, folder):
    with NamedServer("x") as x:
        settings = redis_pool([x])
        reloader = start_reloadable({"p": settings})
        first, second = folder / "1.sock", folder / "2.sock"
        reloader.reload({"p": settings, "u": redis_pool([x], listen=f"{first} 0600")})
        with RespClient(str(first)) as client:
            assert client.call("GET", "k") == b"x:k"
            assert first.stat().st_mode & 0o777 == 0o600
            reloader.reload({"p": settings, "u": redis_pool([x], listen=f"{second} 0660")})
            assert client.call("GET", "k") == b"x:k"
            assert not first.exists()
            assert second.stat().st_mode & 0o777 == 0o660
            with RespClient(str(second)) as newcomer:
                assert newcomer.call("GET", "k") == b"x:k"
        reloader.reload({"p": settings})
        assert not second.exists()


def test_a_unix_socket_that_was_removed_is_made_again(start_reloadable, folder):
    with NamedServer("x") as x:
        path = folder / "u.sock"
        settings = redis_pool([x], listen=f"{path} 0600")
        reloader = start_reloadable({"u": settings})
        with RespClient(str(path)) as client:
            assert client.call("GET", "k") == b"x:k"
            path.unlink()
            reloader.reload({"u": {**settings, "timeout": 4000}})
            assert client.call("GET", "k") == b"x:k"
            with RespClient(str(path)) as newcomer:
                assert newcomer.call("GET", "k") == b"x:k"
        assert "has been removed or replaced; a new one is made" in reloader.proxy.log_text()


def test_clients_of_a_removed_pool_are_served_on_until_drain_timeout(start_reloadable):
    with NamedServer("x") as x, NamedServer("y") as y, contextlib.ExitStack() as stack:
        stay, slow, soon = redis_pool([x]), redis_pool([y], timeout=0), redis_pool([y], timeout=0)
        reloader = start_reloadable({"stay": stay, "slow": slow, "soon": soon},
                                    {"drain_timeout": 600_000})
        addresses = [reloader.proxy.address(name) for name in ("slow", "soon")]
        stays, served_on, ended = (open_clients(stack, reloader.proxy, 8, name,
                                                lambda c: c.call("GET", "k"))
                                   for name in ("stay", "slow", "soon"))
        reloader.reload({"stay": stay, "soon": soon})
        wait_refused(addresses[0])
        for client in served_on:
            assert client.call("GET", "k") == b"y:k"
        y.close_gate()
        ended[0].send(encode("GET", "slow"))
        y.wait_for_bytes(b"slow")
        reloader.reload({"stay": stay}, {"drain_timeout": 300})
        wait_refused(addresses[1])
        # At drain_timeout the idle ones see an orderly end, an unanswered one an answer or the end.
        for client in ended[1:]:
            assert client.read_to_fin() == b""
        last = ended[0].read_to_fin()
        assert last == b"" or last.startswith(b"-"), last
        y.open()
        # Who left earlier has the time that was said then.
        for client in served_on:
            assert client.call("GET", "k") == b"y:k"
        for client in stays:
            assert client.call("GET", "k") == b"x:k"


def test_a_removed_pool_is_gone_once_its_last_client_is(start_reloadable):
    """Nobody waits for drain_timeout; a pool may come back at the same address at once."""
    with NamedServer("x") as x, NamedServer("y") as y:
        stay, leave = redis_pool([x]), redis_pool([y])
        reloader = start_reloadable({"stay": stay, "leave": leave})
        with reloader.proxy.redis("leave") as client:
            assert client.call("GET", "k") == b"y:k"
            reloader.reload({"stay": stay})
            assert client.call("GET", "k") == b"y:k"
        wait_until(lambda: y.ended == y.connections, what="the pool's server connections to close")
        reloader.reload({"stay": stay, "leave": leave})
        with reloader.proxy.redis("leave") as client:
            assert client.call("GET", "k") == b"y:k"


def test_a_reply_of_a_removed_pool_under_way_arrives_whole(start_reloadable, redis_servers):
    """Its client reads it only after the pool is gone; then comes the orderly end."""
    stay, leave = redis_pool(redis_servers[:1]), redis_pool(redis_servers)
    reloader = start_reloadable({"stay": stay, "leave": leave}, {"drain_timeout": 4000})
    value = bytes(range(256)) * 20_000  # 5 MB, more than sockets hold
    with reloader.proxy.redis("leave", receive_buffer_bytes=4096) as client:
        assert client.call("SET", "k", value) == "OK"
        client.send(encode("GET", "k"))
        head = client.read_line()
        reloader.reload({"stay": stay})
        assert head == b"$%d\r\n" % len(value)
        assert client.read_exactly(len(value) + 2) == value + b"\r\n"
        assert client.read_to_fin() == b""


def test_client_connections_is_counted_over_a_reload(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers, client_connections=4)
    reloader = start_reloadable({"p": settings})

    def is_full():
        with reloader.proxy.redis() as extra:
            return extra.read_to_end_or_reply() == b"-ERR max number of clients reached\r\n"

    with contextlib.ExitStack() as stack:
        clients = open_clients(stack, reloader.proxy, 4)
        assert is_full()
        reloader.reload({"p": {**settings, "timeout": 4321}})
        assert is_full()
        reloader.reload({"p": {**settings, "client_connections": 6}})
        more = open_clients(stack, reloader.proxy, 2)
        assert is_full()
        reloader.reload({"p": {**settings, "client_connections": 2}})  # nobody is thrown out
        for client in clients + more:
            assert client.call("PING") == "PONG"
        assert is_full()
        reloader.reload({"p": redis_pool(redis_servers, listen=settings["listen"])})
        open_clients(stack, reloader.proxy, 10)


# ---- bytes under way -----------------------------------------------------------------------------


def requests_in_two(kind):
    """(sent before the reload, sent after it, the reply) for cuts at every sort of place."""
    value = b"v" * 100 + b"\r\n" + b"w" * 100
    if kind == "redis":
        request, reply = encode("SET", "key", value), b"+OK\r\n"
    else:
        request, reply = b"set key 0 0 %d\r\n%s\r\n" % (len(value), value), b"STORED\r\n"
    body = request.index(b"vvv")
    for cut in (1, 3, request.index(b"key") + 1, body - 1, body, body + 50, body + 101, body + 102,
                len(request) - 2, len(request) - 1):
        yield request[:cut], request[cut:], reply


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_request_that_is_cut_in_two_by_a_reload(start_reloadable, redis_servers,
                                                  memcached_servers, kind):
    """At every sort of place; the servers change meanwhile, so that it must go by the new."""
    servers = redis_servers if kind == "redis" else memcached_servers
    settings = pool(servers, redis=kind == "redis", timeout=10000)
    reloader = start_reloadable({"p": settings})
    cases = list(requests_in_two(kind))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Connection(reloader.proxy.address())) for _ in cases]
        for client, (first, _, _) in zip(clients, cases):
            client.send(first)
        reloader.reload({"p": {**settings, "servers": settings["servers"][1:], "hash": "murmur"}})
        for client, (_, second, reply) in zip(clients, cases):
            client.send(second)
            assert client.read_exactly(len(reply)) == reply
            assert client.has_no_more()
    with getattr(reloader.proxy, kind)() as client:
        found = client.call("GET", "key") if kind == "redis" else client.get("key")
        assert found == b"v" * 100 + b"\r\n" + b"w" * 100


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_half_of_a_large_value_before_the_reload(start_reloadable, redis_servers,
                                                 memcached_servers, kind):
    servers = redis_servers if kind == "redis" else memcached_servers
    settings = pool(servers, redis=kind == "redis", timeout=10000)
    reloader = start_reloadable({"p": settings})
    value = bytes(range(256)) * 12_000  # 3 MB
    if kind == "redis":
        request, reply = encode("SET", "key", value), b"+OK\r\n"
    else:
        request, reply = b"set key 0 0 %d\r\n%s\r\n" % (len(value), value), b"STORED\r\n"
    with getattr(reloader.proxy, kind)() as client:
        for part in range(4):
            client.send(request[len(request) * part // 4:len(request) * (part + 1) // 4])
            if part < 3:
                reloader.reload({"p": {**settings, "timeout": 9000 + part,
                                       "servers": settings["servers"][part:]}})
        assert client.read_exactly(len(reply)) == reply
        found = client.call("GET", "key") if kind == "redis" else client.get("key")
        assert found == value


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_replies_that_the_client_reads_only_after_the_reload(start_reloadable, redis_servers,
                                                             memcached_servers, kind):
    """Far more than the socket buffers hold: the rest waits in the worker and at the server."""
    servers = redis_servers if kind == "redis" else memcached_servers
    settings = pool(servers[:2], redis=kind == "redis", timeout=10000)
    reloader = start_reloadable({"p": settings})
    keys = harness.spread_keys(40)
    values = {key: key.encode() * 15_000 for key in keys}  # 480 KB each, 19 MB together
    connect = getattr(reloader.proxy, kind)
    with connect(receive_buffer_bytes=4096) as client, connect() as other:
        for key, value in values.items():
            assert other.call("SET", key, value) == "OK" if kind == "redis" \
                else other.set(key, value) == b"STORED\r\n"
        for key in keys:
            client.send(encode("GET", key) if kind == "redis" else b"get %s\r\n" % key.encode())
        reloader.reload({"p": {**settings, "timeout": 9999}})
        reloader.reload({"p": {**settings, "timeout": 9998}})
        for key in keys:
            if kind == "redis":
                assert client.read_reply() == values[key]
            else:
                assert client.read_values() == [(key.encode(), values[key], 0, None)]


def test_a_pipeline_of_a_thousand_over_a_reload(start_reloadable):
    with NamedServer("a", gated=True) as a, NamedServer("b", gated=True) as b, \
            NamedServer("c") as c:
        settings = redis_pool([entry(a, "a"), entry(b, "b")])
        reloader = start_reloadable({"p": settings})
        keys = harness.spread_keys(1000)
        with reloader.proxy.redis() as client:
            client.send(b"".join(encode("GET", key) for key in keys))
            wait_until(lambda: len(a.keys) + len(b.keys) == 1000, what="all of it at the servers")
            owner = {key: a for key in a.keys} | {key: b for key in b.keys}
            reloader.reload({"p": {**settings, "servers": [entry(c, "c")]}})
            client.send(b"".join(encode("GET", key) for key in keys))
            b.open()
            a.open()
            assert client.read_replies(1000) == [owner[key.encode()].value(key.encode())
                                                 for key in keys]
            assert client.read_replies(1000) == [c.value(key.encode()) for key in keys]


# ---- settings of a pool --------------------------------------------------------------------------


def test_the_timeout_of_the_new_config_holds_for_new_requests(start_reloadable):
    with NamedServer("x", gated=True) as x:
        settings = redis_pool([x], timeout=60000)
        reloader = start_reloadable({"p": settings})
        with reloader.proxy.redis() as patient, reloader.proxy.redis() as hasty:
            patient.send(encode("GET", "a"))
            x.wait_for_bytes(b"\r\na\r\n")
            reloader.reload({"p": {**settings, "timeout": 200}})
            assert isinstance(hasty.call("GET", "b"), RespError)


def test_a_changed_password_of_clients_and_servers(start_reloadable, start_server):
    server = start_server(RedisServer)

    def require(password):
        with server.client() as direct:
            direct.call("AUTH", "old")  # an error before there is one
            assert direct.call("CONFIG", "SET", "requirepass", password) == "OK"

    require("old")
    settings = redis_pool([server], redis_auth="old")
    reloader = start_reloadable({"p": settings})
    with reloader.proxy.redis() as inside, reloader.proxy.redis() as outside:
        assert inside.call("AUTH", "old") == "OK"
        assert inside.call("SET", "k", "v") == "OK"
        assert outside.call("GET", "k").args[0].startswith("NOAUTH")
        require("new")
        reloader.reload({"p": {**settings, "redis_auth": "new"}})
        # Who was inside stays connected, whether he has to say the new word or not.
        answer = inside.call("GET", "k")
        assert answer == b"v" or answer.args[0].startswith("NOAUTH"), answer
        assert outside.call("GET", "k").args[0].startswith("NOAUTH")
        assert isinstance(outside.call("AUTH", "old"), RespError)
        assert outside.call("AUTH", "new") == "OK"
        assert outside.call("GET", "k") == b"v"
        assert inside.call("AUTH", "new") == "OK"
        assert inside.call("GET", "k") == b"v"
    reloader.proxy.stop()
    server.stop()


def test_a_password_that_comes_and_goes(start_reloadable):
    """A client that never said a word must not get past the new password."""
    with FakeServer(harness.answer_always(b"+OK\r\n")) as fake:
        settings = redis_pool([fake])
        reloader = start_reloadable({"p": settings})
        with reloader.proxy.redis() as client:
            assert client.call("SET", "k", "v") == "OK"
            reloader.reload({"p": {**settings, "redis_auth": "secret"}})
            with reloader.proxy.redis() as newcomer:
                assert newcomer.call("SET", "k", "v").args[0].startswith("NOAUTH")
            assert client.call("SET", "k", "v").args[0].startswith("NOAUTH")
            assert client.call("AUTH", "secret") == "OK"
            assert client.call("SET", "k", "v") == "OK"
            reloader.reload({"p": settings})
            assert client.call("SET", "k", "v") == "OK"
        assert "secret" not in reloader.proxy.log_text()


def test_a_pool_that_turns_from_redis_to_memcached(start_reloadable, redis_servers,
                                                   memcached_servers):
    """Its clients speak the wrong language now: they end in an orderly way, new ones are served."""
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings})
    with reloader.proxy.redis() as client:
        assert client.call("SET", "k", "v") == "OK"
        reloader.reload({"p": pool(memcached_servers, listen=settings["listen"])})
        with MemcachedClient(reloader.proxy.address()) as newcomer:
            assert newcomer.set("k", b"v") == b"STORED\r\n"
            assert newcomer.get("k") == b"v"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.send(encode("GET", "k"))
        answer = client.read_to_end_or_reply()
        assert answer in (b"", b"$1\r\n") or b"ERR" in answer, answer


@pytest.mark.slow
def test_an_ejected_server_stays_ejected(start_reloadable, redis_servers):
    with FakeServer(harness.reset_on_request) as bad:
        settings = redis_pool([*redis_servers[:2], bad.entry(1, "bad")], timeout=10000,
                              auto_eject_hosts=True, server_failure_limit=1,
                              server_retry_timeout=600_000)
        reloader = start_reloadable({"p": settings}, workers=2)
        keys = harness.spread_keys(60)
        with contextlib.ExitStack() as stack:
            clients = open_clients(stack, reloader.proxy, 8)

            def all_served():
                return all(client.call("SET", key, "v") == "OK"
                           for client in clients for key in keys)

            wait_until(all_served, what="the bad server's ejection in both workers")
            # The master's verdict: a worker that waits too long for it has its own until then.
            wait_for_log(reloader.proxy, EJECTED, "bad")
            ejected_at = reloader.proxy.stats()["p"]["bad"]["server_ejected_at"]
            assert ejected_at > 0
            met = bad.received.count(b"SET")
            for change in ({"timeout": 9000}, {"hash": "murmur"}, {"server_failure_limit": 2},
                           {"servers": settings["servers"][1:]}):
                reloader.reload({"p": {**settings, **change}})
                assert all_served(), f"a request met the ejected server after {change}"
            assert bad.received.count(b"SET") == met
            assert reloader.proxy.stats()["p"]["bad"]["server_ejected_at"] == ejected_at


# ---- workers -------------------------------------------------------------------------------------


def test_fewer_workers_lose_no_client_and_no_connect(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, {"workers": 4}, workers=None)
    proxy = reloader.proxy
    workers = proxy.wait_workers(4)
    with contextlib.ExitStack() as stack:
        old = open_clients_of_all(stack, proxy, 40)
        homes = homes_of(old, workers)
        reloader.reload(process={"workers": 1})
        for client in old:
            assert client.call("SET", "k", "v") == "OK"
        assert homes_of(old, workers) == homes  # the surplus workers serve theirs on
        new = open_clients(stack, proxy, 40)
        assert set(homes_of(new, workers)) == {workers[0]}
        # A reload reaches surplus workers too.
        with NamedServer("x") as x:
            reloader.reload({"p": redis_pool([x], listen=settings["listen"])})
            for client in old + new:
                assert client.call("GET", "k") == b"x:k"
            reloader.reload({"p": settings})
        for client in old:
            client.close()
        wait_until(lambda: proxy.worker_pids() == workers[:1], what="the surplus workers' end")
        for client in new:
            assert client.call("GET", "k") == b"v"
        open_clients(stack, proxy, 20)


def test_more_workers_take_their_share(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, {"workers": 1}, workers=None)
    first = reloader.proxy.wait_workers(1)
    with contextlib.ExitStack() as stack:
        old = open_clients(stack, reloader.proxy, 10)
        reloader.reload(process={"workers": 3})
        workers = reloader.proxy.wait_workers(3)
        assert workers[0] == first[0]

        def all_take_some():  # until they are up, the first serves their queues
            return set(homes_of(open_clients(stack, reloader.proxy, 40), workers)) == set(workers)

        wait_until(all_take_some, what="all workers to accept")
        for client in old:
            assert client.call("PING") == "PONG"


def test_a_surplus_worker_is_taken_back_when_its_slot_returns(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, {"workers": 2}, workers=None)
    workers = reloader.proxy.wait_workers(2)
    with contextlib.ExitStack() as stack:
        clients = open_clients_of_all(stack, reloader.proxy, 20)
        for _ in range(3):
            reloader.reload(process={"workers": 1})
            reloader.reload(process={"workers": 2})
        assert reloader.proxy.worker_pids() == workers
        for client in clients:
            assert client.call("PING") == "PONG"
        assert set(homes_of(open_clients(stack, reloader.proxy, 40), workers)) == set(workers)


def test_a_surplus_worker_ends_at_no_timeout(start_reloadable, redis_servers):
    """drain_timeout is about the clients of pools that are gone, not about these."""
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, {"workers": 2, "drain_timeout": 300}, workers=None)
    with contextlib.ExitStack() as stack:
        clients = open_clients(stack, reloader.proxy, 20)
        reloader.reload(process={"workers": 1, "drain_timeout": 300})
        harness.let_time_pass(0.8, "drain_timeout must not end a surplus worker's clients")
        for client in clients:
            assert client.call("PING") == "PONG"


def test_a_surplus_worker_that_dies_is_not_replaced(start_reloadable, redis_servers):
    settings = redis_pool(redis_servers)
    reloader = start_reloadable({"p": settings}, {"workers": 2}, workers=None)
    workers = reloader.proxy.wait_workers(2)
    with contextlib.ExitStack() as stack:
        clients = open_clients_of_all(stack, reloader.proxy, 20)
        homes = homes_of(clients, workers)
        reloader.reload(process={"workers": 1})
        os.kill(workers[1], signal.SIGKILL)
        wait_until(lambda: reloader.proxy.worker_pids() == workers[:1], what="its end")
        for client, home in zip(clients, homes):
            if home == workers[0]:
                assert client.call("PING") == "PONG"
        open_clients(stack, reloader.proxy, 40)
        reloader.reload({"p": {**settings, "timeout": 7777}})
        assert reloader.proxy.worker_pids() == workers[:1]


def test_a_surplus_worker_that_ends_during_a_reload_does_not_fail_it(start_reloadable):
    """Its last client has left: that is no failure. The reload waits for another, stopped one."""
    with NamedServer("x") as x, NamedServer("y") as y, contextlib.ExitStack() as stack:
        settings = redis_pool([x])
        reloader = start_reloadable({"p": settings}, {"workers": 3}, workers=None)
        workers = reloader.proxy.wait_workers(3)
        clients = open_clients_of_all(stack, reloader.proxy, 30,
                                      works=lambda c: c.call("GET", "k"))
        homes = homes_of(clients, workers)
        reloader.reload(process={"workers": 1})
        with harness.stopped(workers[2:]):
            reloader.write({"p": {**settings, "servers": [y.entry()]}})
            command = reloader.start_command()
            harness.let_time_pass(0.3, "the reload has to wait for the stopped worker")
            assert command.poll() is None
            for client, home in zip(clients, homes):
                if home == workers[1]:
                    client.close()
            wait_until(lambda: not harness.is_alive(workers[1]), what="the surplus worker's end")
        text = command.communicate(timeout=harness.DEADLINE_S)[0].decode()
        assert command.returncode == 0, text
        for client, home in zip(clients, homes):
            if home != workers[1]:
                assert client.call("GET", "k") == b"y:k"


def test_no_total_goes_down_when_a_pool_goes(start_reloadable):
    with NamedServer("x") as x:
        stay, go = redis_pool([x]), redis_pool([x])
        reloader = start_reloadable({"stay": stay, "go": go})
        before = reloader.proxy.stats()
        assert before["total_connections"] == before["curr_connections"] == 2  # the listeners
        reloader.reload({"stay": stay})
        after = reloader.proxy.stats()
        assert after["total_connections"] == 2
        assert after["curr_connections"] == 1
        reloader.reload({"stay": stay, "go": go})
        assert reloader.proxy.stats()["total_connections"] == 2


def test_the_stats_count_on_over_reloads(start_reloadable, redis_servers):
    """No counter of a pool and server that stay goes down; gauges are true."""
    settings = redis_pool(redis_servers[:1])
    name = f"127.0.0.1:{redis_servers[0].port}"
    reloader = start_reloadable({"p": settings}, {"workers": 3}, workers=None)
    total = 0
    for workers in (1, 3, 2):
        with contextlib.ExitStack() as stack:
            open_clients(stack, reloader.proxy, 10, works=lambda c: c.call("SET", "k", "v"))
            total += 10
            wait_until(lambda: reloader.proxy.stats()["p"][name]["requests"] == total,
                       what="the requests to be counted")
        reloader.reload({"p": {**settings, "timeout": 3000 + workers}}, {"workers": workers})
        stats = reloader.proxy.stats()["p"]
        assert stats[name]["requests"] == total
        wait_until(lambda: reloader.proxy.stats()["p"]["client_eof"] == total, what="client_eof")
