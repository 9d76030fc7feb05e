// SPDX-License-Identifier: Apache-2.0
// Reads the length of a header line ("*N", "$N"): shared by the parsers, not for others.
//
// Decides at the first byte that cannot be right, so a verdict never depends on where the input was
// cut. Strict as Redis: no sign, no leading zero, no space, CRLF.
#pragma once

#include <cstdint>

#include "common/proto/parse_status.h"

namespace ringmaster::proto::redis {

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

inline bool is_crlf(const char* at) noexcept {
    return at[0] == '\r' && at[1] == '\n';
}

}  // namespace ringmaster::proto::redis
