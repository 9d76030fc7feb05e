#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom. One row per folder; a folder may always include itself."""

import re

from files import ROOT, Report, project_files, read_text

MAY_INCLUDE = {
    "common/base": set(),
    "common/hash": {"common/base"},
    "common/ring": {"common/base", "common/hash"},
    "common/proto": {"common/base"},
    "common/control": {"common/base"},
    "common/stats": {"common/base"},
    "common/health": {"common/base"},
    "common/io": {"common/base"},
    "config": {"common/base", "common/hash", "common/health", "common/ring"},
}
MAY_INCLUDE["master"] = {
    "common/base", "common/io", "common/control", "common/stats", "common/health", "config",
    "common/hash", "common/ring"}
MAY_INCLUDE["worker"] = MAY_INCLUDE["master"] | {"common/proto"}
MAY_INCLUDE["man"] = {"common/base", "common/stats", "config", "master"}

# The only file that sees both roles, and the one header of the other role it needs.
EXCEPTIONS = {"master/main.cc": {"worker/worker_main.h"}}

# The only folder that sees libuv.
LIBUV_FOLDER = "common/io"

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
LIBUV_NAME = re.compile(r"\buv_\w+|\bUV_[A-Z]\w+")


def folder_of(name):
    """The row of the table a file belongs to, or None (tests, generated files)."""
    for folder in MAY_INCLUDE:
        if name.startswith(folder + "/"):
            return folder
    return None


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_includes(report, name, folder, text):
    for match in INCLUDE.finditer(text):
        quote, target = match.groups()
        where = f"{name}:{line_of(text, match.start())}"
        if quote == "<":
            if target == "uv.h" and folder != LIBUV_FOLDER:
                report.problem("libuv only in common/io", f"{where}: includes <uv.h>")
            continue
        if target in EXCEPTIONS.get(name, ()):
            continue
        if not (ROOT / target).is_file():
            report.problem("includes are from the root", f'{where}: there is no "{target}"')
            continue
        other = folder_of(target)
        if other is None:
            report.problem(f"layering of {folder}", f'{where}: "{target}" is outside the layers')
        elif other != folder and other not in MAY_INCLUDE[folder]:
            report.problem(f"layering of {folder}", f'{where}: {folder} may not include "{target}"')


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def main():
    report = Report()
    report.check("libuv only in common/io")
    report.check("includes are from the root")
    for folder in MAY_INCLUDE:
        report.check(f"layering of {folder}")
    for name in project_files():
        folder = folder_of(name)
        if folder is None or not name.endswith((".h", ".cc", ".def")):
            continue
        text = read_text(name)
        check_includes(report, name, folder, text)
        if folder == LIBUV_FOLDER:
            continue
        for match in LIBUV_NAME.finditer(COMMENT_OR_STRING.sub(blank, text)):
            where = f"{name}:{line_of(text, match.start())}"
            report.problem("libuv only in common/io", f"{where}: {match.group()}")
    report.finish()


main()
