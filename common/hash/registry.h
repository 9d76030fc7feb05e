// SPDX-License-Identifier: Apache-2.0
// The twelve key hashes a pool may name, one row each.
//
// Pure. All arithmetic is modulo 2^32; values are bit for bit those of nutcracker 0.5.0 on x86,
// sign extension and unmasked bits included, because they decide where keys already live.
// Source: nutcracker `hash:` directive; vectors in tests/golden/hash.tsv.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringmaster::hash {

// `data` may be null when `size_bytes` is 0.
using HashFunction = uint32_t (*)(const char* data, size_t size_bytes) noexcept;

struct HashRow {
    std::string_view name;
    HashFunction function;
};

// In the order nutcracker documents them.
std::span<const HashRow> all_hashes() noexcept;

// Exact, case-sensitive; null when there is no such hash.
const HashRow* find_hash_or_null(std::string_view name) noexcept;

inline constexpr std::string_view kDefaultHash = "fnv1a_64";

}  // namespace ringmaster::hash
