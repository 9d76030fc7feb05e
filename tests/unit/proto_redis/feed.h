// SPDX-License-Identifier: Apache-2.0
// Feeds a parser piece by piece. At every feed the bytes move to a fresh heap buffer of their exact
// size, so that a sanitizer sees any read beyond what has arrived, and a parser that kept a
// pointer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "common/proto/parse_status.h"
#include "common/proto/redis/request_parser.h"

namespace ringmaster::proto::redis::test {

inline constexpr size_t kFeedSizes[] = {100000, 1000, 100, 10, 5, 2, 1};

struct ExactCopy {
    explicit ExactCopy(std::string_view from) : bytes(new char[from.size()]), size(from.size()) {
        std::copy(from.begin(), from.end(), bytes.get());
    }
    std::unique_ptr<char[]> bytes;
    size_t size;
};

// Returns the last status; stops at the first that is not kNeedMore, or at the end of the input.
template <class Parser>
ParseStatus feed(Parser& parser, std::string_view input, size_t feed_size) {
    size_t size = 0;
    while (true) {
        size = std::min(size + feed_size, input.size());
        const ExactCopy copy(input.substr(0, size));
        const ParseStatus status = parser.parse(copy.bytes.get(), copy.size);
        if (status == ParseStatus::kNeedMore) {
            REQUIRE(parser.bytes_needed() > size);
        }
        if (status != ParseStatus::kNeedMore || size == input.size()) {
            return status;
        }
    }
}

// A request of these arguments.
template <class Arguments>
std::string request_of(const Arguments& arguments) {
    std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
    for (const std::string& argument : arguments) {
        bytes += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
    }
    return bytes;
}

// `bytes` must stay alive as long as the view.
inline RequestView view_of(const std::string& bytes) {
    RequestParser parser;
    REQUIRE(parser.parse(bytes.data(), bytes.size()) == ParseStatus::kDone);
    return parser.view(bytes.data());
}

}  // namespace ringmaster::proto::redis::test
