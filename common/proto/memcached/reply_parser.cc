// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/reply_parser.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "common/base/assert.h"
#include "common/proto/limits.h"
#include "common/proto/memcached/command_line.h"
#include "common/proto/memcached/meta_line.h"
#include "common/proto/memcached/words.h"

namespace ringmaster::proto::memcached {
namespace {

bool is_number_line(std::string_view line) noexcept {
    const size_t last = line.find_last_not_of(' ');
    uint64_t number = 0;
    return last != std::string_view::npos && parse_number(line.substr(0, last + 1), number);
}

bool is_line_reply(std::string_view line) noexcept {
    if (line.empty()) {
        return false;
    }
    if (line.front() >= '0' && line.front() <= '9') {
        return is_number_line(line);
    }
    for (const std::string_view word :
         {"STORED", "NOT_STORED", "END", "NOT_FOUND", "DELETED", "EXISTS", "TOUCHED", "OK"}) {
        if (line == word) {
            return true;
        }
    }
    for (const std::string_view word : {"ERROR", "CLIENT_ERROR", "SERVER_ERROR", "VERSION"}) {
        if (line.starts_with(word)) {
            return line.size() == word.size() || line[word.size()] == ' ';
        }
    }
    return false;
}

bool is_meta_line_reply(std::string_view line) noexcept {
    for (const std::string_view word : {"HD", "EN", "NF", "NS", "EX"}) {
        if (line.starts_with(word)) {
            return line.size() == word.size() || line[word.size()] == ' ';
        }
    }
    return line.starts_with("ME ");
}

// "VA bytes [flags]", no line end.
bool parse_meta_value_line(std::string_view line, uint64_t& value_bytes) noexcept {
    constexpr std::string_view kMark = "VA ";
    if (!line.starts_with(kMark)) {
        return false;
    }
    line.remove_prefix(kMark.size());
    return parse_number(take_word(line), value_bytes) && value_bytes <= kMaxMemcachedValueBytes;
}

// `at` is behind the length of a VA.
const char* behind_flags_or_null(const char* at, const char* end) noexcept {
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    return newline != nullptr && newline[-1] == '\r' && *at == ' ' ? newline + 1 : nullptr;
}

}  // namespace

size_t ReplyParser::whole_reply_bytes(const char* begin, size_t size) noexcept {
    constexpr std::string_view kEnd = "END\r\n";
    constexpr std::string_view kStored = "STORED\r\n";
    constexpr std::string_view kBehindLastValue = "\r\nEND\r\n";
    const char* const end = begin + size;
    const char* at = begin;
    while (const char* const value_end = plain_value_end_or_null(at, end)) {
        const auto left = static_cast<size_t>(end - value_end);
        if (begins_with(value_end, left, kBehindLastValue)) [[likely]] {
            return static_cast<size_t>(value_end - begin) + kBehindLastValue.size();
        }
        if (!begins_with(value_end, left, kCrLf)) {
            return 0;
        }
        at = value_end + kCrLf.size();
    }
    if (at != begin || size < kEnd.size() || *begin == 'V') {  // most likely VA
        return 0;
    }
    return begins_with(begin, size, kEnd)      ? kEnd.size()
           : begins_with(begin, size, kStored) ? kStored.size()
                                               : 0;
}

size_t ReplyParser::whole_meta_reply_bytes(const char* begin, size_t size) noexcept {
    constexpr std::string_view kValue = "VA ";
    constexpr std::string_view kDone = "HD\r\n";
    constexpr std::string_view kMiss = "EN\r\n";
    if (!begins_with(begin, size, kValue)) {
        return begins_with(begin, size, kDone) || begins_with(begin, size, kMiss) ? kDone.size()
                                                                                  : 0;
    }
    const char* const end = begin + size;
    const char* at = begin + kValue.size() - 1;
    size_t length = 0;
    if (!read_short_number(at, end, length)) {
        return 0;
    }
    const char* value = at + kCrLf.size();
    if (!begins_with(at, static_cast<size_t>(end - at), kCrLf)) {
        value = behind_flags_or_null(at, begin + std::min(size, kMaxMemcachedLineBytes));
    }
    if (value == nullptr) {
        return 0;
    }
    const auto left = static_cast<size_t>(end - value);
    if (length > left || !begins_with(value + length, left - length, kCrLf)) {
        return 0;
    }
    return static_cast<size_t>(value - begin) + length + kCrLf.size();
}

ParseStatus ReplyParser::parse(const char* begin, size_t size) noexcept {
    for (;;) {
        const size_t from = position_;
        const ParseStatus status = parse_one(begin, size);
        if (status != ParseStatus::kDone || !fenced_) {
            return status;
        }
        const std::string_view line(begin + from, position_ - from);
        if (line == kFenceReply || (line == kError && !at_fence_)) {
            return ParseStatus::kDone;
        }
        if (at_fence_) {
            return ParseStatus::kBad;
        }
        at_fence_ = true;
        in_values_ = false;
        in_meta_value_ = false;
    }
}

ParseStatus ReplyParser::parse_one(const char* begin, size_t size) noexcept {
    for (;;) {
        if (crlf_due_) {
            if (size < position_ + 2) {
                needed_ = position_ + 2;
                return ParseStatus::kNeedMore;
            }
            if (begin[position_] != '\r' || begin[position_ + 1] != '\n') {
                return ParseStatus::kBad;
            }
            position_ += 2;
            crlf_due_ = false;
            if (in_meta_value_) {
                return ParseStatus::kDone;
            }
        }
        std::string_view line;
        if (const ParseStatus status = find_line(begin, size, line); status != ParseStatus::kDone) {
            return status;
        }
        uint64_t value_bytes = 0;
        if (line.starts_with("VALUE ") && parse_value_line(line, value_bytes)) {
            in_values_ = true;
        } else if (!in_values_ && parse_meta_value_line(line, value_bytes)) {
            in_meta_value_ = true;
        } else {
            const bool is_end = in_values_ ? line == "END"
                                           : is_line_reply(line) || is_meta_line_reply(line) ||
                                                 (fenced_ && line == "MN");
            return is_end ? ParseStatus::kDone : ParseStatus::kBad;
        }
        crlf_due_ = true;
        position_ += static_cast<size_t>(value_bytes);
    }
}

// A whole line without its end; position_ is behind that.
ParseStatus ReplyParser::find_line(const char* begin, size_t size,
                                   std::string_view& line) noexcept {
    if (size <= position_) {
        needed_ = position_ + 1;
        return ParseStatus::kNeedMore;
    }
    const char* const at = begin + position_;
    const size_t window = std::min(size - position_, kMaxMemcachedLineBytes);
    const size_t skipped = raw_key_.empty() ? 0 : bytes_to_raw_key_end({at, window});
    const auto* newline =
        skipped >= window
            ? nullptr
            : static_cast<const char*>(std::memchr(at + skipped, '\n', window - skipped));
    if (newline == nullptr) {
        needed_ = size + 1;
        return window == kMaxMemcachedLineBytes ? ParseStatus::kTooBig : ParseStatus::kNeedMore;
    }
    if (newline == at || newline[-1] != '\r') {
        return ParseStatus::kBad;
    }
    line = {at, static_cast<size_t>(newline - 1 - at)};
    position_ += line.size() + 2;
    raw_key_ = {};
    has_begun_ = true;
    return ParseStatus::kDone;
}

// `text` begins with the first line. 0: the key is not there as it is. All of `text`: it may be,
// but has not wholly arrived.
size_t ReplyParser::bytes_to_raw_key_end(std::string_view text) const noexcept {
    constexpr std::string_view kDebug = "ME ";
    constexpr std::string_view kKeyFlag = " k";
    const size_t newline = text.find('\n');
    const size_t flag = text.find(kKeyFlag);
    const bool is_debug = text.starts_with(kDebug);
    if (newline == std::string_view::npos || (!is_debug && flag >= newline)) {
        return 0;
    }
    const size_t from = is_debug ? kDebug.size() : flag + kKeyFlag.size();
    const std::string_view rest = text.substr(from);
    return rest.starts_with(raw_key_)   ? from + raw_key_.size()
           : raw_key_.starts_with(rest) ? text.size()
                                        : 0;
}

void ReplyParser::rebase(size_t bytes_taken) noexcept {
    RM_ASSERT(bytes_taken <= position_);
    position_ -= bytes_taken;
    needed_ = needed_ > bytes_taken ? needed_ - bytes_taken : 1;
}

}  // namespace ringmaster::proto::memcached
