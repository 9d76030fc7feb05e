// SPDX-License-Identifier: Apache-2.0
// The words of one command line, and what a server would say is wrong with them.
//
// For the request parser, not for others. Pure. Retrieval lines have any number of words and are
// not for Words, and meta lines are MetaLine's; everything else is.
//
// Source: the order of the checks, the texts and noreply's rules are memcached 1.6.18's, observed
// (tests/golden/memcache_cases.jsonl).
#pragma once

#include <cstddef>
#include <string_view>

#include "common/proto/memcached/commands.h"
#include "common/proto/memcached/words.h"

namespace ringmaster::proto::memcached {

inline constexpr const char* kError = "ERROR\r\n";
inline constexpr const char* kBadFormat = "CLIENT_ERROR bad command line format\r\n";
inline constexpr const char* kBadExptime = "CLIENT_ERROR invalid exptime argument\r\n";

struct Words {
    // A line has at most 7 words; the one more shows that there were too many.
    static constexpr size_t kMost = 8;

    std::string_view words[kMost];  // words[0] is the command's name
    size_t count = 0;
    bool count_is_right = false;
    bool noreply = false;  // the client wants no reply, not even an error

    // `rest` is the line behind the command's name.
    Words(const Command& command, std::string_view name, std::string_view rest) noexcept;
    // How many words a server is to get: without noreply and what servers ignore.
    [[nodiscard]] size_t needed(const Command& command) const noexcept;
    // Null = the line is good.
    [[nodiscard]] const char* problem_or_null(const Command& command) const noexcept;

  private:
    [[nodiscard]] const char* key_problem_or_null() const noexcept;
    [[nodiscard]] bool are_numbers_right(const Command& command) const noexcept;  // of storage
    [[nodiscard]] bool is_delete_right() const noexcept;
};

// What `stats` (binary: stat) may be asked for, or nothing.
bool is_stats_group(std::string_view what) noexcept;

// Digits with or without a '-', within 64 bits.
bool is_signed_number(std::string_view word) noexcept;

}  // namespace ringmaster::proto::memcached
