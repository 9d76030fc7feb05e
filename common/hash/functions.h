// SPDX-License-Identifier: Apache-2.0
// Internal to common/hash: the functions the registry lists, and how they read bytes.
//
// Everyone else finds a hash by name (registry.h). `data` may be null when `size_bytes` is 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmaster::hash {

uint32_t one_at_a_time(const char* data, size_t size_bytes) noexcept;
uint32_t md5_word(const char* data, size_t size_bytes) noexcept;
uint32_t crc16(const char* data, size_t size_bytes) noexcept;
uint32_t crc32(const char* data, size_t size_bytes) noexcept;
uint32_t crc32a(const char* data, size_t size_bytes) noexcept;
uint32_t fnv1_64(const char* data, size_t size_bytes) noexcept;
uint32_t fnv1_32(const char* data, size_t size_bytes) noexcept;
uint32_t fnv1a_32(const char* data, size_t size_bytes) noexcept;
uint32_t hsieh(const char* data, size_t size_bytes) noexcept;
uint32_t murmur(const char* data, size_t size_bytes) noexcept;
uint32_t jenkins(const char* data, size_t size_bytes) noexcept;

// A byte as 0..255.
inline uint32_t unsigned_byte(char byte) noexcept {
    return static_cast<unsigned char>(byte);
}

// A byte as x86's signed char, widened: what nutcracker's older hashes do to bytes >= 0x80. Spelled
// out so that machines whose char is unsigned place keys alike.
inline uint32_t signed_byte(char byte) noexcept {
    return static_cast<uint32_t>(static_cast<signed char>(byte));
}

// Two or four bytes, least significant first, on any machine.
inline uint32_t little_endian_16(const char* data) noexcept {
    return unsigned_byte(data[0]) | unsigned_byte(data[1]) << 8;
}
inline uint32_t little_endian_32(const char* data) noexcept {
    return little_endian_16(data) | little_endian_16(data + 2) << 16;
}

}  // namespace ringmaster::hash
