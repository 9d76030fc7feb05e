// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/joiner.h"

#include <algorithm>

#include "common/base/assert.h"
#include "common/proto/memcached/words.h"

namespace ringmaster::proto::memcached {
namespace {

constexpr std::string_view kEnd = "END\r\n";
constexpr std::string_view kOk = "OK\r\n";
constexpr std::string_view kInvalid = "SERVER_ERROR Invalid argument\r\n";

bool is_values_and_end(std::string_view reply) noexcept {
    while (reply != kEnd) {
        const size_t block_bytes = value_block_bytes(reply);
        if (block_bytes == 0) {
            return false;
        }
        reply.remove_prefix(block_bytes);
    }
    return true;
}

bool is_error_with_text(std::string_view line) noexcept {
    for (const std::string_view word : {"SERVER_ERROR", "CLIENT_ERROR"}) {
        if (line.starts_with(word)) {
            line.remove_prefix(word.size());
            return line.starts_with(' ') || line == "\r\n";
        }
    }
    return false;
}

// The line the client gets for a reply that is not the good one.
std::string_view error_line(std::string_view reply) noexcept {
    const bool is_one_line = reply.ends_with("\r\n") && reply.find('\n') + 1 == reply.size();
    return is_one_line && is_error_with_text(reply) ? reply : kInvalid;
}

}  // namespace

bool Joiner::begin(std::span<const std::string_view> replies,
                   std::span<const uint32_t> fragment_of_key, std::span<size_t> cursors) {
    RM_ASSERT(cursors.size() >= replies.size());
    error_.clear();
    replies_ = replies;
    fragment_of_key_ = fragment_of_key;
    cursors_ = cursors.first(replies.size());
    next_key_ = 0;
    ended_ = false;
    std::fill(cursors_.begin(), cursors_.end(), size_t{0});
    for (const std::string_view reply : replies) {
        if (fragment_of_key.empty() ? reply != kOk : !is_values_and_end(reply)) {
            error_ = error_line(reply);
            ended_ = true;
            return false;
        }
    }
    return true;
}

bool Joiner::next_piece(std::string_view& piece) noexcept {
    if (ended_) {
        return false;
    }
    while (next_key_ < fragment_of_key_.size()) {
        const uint32_t fragment = fragment_of_key_[next_key_++];
        RM_ASSERT(fragment < replies_.size());
        const std::string_view rest = replies_[fragment].substr(cursors_[fragment]);
        if (rest.size() > kEnd.size()) {
            const size_t block_bytes = value_block_bytes(rest);
            cursors_[fragment] += block_bytes;
            piece = rest.substr(0, block_bytes);
            return true;
        }
    }
    ended_ = true;
    piece = fragment_of_key_.empty() ? kOk : kEnd;
    return true;
}

}  // namespace ringmaster::proto::memcached
