// SPDX-License-Identifier: Apache-2.0
// The Redis command table: one row a command, in the server's own words.
//
// Everything the proxy knows of a command is in its row: arity, where its keys are, how it is split
// over shards and how the replies are joined. A command without a row is refused with an error line
// (fail closed); the connection stays open.
// Source: nutcracker's commands with their arity classes (tests/golden/redis_commands.tsv) and
// Redis 7.0's command specifications (arity, key specs, request_policy, response_policy).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringmaster::proto::redis {

// Where the keys stand. Positions count from 0 = the command's name.
struct KeySpec {
    enum class Kind : uint8_t {
        kNone,     // no key
        kRange,    // first, first+step, ... up to last (negative: counted from the end)
        kNumkeys,  // argument `first` says how many keys follow it
        kStreams,  // the first half of what stands behind the word STREAMS (XREAD, XREADGROUP)
    };
    Kind kind = Kind::kNone;
    uint8_t first = 0;
    int16_t last = 0;
    int16_t step = 1;
    bool destination = false;  // argument 1 is a key, too (ZUNIONSTORE)
    int8_t options = 0;  // not 0: from here on the word behind STORE or STOREDIST is a key (SORT)

    // False: only the first one counts. Decided without looking at the request.
    [[nodiscard]] constexpr bool may_be_several() const noexcept {
        return (kind != Kind::kRange || first != last || options != 0) && kind != Kind::kNone;
    }
};

enum class SplitPolicy : uint8_t {
    kSingle,      // goes to the shard of its first key
    kMultiShard,  // one fragment per shard
    kLocal,       // answered by the proxy
    kRefused,     // known, but cannot work through a proxy (yet)
};

enum class JoinPolicy : uint8_t {
    kFirst,         // the one reply, as it is
    kArray,         // elements in the order of the request's keys (MGET)
    kSum,           // integers added up (DEL)
    kAllSucceeded,  // +OK when all said so (MSET)
};

// Commands the proxy answers itself.
enum class LocalCommand : uint8_t {
    kNone,
    kAcl,
    kAsking,
    kAuth,
    kClient,
    kCluster,
    kCommand,
    kConfig,
    kEcho,
    kHello,
    kInfo,
    kLolwut,
    kModule,
    kPing,
    kQuit,
    kReadonly,  // and READWRITE
    kReset,
    kRole,
    kSelect,
    kTime,
    kWait,
};

// What a client may send before it has authenticated itself.
constexpr bool may_precede_auth(LocalCommand command) noexcept {
    return command == LocalCommand::kAuth || command == LocalCommand::kHello ||
           command == LocalCommand::kQuit || command == LocalCommand::kReset;
}

struct Command {
    std::string_view name;  // lower case
    int16_t arity = 0;      // arguments with the name; negative: at least
    int16_t max_arity = 0;  // 0 = no upper bound beyond arity (nutcracker's odd classes)
    KeySpec keys{};
    SplitPolicy split = SplitPolicy::kSingle;
    JoinPolicy join = JoinPolicy::kFirst;
    LocalCommand local = LocalCommand::kNone;
    bool pairs = false;      // key, value, key, value (MSET): the argument count is odd
    bool one_shard = false;  // refused when its keys are on several shards, whatever the pool says
    std::string_view subcommands{};  // not empty: argument 1 is one of these words, or HELP
    std::string_view why{};          // kRefused: the reason, for the client's eyes

    // Derived from the above when the table is made; rows leave them out.
    bool plain = false;           // goes as it is to the shard of argument 1, its only key
    bool has_underscore = false;  // in its name
    uint32_t min_arguments = 0;   // with the name
    uint32_t max_arguments = 0;
};

std::span<const Command> all_commands() noexcept;

// Case-insensitive; null when unknown. O(1).
const Command* find_command_or_null(std::string_view name) noexcept;
// The same for a name of up to eight bytes with eight that may be read.
const Command* find_short_command_or_null(const char* name, size_t size) noexcept;

// `argc` counts the name.
inline bool arity_is_right(const Command& command, uint32_t argc) noexcept {
    return argc >= command.min_arguments && argc <= command.max_arguments &&
           (!command.pairs || argc % 2 == 1);
}

}  // namespace ringmaster::proto::redis
