// SPDX-License-Identifier: Apache-2.0
#include "common/hash/md5.h"

#include <bit>
#include <cstddef>
#include <cstring>

#include "common/hash/functions.h"

namespace ringmaster::hash {
namespace {

constexpr size_t kBlockBytes = 64;

// floor(2^32 * |sin(i + 1)|), from RFC 1321.
constexpr std::array<uint32_t, 64> kSines = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

// Left rotations, four per round, used in turn.
constexpr uint8_t kRotations[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

using State = std::array<uint32_t, 4>;

void add_block(State& state, const char* block) noexcept {
    std::array<uint32_t, 16> words;
    for (size_t i = 0; i < words.size(); ++i) {
        words[i] = little_endian_32(block + 4 * i);
    }
    auto [a, b, c, d] = state;
    for (size_t i = 0; i < kSines.size(); ++i) {
        const size_t round = i / 16;
        uint32_t mixed = 0;
        size_t word = 0;
        if (round == 0) {
            mixed = (b & c) | (~b & d);
            word = i;
        } else if (round == 1) {
            mixed = (b & d) | (c & ~d);
            word = (5 * i + 1) % 16;
        } else if (round == 2) {
            mixed = b ^ c ^ d;
            word = (3 * i + 5) % 16;
        } else {
            mixed = c ^ (b | ~d);
            word = (7 * i) % 16;
        }
        const uint32_t sum = a + mixed + kSines[i] + words[word];
        a = d;
        d = c;
        c = b;
        b += std::rotl(sum, kRotations[round][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

}  // namespace

std::array<uint8_t, 16> md5(std::string_view text) noexcept {
    State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    const uint64_t length_bits = uint64_t{text.size()} * 8;
    for (; text.size() >= kBlockBytes; text.remove_prefix(kBlockBytes)) {
        add_block(state, text.data());
    }

    // The rest, a 1 bit, zeros, and the length in the last eight bytes of one or two blocks.
    char last[2 * kBlockBytes] = {};
    if (!text.empty()) {
        std::memcpy(last, text.data(), text.size());
    }
    last[text.size()] = static_cast<char>(0x80);
    const size_t padded_bytes = text.size() < kBlockBytes - 8 ? kBlockBytes : 2 * kBlockBytes;
    for (size_t i = 0; i < 8; ++i) {
        last[padded_bytes - 8 + i] = static_cast<char>(length_bits >> (8 * i));
    }
    for (size_t offset = 0; offset < padded_bytes; offset += kBlockBytes) {
        add_block(state, last + offset);
    }

    std::array<uint8_t, 16> digest;
    for (size_t i = 0; i < digest.size(); ++i) {
        digest[i] = static_cast<uint8_t>(state[i / 4] >> (8 * (i % 4)));
    }
    return digest;
}

uint32_t md5_word(const char* data, size_t size_bytes) noexcept {
    const std::array<uint8_t, 16> digest = md5(std::string_view(data, size_bytes));
    return digest[0] | uint32_t{digest[1]} << 8 | uint32_t{digest[2]} << 16 |
           uint32_t{digest[3]} << 24;
}

}  // namespace ringmaster::hash
