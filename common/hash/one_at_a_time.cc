// SPDX-License-Identifier: Apache-2.0
#include "common/hash/functions.h"

namespace ringmaster::hash {

uint32_t one_at_a_time(const char* data, size_t size_bytes) noexcept {
    uint32_t hash = 0;
    for (size_t i = 0; i < size_bytes; ++i) {
        hash += signed_byte(data[i]);
        hash += hash << 10;
        hash ^= hash >> 6;
    }
    hash += hash << 3;
    hash ^= hash >> 11;
    hash += hash << 15;
    return hash;
}

}  // namespace ringmaster::hash
