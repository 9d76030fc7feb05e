// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/meta_line.h"

#include <array>

#include "common/base/assert.h"
#include "common/proto/memcached/command_line.h"
#include "common/proto/memcached/words.h"

namespace ringmaster::proto::memcached {
namespace {

constexpr const char* kTooManyFlags = "CLIENT_ERROR options flags too long\r\n";

constexpr uint8_t kNoDigit = 64;

constexpr std::array<uint8_t, 256> base64_digits() noexcept {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::array<uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (size_t i = 0; i < kAlphabet.size(); ++i) {
        digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
    }
    return digits;
}

constexpr std::array<uint8_t, 256> kDigits = base64_digits();

}  // namespace

MetaLine::MetaLine(const Command& command, std::string_view rest) noexcept : key(take_word(rest)) {
    if (command.shape == Shape::kMetaSet) {
        count = take_word(rest);
    }
    for (std::string_view flag = take_word(rest); !flag.empty(); flag = take_word(rest)) {
        take_flag(command, flag);
    }
}

void MetaLine::take_flag(const Command& command, std::string_view flag) noexcept {
    ++flags;
    switch (flag.front()) {
        case 'b':
            // me has only this one, as its first word and alone in it.
            is_base64 |= command.shape != Shape::kMetaDebug || (flags == 1 && flag.size() == 1);
            break;
        case 'q':
            // Twice is an error, which the server is to see.
            quiet = command.shape == Shape::kMetaGet && quiet == Quiet::kNo ? Quiet::kMiss
                                                                            : Quiet::kFenced;
            quiet_flag = flag;
            break;
        default:
            break;
    }
}

const char* MetaLine::problem_or_null(const Command& command) const noexcept {
    if (key.empty()) {
        return command.shape == Shape::kMetaDebug ? kBadFormat : kError;
    }
    if (key.size() > kMaxMemcachedKeyBytes) {
        return kBadFormat;
    }
    if (command.shape == Shape::kMetaSet) {
        return !is_digits(count) ? kBadFormat : flags > kMaxSetFlags ? kTooManyFlags : nullptr;
    }
    return nullptr;
}

// What is no digit is skipped, and nothing is read behind the first group with a '=', as the
// server does; where in its group that '=' stands does not matter to it.
std::string_view decode_meta_key(std::string_view text,
                                 std::span<char, kMaxMemcachedKeyBytes> room) noexcept {
    RM_DEBUG_ASSERT(text.size() <= kMaxMemcachedKeyBytes);
    size_t digits = 0;
    for (const char c : text) {
        const bool counts = c == '=' || kDigits[static_cast<unsigned char>(c)] != kNoDigit;
        digits += counts ? 1U : 0U;
    }
    if (digits % 4 != 0) {
        return {};
    }
    size_t size = 0;
    size_t in_group = 0;
    size_t padding = 0;
    uint32_t group = 0;
    for (const char c : text) {
        const uint8_t digit = kDigits[static_cast<unsigned char>(c)];
        if (c != '=' && digit == kNoDigit) {
            continue;
        }
        padding += c == '=' ? 1U : 0U;
        group = (group << 6) | (c == '=' ? 0U : digit);
        if (++in_group < 4) {
            continue;
        }
        if (padding > 2) {
            return {};
        }
        room[size] = static_cast<char>(group >> 16);
        room[size + 1] = static_cast<char>(group >> 8);
        room[size + 2] = static_cast<char>(group);
        size += 3 - padding;
        if (padding > 0) {
            break;
        }
        in_group = 0;
        group = 0;
    }
    return {room.data(), size};
}

}  // namespace ringmaster::proto::memcached
