// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "common/hash/functions.h"

namespace ringmaster::hash {
namespace {

using Table = std::array<uint32_t, 256>;

// CRC-16/XMODEM: polynomial 0x1021, most significant bit first.
constexpr Table make_crc16_table() {
    Table table{};
    for (uint32_t byte = 0; byte < table.size(); ++byte) {
        uint32_t remainder = byte << 8;
        for (int bit = 0; bit < 8; ++bit) {
            const bool carry = (remainder & 0x8000U) != 0;
            remainder = (remainder << 1) & 0xffffU;
            remainder ^= carry ? 0x1021U : 0U;
        }
        table[byte] = remainder;
    }
    return table;
}

// CRC-32/ISO-HDLC (zlib's): the reflected polynomial, least significant bit first.
constexpr Table make_crc32_table() {
    Table table{};
    for (uint32_t byte = 0; byte < table.size(); ++byte) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; ++bit) {
            const bool carry = (remainder & 1U) != 0;
            remainder >>= 1;
            remainder ^= carry ? 0xedb88320U : 0U;
        }
        table[byte] = remainder;
    }
    return table;
}

constexpr Table kCrc16Table = make_crc16_table();
constexpr Table kCrc32Table = make_crc32_table();

}  // namespace

// Compat: nutcracker never masks to 16 bits, so that from the second byte on bits 16..31 hold what
// was shifted out, and take part in the placement.
uint32_t crc16(const char* data, size_t size_bytes) noexcept {
    uint32_t crc = 0;
    for (size_t i = 0; i < size_bytes; ++i) {
        crc = (crc << 8) ^ kCrc16Table[((crc >> 8) ^ unsigned_byte(data[i])) & 0xffU];
    }
    return crc;
}

uint32_t crc32a(const char* data, size_t size_bytes) noexcept {
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < size_bytes; ++i) {
        crc = (crc >> 8) ^ kCrc32Table[(crc ^ unsigned_byte(data[i])) & 0xffU];
    }
    return ~crc;
}

// Compat: 15 bits, as libmemcached has it. With ketama nearly every key then meets the first ring
// point, so one server gets everything; kept, because that is where the keys of such a pool live.
uint32_t crc32(const char* data, size_t size_bytes) noexcept {
    return (crc32a(data, size_bytes) >> 16) & 0x7fffU;
}

}  // namespace ringmaster::hash
