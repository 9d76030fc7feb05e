# SPDX-License-Identifier: Apache-2.0
"""How the Python scripts print: a line per call, with the type of what came back."""

import hashlib
import sys

LONG = 200

*OPTIONS, HOST, PORT = sys.argv[1:]
PORT = int(PORT)


def show(value):
    """repr(), but sets are in order and long strings short."""
    if isinstance(value, (bytes, str)) and len(value) > LONG:
        data = value if isinstance(value, bytes) else value.encode()
        return f"{type(value).__name__} of {len(value)}, md5 {hashlib.md5(data).hexdigest()}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(show, value))) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(show, value)) + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{show(k)}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Exception):
        return f"{type(value).__module__}.{type(value).__name__}: {value}"
    return repr(value)


def begin(version, protocol):
    print(f"# version: {version}\n# protocol: {protocol}")


def step(name, call, *arguments, **options):
    """One named call. An exception is an answer too."""
    try:
        text = show(call(*arguments, **options))
    except Exception as error:
        text = "raised " + show(error)
    print(f"{name} -> " + text.replace("\n", "\\n"), flush=True)


def end():
    print("# end")
