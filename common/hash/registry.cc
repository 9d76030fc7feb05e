// SPDX-License-Identifier: Apache-2.0
#include "common/hash/registry.h"

#include "common/hash/fnv.h"
#include "common/hash/functions.h"

namespace ringmaster::hash {
namespace {

// A new row also needs vectors in tests/golden/hash.tsv; a test fails otherwise.
constexpr HashRow kRows[] = {
    {.name = "one_at_a_time", .function = one_at_a_time},
    {.name = "md5", .function = md5_word},
    {.name = "crc16", .function = crc16},
    {.name = "crc32", .function = crc32},
    {.name = "crc32a", .function = crc32a},
    {.name = "fnv1_64", .function = fnv1_64},
    {.name = "fnv1a_64", .function = fnv1a_64},
    {.name = "fnv1_32", .function = fnv1_32},
    {.name = "fnv1a_32", .function = fnv1a_32},
    {.name = "hsieh", .function = hsieh},
    {.name = "murmur", .function = murmur},
    {.name = "jenkins", .function = jenkins},
};

}  // namespace

std::span<const HashRow> all_hashes() noexcept {
    return kRows;
}

const HashRow* find_hash_or_null(std::string_view name) noexcept {
    for (const HashRow& row : kRows) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

}  // namespace ringmaster::hash
