// SPDX-License-Identifier: Apache-2.0
// The memcached ASCII command table: one row a command.
//
// Source: memcached's protocol.txt; which commands nutcracker forwards is in
// tests/golden/memcache_cases.jsonl.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ringmaster::proto::memcached {

enum class Shape : uint8_t {
    kRetrieval,   // get, gets: one or more keys; gat, gats: an exptime before them
    kStorage,     // key flags exptime bytes [cas] [noreply], then the data block
    kArithmetic,  // incr, decr: key delta [noreply]
    kTouch,       // key exptime [noreply]
    kDelete,      // key [0] [noreply]
    kFlushAll,    // [delay] [noreply]: for every server
    kVersion,     // for any server
    kVerbosity,   // level [ignored] [noreply]: answered here
    kStats,       // [what]: answered here
    kQuit,
    kMetaGet,    // mg: key flags
    kMetaSet,    // ms: key bytes flags, then the data block
    kMeta,       // md, ma: key flags
    kMetaDebug,  // me: key [b]
    kMetaNoop,   // mn: answered here, behind all that was asked before
    kConfig,     // config get cluster, ElastiCache's: answered here
    kRefused,    // for the server as a machine; what differs from unknown: noreply, shutdown's text
};

struct Command {
    std::string_view name;
    Shape shape;
    bool has_cas = false;        // the line carries a cas unique
    bool has_exptime = false;    // retrieval: the first word is an exptime, the keys follow
    bool takes_noreply = false;  // its last word may be noreply
    uint8_t count_word = 0;  // which word (the name is 0) counts the data block's bytes; 0 = none
};

std::span<const Command> all_commands() noexcept;
// Case-sensitive, as memcached; null when unknown.
const Command* find_command_or_null(std::string_view name) noexcept;

}  // namespace ringmaster::proto::memcached
