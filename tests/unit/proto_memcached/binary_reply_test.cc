// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/binary_reply.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "binary_packets.h"
#include "common/proto/limits.h"
#include "common/proto/memcached/binary_reply_parser.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

std::string reply(uint8_t opcode, BinaryStatus status, std::string_view value,
                  std::string_view key = {}) {
    std::string out;
    append_binary_reply(out, opcode, 0x0a0b0c0d, status, value, key);
    return out;
}

TEST_CASE("memcached binary: a header reads as it was written") {
    const std::string bytes(
        "\x81\x05\x00\x03\x04\x02\x00\x86\x00\x00\x01\x02\x0a\x0b\x0c\x0d\x01\x02\x03\x04\x05\x06"
        "\x07\x08",
        kBinaryHeaderBytes);
    const BinaryHeader header = read_binary_header(bytes.data());
    CHECK(header.magic == kBinaryReplyMagic);
    CHECK(header.opcode == 5);
    CHECK(header.key_bytes == 3);
    CHECK(header.extras_bytes == 4);
    CHECK(header.data_type == 2);
    CHECK(header.status == static_cast<uint16_t>(BinaryStatus::kTemporaryFailure));
    CHECK(header.body_bytes == 0x102);
    CHECK(header.opaque == 0x0a0b0c0d);
    CHECK(header.cas == 0x0102030405060708ULL);
    CHECK(packet(header, "") == bytes);
}

TEST_CASE("memcached binary: an error says what a server says") {
    CHECK(reply(0x00, BinaryStatus::kNotFound, binary_status_text(BinaryStatus::kNotFound)) ==
          std::string("\x81\0\0\0\0\0\0\1\0\0\0\x09\x0a\x0b\x0c\x0d\0\0\0\0\0\0\0\0Not found", 33));
    CHECK(binary_status_text(BinaryStatus::kSuccess).empty());
    for (const BinaryStatus status :
         {BinaryStatus::kExists, BinaryStatus::kTooLarge, BinaryStatus::kInvalidArguments,
          BinaryStatus::kNotStored, BinaryStatus::kNotANumber, BinaryStatus::kAuthFailed,
          BinaryStatus::kUnknownCommand, BinaryStatus::kOutOfMemory, BinaryStatus::kInternalError,
          BinaryStatus::kTemporaryFailure}) {
        CHECK_FALSE(binary_status_text(status).empty());
    }
}

TEST_CASE("memcached binary reply: its end, in pieces") {
    const std::string stats = reply(0x10, BinaryStatus::kSuccess, "1", "pid") +
                              reply(0x10, BinaryStatus::kSuccess, "", "empty value") +
                              reply(0x10, BinaryStatus::kSuccess, "");
    const std::vector<std::string> replies = {
        reply(0x01, BinaryStatus::kSuccess, ""),
        reply(0x00, BinaryStatus::kSuccess, std::string(5000, 'v'), "key"),
        reply(0x00, BinaryStatus::kNotFound, "Not found"),
        reply(0x0c, BinaryStatus::kNotFound, "", "key"),
        reply(0x10, BinaryStatus::kNotFound, "Not found"),
        stats,
    };
    for (const std::string& whole : replies) {
        for_each_feed_size([&](size_t feed_bytes) {
            BinaryReplyParser parser;
            std::unique_ptr<char[]> buffer;
            CHECK(parser.at_start());
            CHECK(feed(parser, whole + "\x81more", feed_bytes, buffer) == ParseStatus::kDone);
            CHECK(parser.position() == whole.size());
        });
        for (size_t size = 0; size < whole.size(); ++size) {
            BinaryReplyParser parser;
            std::unique_ptr<char[]> buffer;
            CHECK(feed(parser, whole.substr(0, size), 11, buffer) == ParseStatus::kNeedMore);
        }
    }
}

TEST_CASE("memcached binary reply: passed on while it arrives") {
    const std::string whole = reply(0x10, BinaryStatus::kSuccess, std::string(300, '1'), "pid") +
                              reply(0x10, BinaryStatus::kSuccess, "");
    BinaryReplyParser parser;
    size_t taken = 0;
    size_t arrived = 0;
    ParseStatus status = ParseStatus::kNeedMore;
    while (status == ParseStatus::kNeedMore && arrived < whole.size()) {
        arrived = std::min(whole.size(), arrived + 17);
        status = parser.parse(whole.data() + taken, arrived - taken);
        if (status == ParseStatus::kNeedMore) {
            CHECK(parser.bytes_needed() > arrived - taken);
            const size_t part = std::min(parser.position(), arrived - taken);
            parser.rebase(part);
            taken += part;
        }
    }
    CHECK(status == ParseStatus::kDone);
    CHECK(taken + parser.position() == whole.size());
    CHECK(taken > 0);
}

TEST_CASE("memcached binary reply: what is none") {
    const auto verdict = [](const std::string& bytes) {
        BinaryReplyParser parser;
        std::unique_ptr<char[]> buffer;
        return feed(parser, bytes, 3, buffer);
    };
    CHECK(verdict("\x80") == ParseStatus::kBad);
    CHECK(verdict("END\r\n") == ParseStatus::kBad);
    CHECK(verdict(packet({.magic = 0x81, .key_bytes = 2, .extras_bytes = 1, .body_bytes = 2},
                         "")) == ParseStatus::kBad);
    CHECK(verdict(packet({.magic = 0x81, .body_bytes = 0xffffffff}, "")) == ParseStatus::kTooBig);
    CHECK(verdict(reply(0x10, BinaryStatus::kSuccess, "1", "pid") +
                  reply(0x00, BinaryStatus::kSuccess, "")) == ParseStatus::kBad);
}

}  // namespace
