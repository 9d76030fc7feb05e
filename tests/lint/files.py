# SPDX-License-Identifier: Apache-2.0
"""What the lint scripts share: which files belong to the project, and how a verdict is printed."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Data, kept byte for byte: recorded vectors and fuzz inputs.
DATA_FOLDERS = ("tests/golden/", "tests/fuzz/corpus/")


def project_files():
    """Paths relative to the root, sorted: tracked files and new ones that are not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=False)
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
    else:  # an unpacked archive has no git
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
        names = [n for n in names if not n.startswith(("build/", ".git/"))]
    return sorted({n for n in names if n and (ROOT / n).is_file()})


def is_data(name):
    return name.startswith(DATA_FOLDERS) and not name.endswith((".cc", ".h", ".txt", ".py", ".md"))


def read_text(name):
    return (ROOT / name).read_bytes().decode("utf-8", errors="replace")


class Report:
    """Collects problems per check; finish() prints the verdicts and gives the exit code."""

    def __init__(self):
        self.checks = {}

    def check(self, name):
        self.checks.setdefault(name, [])

    def problem(self, name, text):
        self.checks.setdefault(name, []).append(text)

    def finish(self):
        for name, problems in self.checks.items():
            for text in problems:
                print(f"{text}")
            print(f"{'FAIL' if problems else 'ok'} {name}")
        sys.exit(1 if any(self.checks.values()) else 0)
