# SPDX-License-Identifier: Apache-2.0
"""A running proxy whose configuration changes. The one place that knows how a reload is asked for
and how its outcome is told: the command, the signal, the lines of the log, the counter.
"""

import collections
import json
import os
import pathlib
import re
import signal
import subprocess

import harness
from harness import make_config, wait_until

# generation: None when it failed. text: what the command printed, or the log's line.
Outcome = collections.namedtuple("Outcome", "generation text")

OUTCOME_LINE = re.compile(r"^.*(?:reloaded.*generation (?P<generation>\d+)|reload failed).*$",
                          re.MULTILINE)
COMMAND_SAYS = re.compile(r"(?:reloaded:|is unchanged,) generation (\d+)")
RELOAD_LIMIT_S = 30


def is_sanitized():
    """Sanitizers keep freed memory: its amount says nothing then, and everything is slower."""
    binary = pathlib.Path(harness.BINARY).read_bytes()
    return b"__asan_init" in binary or b"__tsan_init" in binary


class Reloader:
    """`pools` and `process` are what the file says now. `proxy` is the harness.Proxy."""

    def __init__(self, start_proxy, pools, process=None, **options):
        self.pools, self.process = pools, process
        self.proxy = start_proxy(pools, process=process, **options)

    # ---- the file

    def write(self, pools=None, process=None):
        """What is not given stays. Replaces the file at once: no reader sees a half of it."""
        self.pools = self.pools if pools is None else pools
        self.process = self.process if process is None else process
        self.proxy.pools = self.pools
        self.write_text(make_config(self.pools, self.process))

    def write_text(self, text):
        fresh = self.proxy.config.with_suffix(".new")
        fresh.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.replace(fresh, self.proxy.config)

    def restore(self):
        """The last file that was good."""
        self.write()

    # ---- reloads by the command

    def command(self, *words):
        """(exit code, everything printed) of a command to the running proxy."""
        code, out, err = self.proxy.command(*words, timeout=RELOAD_LIMIT_S)
        return code, out + err

    def start_command(self):
        """The same for a reload that takes long; finish with .communicate()."""
        return harness.spawn([self.proxy.binary, "reload", "--control", self.proxy.control],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ask(self):
        """A reload of the file as it is. One that has not changed is no new generation."""
        code, text = self.command("reload")
        said = COMMAND_SAYS.search(text)
        assert code == (0 if said else 1), (code, text, self.proxy.explain())
        return Outcome(int(said.group(1)) if said else None, text)

    def reload(self, pools=None, process=None):
        """Must succeed; returns the generation."""
        self.write(pools, process)
        outcome = self.ask()
        assert outcome.generation, (outcome.text, self.proxy.explain())
        return outcome.generation

    def refuse(self, text=None):
        """Must fail; returns what was printed. The good file is put back afterwards."""
        if text is not None:
            self.write_text(text)
        outcome = self.ask()
        assert outcome.generation is None, outcome.text
        assert outcome.text.strip(), "a failed reload says why"
        self.restore()
        return outcome.text

    # ---- reloads by the signal

    def outcomes(self):
        """All of the log, in order."""
        return [Outcome(int(match["generation"]) if match["generation"] else None, match.group())
                for match in OUTCOME_LINE.finditer(self.proxy.log_text())]

    def hup(self):
        self.proxy.signal(signal.SIGHUP)

    def reload_by_signal(self, pools=None, process=None):
        """The outcome, good or bad."""
        if pools is not None or process is not None:
            self.write(pools, process)
        before = len(self.outcomes())
        self.hup()
        return wait_until(lambda: self.outcomes()[before:], what="the outcome in the log")[0]

    # ---- what the proxy says of itself

    def generation(self):
        """Of the last good reload; 0 before the first."""
        return max((outcome.generation or 0 for outcome in self.outcomes()), default=0)

    def status(self):
        code, out, err = self.proxy.command("status", "--json")
        assert code == 0, err
        return json.loads(out)

    def failures_counted(self):
        """The counter of failed reloads."""
        def search(node, path=""):
            for key, value in node.items():
                where = f"{path}.{key}"
                if isinstance(value, dict):
                    yield from search(value, where)
                elif isinstance(value, int) and re.search(r"reload", where) \
                        and re.search(r"fail", where):
                    yield value

        found = list(search(self.status()))
        assert len(found) == 1, f"no counter of failed reloads: {self.status()}"
        return found[0]
