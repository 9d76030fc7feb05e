# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the built packages, what is in them, systems to install them into. Started by `run`."""

import os
import pathlib
import subprocess
import sys

import pytest

if "RM_PACKAGES" not in os.environ:
    pytest.exit("start these tests with tests/packaging/run", returncode=3)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402
from chroots import SCRATCH, Chroot  # noqa: E402
from fake_systemd import FakeSystemd  # noqa: E402

PACKAGES = pathlib.Path(os.environ["RM_PACKAGES"])
TEST_LIMIT_S = 400  # dpkg waits for the disk


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    yield from harness.limit_test(TEST_LIMIT_S)


@pytest.fixture(scope="session", autouse=True)
def loopback():
    """The one interface of this network."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    names = [one for one in os.listdir("/sys/class/net") if one != "lo"]
    # What /sys shows may be the machine's; the kernel's own list decides.
    routes = pathlib.Path("/proc/net/route").read_text().splitlines()[1:]
    assert not routes, f"this network is not closed: {routes} {names}"


def _only(pattern):
    found = list(PACKAGES.glob(pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


class Package:
    """A built package and its files, unpacked."""

    def __init__(self, name, pattern):
        self.name = name
        self.file = _only(pattern)
        self.folder = SCRATCH / f"unpacked-{self.file.name}"

    @property
    def is_deb(self):
        return self.file.suffix == ".deb"

    def unpacked(self):
        if not self.folder.exists():
            self.folder.mkdir()
            if self.is_deb:
                subprocess.run(["dpkg-deb", "-x", self.file, self.folder], check=True)
            else:
                with open(self.folder.with_suffix(".cpio"), "wb") as archive:
                    subprocess.run(["rpm2cpio", self.file], stdout=archive, check=True)
                with open(self.folder.with_suffix(".cpio"), "rb") as archive:
                    subprocess.run(["cpio", "-idm", "--quiet"], stdin=archive, cwd=self.folder,
                                   check=True)
        return self.folder

    def query(self, words):
        """`rpm -qp ...`, its lines."""
        assert not self.is_deb
        return output("rpm", "-qp", *words.split(), self.file).splitlines()

    def field(self, name):
        assert self.is_deb
        return output("dpkg-deb", "-f", self.file, name).rstrip("\n")


def output(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                          timeout=120, **more)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def deb():
    return Package("ringmaster", "ringmaster_*_amd64.deb")


@pytest.fixture(scope="session")
def nutcracker_deb():
    return Package("ringmaster-nutcracker", "ringmaster-nutcracker_*_all.deb")


@pytest.fixture(scope="session")
def rpm():
    return Package("ringmaster", "ringmaster-[0-9]*.x86_64.rpm")


@pytest.fixture(scope="session")
def nutcracker_rpm():
    return Package("ringmaster-nutcracker", "ringmaster-nutcracker-*.noarch.rpm")


@pytest.fixture(scope="session")
def version(deb):
    return deb.field("Version").split("-")[0]


@pytest.fixture(scope="session")
def old_deb(deb):
    """A package of an earlier version: the same program, another configuration as it was shipped."""
    folder = SCRATCH / "old-deb"
    subprocess.run(["dpkg-deb", "-R", deb.file, folder], check=True)
    control = folder / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"Version: {deb.field('Version')}",
                                                   "Version: 0.0.9-1"))
    config = folder / "etc/ringmaster/ringmaster.yml"
    config.write_text(config.read_text().replace("timeout: 1000", "timeout: 2000"))
    sums = folder / "DEBIAN/md5sums"
    sums.write_text("".join(f"{line}\n" for line in sums.read_text().splitlines()
                            if not line.endswith("ringmaster.yml")))
    file = SCRATCH / "ringmaster_0.0.9-1_amd64.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", folder, file],
                   capture_output=True, check=True)
    return file


@pytest.fixture(scope="session")
def old_rpm():
    """A package of an earlier version: the same program, packed under another number."""
    build = PACKAGES.parent
    folder = SCRATCH / "old-rpm"
    output("cpack", "--config", build / "CPackConfig.cmake", "-G", "RPM", "-R", "0.0.9", "-B", folder,
           "-D", "CPACK_RPM_COMPRESSION_TYPE=gzip",
           env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
    return next(folder.glob("ringmaster-0.0.9-*.rpm"))


@pytest.fixture(scope="session")
def with_ringmaster(deb):
    """A system with the package installed, as a layer for others: nobody changes it."""
    chroot = Chroot("with-ringmaster")
    chroot.install(deb.file)
    return chroot


@pytest.fixture(scope="session")
def with_dependencies():
    """A system that has what the package needs, and not the package."""
    chroot = Chroot("with-dependencies")
    chroot.apt("install", "libuv1", "libyaml-0-2")
    return chroot


@pytest.fixture
def start_service():
    """Starts the packaged unit inside a chroot; ended after the test."""
    services = []

    def start(chroot):
        service = FakeSystemd(chroot)
        services.append(service)
        service.start()
        return service

    yield start
    for service in services:
        service.close()


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    """A real server where the packaged configuration expects one."""

    class Server(harness.RedisServer):
        def command(self):
            self.port = 6379
            return super().command()

    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()
