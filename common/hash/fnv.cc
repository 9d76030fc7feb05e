// SPDX-License-Identifier: Apache-2.0
#include "common/hash/fnv.h"

#include "common/hash/functions.h"

namespace ringmaster::hash {
namespace {

// The low halves of the 64-bit offset basis and prime: see fnv.h.
constexpr uint32_t kBasis64 = 0x84222325U;
constexpr uint32_t kPrime64 = 0x1b3U;
constexpr uint32_t kBasis32 = 2166136261U;
constexpr uint32_t kPrime32 = 16777619U;

uint32_t multiply_then_xor(uint32_t hash, uint32_t prime, const char* data,
                           size_t size_bytes) noexcept {
    for (size_t i = 0; i < size_bytes; ++i) {
        hash *= prime;
        hash ^= signed_byte(data[i]);
    }
    return hash;
}

}  // namespace

uint32_t fnv1_64(const char* data, size_t size_bytes) noexcept {
    return multiply_then_xor(kBasis64, kPrime64, data, size_bytes);
}

uint32_t fnv1_32(const char* data, size_t size_bytes) noexcept {
    return multiply_then_xor(kBasis32, kPrime32, data, size_bytes);
}

uint32_t fnv1a_32(const char* data, size_t size_bytes) noexcept {
    uint32_t hash = kBasis32;
    for (size_t i = 0; i < size_bytes; ++i) {
        hash ^= signed_byte(data[i]);
        hash *= kPrime32;
    }
    return hash;
}

}  // namespace ringmaster::hash
