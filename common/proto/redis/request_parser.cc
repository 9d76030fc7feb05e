// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/request_parser.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/proto/limits.h"
#include "common/proto/redis/header_line.h"

namespace ringmaster::proto::redis {
namespace {

constexpr const char* kLongLine = "Protocol error: too big inline request";
constexpr const char* kBadCount = "Protocol error: invalid multibulk length";
constexpr const char* kTooMany = "Protocol error: too many arguments";
constexpr const char* kNotABulk = "Protocol error: expected '$'";
constexpr const char* kBadLength = "Protocol error: invalid bulk length";
constexpr const char* kTooLong = "Protocol error: bulk string is too long";
constexpr const char* kNoEnd = "Protocol error: expected CRLF behind a bulk string";

}  // namespace

ParseStatus RequestParser::need(size_t bytes) noexcept {
    needed_ = bytes;
    return ParseStatus::kNeedMore;
}

ParseStatus RequestParser::fail(ParseStatus status, const char* bad, const char* too_big) noexcept {
    problem_ = status == ParseStatus::kTooBig ? too_big : bad;
    return status;
}

ParseStatus RequestParser::parse(const char* begin, size_t size) noexcept {
    const char* const end = begin + size;
    if (arguments_total_ == 0) {
        if (size == 0) {
            return need(1);
        }
        if (*begin != '*') {
            return parse_line(begin, size);
        }
        const char* at = begin + 1;
        uint64_t count = 0;
        const ParseStatus status = read_length(at, end, kMaxArguments, count);
        if (status == ParseStatus::kNeedMore) {
            return need(size + 1);
        }
        if (status != ParseStatus::kDone) {
            return fail(status, kBadCount, kTooMany);
        }
        if (count == 0) {
            return fail(ParseStatus::kBad, kBadCount, nullptr);
        }
        arguments_total_ = static_cast<uint32_t>(count);
        position_ = static_cast<size_t>(at - begin);
    }
    while (true) {
        if (in_payload_) {
            if (size < position_ + 2) {
                return need(position_ + 2);
            }
            if (!is_crlf(begin + position_)) {
                return fail(ParseStatus::kBad, kNoEnd, nullptr);
            }
            position_ += 2;
            in_payload_ = false;
            if (++arguments_seen_ == arguments_total_) {
                return ParseStatus::kDone;
            }
        }
        if (position_ >= size) {
            return need(position_ + 1);
        }
        const char* at = begin + position_;
        if (*at != '$') {
            return fail(ParseStatus::kBad, kNotABulk, nullptr);
        }
        ++at;
        uint64_t length = 0;
        const ParseStatus status = read_length(at, end, kMaxBulkBytes, length);
        if (status == ParseStatus::kNeedMore) {
            return need(size + 1);
        }
        if (status != ParseStatus::kDone) {
            return fail(status, kBadLength, kTooLong);
        }
        position_ = static_cast<size_t>(at - begin);
        if (arguments_seen_ < RequestView::kFirstArguments) {
            // Fewer arguments than these stand before it.
            static_assert(kMaxBulkBytes < UINT32_MAX / RequestView::kFirstArguments);
            first_offset_[arguments_seen_] = static_cast<uint32_t>(position_);
            first_length_[arguments_seen_] = static_cast<uint32_t>(length);
        }
        position_ += length;
        in_payload_ = true;
    }
}

bool RequestParser::parse_whole(const char* begin, size_t size, RequestView& view) noexcept {
    const char* const end = begin + size;
    // "*N\r\n" and one argument of one byte are 11 bytes.
    if (size < 11 || begin[0] != '*') {
        return false;
    }
    const char* at = begin + 1;
    const size_t last = read_short_length(at) - 1;
    if (last > 998) {  // also 0 and kNoLength
        return false;
    }
    for (size_t i = 0;; ++i) {
        if (end - at < kShortHeaderBytes || *at != '$') {
            return false;
        }
        ++at;
        const size_t length = read_short_length(at);
        if (length >= static_cast<size_t>(end - at)) {  // also kNoLength
            return false;
        }
        if (i < RequestView::kFirstArguments) {
            view.arguments[i] = std::string_view(at, length);
        }
        at += length;
        if (end - at < 2 || !is_crlf(at)) {
            return false;
        }
        at += 2;
        if (i == last) {
            break;
        }
    }
    view.bytes = std::string_view(begin, static_cast<size_t>(at - begin));
    view.argument_count = static_cast<uint32_t>(last + 1);
    const std::string_view name = view.arguments[0];
    // Behind a name that is not the last argument come CRLF and at least seven bytes more.
    view.command = name.size() <= 8 && last > 0
                       ? find_short_command_or_null(name.data(), name.size())
                       : find_command_or_null(name);
    return true;
}

// A verdict must not depend on the cut: a line is too long when its first kMaxInlineBytes hold no
// end, also when the end has arrived with them.
ParseStatus RequestParser::parse_line(const char* begin, size_t size) noexcept {
    is_inline_ = true;
    const size_t window = std::min(size, kMaxInlineBytes);
    const void* const found = std::memchr(begin + position_, '\n', window - position_);
    if (found != nullptr) {
        position_ = static_cast<size_t>(static_cast<const char*>(found) - begin) + 1;
        return ParseStatus::kDone;
    }
    position_ = window;
    if (window == kMaxInlineBytes) {
        return fail(ParseStatus::kTooBig, nullptr, kLongLine);
    }
    return need(size + 1);
}

std::string_view RequestParser::line(const char* begin) const noexcept {
    RM_DEBUG_ASSERT(is_inline_);
    RM_DEBUG_ASSERT(position_ > 0);
    size_t size = position_ - 1;
    if (size > 0 && begin[size - 1] == '\r') {
        --size;
    }
    return {begin, size};
}

RequestView RequestParser::view(const char* begin) const noexcept {
    RM_DEBUG_ASSERT(arguments_total_ > 0);
    RM_DEBUG_ASSERT(arguments_seen_ == arguments_total_);
    RequestView request;
    request.bytes = std::string_view(begin, position_);
    request.argument_count = arguments_total_;
    const uint32_t kept = std::min(arguments_total_, RequestView::kFirstArguments);
    for (uint32_t i = 0; i < kept; ++i) {
        request.arguments[i] = std::string_view(begin + first_offset_[i], first_length_[i]);
    }
    request.command = find_command_or_null(request.arguments[0]);
    return request;
}

ArgumentCursor::ArgumentCursor(std::string_view request) noexcept
    : at_(request.data()), end_(request.data() + request.size()) {
    uint64_t count = 0;
    if (at_ == end_ || read_length(++at_, end_, kMaxArguments, count) != ParseStatus::kDone) {
        at_ = end_;
    }
}

bool ArgumentCursor::next(std::string_view& argument, std::string_view& raw) noexcept {
    const char* const header = at_;
    uint64_t length = 0;
    if (at_ == end_ || read_length(++at_, end_, kMaxBulkBytes, length) != ParseStatus::kDone ||
        static_cast<size_t>(end_ - at_) < length + 2) {
        at_ = end_;
        return false;
    }
    argument = std::string_view(at_, length);
    at_ += length + 2;
    raw = std::string_view(header, static_cast<size_t>(at_ - header));
    return true;
}

}  // namespace ringmaster::proto::redis
