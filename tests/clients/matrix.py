# SPDX-License-Identifier: Apache-2.0
"""The table of clients in the README, read."""

import dataclasses
import pathlib
import re

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
HEAD = "| client | version | speaks | calls compared | passes |"


@dataclasses.dataclass
class Row:
    version: str
    protocol: str
    calls: int
    passes: bool


def read():
    """{client: Row}"""
    lines = README.read_text().splitlines()
    start = lines.index(HEAD) + 2
    table = {}
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        name, version, protocol, calls, passes = re.split(r"\s*\|\s*", line.strip("| "))
        table[name] = Row(version, protocol, int(calls), passes == "yes")
    return table
