# SPDX-License-Identifier: Apache-2.0
"""A client nobody wants beside them, on Redis. Lives until its stdin ends.

    neighbour.py pipeliner PORT     GETs as fast as they are taken; replies are thrown away
    neighbour.py slow-reader PORT   GETs of 100 KB, 100 ahead, read at some 10 MB a second
"""

import selectors
import socket
import sys

PIECE = 256 << 10
LARGE, AHEAD = 100 << 10, 100
SLOWLY_S, SLOW_PIECE = 0.01, 100_000


def encode(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def pipeliner(port):
    endless = memoryview(b"".join(encode(b"GET", b"pipelined:%08d" % number)
                                  for number in range(4000)))
    client = socket.create_connection(("127.0.0.1", port))
    client.setblocking(False)
    watch = selectors.DefaultSelector()
    watch.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE)
    watch.register(sys.stdin, selectors.EVENT_READ)
    into, at = bytearray(PIECE), 0
    while True:
        for key, events in watch.select():
            if key.fileobj is sys.stdin:
                return
            if events & selectors.EVENT_READ and client.recv_into(into) == 0:
                raise SystemExit("the proxy closed the connection")
            if events & selectors.EVENT_WRITE:
                at = (at + client.send(endless[at:at + PIECE])) % len(endless)


def slow_reader(port):
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(encode(b"SET", b"large", bytes(LARGE)))
    client.recv(100)
    watch = selectors.DefaultSelector()
    watch.register(sys.stdin, selectors.EVENT_READ)
    reply, left = LARGE + len(b"$%d\r\n\r\n" % LARGE), 0
    while not watch.select(SLOWLY_S):
        while left < AHEAD * reply:
            client.sendall(encode(b"GET", b"large"))
            left += reply
        left -= len(client.recv(SLOW_PIECE))


if __name__ == "__main__":
    {"pipeliner": pipeliner, "slow-reader": slow_reader}[sys.argv[1]](int(sys.argv[2]))
