# SPDX-License-Identifier: Apache-2.0
"""How figures are printed."""

import shlex
import sys

import turns

ROWS = (("instructions", "instructions"), ("instructions_user", "  user"),
        ("instructions_kernel", "  kernel"), ("cycles", "cycles"),
        ("callgrind", "user instructions, exact"),
        ("estimate", "instructions, estimate"),
        ("cpu", "CPU s per million"), ("syscalls", "syscalls"), ("switches", "context switches"),
        ("rss_mb", "RSS, MB (in all)"), ("rate", "requests per second"))
MEASURED = "ringmaster"


def number(value):
    if value is None:
        return "n/a"
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def ratio(one, other):
    return f"{one / other:.3f}" if one is not None and other else "n/a"


def of_kind(names, kind):
    """The first name of a kind; ringmaster's is the last: with --also, the build that is asked
    about."""
    found = [name for name in names if name.startswith(kind)]
    return found[0] if found else None


def table(head, lines):
    """Columns as wide as they have to be, the first one to the left."""
    rows = [head, *lines]
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(head))]
    for row in rows:
        print("  " + "  ".join(str(cell).ljust(width) if column == 0 else str(cell).rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip())


def workload(one, result, rounds):
    timed = f"; {rounds} turns of {result['requests']} requests" if result["rounds"] else ""
    print(f"\n{one.name}: {one.text()}{timed}")
    summary = result["summary"]
    names = list(summary)
    ours = of_kind(names, MEASURED)
    peers = [(kind, of_kind(names, kind)) for kind in ("nutcracker", "haproxy", "floor")]
    peers = [(kind, name) for kind, name in peers if name and ours]
    lines = []
    for figure, label in ROWS:
        values = [summary[name].get(figure) for name in names]
        if all(value is None for value in values):
            continue
        cells = [label, *map(number, values)]
        for _, name in peers:
            cells.append(ratio(summary[ours].get(figure), summary[name].get(figure)))
        lines.append(cells)
    table(["per request", *names, *(f"to {kind}" for kind, _ in peers)], lines)
    for name in names:
        calls = sorted(((figure[8:], value) for figure, value in summary[name].items()
                        if figure.startswith("syscall_") and value >= 0.005), key=lambda c: -c[1])
        if calls:
            print(f"  syscalls of {name}: " + ", ".join(f"{call} {value:.2f}"
                                                        for call, value in calls))
    for kind, name in peers:
        low_high = turns.spread(result, "cpu", ours, name)
        if low_high:
            print(f"  CPU to {kind}, per turn: {low_high[0]:.3f} .. {low_high[1]:.3f}")
    if result["rounds"] and result["quiet"] < rounds:
        advice = ("the others do not count" if result["quiet"] >= 2
                  else "all count: run it again on a quiet machine")
        print(f"  NOTE: in only {result['quiet']} turns other work used less than "
              f"{turns.BUSY_LIMIT:.0%} of the proxies' CPU; {advice}")
    for command in result["commands"].values():
        print(f"  $ {shlex.join(map(str, command))}")
    sys.stdout.flush()
