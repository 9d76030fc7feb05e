#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules a machine can check cheaply. Each rule is one function and one check."""

import re

from files import ROOT, Report, is_data, project_files, read_text

CPP = (".h", ".cc", ".def")
SPDX = "SPDX-License-Identifier: Apache-2.0"
MAX_COLUMNS = 100

# In pieces, so that these lines do not trip over themselves.
UNFINISHED = re.compile(r"\b(FIX" + r"ME|XX" + r"X)\b")
SLEEP = re.compile(r"\btime\.sl" + r"eep\(|\b(?:us|nanos)leep\b|\bsleep_(?:for|until)\b")
SHELL_SLEEP = re.compile(r"^\s*sle" + r"ep\b")
ALLOW_SLEEP = re.compile(r"lint: allow-sleep \S")
OPENS = re.compile(r"(?<![\w>])::(?:open|openat|fopen|socket|socketpair|pipe2?|accept4?|dup|eventfd|"
                   r"epoll_create1?|memfd_create)\([^;{]*[;{][^\n]*")
ALLOW_INHERIT = re.compile(r"lint: allow-inherit \S")
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me)/[\w.]")


def is_script(name, text):
    return text.startswith("#!") or name.endswith(".py")


def is_source(name, text):
    return (name.endswith(CPP + (".cmake",)) or name.endswith("CMakeLists.txt")
            or is_script(name, text))


def rule_licence(name, text):
    """every source and script names its licence in the first two lines"""
    if is_source(name, text) and SPDX not in "\n".join(text.split("\n", 2)[:2]):
        yield 1, f"the line '{SPDX}' is missing"


def rule_whitespace(name, text):
    """no tabs, no trailing spaces, a newline at the end"""
    if name == "LICENSE" or name.endswith((".tsv", ".jsonl", ".patch")):
        return
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield number, "tab"
        if line != line.rstrip():
            yield number, "trailing space"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end of the file"


def rule_columns(name, text):
    """no C++ line over 100 columns"""
    if name.endswith(CPP):
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > MAX_COLUMNS:
                yield number, f"{len(line)} columns"


def rule_header_guard(name, text):
    """every header says #pragma once"""
    if name.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        yield 1, "#pragma once is missing"


def rule_unfinished(name, text):
    """nothing is marked as unfinished"""
    for number, line in enumerate(text.split("\n"), 1):
        match = UNFINISHED.search(line)
        if match:
            yield number, f"{match.group()}: do it, or write a TODO with a name and a condition"


def rule_sleep(name, text):
    """tests wait for events, they do not sleep"""
    if not name.startswith("tests/"):
        return
    shell = text.startswith("#!") and "bash" in text.split("\n", 1)[0]
    for number, line in enumerate(text.split("\n"), 1):
        if (SLEEP.search(line) or (shell and SHELL_SLEEP.search(line))) \
                and not ALLOW_SLEEP.search(line):
            yield number, "use harness.wait_until (or say '" + "lint: allow-sleep REASON')"


def rule_cloexec(name, text):
    """every descriptor is opened with CLOEXEC: workers are started while it is open"""
    if not name.endswith((".h", ".cc")) or name.startswith("tests/"):
        return
    for match in OPENS.finditer(text):
        if "CLOEXEC" not in match.group() and not ALLOW_INHERIT.search(match.group()):
            yield text.count("\n", 0, match.start()) + 1, match.group().split("\n")[0]


def rule_machine_path(name, text):
    """no path of somebody's machine"""
    for number, line in enumerate(text.split("\n"), 1):
        match = MACHINE_PATH.search(line)
        if match:
            yield number, f"{match.group()}...: use a path relative to the root"


RULES = (rule_licence, rule_whitespace, rule_columns, rule_header_guard, rule_unfinished,
         rule_sleep, rule_cloexec, rule_machine_path)


def check_readme(report):
    name = "README.md names both commands"
    report.check(name)
    path = ROOT / "README.md"
    text = path.read_text() if path.is_file() else ""
    for command in ("packaging/demo", "tests/run"):
        if command not in text:
            report.problem(name, f"README.md: {command} is not mentioned")


def check_root(report):
    """The root holds nothing but what design asks for."""
    name = "the root is tidy"
    report.check(name)
    folders = {"master", "worker", "common", "config", "tests", "packaging", "man"}
    files = {"README.md", "CHANGELOG.md", "LICENSE", "CMakeLists.txt", "CMakePresets.json"}
    for entry in sorted({n.split("/", 1)[0] for n in project_files()}):
        if not entry.startswith(".") and entry not in folders | files:
            report.problem(name, f"{entry}: does not belong in the root")


def main():
    report = Report()
    for rule in RULES:
        report.check(rule.__doc__)
    for name in project_files():
        if is_data(name):
            continue
        text = read_text(name)
        for rule in RULES:
            for number, problem in rule(name, text):
                report.problem(rule.__doc__, f"{name}:{number}: {problem}")
    check_readme(report)
    check_root(report)
    report.finish()


main()
