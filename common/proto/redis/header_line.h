// SPDX-License-Identifier: Apache-2.0
// Reads the length of a header line ("*N", "$N"): shared by the parsers, not for others.
//
// Decides at the first byte that cannot be right, so a verdict never depends on where the input was
// cut. Strict as Redis: no sign, no leading zero, no space, CRLF.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "common/base/inline.h"
#include "common/proto/parse_status.h"

namespace ringmaster::proto::redis {

inline bool is_crlf(const char* at) noexcept {
    return std::memcmp(at, "\r\n", 2) == 0;  // one comparison of two bytes
}

// `at` is the byte behind the type byte. On kDone `at` is behind the CRLF; else it is as it was.
// kTooBig as soon as the digits are more than `max`, which must be below 2^60.
inline ParseStatus read_length(const char*& at, const char* end, uint64_t max,
                               uint64_t& value) noexcept {
    const char* byte = at;
    if (byte == end) {
        return ParseStatus::kNeedMore;
    }
    unsigned digit = static_cast<unsigned char>(*byte) - unsigned{'0'};
    if (digit > 9) {
        return ParseStatus::kBad;
    }
    value = digit;
    ++byte;
    while (byte != end && value != 0) {
        digit = static_cast<unsigned char>(*byte) - unsigned{'0'};
        if (digit > 9) {
            break;
        }
        value = value * 10 + digit;
        if (value > max) {
            return ParseStatus::kTooBig;
        }
        ++byte;
    }
    if (byte == end) {
        return ParseStatus::kNeedMore;
    }
    if (byte[0] != '\r') {
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

// The same for one to three digits, without looking for the end of the input: five bytes from `at`
// on must be there. The length, and `at` is behind the CRLF; or kNoLength, which says nothing about
// the bytes.
inline constexpr size_t kNoLength = SIZE_MAX;
// The type byte, those five, and one to spare: a bulk string of one byte is that long.
inline constexpr ptrdiff_t kShortHeaderBytes = 7;

inline constexpr uint32_t kCrLfWord = 0x0a0d;

RM_INLINE inline size_t read_short_length(const char*& at) noexcept {
    const auto digit = [](char byte) { return static_cast<unsigned char>(byte) - unsigned{'0'}; };
    if constexpr (std::endian::native == std::endian::little) {  // one or two digits at one look
        uint32_t four = 0;
        std::memcpy(&four, at, sizeof four);
        const uint32_t first = (four & 0xff) - '0';
        if ((four & 0xffff00) == kCrLfWord << 8 && first <= 9) {
            at += 3;
            return first;
        }
        const uint32_t second = (four >> 8 & 0xff) - '0';
        if (four >> 16 == kCrLfWord && first - 1 <= 8 && second <= 9) {
            at += 4;
            return first * 10 + second;
        }
    }
    const char* byte = at;
    size_t length = digit(*byte);
    if (length > 9) {
        return kNoLength;
    }
    ++byte;
    unsigned next = digit(*byte);
    if (next <= 9) {
        if (length == 0) {
            return kNoLength;
        }
        length = length * 10 + next;
        ++byte;
        next = digit(*byte);
        if (next <= 9) {
            length = length * 10 + next;
            ++byte;
        }
    }
    if (!is_crlf(byte)) {
        return kNoLength;
    }
    at = byte + 2;
    return length;
}

}  // namespace ringmaster::proto::redis
