// SPDX-License-Identifier: Apache-2.0
#include "common/hash/functions.h"

namespace ringmaster::hash {

// SuperFastHash. Compat: starts from 0 (not from the length), and the last byte of a tail of three
// is signed while that of a tail of one is not.
uint32_t hsieh(const char* data, size_t size_bytes) noexcept {
    if (size_bytes == 0) {
        return 0;
    }
    uint32_t hash = 0;
    for (; size_bytes >= 4; size_bytes -= 4, data += 4) {
        hash += little_endian_16(data);
        const uint32_t mixed = (little_endian_16(data + 2) << 11) ^ hash;
        hash = (hash << 16) ^ mixed;
        hash += hash >> 11;
    }
    if (size_bytes == 3) {
        hash += little_endian_16(data);
        hash ^= hash << 16;
        hash ^= signed_byte(data[2]) << 18;
        hash += hash >> 11;
    } else if (size_bytes == 2) {
        hash += little_endian_16(data);
        hash ^= hash << 11;
        hash += hash >> 17;
    } else if (size_bytes == 1) {
        hash += unsigned_byte(data[0]);
        hash ^= hash << 10;
        hash += hash >> 1;
    }
    hash ^= hash << 3;
    hash += hash >> 5;
    hash ^= hash << 4;
    hash += hash >> 17;
    hash ^= hash << 25;
    hash += hash >> 6;
    return hash;
}

}  // namespace ringmaster::hash
