# SPDX-License-Identifier: Apache-2.0
"""redis-cli as a person uses it: at a terminal. redis_cli.py [OPTION OF redis-cli] HOST PORT.

At a terminal it asks for COMMAND DOCS before it shows its first prompt.
"""

import os
import pty
import re
import subprocess
import sys
import termios

import steps
from steps import HOST, PORT, begin, end

OPTIONS = steps.OPTIONS
PROMPT = f"{HOST}:{PORT}> ".encode()
LOST = b"not connected> "

COMMANDS = """
PING
ECHO hello
CLIENT SETNAME tester
CLIENT GETNAME
SELECT 0
ROLE
CONFIG GET appendonly
COMMAND GETKEYS MSET a 1 b 2
ACL WHOAMI
WAIT 0 0
SET s value
GET s
GET none
SET s other NX
SET "with a space" "a \\"quoted\\" value"
GET "with a space"
SET binary "\\x00\\x01\\xff"
GET binary
INCR int
INCRBYFLOAT float 1.5
APPEND s !
GETRANGE s 1 3
MSET m1 1 m2 2 m3 3 m4 4
MGET m1 none m2 m3 m4
DEL m1 m2 none
EXISTS m3 m4 none
EXPIRE m3 1000
PERSIST m3
TTL m3
TYPE s
OBJECT ENCODING int
HSET h a 1 b two
HGETALL h
HMGET h a none
HINCRBYFLOAT h a 0.5
HSCAN h 0
RPUSH l a b c
LRANGE l 0 -1
LPOP l 2
LPOP none
SADD set a
SMEMBERS set
SISMEMBER set a
ZADD z 1 a 2.5 b inf c
ZSCORE z b
ZSCORE z none
ZRANGE z 0 -1 WITHSCORES
ZPOPMIN z
ZRANK z none
GEOADD geo 13.361389 38.115556 Palermo
GEOPOS geo Palermo none
XADD x 1-1 a 1
XRANGE x - +
XREAD STREAMS x 0
XREAD STREAMS x 1-1
PFADD p a b
PFCOUNT p
EVAL "return {KEYS[1], ARGV[1], 3.7, false}" 1 k v
LPUSH s x
GET
NOSUCH a b
INCR s
GET "unbalanced
3 INCR thrice
""".strip().splitlines()


class Terminal:
    """redis-cli with a terminal of its own, which does not echo."""

    def __init__(self):
        self._end, inside = pty.openpty()
        mode = termios.tcgetattr(inside)
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(inside, termios.TCSANOW, mode)
        self._process = subprocess.Popen(
            ["redis-cli", *OPTIONS, "-h", HOST, "-p", str(PORT)], stdin=inside, stdout=inside,
            stderr=inside, env={"TERM": "dumb", "PATH": os.environ["PATH"], "HOME": "/nonexistent"})
        os.close(inside)

    def read_to_prompt(self):
        """What is said before the next prompt."""
        seen = b""
        while not seen.endswith((PROMPT, LOST)):
            seen += os.read(self._end, 65536)
        return re.sub(rb"(" + PROMPT + rb"|not connected> )$", b"", seen).decode().strip()

    def ask(self, line):
        os.write(self._end, line.encode() + b"\n")
        return self.read_to_prompt()

    def leave(self):
        os.write(self._end, b"QUIT\n")
        code = self._process.wait()
        os.close(self._end)
        return code


def without_colours(text):
    return re.sub("\x1b\\[[\\d;]*m", "", text)


version = subprocess.run(["redis-cli", "--version"], capture_output=True, text=True, check=True)
begin(re.search(r"[\d.]+", version.stdout).group(), "RESP3" if "-3" in OPTIONS else "RESP2")
terminal = Terminal()
steps.step("first prompt", terminal.read_to_prompt)
for command in COMMANDS:
    steps.step(command, terminal.ask, command)
steps.step("help GET: usage", lambda: without_colours(terminal.ask("help GET")).split("\r\n")[0])
steps.step("QUIT: exit code", terminal.leave)
end()
