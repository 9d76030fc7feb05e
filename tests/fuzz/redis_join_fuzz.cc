// SPDX-License-Identifier: Apache-2.0
// Any whole replies as the fragments of a split request: what the joiner gives the client is one
// reply, whatever the servers said.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/assert.h"
#include "common/proto/redis/joiner.h"
#include "common/proto/redis/reply_parser.h"

// Byte 0: the policy; byte 1: keys; then a byte a key: its fragment; then the replies.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
    using namespace ringmaster::proto;
    using namespace ringmaster::proto::redis;
    if (size_bytes < 2) {
        return 0;
    }
    constexpr JoinPolicy kPolicies[] = {JoinPolicy::kFirst, JoinPolicy::kArray, JoinPolicy::kSum,
                                        JoinPolicy::kAllSucceeded};
    const JoinPolicy policy = kPolicies[data[0] % 4];
    const size_t key_count = data[1] % 16;
    if (size_bytes < 2 + key_count) {
        return 0;
    }
    std::string_view rest(reinterpret_cast<const char*>(data) + 2 + key_count,
                          size_bytes - 2 - key_count);
    std::vector<std::string_view> replies;
    ReplyParser parser(Protocol::kResp3);
    while (replies.size() < 8 && parser.parse(rest.data(), rest.size()) == ParseStatus::kDone &&
           !parser.is_push()) {
        replies.push_back(rest.substr(0, parser.position()));
        rest.remove_prefix(parser.position());
        parser.reset();
    }
    if (replies.empty()) {
        return 0;
    }
    std::vector<uint32_t> fragment_of_key;
    for (size_t i = 0; i < key_count; ++i) {
        fragment_of_key.push_back(static_cast<uint32_t>(data[2 + i] % replies.size()));
    }
    std::vector<size_t> cursors(replies.size());
    Joiner joiner;
    const bool good = joiner.begin(policy, replies, fragment_of_key, cursors);
    std::string joined(joiner.head());
    std::string_view piece;
    size_t pieces = 0;
    while (joiner.next_piece(piece)) {
        joined += piece;
        ++pieces;
    }
    RM_ASSERT(good || (pieces == 0 && (joined.starts_with('-') || joined.starts_with('!'))));
    RM_ASSERT(!good || policy != JoinPolicy::kArray || pieces == key_count);
    parser.reset();
    RM_ASSERT(parser.parse(joined.data(), joined.size()) == ParseStatus::kDone);
    RM_ASSERT(parser.position() == joined.size());
    return 0;
}
