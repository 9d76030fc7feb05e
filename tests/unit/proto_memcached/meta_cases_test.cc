// SPDX-License-Identifier: Apache-2.0
// Holds the parsers against meta_cases.jsonl: what memcached 1.6.18 answers to meta commands.
#include <array>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/memcached/meta_line.h"
#include "common/proto/memcached/reply_parser.h"
#include "feed.h"
#include "recorded.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

// memcached goes on in the middle of the data block and answers that, too; we take it whole.
const std::set<std::string> kTakesBlock = {"long key ms", "17 flags", "ms chunk long",
                                           "ms chunk long q"};

std::string decoded(const std::string& text) {
    std::array<char, kMaxMemcachedKeyBytes> room;
    return std::string(decode_meta_key(text, room));
}

std::string take_reply(std::string& replies, const Parsed& request, size_t feed_bytes) {
    ReplyParser parser;
    const std::string raw = request.key_is_base64 ? decoded(request.key) : "";
    parser.expect_raw_key(raw);
    std::unique_ptr<char[]> buffer;
    if (feed(parser, replies, feed_bytes, buffer) != ParseStatus::kDone) {
        return "";
    }
    std::string reply = replies.substr(0, parser.position());
    replies.erase(0, parser.position());
    return reply;
}

void check_case(const std::string& label, std::string request, std::string direct,
                size_t feed_bytes) {
    const Parsed parsed = parse_request(request, feed_bytes);
    REQUIRE(parsed.status == ParseStatus::kDone);
    CHECK(parsed.bytes == request.size());
    if (parsed.command == "mn") {
        CHECK(direct == "MN\r\n");
    } else if (!parsed.error.empty()) {
        CHECK(direct.starts_with(parsed.error));
        CHECK((direct == parsed.error || kTakesBlock.contains(label)));
    } else if (!direct.empty()) {
        CHECK(!take_reply(direct, parsed, feed_bytes).empty());
        CHECK(direct.empty());
    } else {
        CHECK(parsed.quiet != Quiet::kNo);
    }
}

}  // namespace

TEST_CASE("memcached meta: agrees with memcached on every recorded case") {
    std::ifstream file(RM_GOLDEN_DIR "/meta_cases.jsonl");
    int cases = 0;
    for (std::string line; std::getline(file, line); ++cases) {
        const std::string label = text_field(line, "label");
        CAPTURE(label);
        for_each_feed_size([&](size_t feed_bytes) {
            check_case(label, hex_field(line, "request_hex"), hex_field(line, "direct_reply_hex"),
                       feed_bytes);
        });
    }
    CHECK(cases == 146);
}

TEST_CASE("memcached meta: a key in base64 stands for the key that a server makes of it") {
    // The recorded replies show the server's own encoding of it.
    std::ifstream file(RM_GOLDEN_DIR "/meta_cases.jsonl");
    int cases = 0;
    for (std::string line; std::getline(file, line);) {
        if (!text_field(line, "label").starts_with("base64 ")) {
            continue;
        }
        ++cases;
        CAPTURE(line);
        const std::string text = parse_request(hex_field(line, "request_hex"), 1000).key;
        const std::string reply = hex_field(line, "direct_reply_hex");
        const bool is_refused = reply.starts_with("CLIENT_ERROR");
        CHECK(decoded(text).empty() == is_refused);
        if (!is_refused) {
            const size_t from = reply.find(" k") + 2;
            CHECK(decoded(text) == decoded(reply.substr(from, reply.find(' ', from) - from)));
        }
    }
    CHECK(cases == 28);
    CHECK(decoded("Zm9v") == "foo");
    CHECK(decoded("Zm9vYg==") == "foob");
    CHECK(decoded("AAD/") == std::string("\0\0\xff", 3));
    CHECK(decoded("") == "");
    const std::string longest(248, 'A');
    CHECK(decoded(longest) == std::string(186, '\0'));
}
