// SPDX-License-Identifier: Apache-2.0
// fnv1a_64, the default key hash, inline for the request path.
//
// Same value as the registry's row of that name, without the call through a pointer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmaster::hash {

// Despite the name only the low 32 bits of FNV-1a-64 are kept; the multiplier's high half never
// reaches them. Bytes are sign-extended (compat: nutcracker on x86; tests/golden/hash.tsv).
inline uint32_t fnv1a_64(const char* data, size_t size_bytes) noexcept {
    uint32_t hash = 0x84222325U;
    for (size_t i = 0; i < size_bytes; ++i) {
        hash ^= static_cast<uint32_t>(static_cast<signed char>(data[i]));
        hash *= 0x1b3U;
    }
    return hash;
}

}  // namespace ringmaster::hash
