# SPDX-License-Identifier: Apache-2.0
"""Every descriptor of every process is known, and clients wait when there is none left for them."""

import collections
import os
import pathlib
import resource
import socket

import pytest

import harness
from clients import encode
from harness import (cpu_seconds, let_time_pass, make_config, open_descriptors, pool, run_binary,
                     title_of, wait_until)
from reloader import is_sanitized

RESERVED = 64  # config/client_room.h
CPU_IDLE = 0.05


# ---- the inventory -------------------------------------------------------------------------------


def sockets_of_the_machine():
    """{inode: what it is}: TCP by local port and state, Unix by name."""
    found = {}
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        port = int(fields[1].rpartition(":")[2], 16)
        found[fields[9]] = f"tcp listener {port}" if fields[3] == "0A" else "tcp connection"
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        listens = int(fields[3], 16) & 0x10000
        name = fields[7] if len(fields) > 7 else "unnamed"
        found[fields[6]] = f"unix {'listener ' if listens else ''}{name}"
    return found


def inventory(pid):
    """Counts of what the process holds, pipes and sockets by what they are."""
    machine = sockets_of_the_machine()
    held = collections.Counter()
    for number, what in open_descriptors(pid).items():
        if number <= 2:
            held["standard"] += 1
        elif what.startswith("socket:["):
            held[machine.get(what[len("socket:["):-1], what)] += 1
        elif what.startswith("pipe:["):
            held["pipe"] += 1
        else:
            held[what] += 1
    return held


# A loop: epoll, the wake-up for its threads, the pipe signals come through, and the pipe that is
# libuv's lock around signals; of pipes both ends.
LOOP = {"anon_inode:[eventpoll]": 1, "anon_inode:[eventfd]": 1, "pipe": 4}
# libuv takes one in reserve with a loop's first connection.
USED = {"/dev/null": 1}


def test_every_descriptor_is_known_before_and_after_traffic(start_proxy, folder, redis_servers):
    settings = {"tcp": pool(redis_servers, redis=True),
                "unix": pool(redis_servers, listen=str(folder / "s"), redis=True)}
    leaked = [os.open("/dev/zero", os.O_RDONLY) for _ in range(5)]
    try:
        proxy = start_proxy(settings, workers=2, pass_fds=leaked)
    finally:
        for fd in leaked:
            os.close(fd)
    port = proxy.address("tcp")[1]
    path = f"{folder / 's'}.{proxy.pid}"  # the name it was bound under, before it was renamed
    # It did reach the master, so there was something to keep from the workers.
    assert inventory(proxy.pid)["/dev/zero"] == 5

    def worker(upstream=0):
        listeners = {f"tcp listener {port}": 1, f"unix listener {path}": 1}
        servers = {"tcp connection": upstream} if upstream else {}
        return {**LOOP, "standard": 3, str(proxy.log): 1, "unix unnamed": 1, **listeners, **servers}

    master = {**LOOP, "standard": 3, "/dev/zero": 5, str(proxy.log): 1, str(proxy.pid_file): 1,
              "unix unnamed": 2, f"tcp listener {port}": 2, f"unix listener {path}": 1,
              f"tcp listener {proxy.stats_port}": 1, f"unix @ringmaster/127.0.0.1:{port}": 1,
              f"unix listener {proxy.control}.{proxy.pid}": 1,
              f"unix @ringmaster/control:{proxy.control}": 1}

    workers = proxy.wait_workers()
    # The kernel's table may miss a line while the sockets of others come and go.
    for pid, wanted in [(proxy.pid, master), *((pid, worker()) for pid in workers)]:
        wait_until(lambda pid=pid, wanted=wanted: inventory(pid) == wanted,
                   what=f"only known descriptors in {title_of(pid)}")
    clients = [proxy.redis(name) for name in settings for _ in range(20)]
    for client in clients:
        for key in harness.spread_keys(40):
            client.send(encode("GET", key))
        for _ in range(40):
            assert client.read_reply() is None
    proxy.stats()
    served = [sum(count for what, count in inventory(pid).items() if "connection" in what)
              for pid in workers]
    assert sum(served) >= 20 + 8  # TCP clients, and servers: there is something to be closed
    for client in clients:
        client.close()
    # Connections to the servers stay: of each pool one per server, in whoever had clients of it.
    def gone_quiet():
        for pid in workers:
            held = inventory(pid)
            upstream = held.pop("tcp connection", 0)
            if upstream > 8 or held != {**worker(), **USED}:
                return False
        return inventory(proxy.pid) == {**master, **USED}

    try:
        wait_until(gone_quiet, what="only known descriptors to be left")
    except AssertionError:
        raise AssertionError(f"left: {[inventory(pid) for pid in proxy.all_pids()]}") from None


# ---- the clients that fit ------------------------------------------------------------------------


def answers(client):
    return client.call("PING") == "PONG"


def has_reply(client):
    """True when the PING sent before is answered by now."""
    try:
        client.socket.setblocking(False)
        return client.socket.recv(100, socket.MSG_PEEK) == b"+PONG\r\n"
    except BlockingIOError:
        return False
    finally:
        client.socket.settimeout(harness.DEADLINE_S)


def assert_idle(pids, seconds=1.0):
    before = [cpu_seconds(pid) for pid in pids]
    let_time_pass(seconds, "a loop that spins would use CPU in that time")
    used = [cpu_seconds(pid) - then for pid, then in zip(pids, before)]
    # Two ticks of the clock (10 ms each) are within what cannot be measured.
    assert max(used) <= CPU_IDLE * seconds + 0.02, used


def test_clients_over_the_limit_wait_and_are_served_when_others_leave(start_proxy, redis_servers):
    room = 20
    limit = RESERVED + 2 * (2 * 10 + 1) + 2 + room  # servers for two dialects, both listeners
    proxy = start_proxy({
        "p": pool(redis_servers[:2], redis=True, server_connections=10, client_connections=1000),
        "other": pool(redis_servers[:1], redis=True)}, workers=1, nofile=limit)
    worker = proxy.wait_workers()[0]
    assert f"a worker serves {room} clients at most" in proxy.log_text()
    inside = [proxy.redis("p" if i % 2 else "other") for i in range(room)]
    assert all(map(answers, inside))
    outside = [proxy.redis("p") for _ in range(2 * room)]
    for client in outside:
        client.send(b"PING\r\n")
    assert_idle([worker, proxy.pid])
    assert not any(map(has_reply, outside))
    assert len(open_descriptors(worker)) <= limit - 42  # servers' connections can still be opened
    for _ in range(20):  # nobody inside notices
        assert all(map(answers, inside))
    assert [client.call("SET", key, "v") for client in inside
            for key in harness.spread_keys(4)] == ["OK"] * 4 * room
    for client in inside[:5]:
        client.close()
    wait_until(lambda: sum(map(has_reply, outside)) == 5, what="exactly five to come in")
    assert_idle([worker], 0.3)
    assert sum(map(has_reply, outside)) == 5
    assert all(map(answers, inside[5:]))
    for client in inside[5:]:
        client.close()
    wait_until(lambda: sum(map(has_reply, outside)) >= room, what="a full house again")
    for client in outside[:room]:
        client.close()
    wait_until(lambda: all(map(has_reply, outside[room:])), what="all to be served")
    for client in outside[room:]:
        client.close()
    with proxy.redis() as late:
        assert answers(late)
    assert proxy.log_text().count("further ones wait until one leaves") == 1  # once a minute


def test_every_pool_and_worker_goes_by_its_own_clients(start_proxy, redis_servers):
    room = 12
    pools = {name: pool(redis_servers[:1], redis=True) for name in ("a", "b")}
    proxy = start_proxy(pools, workers=2, nofile=RESERVED + 6 + room)  # two servers, two dialects, two listeners
    workers = proxy.wait_workers()
    clients = [proxy.redis("ab"[i % 2]) for i in range(6 * room)]
    for client in clients:
        client.send(b"PING\r\n")
    # Who gets whom is the kernel's choice; with so many both are full all but certainly.
    wait_until(lambda: sum(map(has_reply, clients)) == 2 * room, what="both workers to be full")
    assert_idle(workers, 0.5)
    assert sum(map(has_reply, clients)) == 2 * room
    while clients:
        done = [client for client in clients if has_reply(client)]
        for client in done:
            client.close()
        clients = [client for client in clients if client not in done]
        wait_until(lambda: not clients or any(map(has_reply, clients)), what="the next to be served")


@pytest.mark.parametrize("limit", [6, 8, 12])
def test_a_limit_too_low_for_the_master_itself_is_one_clear_line(folder, limit):
    path = folder / "few.yml"
    path.write_text(make_config({"p": pool(["127.0.0.1:1:1"])}))
    code, _, err = run_binary("-c", path, "-s", harness.free_port(), "-a", "127.0.0.1",
                              "--control", "control", cwd=folder, nofile=limit)
    assert code == 1, err
    assert len(err.splitlines()) == 1, err
    assert f"the limit of {limit} open descriptors leaves no room for clients" in err


def test_no_room_for_a_single_client_fails_the_start(folder):
    path = folder / "c.yml"
    path.write_text(make_config({"p": pool(["127.0.0.1:1:1"], server_connections=100)}))
    arguments = ["-c", path, "-a", "127.0.0.1", "-s", harness.free_port()]
    code, _, err = run_binary(*arguments, nofile=150)
    assert code == 1
    assert "the limit of 150 open descriptors leaves no room for clients" in err
    assert "LimitNOFILE=) to" in err
    # The file is right, and this shell's limit need not be the service's: -t only warns.
    code, _, err = run_binary("-t", *arguments, nofile=150)
    assert code == 0
    assert "warning: the limit of 150 open descriptors leaves no room for clients" in err


def test_few_places_are_told_by_the_test_and_by_the_start(folder, start_proxy):
    settings = {"p": pool([f"127.0.0.1:{harness.free_port()}:1"])}
    path = folder / "c.yml"
    path.write_text(make_config(settings))
    expected = f"a worker serves {300 - RESERVED - 3} clients at most: its limit is 300"
    code, _, err = run_binary("-t", "-c", path, nofile=300)
    assert code == 0
    assert expected in err
    assert expected in start_proxy(settings, nofile=300).log_text()
    code, _, err = run_binary("-t", "-c", path, nofile=1024 + RESERVED + 3)
    assert "clients at most" not in err


def test_few_places_are_told_by_a_reload_too(start_reloadable):
    one = pool([f"127.0.0.1:{harness.free_port()}:1"])
    reloader = start_reloadable({"p": one}, nofile=1000 + RESERVED + 20)
    assert "clients at most" not in reloader.proxy.log_text()
    reloader.write({"p": {**one, "server_connections": 100}})
    outcome = reloader.ask()
    assert outcome.generation
    assert "warning: a worker serves" in outcome.text
    assert "clients at most" in reloader.proxy.log_text()


def lower_limit(pid, soft):
    """Returns what there was."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, before[1]))
    return before


@pytest.mark.slow
@pytest.mark.skipif(is_sanitized(), reason="UBSan needs descriptors to look at an object's type")
def test_out_of_descriptors_nothing_spins_and_nobody_is_lost(start_proxy, redis_servers):
    """The limit is lowered under a running worker, to just what it holds: accept fails."""
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, workers=1)
    worker = proxy.wait_workers()[0]
    inside = [proxy.redis() for _ in range(10)]
    for client in inside:
        for key in harness.spread_keys(20):
            client.call("SET", key, "v")
    before = lower_limit(worker, max(open_descriptors(worker)) + 1)
    outside = [proxy.redis() for _ in range(30)]
    for client in outside:
        client.send(b"PING\r\n")
    assert_idle([worker, proxy.pid], 2)
    assert not any(map(has_reply, outside))
    for client in inside:
        assert client.call("GET", harness.spread_keys(1)[0]) == b"v"
    resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
    wait_until(lambda: all(map(has_reply, outside)), what="all to be served once it is back")
    for client in inside + outside:
        client.close()
