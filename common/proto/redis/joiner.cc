// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/joiner.h"

#include <algorithm>
#include <charconv>

#include "common/base/assert.h"
#include "common/proto/limits.h"
#include "common/proto/redis/header_line.h"
#include "common/proto/redis/reply_parser.h"

namespace ringmaster::proto::redis {
namespace {

constexpr std::string_view kInvalid = "-ERR Invalid argument\r\n";
constexpr std::string_view kNullBulk = "$-1\r\n";

void append_number(std::string& to, int64_t number) {
    char digits[24];
    to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// An integer reply. from_chars knows no '+', and says when the number is beyond int64_t.
bool read_integer_reply(std::string_view reply, int64_t& number) noexcept {
    if (reply.size() < 4 || reply[0] != ':' || !reply.ends_with("\r\n")) {
        return false;
    }
    const size_t sign = reply[1] == '+' && reply[2] != '-' ? 1 : 0;
    const char* const end = reply.data() + reply.size() - 2;
    const auto [behind, error] = std::from_chars(reply.data() + 1 + sign, end, number);
    return error == std::errc() && behind == end;
}

// Attributes say something about a fragment's reply, not about the joined one: they are dropped.
std::string_view without_attributes(std::string_view reply) noexcept {
    while (reply.starts_with('|'))
        [[unlikely]] {
            const char* at = reply.data() + 1;
            uint64_t pairs = 0;
            if (read_length(at, reply.data() + reply.size(), kMaxPendingElements / 2, pairs) !=
                ParseStatus::kDone) {
                return {};
            }
            reply.remove_prefix(static_cast<size_t>(at - reply.data()));
            for (uint64_t left = 2 * pairs; left > 0; --left) {
                ReplyParser element(Protocol::kResp3);
                if (element.parse(reply.data(), reply.size()) != ParseStatus::kDone) {
                    return {};
                }
                reply.remove_prefix(element.position());
            }
        }
    return reply;
}

}  // namespace

bool Joiner::fail(std::string_view error_line) {
    head_ = error_line;
    fragment_of_key_ = {};
    return false;
}

bool Joiner::begin(JoinPolicy policy, std::span<const std::string_view> replies,
                   std::span<const uint32_t> fragment_of_key, std::span<size_t> cursors) {
    RM_ASSERT(!replies.empty());
    head_.clear();
    replies_ = replies;
    fragment_of_key_ = {};
    cursors_ = cursors;
    next_key_ = 0;
    for (const std::string_view whole : replies) {
        const std::string_view reply = without_attributes(whole);
        if (reply.starts_with('-') || reply.starts_with('!')) {
            return fail(reply);
        }
    }
    switch (policy) {
        case JoinPolicy::kFirst:
            head_ = replies.front();
            return true;
        case JoinPolicy::kSum:
            return sum(replies);
        case JoinPolicy::kAllSucceeded:
            for (const std::string_view reply : replies) {
                if (without_attributes(reply) != "+OK\r\n") {
                    return fail(kInvalid);
                }
            }
            head_ = "+OK\r\n";
            return true;
        case JoinPolicy::kArray:
            fragment_of_key_ = fragment_of_key;
            return begin_array();
    }
    return fail(kInvalid);
}

bool Joiner::sum(std::span<const std::string_view> replies) {
    int64_t total = 0;
    for (const std::string_view reply : replies) {
        int64_t number = 0;
        if (!read_integer_reply(without_attributes(reply), number) ||
            __builtin_add_overflow(total, number, &total)) {
            return fail(kInvalid);
        }
    }
    head_ = ":";
    append_number(head_, total);
    head_ += "\r\n";
    return true;
}

bool Joiner::begin_array() {
    RM_ASSERT(cursors_.size() >= replies_.size());
    // The cursors first count the keys of their fragment, then stand at its first element.
    std::fill(cursors_.begin(), cursors_.end(), size_t{0});
    for (const uint32_t fragment : fragment_of_key_) {
        RM_ASSERT(fragment < replies_.size());
        ++cursors_[fragment];
    }
    for (size_t i = 0; i < replies_.size(); ++i) {
        const std::string_view reply = without_attributes(replies_[i]);
        if (!reply.starts_with('*')) {
            return fail(kInvalid);
        }
        const char* at = reply.data() + 1;
        uint64_t count = 0;
        if (read_length(at, reply.data() + reply.size(), kMaxArguments, count) !=
                ParseStatus::kDone ||
            count != cursors_[i]) {
            return fail(kInvalid);
        }
        cursors_[i] = static_cast<size_t>(at - replies_[i].data());
    }
    head_ = "*";
    append_number(head_, static_cast<int64_t>(fragment_of_key_.size()));
    head_ += "\r\n";
    return true;
}

bool Joiner::next_piece(std::string_view& piece) noexcept {
    if (next_key_ >= fragment_of_key_.size()) {
        return false;
    }
    const uint32_t fragment = fragment_of_key_[next_key_++];
    const std::string_view rest = replies_[fragment].substr(cursors_[fragment]);
    ReplyParser element(Protocol::kResp3);  // which takes all of RESP2
    if (element.parse(rest.data(), rest.size()) != ParseStatus::kDone) {
        // Only when the reply was not a whole one: the framing towards the client must hold.
        RM_DEBUG_ASSERT(false);
        cursors_[fragment] = replies_[fragment].size();
        piece = kNullBulk;
        return true;
    }
    piece = rest.substr(0, element.position());
    cursors_[fragment] += piece.size();
    return true;
}

}  // namespace ringmaster::proto::redis
