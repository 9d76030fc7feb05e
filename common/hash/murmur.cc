// SPDX-License-Identifier: Apache-2.0
#include "common/hash/functions.h"

namespace ringmaster::hash {

// MurmurHash2, 32 bits. Compat: the seed depends on the length.
uint32_t murmur(const char* data, size_t size_bytes) noexcept {
    constexpr uint32_t kMultiplier = 0x5bd1e995U;
    const auto length = static_cast<uint32_t>(size_bytes);
    uint32_t hash = (0xdeadbeefU * length) ^ length;
    for (; size_bytes >= 4; size_bytes -= 4, data += 4) {
        uint32_t word = little_endian_32(data);
        word *= kMultiplier;
        word ^= word >> 24;
        word *= kMultiplier;
        hash *= kMultiplier;
        hash ^= word;
    }
    if (size_bytes >= 3) {
        hash ^= unsigned_byte(data[2]) << 16;
    }
    if (size_bytes >= 2) {
        hash ^= unsigned_byte(data[1]) << 8;
    }
    if (size_bytes >= 1) {
        hash ^= unsigned_byte(data[0]);
        hash *= kMultiplier;
    }
    hash ^= hash >> 13;
    hash *= kMultiplier;
    hash ^= hash >> 15;
    return hash;
}

}  // namespace ringmaster::hash
