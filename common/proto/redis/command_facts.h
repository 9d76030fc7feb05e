// SPDX-License-Identifier: Apache-2.0
// What COMMAND tells of each command that the proxy allows, beyond what the proxy itself needs
// (commands.h).
//
// Facts are a server's own answers (arity, flags, categories, key flags, group, since: Redis
// 7.0.15, of later commands 7.4); the summaries and the syntax are ours. Unit tests hold it against
// commands.h, system tests against the installed server.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ringmaster::proto::redis {

struct CommandFacts {
    std::string_view name;  // lower case
    int8_t arity = 0;       // the server's, which may be more than the proxy asks for
    std::string_view group;
    std::string_view since;
    std::string_view flags;       // words
    std::string_view categories;  // words, without '@'
    // For each key specification the words of its flags; '|' stands between two of them. The last
    // one is for all further keys. A first word "?" says that nobody knows where these keys stand,
    // WORD@n that it is behind that word, from argument n on.
    std::string_view key_flags;
    // Arguments, a word each: [x] may be left out, x... may come again, x~y come together, UPPER is
    // a word to be written, UPPER:x one with a value behind it, A|B one of several.
    std::string_view syntax;
    std::string_view summary;
    std::string_view tips = {};  // words: what COMMAND tells clients that split over a cluster
};

// Null for a command without.
const CommandFacts* command_facts_or_null(std::string_view name);

// The rows, a file each.
std::span<const CommandFacts> facts_of_strings() noexcept;      // and of keys of any type
std::span<const CommandFacts> facts_of_collections() noexcept;  // hashes, lists, sets
std::span<const CommandFacts> facts_of_sorted_sets() noexcept;  // and of places and streams
std::span<const CommandFacts> facts_of_server() noexcept;       // and of scripts and connections

}  // namespace ringmaster::proto::redis
