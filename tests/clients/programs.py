# SPDX-License-Identifier: Apache-2.0
"""Which clients there are, how each script is started, and what it prints."""

import dataclasses
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build/clients"
NODE_MODULES = BUILD / "node_modules"

# A script takes a second or two. One that hangs is a finding, not a reason to wait.
SCRIPT_LIMIT_S = 60


def python(script, *words):
    return ["/usr/bin/python3", HERE / "python" / script, *words]


def php(script, *options):
    return ["php", *options, HERE / "php" / script]


def ruby(script):
    return ["ruby", HERE / "ruby" / script]


def perl(script):
    return ["perl", "-I", HERE / "perl", HERE / "perl" / script]


def node(script):
    # Not .bin/node: npm 9, Debian's, makes no such link.
    return [next(NODE_MODULES.glob("node-linux-*/bin/node"), "node"), HERE / "node" / script]


def built(name, *words):
    return [BUILD / name, *words]


# Each is started as COMMAND HOST PORT, against an empty server. The names are those of the README.
REDIS = {
    "redis-py": python("redis_py.py"),
    "phpredis": php("phpredis.php"),
    "redis-rb": ruby("redis_rb.rb"),
    "Perl Redis": perl("redis.pl"),
    "hiredis": built("hiredis"),
    "node-redis": node("node_redis.js"),
    "ioredis": node("ioredis.js"),
    "redis-cli": python("redis_cli.py"),
    "redis-cli -3": python("redis_cli.py", "-3"),
}
MEMCACHED = {
    "pymemcache": python("pymemcache_.py"),
    "pylibmc": python("pylibmc_.py"),
    "php-memcached": php("memcached.php"),
    "Dalli": ruby("dalli.rb"),
    "Cache::Memcached::Fast": perl("memcached_fast.pl"),
    "libmemcached": built("libmemcached", "text"),
    "libmemcached, binary": built("libmemcached", "binary"),
    "memcached (npm)": node("memcached.js"),
    "memjs": node("memjs.js"),
}
# With options. These print figures: only what they ran is compared.
BENCHMARKS = {
    "redis-benchmark": (),
    "redis-benchmark -3": ("-3",),
    "redis-benchmark -P 16": ("-P", "16"),
}
NAMES = (*REDIS, *MEMCACHED, *BENCHMARKS)


class ScriptFailed(Exception):
    """The script did not come to its end: its client gave up."""


@dataclasses.dataclass
class Transcript:
    """What one run of a script printed."""

    facts: dict  # version, protocol: the lines "# name: value"
    calls: dict  # name of the call: its value as text, in the order they were made

    @property
    def lines(self):
        return [f"{name} -> {value}" for name, value in self.calls.items()]


def run(command, address):
    """Runs a script to its end. The port and addresses in memory are accidents of the run."""
    host, port = address
    try:
        done = subprocess.run([*map(str, command), host, str(port)], capture_output=True,
                              check=False, stdin=subprocess.DEVNULL, timeout=SCRIPT_LIMIT_S,
                              env={**os.environ, "NODE_PATH": str(NODE_MODULES)})
    except subprocess.TimeoutExpired as expired:
        raise ScriptFailed(f"{expired}: {(expired.stdout or b'')[-500:]}") from None
    output = done.stdout.decode(errors="replace").replace(f"{host}:{port}", f"{host}:PORT")
    output = re.sub(r"\(0x[0-9a-f]+\)", "(ADDRESS)", output)
    return parse(output, done)


def parse(output, done):
    facts, calls = {}, {}
    ended = False
    for line in output.splitlines():
        if line == "# end":
            ended = True
        elif line.startswith("# "):
            name, _, value = line[2:].partition(": ")
            facts[name] = value
        else:
            name, arrow, value = line.partition(" -> ")
            assert arrow, f"not a line of a transcript: {line!r}"
            assert name not in calls, f"two calls are named {name!r}"
            calls[name] = value
    if done.returncode != 0 or not ended:
        raise ScriptFailed(f"exit {done.returncode} after {len(calls)} calls, the last "
                           f"{list(calls)[-1:]}: {done.stderr.decode(errors='replace')[-2000:]}")
    return Transcript(facts, calls)
