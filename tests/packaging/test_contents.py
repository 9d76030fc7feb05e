# SPDX-License-Identifier: Apache-2.0
"""What is in the packages, and what the formats' own checkers say of it."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from chroots import Chroot
from conftest import PACKAGES, output

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = pathlib.Path(__file__).parent / "golden"
ALL = ("deb", "nutcracker_deb", "rpm", "nutcracker_rpm")


@pytest.fixture(params=ALL)
def package(request):
    return request.getfixturevalue(request.param)


def compare(name, lines, version):
    """With a recorded list; RM_GOLDEN_UPDATE=1 records it anew."""
    lines = [line.replace(version, "VERSION") for line in lines]
    file = GOLDEN / name
    if os.environ.get("RM_GOLDEN_UPDATE"):
        file.write_text("".join(f"{line}\n" for line in lines))
    assert lines == file.read_text().splitlines()


def file_list(package):
    if package.is_deb:
        lines = output("dpkg-deb", "-c", package.file, env={**os.environ, "TZ": "UTC"}).splitlines()
        # Mode, owner, size, day, hour, path.
        found = [line.split(None, 5) for line in lines]
        return sorted((f"{f[0]} {f[1].replace('/', ':')} {f[5].rstrip('/').removeprefix('.')}"
                       for f in found), key=lambda line: line.split()[2])
    lines = package.query("--qf [%{FILEMODES:perms}\\t%{FILEUSERNAME}:%{FILEGROUPNAME}\\t"
                          "%{FILENAMES}\\t%{FILELINKTOS}\\n]")
    return [" ".join(line.split("\t")) for line in lines]


def test_the_files_are_those_of_the_list(package, version):
    lines = [line.rstrip() for line in file_list(package)]
    compare(f"{package.file.suffix[1:]}-{package.name}.files", lines, version)


def test_file_names_are_those_of_the_formats(version):
    assert sorted(one.name for one in PACKAGES.glob("*.*")) == sorted([
        f"ringmaster_{version}-1_amd64.deb", f"ringmaster-nutcracker_{version}-1_all.deb",
        f"ringmaster-{version}-1.x86_64.rpm", f"ringmaster-nutcracker-{version}-1.noarch.rpm"])


def test_what_an_rpm_requires(rpm, nutcracker_rpm, version):
    for package in (rpm, nutcracker_rpm):
        compare(f"rpm-{package.name}.requires", package.query("-R"), version)


def test_what_a_deb_depends_on(deb, nutcracker_deb, version):
    for package in (deb, nutcracker_deb):
        fields = ["Package", "Architecture", "Depends", "Recommends", "Conflicts", "Replaces",
                  "Provides", "Section", "Priority"]
        lines = [f"{one}: {package.field(one)}".rstrip() for one in fields]
        compare(f"deb-{package.name}.fields", lines, version)


def test_the_drop_in_takes_the_place_of_nutcracker(nutcracker_deb, nutcracker_rpm):
    for field in ("Conflicts", "Replaces", "Provides"):
        assert nutcracker_deb.field(field) == "nutcracker"
    assert "nutcracker" in nutcracker_rpm.query("--provides")
    assert nutcracker_rpm.query("--conflicts") == ["nutcracker", "twemproxy"]


def test_configuration_files_are_marked(deb, rpm, tmp_path):
    subprocess.run(["dpkg-deb", "-e", deb.file, tmp_path], check=True)
    assert (tmp_path / "conffiles").read_text().splitlines() == [
        "/etc/default/ringmaster", "/etc/logrotate.d/ringmaster", "/etc/ringmaster/ringmaster.yml"]
    flags = dict(line.split("\t") for line in
                 rpm.query("--qf [%{FILENAMES}\\t%{FILEFLAGS:fflags}\\n]"))
    marked = {name for name, flag in flags.items() if "c" in flag}
    assert marked == {"/etc/sysconfig/ringmaster", "/etc/logrotate.d/ringmaster",
                      "/etc/ringmaster/ringmaster.yml"}
    assert all("n" in flags[name] for name in marked)  # noreplace: edits are kept


def test_the_binary_needs_no_library_of_this_distribution(deb, rpm):
    for package in (deb, rpm):
        headers = output("readelf", "-Wd", package.unpacked() / "usr/sbin/ringmaster")
        assert sorted(re.findall(r"NEEDED.*\[(.*)\]", headers)) == [
            "ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libuv.so.1", "libyaml-0.so.2"]
        assert "BIND_NOW" in headers and "PIE" in headers


def test_version_tells_version_commit_and_libraries(deb, with_ringmaster, version):
    text = with_ringmaster.run("ringmaster", "-V").text
    assert text.startswith(f"This is ringmaster-{version}\nasync event backend: libuv\n\n")
    assert f"\ncommit {output('git', 'rev-parse', 'HEAD', cwd=ROOT).strip()}\n" in text
    uv = with_ringmaster.run("dpkg-query", "-W", "-f", "${Version}", "libuv1").text
    assert f"libuv {uv.split('-')[0]}, libyaml " in text


def test_lintian_has_nothing_that_is_not_explained(deb, nutcracker_deb):
    done = subprocess.run(["lintian", "--fail-on", "error,warning", "--tag-display-limit", "0",
                           deb.file, nutcracker_deb.file],
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [line for line in done.stdout.splitlines() if line[:2] in ("E:", "W:")]
    assert "mismatched-override" not in done.stdout
    done = subprocess.run(["lintian", "--display-info", "--tags", "unused-override", deb.file,
                           nutcracker_deb.file],
                          capture_output=True, text=True, check=False, timeout=120)
    assert "unused-override" not in done.stdout, done.stdout


def test_every_override_of_lintian_has_a_reason(deb, nutcracker_deb):
    for package in (deb, nutcracker_deb):
        lines = (package.unpacked() / "usr/share/lintian/overrides" / package.name) \
            .read_text().splitlines()
        for before, line in zip(["", *lines], lines):
            assert line.startswith("#") or before.startswith("#"), line


def test_rpmlint_has_nothing_that_is_not_explained(rpm, nutcracker_rpm):
    config = ROOT / "packaging/rpm/rpmlint.toml"
    done = subprocess.run(["rpmlint", "--config", config, rpm.file, nutcracker_rpm.file],
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stdout, done.stdout


def test_every_filter_of_rpmlint_has_a_reason_and_is_used(rpm, nutcracker_rpm, tmp_path):
    text = (ROOT / "packaging/rpm/rpmlint.toml").read_text()
    filters = text[text.index("Filters = ["):]
    bare = tmp_path / "rpmlint.toml"
    bare.write_text(text[:text.index("Filters = [")])
    done = subprocess.run(["rpmlint", "--config", bare, rpm.file, nutcracker_rpm.file],
                          capture_output=True, text=True, check=False, timeout=120)
    explained = False
    for line in filters.splitlines()[1:-1]:
        if not line.strip() or line.strip().startswith("#"):
            explained = bool(line.strip())  # until the next blank line: a reason has a group
            continue
        assert explained, line
        assert re.search(line.strip().strip('",'), done.stdout), f"{line}: not needed"


def test_both_changelogs_are_the_one_in_the_tree(deb, nutcracker_deb, rpm, nutcracker_rpm, version):
    latest = re.search(r"^## \[(.*)\] - (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert latest.group(1) == version
    for package in (deb, nutcracker_deb):
        file = package.unpacked() / f"usr/share/doc/{package.name}/changelog.Debian.gz"
        text = output("sh", "-c", f"zcat {file} | dpkg-parsechangelog -l -")
        assert f"Source: {package.name}\nVersion: {version}-1\n" in text
        assert "A master process and any number of workers" in text
    for package in (rpm, nutcracker_rpm):
        text = "\n".join(package.query("--changelog"))
        assert text.splitlines()[0].endswith(f" - {version}-1")
        assert "A master process and any number of workers" in text


@pytest.mark.parametrize("page", ["man8/ringmaster.8", "man5/ringmaster.yml.5",
                                  "man5/ringmaster-stats.5"])
def test_man_renders_the_pages_of_the_packages(deb, rpm, page):
    for package in (deb, rpm):
        file = package.unpacked() / f"usr/share/man/{page}.gz"
        done = subprocess.run(["man", "--warnings", "-l", file], capture_output=True, text=True,
                              check=False, env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0 and not done.stderr, done.stderr
        assert len(done.stdout.splitlines()) > 40


def test_completions_of_the_packages_load(deb, rpm):
    zsh = {"deb": "vendor-completions", "rpm": "site-functions"}
    for package in (deb, rpm):
        share = package.unpacked() / "usr/share"
        assert "ringmaster" in output(
            "bash", "-euc", f". {share}/bash-completion/completions/ringmaster; complete -p ringmaster")
        folder = share / "zsh" / zsh[package.file.suffix[1:]]
        assert output("zsh", "-fc", f"fpath=({folder} $fpath); autoload -Uz compinit; "
                      "compinit -D -u; print -r -- $_comps[ringmaster]").strip() == "_ringmaster"
        assert "reload" in output(
            "fish", "--no-config", "-c",
            f"source {share}/fish/vendor_completions.d/ringmaster.fish; "
            "complete -C 'ringmaster rel'")


def test_systemd_takes_the_unit(deb, rpm, nutcracker_deb, with_ringmaster):
    for package in (deb, rpm):
        unit = package.unpacked() / "usr/lib/systemd/system/ringmaster.service"
        output("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
    # The units ours refers to are systemd's; this Debian has none.
    chroot = Chroot("verify", below=with_ringmaster)
    for target in pathlib.Path("/usr/lib/systemd/system").glob("*.target"):
        if target.is_file() and not target.is_symlink():
            shutil.copy(target, chroot.path("usr/lib/systemd/system"))
    for _ in range(2):  # alone, then with the drop-in
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={chroot.root}",
                               "ringmaster.service"],
                              capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
        chroot.install(nutcracker_deb.file)


def test_two_builds_of_one_commit_are_the_same_bytes():
    again = pathlib.Path(os.environ["RM_PACKAGES_AGAIN"])
    names = sorted(one.name for one in PACKAGES.glob("*.*"))
    assert names == sorted(one.name for one in again.glob("*.*"))
    for name in names:
        assert (PACKAGES / name).read_bytes() == (again / name).read_bytes(), name
