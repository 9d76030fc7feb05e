// SPDX-License-Identifier: Apache-2.0
// Words, numbers and VALUE blocks: what the memcached codecs of this folder share.
//
// Pure, inline, allocates nothing. Only a space separates words (a tab does not, as in memcached).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/base/inline.h"
#include "common/proto/limits.h"

namespace ringmaster::proto::memcached {

inline constexpr std::string_view kCrLf = "\r\n";

// Cuts the next word off `rest`; empty when none is left.
inline std::string_view take_word(std::string_view& rest) noexcept {
    const char* at = rest.data();
    const char* const end = at + rest.size();
    while (at != end && *at == ' ') {
        ++at;
    }
    if (at == end) {
        rest = {};
        return {};
    }
    const auto left = static_cast<size_t>(end - at);
    const auto* stop = static_cast<const char*>(std::memchr(at, ' ', left));
    if (stop == nullptr) {
        stop = end;
    }
    rest = {stop, static_cast<size_t>(end - stop)};
    return {at, static_cast<size_t>(stop - at)};
}

inline bool is_digits(std::string_view word) noexcept {
    return !word.empty() &&
           std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// False unless `word` is decimal digits only and fits.
inline bool parse_number(std::string_view word, uint64_t& number) noexcept {
    uint64_t value = 0;
    for (const char c : word) {
        if (c < '0' || c > '9') {
            return false;
        }
        const auto digit = static_cast<uint64_t>(c - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    number = value;
    return !word.empty();
}

// `word` is a constant: one or two comparisons of words. g++ calls memcmp() for some lengths that
// are no power of two, hence the overlap.
RM_INLINE inline bool begins_with(const char* at, size_t size, std::string_view word) noexcept {
    constexpr size_t kHalf = sizeof(uint32_t);
    if (size < word.size()) {
        return false;
    }
    if (word.size() > kHalf && word.size() < 2 * kHalf) {
        const size_t rest = word.size() - kHalf;
        return std::memcmp(at, word.data(), kHalf) == 0 &&
               std::memcmp(at + rest, word.data() + rest, kHalf) == 0;
    }
    return std::memcmp(at, word.data(), word.size()) == 0;
}

// One space and up to six digits: `at` is behind them. Else false.
RM_INLINE inline bool read_short_number(const char*& at, const char* end, size_t& number) noexcept {
    if (end - at < 8 || *at != ' ') {
        return false;
    }
    const char* const first = at + 1;
    const char* byte = first;
    size_t value = 0;
    for (; byte != first + 6; ++byte) {
        const unsigned digit = static_cast<unsigned char>(*byte) - unsigned{'0'};
        if (digit > 9) {
            break;
        }
        value = value * 10 + digit;
    }
    number = value;
    at = byte;
    return byte != first;
}

// One bit set in each byte of eight that is below `limit` (at most 0x80) or is 0x7f. The lowest
// bit set is exact; those above it may be false alarms, as a borrow went through.
inline uint64_t marks_below_or_del(uint64_t bytes, uint64_t limit) noexcept {
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kHigh = kOnes * 0x80;
    const uint64_t del = bytes ^ (kOnes * 0x7f);
    return (((bytes - kOnes * limit) & ~bytes) | ((del - kOnes) & ~del)) & kHigh;
}

inline uint64_t load_eight(const char* at) noexcept {
    uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof(bytes));
    return bytes;
}

// True if a byte is below 0x20 or is 0x7f. Eight bytes a step.
inline bool has_control_byte(std::string_view text) noexcept {
    if (text.size() < sizeof(uint64_t)) {
        return std::any_of(text.begin(), text.end(), [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte < 0x20 || byte == 0x7f;
        });
    }
    const char* const last = text.data() + text.size() - sizeof(uint64_t);
    for (const char* at = text.data(); at < last; at += sizeof(uint64_t)) {
        if (marks_below_or_del(load_eight(at), 0x20) != 0) {
            return true;
        }
    }
    return marks_below_or_del(load_eight(last), 0x20) != 0;
}

// The first byte in [at, end) that no key or flag can have (below 0x21 or 0x7f); `end` when there
// is none. For words of few bytes, as flags are.
RM_INLINE inline const char* find_flag_end(const char* at, const char* end) noexcept {
    for (; at != end; ++at) {
        const auto byte = static_cast<unsigned char>(*at);
        if (byte < 0x21 || byte == 0x7f) {
            break;
        }
    }
    return at;
}

// The same. Eight bytes a step.
RM_INLINE inline const char* find_key_end(const char* at, const char* end) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
        for (; end - at >= 8; at += 8) {
            const uint64_t marks = marks_below_or_del(load_eight(at), 0x21);
            if (marks != 0) {
                return at + std::countr_zero(marks) / 8;
            }
        }
    }
    return find_flag_end(at, end);
}

// Reads "VALUE key flags bytes [cas]" (no line end). False when it is anything else or too big.
inline bool parse_value_line(std::string_view line, uint64_t& value_bytes) noexcept {
    uint64_t ignored = 0;
    constexpr std::string_view kMark = "VALUE ";
    if (!line.starts_with(kMark)) {
        return false;
    }
    line.remove_prefix(kMark.size());
    const std::string_view key = take_word(line);
    if (key.empty() || key.size() > kMaxMemcachedKeyBytes) {
        return false;
    }
    if (!parse_number(take_word(line), ignored) || !parse_number(take_word(line), value_bytes)) {
        return false;
    }
    const std::string_view cas = take_word(line);
    if (!cas.empty() && !parse_number(cas, ignored)) {
        return false;
    }
    return take_word(line).empty() && value_bytes <= kMaxMemcachedValueBytes;
}

// The end of the value of most VALUE blocks there are: one space between the words, no cas, a value
// below a million bytes that is there. Null says nothing about the bytes.
RM_INLINE inline const char* plain_value_end_or_null(const char* begin, const char* end) noexcept {
    constexpr std::string_view kMark = "VALUE ";
    if (!begins_with(begin, static_cast<size_t>(end - begin), kMark)) {
        return nullptr;
    }
    const char* const key = begin + kMark.size();
    const char* at = find_key_end(key, end);
    size_t flags = 0;
    size_t value_bytes = 0;
    if (at == key || static_cast<size_t>(at - key) > kMaxMemcachedKeyBytes ||
        !read_short_number(at, end, flags) || !read_short_number(at, end, value_bytes) ||
        !begins_with(at, static_cast<size_t>(end - at), kCrLf)) {
        return nullptr;
    }
    at += kCrLf.size();
    return value_bytes <= static_cast<size_t>(end - at) ? at + value_bytes : nullptr;
}

// The length of the VALUE line, value and CRLF at the front of `text`; 0 when there is no whole
// one.
inline size_t value_block_bytes(std::string_view text) noexcept {
    const char* const text_end = text.data() + text.size();
    const char* const plain_end = plain_value_end_or_null(text.data(), text_end);
    if (plain_end != nullptr &&
        begins_with(plain_end, static_cast<size_t>(text_end - plain_end), kCrLf)) {
        return static_cast<size_t>(plain_end - text.data()) + kCrLf.size();
    }
    const size_t newline = text.substr(0, kMaxMemcachedLineBytes).find('\n');
    if (newline == std::string_view::npos || newline == 0 || text[newline - 1] != '\r') {
        return 0;
    }
    uint64_t value_bytes = 0;
    if (!parse_value_line(text.substr(0, newline - 1), value_bytes)) {
        return 0;
    }
    const size_t value_end = newline + 1 + static_cast<size_t>(value_bytes);
    if (text.size() < value_end + 2 || text[value_end] != '\r' || text[value_end + 1] != '\n') {
        return 0;
    }
    return value_end + 2;
}

}  // namespace ringmaster::proto::memcached
