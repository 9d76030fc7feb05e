# SPDX-License-Identifier: Apache-2.0
"""Load whose every reply is checked byte for byte, made by a process of its own while a test acts.

    with Load([Group("long", proxy.address(), clients=8)]) as load:
        load.wait_served()            # every group has had answers
        ...                           # reload, kill, stop
        load.stop().assert_clean()

Every key belongs to one client, every value to one write of it: a reply that reached the wrong
client, an old value or a single wrong byte is WRONG, and WRONG is never forgiven. The rest is
counted, by group:

    ok            the reply it had to be
    vanished      a miss, where the group's `may_vanish` allows it
    error         an error line
    lost          requests without a reply when their connection ended (which had replied before)
    unserved      connections that ended before they replied at all
    closed_idle   connections closed by the proxy with nothing outstanding
    reset_idle    the same, by a reset
    refused       connects that were refused
    timeout       requests or connects without an answer for timeout_s
    local         this machine's own trouble (no ports, no descriptors)
    wrong         anything else
    connects      connections made (not a failure)
    resets        served connections that ended by a reset, each also one of the above; who waits
                  in the queue of a listener is reset by the kernel when that is closed

load_child.py has the clients, load_speech.py the two protocols.
"""

import json
import pathlib
import subprocess
import sys

from harness import spawn, wait_until

FAILURES = ("error", "lost", "unserved", "closed_idle", "reset_idle", "refused", "timeout",
            "local", "wrong")
ANSWER_LIMIT_S = 30


class Group:
    """Clients that behave alike.

    clients       how many at a time
    depth         requests of a batch, sent in one go
    window        batches in flight
    batches       None: the connection lives for ever; N: it is closed after so many
    think_ms      pause after a batch; for short-lived clients: also until the next connection
    may_vanish    True: a read may miss, as the key's server may have changed
    large_bytes   now and then a value of this size
    piece_bytes   sends and reads so many bytes at a time: requests arrive, replies leave in parts
    greeting      (request, reply) of a connection's first request, e.g. AUTH
    """

    def __init__(self, name, address, protocol="redis", *, clients=4, depth=16, window=2,
                 batches=None, think_ms=4, may_vanish=False, large_bytes=0, timeout_s=10,
                 piece_bytes=0, greeting=None):
        assert " " not in name
        self.settings = {"name": name, "address": address, "protocol": protocol,
                         "clients": clients, "depth": depth, "window": window, "batches": batches,
                         "think_ms": think_ms, "may_vanish": may_vanish,
                         "large_bytes": large_bytes, "timeout_s": timeout_s,
                         "piece_bytes": piece_bytes, "greeting": greeting}


def long_lived(name, address, protocol="redis", **options):
    """Pipelining clients that never close."""
    return Group(name, address, protocol, **options)


def short_lived(name, address, protocol="redis", **options):
    """Clients that connect, ask a few times, and close: three requests in each of two goes."""
    options = {"clients": 2, "depth": 3, "window": 1, "batches": 2, "think_ms": 10, **options}
    return Group(name, address, protocol, **options)


class Summary:
    """What had happened when it was asked for."""

    def __init__(self, by_group):
        self.by_group = by_group

    def count(self, what, group=None):
        return sum(tally["counts"].get(what, 0) for name, tally in self.by_group.items()
                   if group in (None, name))

    def served(self, group=None):
        return self.count("ok", group) + self.count("vanished", group)

    def latency_ms(self, group):
        return self.by_group[group]["latency_ms"]

    def explain(self):
        lines = []
        for name, tally in self.by_group.items():
            lines.append(f"{name}: {tally['counts']} latency {tally['latency_ms']}")
            lines += [f"    {what}: {text}" for what, examples in tally["examples"].items()
                      for text in examples]
        return "\n".join(lines)

    def assert_never_wrong(self):
        assert self.count("wrong") == 0, self.explain()

    def assert_clean(self, group=None, allow=()):
        """Served, and no failure but those of the kinds in `allow`."""
        self.assert_never_wrong()
        failed = {what: self.count(what, group) for what in FAILURES if what not in allow}
        assert not any(failed.values()), f"{failed}\n{self.explain()}"
        assert self.served(group) > 0, self.explain()

    def assert_never_reconnected(self, group, clients):
        assert self.count("connects", group) == clients, self.explain()


class Load:
    """Use with `with`. limit_s bounds its life whatever the test does."""

    def __init__(self, groups, limit_s=150):
        self._order = {"groups": [group.settings for group in groups], "limit_s": limit_s}
        self._names = [group.settings["name"] for group in groups]
        assert len(set(self._names)) == len(self._names)
        self._child = None
        self._last = None

    def __enter__(self):
        child = pathlib.Path(__file__).with_name("load_child.py")
        self._child = spawn([sys.executable, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._tell(json.dumps(self._order))
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.wait()
        self._child.stdin.close()
        self._child.stdout.close()

    def _tell(self, line):
        self._child.stdin.write(line.encode() + b"\n")
        self._child.stdin.flush()

    def _ask(self, line):
        if self._last is not None:
            return self._last
        self._tell(line)
        answer = self._child.stdout.readline()
        assert answer, f"the load ended by itself: {self._child.poll()}"
        return Summary(json.loads(answer))

    def snapshot(self):
        return self._ask("snapshot")

    def strict(self, group):
        """From now on the group's reads must find what was written. Keys begin afresh."""
        return self._ask(f"strict {group}")

    def wait_all_connected(self):
        """Until every client is in: for tests that close the door."""
        wanted = {group["name"]: group["clients"] for group in self._order["groups"]}

        def all_in():
            now = self.snapshot()
            return all(now.count("connects", name) >= count for name, count in wanted.items())

        wait_until(all_in, ANSWER_LIMIT_S, "every client of the load to connect")

    def wait_served(self, more=1, groups=None):
        """Until each group has had `more` replies from now on."""
        before = self.snapshot()

        def moved():
            now = self.snapshot()
            return all(now.served(name) - before.served(name) >= more
                       for name in groups or self._names)

        wait_until(moved, ANSWER_LIMIT_S, f"{more} replies to every group")

    def stop(self):
        """Waits for what is in flight; further calls give the same summary."""
        self._last = self._ask("stop")
        return self._last
