// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/reply_parser.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "common/base/assert.h"
#include "common/proto/limits.h"
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

}  // namespace

size_t ReplyParser::whole_reply_bytes(const char* begin, size_t size) noexcept {
    constexpr std::string_view kEnd = "END\r\n";
    constexpr std::string_view kStored = "STORED\r\n";
    const char* const end = begin + size;
    if (begins_with(begin, size, kStored)) {
        return kStored.size();
    }
    for (const char* at = begin;;) {
        if (begins_with(at, static_cast<size_t>(end - at), kEnd)) {
            return static_cast<size_t>(at - begin) + kEnd.size();
        }
        const size_t block_bytes = plain_value_block_bytes(at, end);
        if (block_bytes == 0) {
            return 0;
        }
        at += block_bytes;
    }
}

ParseStatus ReplyParser::parse(const char* begin, size_t size) noexcept {
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
        }
        if (size <= position_) {
            needed_ = position_ + 1;
            return ParseStatus::kNeedMore;
        }
        const char* const at = begin + position_;
        const size_t window = std::min(size - position_, kMaxMemcachedLineBytes);
        const auto* newline = static_cast<const char*>(std::memchr(at, '\n', window));
        if (newline == nullptr) {
            needed_ = size + 1;
            return window == kMaxMemcachedLineBytes ? ParseStatus::kTooBig : ParseStatus::kNeedMore;
        }
        if (newline == at || newline[-1] != '\r') {
            return ParseStatus::kBad;
        }
        const std::string_view line(at, static_cast<size_t>(newline - 1 - at));
        const size_t behind_line = position_ + line.size() + 2;
        if (!line.starts_with("VALUE ")) {
            if (in_values_ ? line != "END" : !is_line_reply(line)) {
                return ParseStatus::kBad;
            }
            position_ = behind_line;
            return ParseStatus::kDone;
        }
        uint64_t value_bytes = 0;
        if (!parse_value_line(line, value_bytes)) {
            return ParseStatus::kBad;
        }
        in_values_ = true;
        crlf_due_ = true;
        position_ = behind_line + static_cast<size_t>(value_bytes);
    }
}

void ReplyParser::rebase(size_t bytes_taken) noexcept {
    RM_ASSERT(bytes_taken <= position_);
    position_ -= bytes_taken;
    needed_ = needed_ > bytes_taken ? needed_ - bytes_taken : 1;
}

}  // namespace ringmaster::proto::memcached
