// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "binary_packets.h"
#include "common/proto/limits.h"
#include "common/proto/memcached/binary_commands.h"
#include "common/proto/memcached/binary_request_parser.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

// What became of one request, in strings of its own.
struct Seen {
    ParseStatus status = ParseStatus::kNeedMore;
    size_t bytes = 0;
    std::string name;
    std::string key;
    std::string value;
    uint32_t opaque = 0;
    BinaryStatus refusal = BinaryStatus::kSuccess;
    bool ends = false;
};

Seen see(const std::string& bytes, size_t feed_bytes) {
    BinaryRequestParser parser;
    std::unique_ptr<char[]> buffer;
    Seen seen;
    CHECK(parser.at_start());
    seen.status = feed(parser, bytes, feed_bytes, buffer);
    if (seen.status != ParseStatus::kDone) {
        return seen;
    }
    const BinaryRequestView view = parser.view(buffer.get());
    CHECK(view.bytes == bytes.substr(0, parser.position()));
    seen.bytes = parser.position();
    seen.name = view.command == nullptr ? "" : std::string(view.command->name);
    seen.key = view.key;
    seen.value = view.value;
    seen.opaque = view.opaque;
    seen.refusal = view.refusal;
    seen.ends = view.ends;
    return seen;
}

std::string right_request(const BinaryCommand& command) {
    return binary_request(command.opcode, std::string(command.extras_bytes, 'e'),
                          command.key == BinaryKey::kNone ? "" : "the key",
                          command.has_value ? "a value" : "");
}

TEST_CASE("memcached binary: the table is in order, and the loud form of each command is loud") {
    int last = -1;
    for (const BinaryCommand& command : all_binary_commands()) {
        CAPTURE(command.name);
        CHECK(command.opcode > last);
        last = command.opcode;
        CHECK(find_binary_command_or_null(command.opcode) == &command);
        const BinaryCommand* loud = find_binary_command_or_null(command.loud);
        REQUIRE(loud != nullptr);
        CHECK(loud->silence == BinarySilence::kNone);
        CHECK(loud->shape == command.shape);
        CHECK(loud->extras_bytes == command.extras_bytes);
        CHECK(loud->has_value == command.has_value);
        CHECK((command.silence == BinarySilence::kNone) == (loud == &command));
        CHECK((command.silence == BinarySilence::kNone) == !command.name.ends_with("q"));
    }
    CHECK(find_binary_command_or_null(0x1b) == nullptr);
    CHECK(find_binary_command_or_null(0xff) == nullptr);
}

TEST_CASE("memcached binary: what a quiet command is silent about") {
    const auto silent = [](BinarySilence silence, BinaryStatus status) {
        return is_suppressed(silence, static_cast<uint16_t>(status));
    };
    CHECK(silent(BinarySilence::kMiss, BinaryStatus::kNotFound));
    CHECK_FALSE(silent(BinarySilence::kMiss, BinaryStatus::kSuccess));
    CHECK_FALSE(silent(BinarySilence::kMiss, BinaryStatus::kOutOfMemory));
    CHECK(silent(BinarySilence::kSuccess, BinaryStatus::kSuccess));
    CHECK_FALSE(silent(BinarySilence::kSuccess, BinaryStatus::kNotFound));
    CHECK_FALSE(silent(BinarySilence::kNone, BinaryStatus::kSuccess));
    CHECK_FALSE(silent(BinarySilence::kNone, BinaryStatus::kNotFound));
}

TEST_CASE("memcached binary request: every command, in pieces") {
    for (const BinaryCommand& command : all_binary_commands()) {
        CAPTURE(command.name);
        const std::string request = right_request(command);
        for_each_feed_size([&](size_t feed_bytes) {
            const Seen seen = see(request + "\x80more", feed_bytes);
            CHECK(seen.status == ParseStatus::kDone);
            CHECK(seen.bytes == request.size());
            CHECK(seen.name == command.name);
            CHECK(seen.key == (command.key == BinaryKey::kNone ? "" : "the key"));
            CHECK(seen.value == (command.has_value ? "a value" : ""));
            CHECK(seen.opaque == 0x01020304);
            CHECK(seen.refusal == BinaryStatus::kSuccess);
        });
        for (size_t size = 0; size < request.size(); ++size) {
            CHECK(see(request.substr(0, size), 7).status == ParseStatus::kNeedMore);
        }
    }
}

TEST_CASE("memcached binary request: a key is any bytes, a value may be empty") {
    const std::string key("a b\0\r\n\xff", 7);
    const Seen seen = see(binary_request(0x01, "ffffeeee", key), 5);
    CHECK(seen.refusal == BinaryStatus::kSuccess);
    CHECK(seen.key == key);
    CHECK(seen.value.empty());
    CHECK(see(binary_request(0x00, "", std::string(250, 'k')), 100).key.size() == 250);
    CHECK(see(binary_request(0x08, "", ""), 5).refusal == BinaryStatus::kSuccess);
    CHECK(see(binary_request(0x10, "", ""), 5).refusal == BinaryStatus::kSuccess);
}

TEST_CASE("memcached binary request: wrong lengths are told at the header, and end it") {
    const std::string value(1000, 'v');
    const std::vector<std::string> wrong = {
        binary_request(0x00, "", ""),                       // no key
        binary_request(0x00, "abcd", "k"),                  // extras
        binary_request(0x00, "", "k", value),               // a value
        binary_request(0x00, "", std::string(251, 'k')),    // a long key
        binary_request(0x09, "", std::string(65535, 'k')),  // the longest
        binary_request(0x01, "", "k", value),               // no extras
        binary_request(0x01, "abcd", "k", value),           // too few
        binary_request(0x01, "abcdabcd", "", value),        // no key
        binary_request(0x05, "abcdabcdabcdabcdabcd", "k", "v"),
        binary_request(0x07, "", "k"),
        binary_request(0x08, "abc", ""),
        binary_request(0x0a, "", "", "v"),
        binary_request(0x0e, "abcd", "k", value),
        binary_request(0x10, "", "k", "v"),
        binary_request(0x1c, "abcd", "k", "v"),
        binary_request(0x20, "", "k"),
        binary_request(0x21, "", "", "v"),
        binary_request(0x21, "", "PLAIN", std::string(5000, 'v')),
    };
    for (const std::string& request : wrong) {
        CAPTURE(request.substr(0, kBinaryHeaderBytes));
        for_each_feed_size([&](size_t feed_bytes) {
            const Seen seen = see(request, feed_bytes);
            CHECK(seen.status == ParseStatus::kDone);
            CHECK(seen.bytes == kBinaryHeaderBytes);
            CHECK(seen.refusal == BinaryStatus::kInvalidArguments);
            CHECK(seen.ends);
            CHECK(seen.key.empty());
        });
        CHECK(see(request.substr(0, kBinaryHeaderBytes), 1).ends);
    }
    const std::string contradicting =
        packet({.magic = 0x80, .opcode = 0x01, .key_bytes = 5, .extras_bytes = 8, .body_bytes = 12},
               "ffffeeeekkkkk");
    const Seen seen = see(contradicting, 1);
    CHECK(seen.refusal == BinaryStatus::kUnknownCommand);
    CHECK(seen.ends);
}

TEST_CASE("memcached binary request: an unknown command is taken with its body") {
    for (const int opcode : {0x1b, 0x1f, 0x25, 0x55, 0xff}) {
        const std::string request = binary_request(static_cast<uint8_t>(opcode), "ext",
                                                   std::string(300, 'k'), std::string(3000, 'v'));
        for_each_feed_size([&](size_t feed_bytes) {
            const Seen seen = see(request + "\x80", feed_bytes);
            CHECK(seen.bytes == request.size());
            CHECK(seen.name.empty());
            CHECK(seen.refusal == BinaryStatus::kUnknownCommand);
            CHECK_FALSE(seen.ends);
        });
    }
}

TEST_CASE("memcached binary request: the body of a refused one need not be kept") {
    BinaryRequestParser parser;
    const std::string header = packet({.magic = 0x80,
                                       .opcode = 0x01,
                                       .key_bytes = 1,
                                       .extras_bytes = 8,
                                       .body_bytes = 0xffffffff,
                                       .opaque = 7},
                                      "");
    REQUIRE(parser.parse(header.data(), header.size()) == ParseStatus::kNeedMore);
    size_t left = kBinaryHeaderBytes + 0xffffffffULL;
    const std::string piece(64 << 10, 'x');
    const char* at = header.data();
    size_t size = header.size();
    while (left > size) {
        CHECK(parser.bytes_needed() == left);
        REQUIRE(parser.discardable(size) == size);
        parser.rebase(size);
        left -= size;
        at = piece.data();
        size = piece.size();
        const ParseStatus status = parser.parse(at, size);
        REQUIRE(status == (size < left ? ParseStatus::kNeedMore : ParseStatus::kDone));
    }
    CHECK(parser.position() == left);
    const BinaryRequestView view = parser.view(at);
    CHECK(view.refusal == BinaryStatus::kTooLarge);
    CHECK(view.opaque == 7);
    CHECK(view.command->name == "set");
    CHECK_FALSE(view.ends);
}

TEST_CASE("memcached binary request: refused by its reader while it arrives") {
    const std::string request = binary_request(0x11, "ffffeeee", "k", std::string(100, 'v'), 9);
    BinaryRequestParser parser;
    parser.refuse(BinaryStatus::kOutOfMemory);  // no header yet: no effect
    REQUIRE(parser.parse(request.data(), 40) == ParseStatus::kNeedMore);
    CHECK(parser.has_header());
    CHECK(parser.discardable(40) == 0);
    parser.refuse(BinaryStatus::kOutOfMemory);
    REQUIRE(parser.discardable(40) == 40);
    parser.rebase(40);
    const std::string rest = request.substr(40) + "\x80";
    REQUIRE(parser.parse(rest.data(), rest.size()) == ParseStatus::kDone);
    CHECK(parser.position() == request.size() - 40);
    const BinaryRequestView view = parser.view(rest.data());
    CHECK(view.refusal == BinaryStatus::kOutOfMemory);
    CHECK(view.opcode == 0x11);
    CHECK(view.opaque == 9);
}

TEST_CASE("memcached binary request: another magic ends it") {
    for (const std::string bytes : {"get k\r\n", "\x81", "\r\n"}) {
        CHECK(see(bytes, 1).status == ParseStatus::kBad);
    }
    CHECK(see("", 1).status == ParseStatus::kNeedMore);
    CHECK(see("\x80", 1).status == ParseStatus::kNeedMore);
}

}  // namespace
