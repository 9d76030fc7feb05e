// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace bench {

// FNV-1a, 64 bits wide, without its weakest bits.
std::uint32_t hash_of(std::string_view key);

// Where the message that starts at `at` ends; nullptr if it is cut by `end`. `key` becomes the
// first key of a request. What is read is believed: no limits, no checks.
const char* redis_end(const char* at, const char* end, std::string_view& key);
const char* memcached_end(const char* at, const char* end, std::string_view& key, bool is_reply);

}  // namespace bench
