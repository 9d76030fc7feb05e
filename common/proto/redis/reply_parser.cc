// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/reply_parser.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/proto/limits.h"
#include "common/proto/redis/header_line.h"

namespace ringmaster::proto::redis {
namespace {

// An integer reply has at most the digits of an int64_t.
constexpr int kMaxIntegerDigits = 19;

// `at` is the byte behind ':'. On kDone it is behind the CRLF.
ParseStatus read_integer(const char*& at, const char* end) noexcept {
    const char* byte = at;
    if (byte != end && (*byte == '-' || *byte == '+')) {
        ++byte;
    }
    int digits = 0;
    while (byte != end && *byte >= '0' && *byte <= '9') {
        if (++digits > kMaxIntegerDigits) {
            return ParseStatus::kBad;
        }
        ++byte;
    }
    if (byte == end) {
        return ParseStatus::kNeedMore;
    }
    if (digits == 0 || byte[0] != '\r') {
        return ParseStatus::kBad;
    }
    if (end - byte < 2) {
        return ParseStatus::kNeedMore;
    }
    if (byte[1] != '\n') {
        return ParseStatus::kBad;
    }
    at = byte + 2;
    return ParseStatus::kDone;
}

}  // namespace

ParseStatus ReplyParser::need(size_t bytes) noexcept {
    needed_ = bytes;
    return ParseStatus::kNeedMore;
}

void ReplyParser::accept(size_t position) noexcept {
    position_ = position;
    started_ = true;
}

size_t ReplyParser::whole_reply_bytes(const char* begin, size_t size) noexcept {
    if (size < static_cast<size_t>(kShortHeaderBytes)) {
        // "+OK" and "$-1" are the only ones worth it.
        return size >= 5 && (std::memcmp(begin, "+OK\r\n", 5) == 0 ||
                             std::memcmp(begin, "$-1\r\n", 5) == 0)
                   ? 5
                   : 0;
    }
    const char* at = begin + 1;
    if (*begin == '$') [[likely]] {
        const size_t length = read_short_length(at);
        const auto left = static_cast<size_t>(begin + size - at);
        if (length < left && left - length >= 2 && is_crlf(at + length)) [[likely]] {
            return static_cast<size_t>(at - begin) + length + 2;
        }
    }
    if (*begin == ':') {
        return read_short_length(at) != kNoLength ? static_cast<size_t>(at - begin) : 0;
    }
    return std::memcmp(begin, "+OK\r\n", 5) == 0 || std::memcmp(begin, "$-1\r\n", 5) == 0 ? 5 : 0;
}

ParseStatus ReplyParser::parse(const char* begin, size_t size) noexcept {
    while (pending_ != 0) {
        if (in_payload_) {
            if (size < position_ + 2) {
                return need(position_ + 2);
            }
            if (!is_crlf(begin + position_)) {
                return ParseStatus::kBad;
            }
            in_payload_ = false;
            --pending_;
            accept(position_ + 2);
            continue;
        }
        if (position_ >= size) {
            return need(position_ + 1);
        }
        if (!in_line_) {
            const size_t bytes = whole_reply_bytes(begin + position_, size - position_);
            if (bytes > 0) {
                --pending_;
                accept(position_ + bytes);
                continue;
            }
        }
        const ParseStatus status =
            in_line_ ? parse_line_end(begin, size) : parse_element(begin, size);
        if (status == ParseStatus::kNeedMore) {
            return need(size + 1);
        }
        if (status != ParseStatus::kDone) {
            return status;
        }
    }
    return ParseStatus::kDone;
}

ParseStatus ReplyParser::parse_element(const char* begin, size_t size) noexcept {
    switch (begin[position_]) {
        case '+':
        case '-':
            return parse_line_end(begin, size);
        case ':': {
            const char* at = begin + position_ + 1;
            const ParseStatus status = read_integer(at, begin + size);
            if (status == ParseStatus::kDone) {
                --pending_;
                accept(static_cast<size_t>(at - begin));
            }
            return status;
        }
        case '$':
            return parse_bulk(begin, size);
        case '*':
            return parse_aggregate(begin, size, 1);
        default:
            return resp3_ ? parse_resp3_element(begin, size) : ParseStatus::kBad;
    }
}

ParseStatus ReplyParser::parse_resp3_element(const char* begin, size_t size) noexcept {
    const char* const at = begin + position_;
    const size_t there = size - position_;
    switch (*at) {
        case '_':
            return parse_exactly("_\r\n", begin, size);
        case '#':
            return parse_exactly(there > 1 && at[1] == 't' ? "#t\r\n" : "#f\r\n", begin, size);
        case ',':
        case '(':
            return parse_line_end(begin, size);
        case '!':
        case '=':
            return parse_bulk(begin, size);
        case '~':
            return parse_aggregate(begin, size, 1);
        case '%':
        case '|':
            return parse_aggregate(begin, size, 2);
        case '>':
            if (started_) {
                return ParseStatus::kBad;  // it is a message, never a part of one
            }
            return parse_aggregate(begin, size, 1);
        default:
            return ParseStatus::kBad;
    }
}

// What has but one form.
ParseStatus ReplyParser::parse_exactly(std::string_view text, const char* begin,
                                       size_t size) noexcept {
    const size_t there = std::min(size - position_, text.size());
    if (std::memcmp(begin + position_, text.data(), there) != 0) {
        return ParseStatus::kBad;
    }
    if (there < text.size()) {
        return ParseStatus::kNeedMore;
    }
    --pending_;
    accept(position_ + text.size());
    return ParseStatus::kDone;
}

// The byte at position_ is no newline: it is the type byte, or has been looked at.
ParseStatus ReplyParser::parse_line_end(const char* begin, size_t size) noexcept {
    const void* const found = std::memchr(begin + position_ + 1, '\n', size - position_ - 1);
    if (found == nullptr) {
        in_line_ = true;
        accept(size - 1);  // it may be the '\r'
        return ParseStatus::kNeedMore;
    }
    const char* const newline = static_cast<const char*>(found);
    if (newline[-1] != '\r') {
        return ParseStatus::kBad;
    }
    in_line_ = false;
    --pending_;
    accept(static_cast<size_t>(newline + 1 - begin));
    return ParseStatus::kDone;
}

ParseStatus ReplyParser::parse_bulk(const char* begin, size_t size) noexcept {
    const char* const end = begin + size;
    const char* at = begin + position_ + 1;
    if (begin[position_] == '$' && at != end && *at == '-') {
        return parse_exactly("$-1\r\n", begin, size);
    }
    uint64_t length = 0;
    const ParseStatus status = read_length(at, end, kMaxBulkBytes, length);
    if (status != ParseStatus::kDone) {
        return status;
    }
    in_payload_ = true;
    accept(static_cast<size_t>(at - begin) + length);
    return ParseStatus::kDone;
}

// `width`: elements for each one that is counted.
ParseStatus ReplyParser::parse_aggregate(const char* begin, size_t size, uint64_t width) noexcept {
    const char kind = begin[position_];
    const char* const end = begin + size;
    const char* at = begin + position_ + 1;
    if (kind == '*' && at != end && *at == '-') {
        return parse_exactly("*-1\r\n", begin, size);
    }
    uint64_t length = 0;
    const ParseStatus status = read_length(at, end, kMaxPendingElements / width, length);
    if (status != ParseStatus::kDone) {
        return status;
    }
    length *= width;
    const uint64_t itself = kind == '|' ? 0 : 1;  // what it belongs to is still to come
    if (pending_ - itself > kMaxPendingElements - length) {
        return ParseStatus::kTooBig;
    }
    pending_ += length - itself;
    is_push_ = is_push_ || kind == '>';
    accept(static_cast<size_t>(at - begin));
    return ParseStatus::kDone;
}

void ReplyParser::rebase(size_t bytes_taken) noexcept {
    RM_ASSERT(bytes_taken <= position_);
    position_ -= bytes_taken;
    needed_ -= std::min(needed_, bytes_taken);
}

}  // namespace ringmaster::proto::redis
