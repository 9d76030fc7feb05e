# SPDX-License-Identifier: Apache-2.0
"""The commands: ringmaster reload, stop, status, where, eject, readmit, log; and the socket."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

import pytest

import harness
from clients import encode
from harness import (BINARY, free_port, let_time_pass, make_config, pool, run_binary, spread_keys,
                     stopped, wait_until)

NOBODY = 65534


@pytest.fixture
def pools(redis_servers, memcached_servers):
    return {"alpha": pool(redis_servers, redis=True, timeout=5000, hash_tag="{}"),
            "gamma": pool(memcached_servers, timeout=5000)}


@pytest.fixture
def proxy(start_proxy, pools):
    """Two workers whose first beats have come."""
    started = start_proxy(pools)
    wait_until(lambda: all(worker["beat_age_ms"] is not None
                           for worker in status(started)["workers"]), what="the first beats")
    return started


def good(answer):
    code, out, err = answer
    assert (code, err) == (0, ""), answer
    return out


def bad(answer):
    """The one line of a failed command."""
    code, out, err = answer
    assert (code, out) == (1, ""), answer
    assert err.startswith("ringmaster: ") and err.count("\n") == 1, err
    return err


def status(proxy):
    return json.loads(good(proxy.command("status", "--json")))


def where(proxy, pool_name, key):
    lines = good(proxy.command("where", "--", pool_name, key)).splitlines()
    return {line.split(None, 1)[0]: line.split(None, 1)[1] for line in lines if " " in line.strip()}


def name_of(server):
    """The effective name of a server without one of its own."""
    return f"127.0.0.1:{server.port}"


def open_fds(proxy):
    """How many the master has, once a command has run (a listener keeps a spare one)."""
    good(proxy.command("status"))
    return len(os.listdir(f"/proc/{proxy.pid}/fd"))


# ---- status --------------------------------------------------------------------------------------


def test_status_is_a_table_of_workers_pools_and_servers(proxy, redis_servers):
    with proxy.redis("alpha") as client:
        assert client.call("PING") == "PONG"
        client.call("SET", "k", "v")

        def table():  # a worker that stands still for a second is called silent
            text = good(proxy.command("status"))
            return text if text.count(" ready ") == 2 else None

        text = wait_until(table, what="a table in which both workers are ready")
    assert f"pid {proxy.pid}" in text and "generation 1" in text
    assert "2 workers, 2 pools, 1 client\n" in text
    for pid in proxy.worker_pids():
        assert str(pid) in text
    assert "pool alpha: Redis on" in text and "pool gamma: memcached on" in text
    for server in redis_servers:
        assert name_of(server) in text


def test_status_json_has_all_stats_per_worker_and_summed(proxy, redis_servers):
    keys = spread_keys(100)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.redis("alpha")) for _ in range(10)]
        for client in clients:
            for key in keys:
                client.call("SET", key, "v")
        document = status(proxy)
    described = run_binary("-D")[1]
    alpha, gamma = document["pools"]
    assert (alpha["name"], gamma["name"]) == ("alpha", "gamma")
    assert alpha["protocol"] == "redis" and gamma["protocol"] == "memcached"
    assert alpha["stats"]["client_connections"] == 10
    assert {server["name"] for server in alpha["servers"]} == set(map(name_of, redis_servers))
    assert all(server["state"] == "in" for server in alpha["servers"])
    for name in [*alpha["stats"], *alpha["servers"][0]["stats"]]:
        assert name in described
    assert {"cross_shard", "ring_epoch", "server_ejects"} <= set(alpha["stats"])
    requests = [server["stats"]["requests"] for server in alpha["servers"]]
    assert sum(requests) == 1000 and all(requests)
    workers = document["workers"]
    assert [worker["pid"] for worker in workers] == proxy.worker_pids()
    for worker in workers:
        assert worker["state"] == "ready" and worker["crashes"] == 0
        assert worker["generation"] == document["generation"] == 1
        assert [entry["name"] for entry in worker["pools"]] == ["alpha", "gamma"]
    for shard, total in enumerate(requests):
        parts = [worker["pools"][0]["servers"][shard]["stats"]["requests"] for worker in workers]
        assert sum(parts) == total
    wait_until(lambda: sum(worker["clients"] for worker in status(proxy)["workers"]) == 0,
               what="beats without clients")


def test_status_tells_how_many_requests_a_second(proxy):
    with proxy.redis("alpha") as client:
        def busy():
            for _ in range(50):
                client.call("SET", "k", "v")
            alpha = status(proxy)["pools"][0]
            return alpha["requests_per_s"] > 0 and any(
                server["requests_per_s"] > 0 for server in alpha["servers"])

        wait_until(busy, what="a rate")
    assert status(proxy)["pools"][1]["requests_per_s"] == 0


def test_status_counts_crashes_and_names_the_new_process(proxy):
    first, second = proxy.wait_workers()
    os.kill(first, signal.SIGKILL)
    workers = proxy.wait_workers(without=[first])
    assert wait_until(lambda: [w for w in status(proxy)["workers"] if w["state"] == "ready"][1:],
                      what="both workers to serve")
    found = status(proxy)["workers"]
    assert [worker["crashes"] for worker in found] == [1, 0]
    assert [worker["pid"] for worker in found] == workers and workers[1] == second


def test_status_answers_while_a_worker_is_stopped(proxy):
    first = proxy.wait_workers()[0]
    with stopped([first]):
        def only_one_is_silent():  # the other may be late for once on a busy machine
            ages = [worker["beat_age_ms"] for worker in status(proxy)["workers"]]
            return ages[0] >= 500 > ages[1]

        wait_until(only_one_is_silent, what="an old beat and a new one")


# ---- where ---------------------------------------------------------------------------------------


def test_where_tells_the_server_that_has_the_key(proxy, redis_servers):
    with proxy.redis("alpha") as client:
        for key in [*spread_keys(8), "user:{42}:name", "-dash", "with space", "{}x", "täg"]:
            for server in redis_servers:
                server.flush()
            client.call("SET", key, "v")
            holder = next(server for server in redis_servers if server.keys())
            found = where(proxy, "alpha", key)
            assert found["server"] == f"{name_of(holder)} at {name_of(holder)}, in", key
            assert "home" not in found
    assert where(proxy, "alpha", "user:{42}:name")["hashed"] == "42"
    assert where(proxy, "alpha", "user:{42}:name")["hash"] == where(proxy, "alpha", "42")["hash"]
    assert "(fnv1a_64)" in where(proxy, "alpha", "k")["hash"]
    assert where(proxy, "gamma", "a\nb\\")["key"] == r"a\x0ab\x5c"


def test_where_in_a_random_pool_is_anywhere(start_proxy, redis_servers):
    proxy = start_proxy({"r": pool(redis_servers, redis=True, distribution="random")})
    assert where(proxy, "r", "k")["server"].startswith("any")


# ---- eject, readmit ------------------------------------------------------------------------------


@pytest.mark.parametrize("auto_eject", [False, True])
def test_an_ejected_server_gets_nothing_until_it_is_readmitted(start_proxy, redis_servers,
                                                               auto_eject):
    proxy = start_proxy({"p": pool(redis_servers, redis=True, timeout=10000,
                                   auto_eject_hosts=auto_eject, server_retry_timeout=100)})
    keys = spread_keys(60)
    victim = redis_servers[1]
    out = good(proxy.command("eject", "p", name_of(victim)))
    assert "is out until it is readmitted" in out

    def everybody_knows():
        document = status(proxy)
        return all(worker["pools"][0]["epoch"] == document["pools"][0]["epoch"] == 2
                   for worker in document["workers"])

    wait_until(everybody_knows, what="the new epoch in all workers")
    let_time_pass(0.3, "a probe of an ordinary ejection would be due after 100 ms")
    with contextlib.ExitStack() as stack:
        for client in [stack.enter_context(proxy.redis()) for _ in range(8)]:
            for key in keys:
                assert client.call("SET", key, "v") == "OK"
    assert not victim.keys()
    document = status(proxy)["pools"][0]
    assert document["ejected"] == 1 and document["health"]["ejects"] == 1
    assert document["health"]["probes"] == 0
    states = {server["name"]: (server["state"], server["by_hand"])
              for server in document["servers"]}
    assert states.pop(name_of(victim)) == ("ejected", True)
    assert set(states.values()) == {("in", False)}
    assert "ejected by hand" in good(proxy.command("status"))
    moved = next(key for key in keys if "home" in where(proxy, "p", key))
    assert where(proxy, "p", moved)["home"] == (
        f"{name_of(victim)} at {name_of(victim)}, ejected by hand")

    # A worker that is born now knows too.
    first = proxy.wait_workers()[0]
    os.kill(first, signal.SIGKILL)
    proxy.wait_workers(without=[first])
    wait_until(lambda: [pool["epoch"] for pool in status(proxy)["workers"][0]["pools"]] == [2],
               what="its epoch")
    assert "already" in good(proxy.command("eject", "p", name_of(victim)))

    assert "is in, epoch 3" in good(proxy.command("readmit", "p", name_of(victim)))
    assert good(proxy.command("readmit", "p", name_of(victim))).endswith("is in\n")
    with proxy.redis() as client:
        wait_until(lambda: client.call("SET", moved, "v") == "OK" and victim.keys(),
                   what="a key on the server that is back")
    assert "by hand" in proxy.log_text()


def test_the_last_server_is_not_ejected(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers[:2], redis=True)})
    first, second = map(name_of, redis_servers[:2])
    good(proxy.command("eject", "p", first))
    assert "no other server of the pool works" in bad(proxy.command("eject", "p", second))
    with proxy.redis() as client:
        for key in spread_keys(20):
            assert client.call("SET", key, "v") == "OK"
    assert status(proxy)["pools"][0]["ejected"] == 1


def test_in_hold_an_ejected_servers_keys_fail_at_once(start_proxy, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers[:2], redis=True, eject_mode="hold")}, workers=1)
    good(proxy.command("eject", "p", name_of(redis_servers[0])))
    good(proxy.command("eject", "p", name_of(redis_servers[1])))
    with proxy.redis() as client:
        wait_until(lambda: b"Host is down" in str(client.call("SET", "k", "v")).encode(),
                   what="the refusal")


def test_a_dead_server_may_be_readmitted_by_hand(start_proxy, start_server, redis_servers):
    victim = start_server(harness.RedisServer)
    proxy = start_proxy({"p": pool([*redis_servers[:2], victim], redis=True, timeout=10000,
                                   auto_eject_hosts=True, server_failure_limit=1,
                                   server_retry_timeout=60000)})
    victim.stop()

    def state():
        with proxy.redis() as client:
            for key in spread_keys(100):  # some of them are the victim's
                with contextlib.suppress(Exception):
                    client.call("SET", key, "v")
        servers = status(proxy)["pools"][0]["servers"]
        return next(s for s in servers if s["name"] == name_of(victim))

    assert wait_until(lambda: state()["state"] == "ejected", what="the ejection")
    victim.restart()
    assert not state()["by_hand"]
    good(proxy.command("readmit", "p", name_of(victim)))
    assert state()["state"] == "in"


# ---- log, stop, reload ---------------------------------------------------------------------------


def test_log_sets_the_level_everywhere(proxy):
    assert "log level is 11" in good(proxy.command("log", "11"))
    assert status(proxy)["log_level"] == 11

    def told():  # a worker may accept a client before it reads of the new level
        with proxy.redis("alpha") as client:
            assert client.call("PING") == "PONG"
        return re.search(r"worker \d info .* connected", proxy.log_text())

    wait_until(told, what="a worker's line at level info")
    good(proxy.command("log", "5"))
    assert status(proxy)["log_level"] == 5


@pytest.mark.parametrize("words", [["stop"], ["stop", "--drain"]])
def test_stop_ends_the_proxy_in_order(proxy, words):
    with proxy.redis("alpha") as client:
        assert client.call("PING") == "PONG"
        good(proxy.command(*words))
    assert proxy.wait_exit() == 0  # a drain waits for clients
    proxy.assert_nothing_left()
    assert "no proxy runs at" in bad(proxy.command("status"))


def test_stop_in_the_middle_of_a_stop_is_told_so(start_proxy):
    with harness.FakeServer(harness.never_answer) as fake:
        proxy = start_proxy({"p": pool([fake], redis=True)})
        with proxy.redis() as client:
            client.send(encode("GET", "k"))
            fake.wait_for_bytes(b"GET")
            good(proxy.command("stop", "--drain"))
            assert "stopping already" in bad(proxy.command("stop"))
            assert status(proxy)["state"] == "stopping"
            fake.close()
        assert proxy.wait_exit() == 0


def test_reload_uses_the_changed_file_and_keeps_what_is_out_by_hand(proxy, pools, redis_servers):
    good(proxy.command("eject", "alpha", name_of(redis_servers[0])))
    out = good(proxy.command("reload"))
    assert "is unchanged, generation 1 goes on" in out
    del pools["gamma"]
    pools["alpha"]["servers"] = [server.entry() for server in redis_servers[:3]]
    proxy.config.write_text(make_config(pools))
    with proxy.redis("alpha") as client:
        assert "generation 2" in good(proxy.command("reload"))
        assert client.call("PING") == "PONG"
    document = status(proxy)
    assert document["generation"] == 2 and document["reloads"] == 1
    assert [entry["name"] for entry in document["pools"]] == ["alpha"]
    assert {server["name"]: server["by_hand"] for server in document["pools"][0]["servers"]} == {
        name_of(server): server is redis_servers[0] for server in redis_servers[:3]}
    assert "there is no pool 'gamma'" in bad(proxy.command("where", "gamma", "k"))
    good(proxy.command("readmit", "alpha", name_of(redis_servers[0])))


def test_reload_of_an_unchanged_file_is_told_so(proxy):
    assert "is unchanged, generation 1 goes on" in good(proxy.command("reload"))


def test_reload_prints_every_problem_of_a_bad_file_and_goes_on(proxy, pools):
    text = proxy.config.read_text()
    proxy.config.write_text(text.replace("hash_tag", "hash_tga").replace("timeout", "timeuot"))
    code, out, err = proxy.command("reload")
    assert (code, out) == (1, "")
    assert "hash_tga" in err and "timeuot" in err and "generation 1" in err
    document = status(proxy)
    assert document["generation"] == 1 and document["failed_reloads"] == 1
    with proxy.redis("alpha") as client:
        assert client.call("PING") == "PONG"
    proxy.config.write_text(text)
    assert "is unchanged" in good(proxy.command("reload"))


def test_a_changed_control_key_is_told_and_waits_for_a_restart(proxy, pools):
    proxy.config.write_text(make_config(pools, {"workers": 2, "control": "/elsewhere"}))
    good(proxy.command("reload"))  # --control wins over the key
    assert "'control' cannot change" not in proxy.log_text()


def test_status_and_reload_follow_the_number_of_workers(start_proxy, pools):
    proxy = start_proxy(pools, workers=None, process={"workers": 3})
    assert len(status(proxy)["workers"]) == 3
    with proxy.redis("alpha") as client:
        assert client.call("PING") == "PONG"
        proxy.config.write_text(make_config(pools, {"workers": 1}))
        good(proxy.command("reload"))
        wait_until(lambda: [worker["surplus"] for worker in status(proxy)["workers"]]
                   in ([False], [False, True]), what="surplus workers without clients to end")


# ---- wrong names and words -----------------------------------------------------------------------


@pytest.mark.parametrize("words,expected", [
    (["where", "alpah", "k"], "there is no pool 'alpah'; did you mean 'alpha'?"),
    (["where", "zzzzzz", "k"], "there is no pool 'zzzzzz'; pools: alpha, gamma"),
    (["eject", "alph", "x"], "there is no pool 'alph'; did you mean 'alpha'?"),
    (["readmit", "alpha", "nobody"], "there is no server 'nobody' in pool 'alpha'; servers: "),
])
def test_unknown_names_come_with_a_suggestion(proxy, words, expected):
    said = bad(proxy.command(*words))
    assert expected in said


def test_a_server_that_is_nearly_right_is_suggested(proxy, redis_servers):
    name = name_of(redis_servers[0])
    assert f"did you mean '{name}'" in bad(proxy.command("eject", "alpha", name[:-1]))


@pytest.mark.parametrize("words,expected", [
    (["staus"], "unexpected word 'staus'; did you mean 'status'?"),
    (["my.yml"], "unexpected word 'my.yml'; see ringmaster --help"),
    (["status", "now"], "too many words for 'status'; usage: ringmaster status [--json]"),
    (["where", "p"], "too few words for 'where'; usage: ringmaster where POOL KEY"),
    (["where", "p", "-k"], "'where' does not know option '-k'"),
    (["stop", "--json"], "'stop' does not know option '--json'"),
    (["log", "12"], "the log level is a number from 0 to 11"),
    (["log", "loud"], "the log level is a number from 0 to 11"),
    (["status", "--control"], "option --control requires a path"),
    (["status", "-c"], "option -c requires a path"),
])
def test_wrong_words_are_told_without_a_proxy(words, expected):
    assert expected in bad(run_binary(*words))


@pytest.mark.parametrize("command", ["reload", "stop", "status", "where", "eject", "readmit",
                                     "log"])
def test_every_command_has_its_help(command):
    out = good(run_binary(command, "--help"))
    assert out.startswith(f"Usage: ringmaster {command}") and "--control PATH" in out
    assert f"\n  {command}" in good(run_binary("-h"))


# ---- finding the proxy ---------------------------------------------------------------------------


def test_no_proxy_is_a_clear_error(folder):
    said = bad(run_binary("status", "--control", folder / "none"))
    assert f"no proxy runs at {folder}/none" in said
    (folder / "file").write_text("no socket")
    said = bad(run_binary("status", "--control", folder / "file"))
    assert f"no proxy runs at {folder}/file: it is no socket" in said
    said = bad(run_binary("status", "--control", folder))
    assert f"no proxy runs at {folder}: it is a folder" in said
    assert "longer than" in bad(run_binary("status", "--control", "x" * 200))


def test_a_dead_proxys_socket_is_told_and_replaced(start_proxy, folder, redis_servers):
    settings = pool(redis_servers, redis=True)
    first = start_proxy({"p": settings}, control=folder / "c")
    pids = first.all_pids()
    os.kill(first.pid, signal.SIGKILL)
    first.wait_exit()
    wait_until(lambda: not any(map(harness.is_alive, pids)), what="the workers' end")
    assert "nobody serves this socket" in bad(run_binary("status", "--control", folder / "c"))
    second = start_proxy({"p": settings}, control=folder / "c")
    assert f"pid {second.pid}" in good(second.command("status"))


def test_a_living_proxys_socket_is_not_taken(start_proxy, folder, redis_servers):
    proxy = start_proxy({"p": pool(redis_servers, redis=True)})
    config = folder / "other.yml"
    config.write_text(make_config({"p": pool(redis_servers, redis=True)},
                                  {"control": str(proxy.control)}))
    for arguments in ([], ["--control", proxy.control]):
        said = bad(run_binary("-c", config, "-a", "127.0.0.1", "-s", free_port(), *arguments))
        assert f"control: cannot listen on {proxy.control}: Address already in use" in said
    assert f"pid {proxy.pid}" in good(proxy.command("status"))
    said = bad(run_binary("-c", config, "-a", "127.0.0.1", "-s", free_port(), "--control",
                          folder / "no" / "such" / "folder"))
    assert "No such file or directory" in said


def test_the_control_key_of_the_configuration_is_used_by_both_sides(start_proxy, folder,
                                                                    redis_servers):
    path = folder / "made" / "here.sock"
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, control=False,
                        process={"control": str(path)})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"pid {proxy.pid}" in good(run_binary("status", "-c", proxy.config))
    proxy.stop()
    assert not path.exists()
    assert f"no proxy runs at {path}" in bad(run_binary("status", "-c", proxy.config))
    proxy.config.write_text("alpha:\n  lisen: x\n")
    code, out, err = run_binary("status", "-c", proxy.config)
    assert code == 1 and "lisen" in err and "--control PATH" in err


def test_who_edited_the_control_key_is_told_that_it_needs_a_restart(start_proxy, folder,
                                                                    redis_servers):
    pools = {"p": pool(redis_servers, redis=True)}
    proxy = start_proxy(pools, control=False, process={"control": str(folder / "old.sock")})
    proxy.config.write_text(make_config(pools, {"control": str(folder / "new.sock")}))
    said = bad(run_binary("reload", "-c", proxy.config))
    assert f"no proxy runs at {folder}/new.sock: there is no such socket" in said
    assert "a changed 'control' takes effect with a restart only: --control PATH" in said
    assert "'control'" in good(run_binary("reload", "--control", folder / "old.sock"))


def test_without_its_default_socket_a_proxy_serves_all_the_same(start_proxy, redis_servers):
    # Who comes second finds the socket taken, or both may not make it.
    proxies = [start_proxy({"p": pool(redis_servers, redis=True)}, control=False, workers=1)
               for _ in range(2)]
    # Behind the line that says it is started.
    wait_until(lambda: proxies[1].log_text().count("no control socket: ") == 1, what="the notice")
    with proxies[1].redis() as client:
        assert client.call("PING") == "PONG"


# ---- who may -------------------------------------------------------------------------------------


@pytest.fixture
def open_folder():
    """Everybody may look into it; it holds a binary everybody may run."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="rm-open-"))
    path.chmod(0o755)
    shutil.copy(BINARY, path / "ringmaster")
    (path / "ringmaster").chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_else_is_refused_by_the_path_and_by_the_kernels_word(start_proxy, open_folder,
                                                                      redis_servers):
    control = open_folder / "control"
    proxy = start_proxy({"p": pool(redis_servers, redis=True)}, control=control)

    def as_nobody():
        done = subprocess.run([open_folder / "ringmaster", "stop", "--control", control],
                              user=NOBODY, cwd="/", capture_output=True, text=True, check=False,
                              timeout=harness.DEADLINE_S)
        return done.returncode, done.stdout, done.stderr

    assert f"permission denied for {control}" in bad(as_nobody())
    control.chmod(0o666)
    assert "permission denied: the proxy takes commands from root" in bad(as_nobody())
    assert status(proxy)["state"] == "serving"


# ---- hostile peers -------------------------------------------------------------------------------


def connect(proxy):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(proxy.control))
    peer.settimeout(harness.DEADLINE_S)
    return peer


def read_all(peer):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := peer.recv(65536):
            data += piece
    return data


@pytest.mark.parametrize("garbage", [
    b"\0" * 5000, b"GET / HTTP/1.1\r\n\r\n", b"ringmaster/1 3\n5:where99999999999:",
    b"ringmaster/2 1\n6:status", b"ringmaster/1 1\n6:statusx", bytes(range(256)) * 300],
    ids=["zeros", "http", "length", "version", "too-much", "all-bytes"])
def test_garbage_is_answered_with_an_error(proxy, garbage):
    with connect(proxy) as peer:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            peer.sendall(garbage)
        answer = read_all(peer)
    assert answer.startswith(b"ringmaster/1 1 0 ") and b"\nringmaster: " in answer
    assert status(proxy)["state"] == "serving"


def test_200_that_say_nothing_hinder_nobody(proxy):
    before = open_fds(proxy)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(proxy))
        assert status(proxy)["state"] == "serving"
        assert "2 workers" in good(proxy.command("status"))
        with proxy.redis("alpha") as client:
            assert client.call("PING") == "PONG"
        assert open_fds(proxy) <= before + 40
    wait_until(lambda: open_fds(proxy) <= before, what="the descriptors to be closed")


def test_a_client_that_leaves_in_the_middle_leaves_nothing(proxy):
    before = open_fds(proxy)
    request = b"ringmaster/1 2\n6:status6:--json"
    for size in [0, 1, 14, 20, len(request)]:
        for _ in range(5):
            with connect(proxy) as peer:
                peer.sendall(request[:size])
    assert status(proxy)["state"] == "serving"
    wait_until(lambda: open_fds(proxy) <= before, what="the descriptors to be closed")


def test_a_slow_reader_of_a_long_answer_gets_all_of_it(start_proxy, folder):
    servers = [f"127.0.0.1:{port}:1" for port in range(1024, 1624)]
    proxy = start_proxy({"p": pool(servers, redis=True)}, workers=2)
    with connect(proxy) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(b"ringmaster/1 2\n6:status6:--json")
        head, _, body = read_all(peer).partition(b"\n")
    assert head == b"ringmaster/1 0 %d 0" % len(body)
    assert len(json.loads(body)["pools"][0]["servers"]) == 600
