// SPDX-License-Identifier: Apache-2.0
// Feeds a parser piecewise. At each feed the bytes that have arrived lie in a fresh buffer of
// exactly their size, so that a sanitizer sees a read beyond them and a parser that keeps pointers.
#pragma once

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "common/proto/memcached/request_parser.h"
#include "common/proto/parse_status.h"

namespace ringmaster::proto::memcached {

template <class Visit>
void for_each_feed_size(Visit&& visit) {
    for (const size_t feed_bytes : {100000U, 1000U, 100U, 10U, 5U, 2U, 1U}) {
        CAPTURE(feed_bytes);
        visit(feed_bytes);
    }
}

inline std::unique_ptr<char[]> exact_copy(std::string_view bytes) {
    std::unique_ptr<char[]> copy(new char[bytes.size()]);
    if (!bytes.empty()) {
        std::memcpy(copy.get(), bytes.data(), bytes.size());
    }
    return copy;
}

// Parses one message from the front of `bytes`; `buffer` keeps what the parser saw last. The whole
// of `bytes` need not be fed: the parser may be done before.
template <class Parser>
ParseStatus feed(Parser& parser, std::string_view bytes, size_t feed_bytes,
                 std::unique_ptr<char[]>& buffer) {
    for (size_t arrived = 0;;) {
        arrived = std::min(arrived + feed_bytes, bytes.size());
        buffer = exact_copy(bytes.substr(0, arrived));
        const ParseStatus status = parser.parse(buffer.get(), arrived);
        if (status != ParseStatus::kNeedMore) {
            if (status == ParseStatus::kDone) {
                CHECK(parser.position() <= arrived);
            }
            return status;
        }
        CHECK(parser.bytes_needed() > arrived);
        if (arrived == bytes.size()) {
            return status;
        }
    }
}

// What became of one request, in strings of its own.
struct Parsed {
    ParseStatus status = ParseStatus::kNeedMore;
    size_t bytes = 0;
    std::string command;
    std::string key;
    std::string argument;
    uint32_t key_count = 0;
    bool noreply = false;
    Quiet quiet = Quiet::kNo;
    bool key_is_base64 = false;
    std::string error;    // error_reply, or the problem after kBad or kTooBig
    std::string forward;  // forward_head and forward_rest
};

inline Parsed parse_request(std::string_view bytes, size_t feed_bytes) {
    RequestParser parser;
    std::unique_ptr<char[]> buffer;
    Parsed parsed;
    CHECK(parser.at_start());
    parsed.status = feed(parser, bytes, feed_bytes, buffer);
    if (parsed.status == ParseStatus::kNeedMore) {
        return parsed;
    }
    if (parsed.status != ParseStatus::kDone) {
        parsed.error = parser.problem();
        return parsed;
    }
    const RequestView view = parser.view(buffer.get());
    CHECK(view.bytes == bytes.substr(0, parser.position()));
    parsed.bytes = parser.position();
    parsed.command = view.command == nullptr ? "" : std::string(view.command->name);
    parsed.key = view.key;
    parsed.argument = view.argument;
    parsed.key_count = view.key_count;
    parsed.noreply = view.noreply;
    parsed.quiet = view.quiet;
    parsed.key_is_base64 = view.key_is_base64;
    parsed.error = view.error_reply;
    parsed.forward = std::string(view.forward_head) + std::string(view.forward_rest);
    return parsed;
}

}  // namespace ringmaster::proto::memcached
