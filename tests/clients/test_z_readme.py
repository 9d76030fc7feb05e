# SPDX-License-Identifier: Apache-2.0
"""The README's table of clients. The name makes it run last: what has run is what it looks at."""

import matrix
import programs


def test_the_readme_names_every_client():
    assert set(matrix.read()) == set(programs.NAMES)


def test_the_readme_says_what_has_run(outcomes):
    """Clients left out by -k are not looked at."""
    table = matrix.read()
    for name, outcome in outcomes.items():
        said = (name, table[name].version, table[name].protocol, table[name].calls)
        assert said == (name, outcome.version, outcome.protocol, outcome.calls)
