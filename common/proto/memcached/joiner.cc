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
    forget_blocks();
    for (size_t i = 0; i < replies.size(); ++i) {
        cursors_[i] = block_ends_.size();
        if (fragment_of_key.empty() ? replies[i] != kOk : !find_blocks(replies[i])) {
            error_ = error_line(replies[i]);
            ended_ = true;
            return false;
        }
    }
    return true;
}

// A request of many keys must not keep its memory for ever.
void Joiner::forget_blocks() {
    if (block_ends_.capacity() > kKeptBlocks) {
        block_ends_ = {};
    }
    block_ends_.clear();
}

// False unless `reply` is VALUE blocks and END. What was noted of it then is never used.
bool Joiner::find_blocks(std::string_view reply) {
    size_t at = 0;
    for (std::string_view rest = reply; rest != kEnd; rest = reply.substr(at)) {
        const size_t block_bytes = value_block_bytes(rest);
        if (block_bytes == 0) {
            return false;
        }
        at += block_bytes;
        block_ends_.push_back(at);
    }
    block_ends_.push_back(kNoMoreBlocks);
    return true;
}

bool Joiner::next_piece(std::string_view& piece) noexcept {
    if (ended_) {
        return false;
    }
    while (next_key_ < fragment_of_key_.size()) {
        const uint32_t fragment = fragment_of_key_[next_key_++];
        RM_ASSERT(fragment < replies_.size());
        size_t& block = cursors_[fragment];
        const size_t end = block_ends_[block];
        if (end != kNoMoreBlocks) {
            const bool is_first = block == 0 || block_ends_[block - 1] == kNoMoreBlocks;
            const size_t begin = is_first ? 0 : block_ends_[block - 1];
            piece = replies_[fragment].substr(begin, end - begin);
            ++block;
            return true;
        }
    }
    ended_ = true;
    piece = fragment_of_key_.empty() ? kOk : kEnd;
    return true;
}

}  // namespace ringmaster::proto::memcached
