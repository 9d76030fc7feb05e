# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared: how each is told to listen in front of some servers."""

import re
import subprocess

import rig

# Set, because nutcracker pays for its timers only then and everybody is told to set it; too long to
# trip on a busy machine.
TIMEOUT_MS = 5000


def pool(name, port, backends, entries=None):
    """A pool of the YAML that nutcracker and ringmaster share. `entries`: so many servers, each with
    a name and connections of its own, though several may be the same process."""
    servers = "".join(
        f"    - 127.0.0.1:{backends.ports[number % len(backends.ports)]}:1 shard{number}\n"
        for number in range(entries or len(backends.ports)))
    return (f"{name}:\n  listen: 127.0.0.1:{port}\n  hash: fnv1a_64\n  distribution: ketama\n"
            f"  redis: {'true' if backends.protocol == 'redis' else 'false'}\n"
            f"  timeout: {TIMEOUT_MS}\n  preconnect: true\n  auto_eject_hosts: false\n"
            f"  servers:\n{servers}")


class Contestant:
    """start() gives a rig.Child that serves on its `port`."""

    kind = ""
    # What it can do: memcached's meta commands; requests whose keys are on several servers.
    meta = True
    split = True

    def __init__(self, binary):
        if binary is None:
            raise rig.BenchError(f"{self.kind} is not installed (packaging/install-deps bench)")
        self.binary = str(binary)
        self.name = self.version()

    def version(self):
        told = subprocess.run([self.binary, "-V"], capture_output=True, text=True,
                              timeout=rig.START_S, check=False)
        match = re.search(r"This is (\S+)", told.stdout + told.stderr)
        if not match:
            raise rig.BenchError(f"{self.binary} -V does not say what it is")
        return match.group(1)

    def can(self, workload):
        return (self.meta or workload.protocol != "meta") and (self.split or workload.width == 1)

    def start(self, backends, folder, prefix=(), **options):
        port = options.pop("port", None) or rig.free_ports(1)[0]
        command = self.command(port, backends, folder, **options)
        cpu, _ = rig.cpus()
        return rig.Child(rig.pinned(cpu, [*prefix, *command]), port,
                         folder / f"{self.kind}-{port}.out")

    def command(self, port, backends, folder):
        raise NotImplementedError


class Nutcracker(Contestant):
    kind = "nutcracker"
    meta = False

    def command(self, port, backends, folder, pools=None, workers=1):
        (stats_port,) = rig.free_ports(1)
        config = folder / f"{self.kind}-{port}.yml"
        config.write_text(pools or pool("bench", port, backends))
        # -v 4: at its default, 5, Debian's nutcracker spends about twice the user instructions per
        # request preparing log lines, and a win over that would be a cheap one. The stats stay on
        # (port and 30 s interval as by default).
        command = [self.binary, "-c", config, "-v", "4", "-a", "127.0.0.1", "-s", stats_port,
                   "-o", folder / f"{self.kind}-{port}.log", "-p", folder / f"{self.kind}-{port}.pid"]
        return command + self.more(workers)

    def more(self, _workers):
        return []


class Ringmaster(Nutcracker):
    kind = "ringmaster"
    meta = True

    def more(self, workers):
        return ["--workers", str(workers)]


class HAProxy(Contestant):
    """TCP mode, one thread, one server: it moves bytes and knows no keys."""
    kind = "haproxy"

    def version(self):
        told = subprocess.run([self.binary, "-v"], capture_output=True, text=True,
                              timeout=rig.START_S, check=False)
        match = re.search(r"version (\d+\.\d+\.\d+)", told.stdout)
        return f"haproxy-{match.group(1)}" if match else "haproxy"

    def command(self, port, backends, folder):
        config = folder / f"{self.kind}-{port}.cfg"
        config.write_text(
            "global\n  nbthread 1\n  maxconn 9000\n"
            f"defaults\n  mode tcp\n  timeout connect {TIMEOUT_MS}ms\n  timeout client 1h\n"
            "  timeout server 1h\n"
            f"listen bench\n  bind 127.0.0.1:{port}\n  server one 127.0.0.1:{backends.ports[0]}\n")
        return [self.binary, "-db", "-f", config]


class Floor(Contestant):
    kind = "floor"
    split = False

    def version(self):
        return "floor"

    def command(self, port, backends, folder):
        return [self.binary, backends.protocol, port, *backends.ports]
