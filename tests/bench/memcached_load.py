#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Closed-loop memcached load: every connection sends `--pipeline` requests, waits for all their
replies, and goes on. One SET to 10 GETs, keys and value of rig.py, every GET a hit.

A GET's reply has one length and so has a SET's: the bytes still to come tell when a batch is done.
"""

import argparse
import random
import selectors
import socket
import sys

import rig

GET_REPLY = len(f"VALUE {rig.key_name(0)} 0 {len(rig.VALUE)}\r\n{rig.VALUE}\r\nEND\r\n")
SET_REPLY = len("STORED\r\n")
PREPARED = 2000
IDLE_S = 30.0


def prepare(pipeline, chance):
    """Batches built ahead of time: [(bytes to send, bytes to get back)]."""
    batches = []
    for _ in range(max(20, PREPARED // pipeline)):
        words, due = [], 0
        for _ in range(pipeline):
            name = rig.key_name(chance.randrange(rig.KEYS))
            if chance.randrange(rig.GETS_PER_SET + 1) == 0:
                words.append(f"set {name} 0 0 {len(rig.VALUE)}\r\n{rig.VALUE}\r\n")
                due += SET_REPLY
            else:
                words.append(f"get {name}\r\n")
                due += GET_REPLY
        batches.append(("".join(words).encode(), due))
    return batches


def run(port, connections, pipeline, requests):
    """Returns the number of requests answered."""
    batches = prepare(pipeline, random.Random(1))
    left = -(-requests // pipeline)  # batches still to be sent
    sent = 0
    due = {}
    with selectors.DefaultSelector() as selector:
        for _ in range(min(connections, left)):
            client = socket.create_connection(("127.0.0.1", port), timeout=IDLE_S)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client, selectors.EVENT_READ)
            message, due[client] = batches[sent % len(batches)]
            client.sendall(message)
            sent += 1
        left -= sent
        while due:
            ready = selector.select(IDLE_S)
            if not ready:
                sys.exit(f"error: no reply for {IDLE_S:.0f} s")
            for event, _ in ready:
                client = event.fileobj
                piece = client.recv(1 << 16)
                due[client] -= len(piece)
                if not piece or due[client] < 0 or b"ERROR" in piece:
                    sys.exit(f"error: unexpected reply {piece[:80]!r}")
                if due[client] > 0:
                    continue
                if left == 0:
                    selector.unregister(client)
                    client.close()
                    del due[client]
                    continue
                message, due[client] = batches[sent % len(batches)]
                client.sendall(message)
                sent += 1
                left -= 1
    return sent * pipeline


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    for name in ("port", "connections", "pipeline", "requests"):
        parser.add_argument(f"--{name}", type=int, required=True)
    told = parser.parse_args()
    print(run(told.port, told.connections, told.pipeline, told.requests))


if __name__ == "__main__":
    main()
