# SPDX-License-Identifier: Apache-2.0
"""The memcached binary protocol: packets, right ones and wrong ones, and a client."""

import collections
import struct

from clients import Connection

HEADER = struct.Struct(">BBHBBHIIQ")
OPCODES = {
    "get": 0x00, "set": 0x01, "add": 0x02, "replace": 0x03, "delete": 0x04, "incr": 0x05,
    "decr": 0x06, "quit": 0x07, "flush": 0x08, "getq": 0x09, "noop": 0x0a, "version": 0x0b,
    "getk": 0x0c, "getkq": 0x0d, "append": 0x0e, "prepend": 0x0f, "stat": 0x10, "setq": 0x11,
    "addq": 0x12, "replaceq": 0x13, "deleteq": 0x14, "incrq": 0x15, "decrq": 0x16, "quitq": 0x17,
    "flushq": 0x18, "appendq": 0x19, "prependq": 0x1a, "verbosity": 0x1b, "touch": 0x1c,
    "gat": 0x1d, "gatq": 0x1e, "sasl_list": 0x20, "sasl_auth": 0x21, "sasl_step": 0x22,
    "gatk": 0x23, "gatkq": 0x24}

SUCCESS, NOT_FOUND, EXISTS, TOO_LARGE, INVALID, NOT_STORED, NOT_A_NUMBER = range(7)
AUTH_FAILED = 0x20
UNKNOWN, OUT_OF_MEMORY, TEMPORARY = 0x81, 0x82, 0x86

Reply = collections.namedtuple("Reply", "opcode status opaque cas extras key value")


def store_extras(flags=0, exptime=0):
    return struct.pack(">II", flags, exptime)


def count_extras(delta=1, initial=0, exptime=0):
    return struct.pack(">QQI", delta, initial, exptime)


def exptime_extras(exptime):
    return struct.pack(">I", exptime)


def packet(opcode, key=b"", value=b"", extras=b"", opaque=0, cas=0, magic=0x80, body_bytes=None,
           key_bytes=None, data_type=0, vbucket=0):
    """`body_bytes` and `key_bytes` may lie."""
    body = extras + key + value
    return HEADER.pack(magic, OPCODES.get(opcode, opcode),
                       len(key) if key_bytes is None else key_bytes, len(extras), data_type, vbucket,
                       len(body) if body_bytes is None else body_bytes, opaque, cas) + body


def store(opcode, key, value, flags=0, **options):
    return packet(opcode, key, value, store_extras(flags), **options)


NOOP = packet("noop", opaque=0xffffffff)


class BinaryClient(Connection):
    def read_reply(self):
        return self.read_raw()[0]

    def read_raw(self):
        """(Reply, its bytes)"""
        head = self.read_exactly(HEADER.size)
        magic, opcode, key_bytes, extras_bytes, data_type, status, size, opaque, cas = (
            HEADER.unpack(head))
        assert magic == 0x81 and data_type == 0, head
        body = self.read_exactly(size)
        value_at = extras_bytes + key_bytes
        return Reply(opcode, status, opaque, cas, body[:extras_bytes], body[extras_bytes:value_at],
                     body[value_at:]), head + body

    def read_to_noop(self):
        """Every (Reply, bytes) up to and with that of NOOP."""
        replies = []
        while not replies or replies[-1][0].opaque != 0xffffffff:
            replies.append(self.read_raw())
        return replies

    def ask(self, request):
        self.send(request)
        return self.read_reply()

    def get(self, key):
        reply = self.ask(packet("get", key))
        return reply.value if reply.status == SUCCESS else None
