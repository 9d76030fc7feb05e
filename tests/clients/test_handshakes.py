# SPDX-License-Identifier: Apache-2.0
"""The first words of clients that cannot be installed here, said by hand.

What is expected is held against the server itself, so that no expectation is made up.
"""

import re

import pytest

import handshakes
import harness
from clients import Connection, encode

# Types of RESP3 whose first line is all there is, whose first line counts bytes, or parts.
LINES, BYTES, PARTS = b"+-:_,#(", b"$=!", b"*~>%"


def read_raw(connection):
    """The bytes of one reply, of either protocol."""
    line = connection.read_line()
    kind = line[:1]
    if kind in LINES or line[1:-2] == b"-1":
        return line
    count = int(line[1:-2])
    if kind in BYTES:
        return line + connection.read_exactly(count + 2)
    assert kind in PARTS, f"not a reply: {line!r}"
    return line + b"".join(read_raw(connection) for _ in range(count * (2 if kind == b"%" else 1)))


def shake_hands(address, handshake):
    with Connection(address) as connection:
        connection.send(b"".join(encode(*words) for words, _ in handshake))
        for words, is_expected in handshake:
            reply = read_raw(connection)
            assert is_expected(reply), f"{words}: {reply!r}"


@pytest.mark.parametrize("name", handshakes.OPEN)
def test_handshake(name, redis_sides):
    for side in redis_sides:
        shake_hands(side.address, handshakes.OPEN[name])


class ClosedRedis(harness.RedisServer):
    """Asks for a password."""

    def command(self):
        return [*super().command(), "--requirepass", handshakes.PASSWORD]


@pytest.fixture(scope="module")
def closed_sides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closed")
    server = ClosedRedis(folder / "server")
    proxy = harness.Proxy(folder / "proxy", {"closed": harness.pool(
        [server], redis=True, redis_auth=handshakes.PASSWORD, timeout=5000)})
    yield server.address, proxy.address()
    try:
        proxy.stop()
    finally:
        proxy.kill()
        server.stop()


@pytest.mark.parametrize("name", handshakes.CLOSED)
def test_handshake_with_a_password(name, closed_sides):
    for address in closed_sides:
        shake_hands(address, handshakes.CLOSED[name])


THE_END = b"VALUE end 0 3\r\nend\r\nEND\r\n"


def converse(address, words):
    """What is answered, up to the answer to a last get."""
    with Connection(address) as connection:
        connection.send(words + b"set end 0 0 3\r\nend\r\nget end\r\n")
        answer = b""
        while not answer.endswith(THE_END):
            answer += connection.read_line()
    answer = re.sub(rb"^VERSION [\d.]+", b"VERSION", answer, flags=re.MULTILINE)
    return re.sub(rb"^(VALUE \S+ \d+ \d+) \d+", rb"\1 CAS", answer, flags=re.MULTILINE)


@pytest.mark.parametrize("name", handshakes.MEMCACHED)
def test_conversation_with_memcached(name, memcached_sides):
    for side in memcached_sides:
        side.flush()
    direct, proxied = (converse(side.address, handshakes.MEMCACHED[name])
                       for side in memcached_sides)
    assert b"ERROR" not in direct.replace(b"CLIENT_ERROR cannot increment", b""), direct
    assert proxied == direct
