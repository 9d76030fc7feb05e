# SPDX-License-Identifier: Apache-2.0
"""`cpu_affinity`: which CPUs the kernel lets each worker run on."""

import json
import os
import signal

import pytest

from harness import pid_serving, pool, status_of, wait_until
from reloader import Reloader

CPUS = sorted(os.sched_getaffinity(0))

needs_two_cpus = pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")


@pytest.fixture
def pools(redis_servers):
    return {"p": pool(redis_servers, redis=True)}


def cpus_of(pid):
    """[0, 1, 2, 6] for "0-2,6"."""
    cpus = []
    for part in status_of(pid)["Cpus_allowed_list"][0].split(","):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return cpus


def shown(proxy):
    code, out, err = proxy.command("status", "--json")
    assert code == 0, err
    return [worker["cpu"] for worker in json.loads(out)["workers"]]


def wanted(workers):
    return [[CPUS[slot % len(CPUS)]] for slot in range(workers)]


def test_by_default_workers_run_where_the_master_may(start_proxy, pools):
    proxy = start_proxy(pools)
    assert [cpus_of(pid) for pid in proxy.all_pids()] == [CPUS] * 3
    assert shown(proxy) == [None, None]


def test_each_worker_has_one_cpu_and_they_take_turns(start_proxy, pools):
    count = len(CPUS) + 1
    proxy = start_proxy(pools, workers=count, process={"cpu_affinity": "auto"})
    assert [cpus_of(pid) for pid in proxy.worker_pids()] == wanted(count)
    assert cpus_of(proxy.pid) == CPUS
    assert [[cpu] for cpu in shown(proxy)] == wanted(count)
    with proxy.redis() as client:
        assert client.call("SET", "key", "value") == "OK"


def test_a_worker_that_is_replaced_has_the_cpu_of_its_slot(start_proxy, pools):
    proxy = start_proxy(pools, workers=2, process={"cpu_affinity": "auto"})
    before = proxy.worker_pids()
    os.kill(before[-1], signal.SIGKILL)
    after = proxy.wait_workers(without=[before[-1]])
    wait_until(lambda: [cpus_of(pid) for pid in after] == wanted(2), what="their CPUs")


@needs_two_cpus
def test_only_the_cpus_of_the_master_are_used(start_proxy, pools):
    os.sched_setaffinity(0, CPUS[-1:])
    try:
        proxy = start_proxy(pools, workers=2, process={"cpu_affinity": "auto"})
    finally:
        os.sched_setaffinity(0, CPUS)
    assert [cpus_of(pid) for pid in proxy.worker_pids()] == [CPUS[-1:]] * 2


def test_a_reload_changes_the_number_of_workers_but_not_this_key(start_proxy, pools):
    reloader = Reloader(start_proxy, pools, process={"workers": 1, "cpu_affinity": "auto"},
                        workers=None)
    reloader.reload(process={"workers": 3, "cpu_affinity": "auto"})
    pids = reloader.proxy.wait_workers(3)
    wait_until(lambda: [cpus_of(pid) for pid in pids] == wanted(3), what="their CPUs")
    with reloader.proxy.redis() as client:
        assert client.call("PING") is not None
        serving = pid_serving(client.socket, pids)  # may become surplus: it stays where it is
        reloader.write(process={"workers": 1, "cpu_affinity": "off"})
        assert "'cpu_affinity' cannot change while running, it stays 'auto'" in reloader.ask().text
        assert client.call("PING") is not None
        assert cpus_of(serving) == wanted(3)[pids.index(serving)]
        assert cpus_of(pids[0]) == wanted(1)[0]
    assert reloader.proxy.wait_workers(1) == pids[:1]
