// SPDX-License-Identifier: Apache-2.0
// Any bytes as the replies to a split get's fragments. Input: a byte of fragment count, a byte that
// seeds the keys, then the replies, separated by 0xff. What is joined is one whole reply, with at
// most one value a key.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/assert.h"
#include "common/base/rng.h"
#include "common/proto/memcached/joiner.h"
#include "common/proto/memcached/reply_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    using namespace ringmaster;
    using namespace ringmaster::proto;
    using namespace ringmaster::proto::memcached;
    if (size_bytes < 2) {
        return 0;
    }
    const auto fragment_count = static_cast<uint32_t>(1 + data[0] % 8);
    base::Rng rng(data[1]);
    std::string_view rest(reinterpret_cast<const char*>(data) + 2, size_bytes - 2);
    std::vector<std::string_view> replies;
    for (uint32_t i = 0; i < fragment_count; ++i) {
        const std::string_view reply = rest.substr(0, rest.find('\xff'));
        replies.push_back(reply);
        rest.remove_prefix(reply.size() < rest.size() ? reply.size() + 1 : reply.size());
    }
    std::vector<uint32_t> fragment_of_key(rng.below(20));  // no keys: a flush_all
    for (uint32_t& fragment : fragment_of_key) {
        fragment = rng.below(fragment_count);
    }
    std::vector<size_t> cursors(replies.size());
    Joiner joiner;
    std::string joined;
    if (joiner.begin(replies, fragment_of_key, cursors)) {
        size_t pieces = 0;
        for (std::string_view piece; joiner.next_piece(piece); ++pieces) {
            joined += piece;
        }
        RM_ASSERT(pieces >= 1);
        RM_ASSERT(pieces <= fragment_of_key.size() + 1);
        RM_ASSERT(joined.ends_with(fragment_of_key.empty() ? "OK\r\n" : "END\r\n"));
    } else {
        joined = joiner.error();
        RM_ASSERT(joined.find("_ERROR") != std::string::npos);
        RM_ASSERT(joined.find('\n') + 1 == joined.size());
        // A server's own text is passed on, however long; the reply parser has bounded it before.
        if (joined.size() > 2048) {
            return 0;
        }
    }
    ReplyParser parser;
    RM_ASSERT(parser.parse(joined.data(), joined.size()) == ParseStatus::kDone);
    RM_ASSERT(parser.position() == joined.size());
    return 0;
}
