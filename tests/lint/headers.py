#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles on its own: what it needs, it includes."""

import argparse
import concurrent.futures
import subprocess

from files import ROOT, Report, project_files


def compile_alone(name, flags):
    command = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-I.", *flags,
               "-DRM_VERSION=\"0\"", "-DSPDLOG_FMT_EXTERNAL", "-DSPDLOG_HEADER_ONLY",
               "-x", "c++", "-include", name, "/dev/null"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    jobs = parser.parse_args().jobs
    flags = subprocess.run(["pkg-config", "--cflags", "libuv", "yaml-0.1"],
                           capture_output=True, text=True, check=True).stdout.split()
    headers = [n for n in project_files() if n.endswith(".h") and not n.startswith("tests/")]
    report = Report()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, result in zip(headers, pool.map(lambda n: compile_alone(n, flags), headers)):
            check = f"{name} compiles alone"
            report.check(check)
            if result.returncode != 0:
                report.problem(check, result.stderr[:2000])
    report.finish()


main()
