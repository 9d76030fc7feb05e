// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/commands.h"

#include <array>
#include <bit>
#include <cstring>

namespace ringmaster::proto::redis {
namespace {

using enum SplitPolicy;
using enum JoinPolicy;
using enum LocalCommand;

constexpr KeySpec kNoKey{};
constexpr KeySpec kFirstArgument{KeySpec::Kind::kRange, 1, 1, 1};
constexpr KeySpec kSecondArgument{KeySpec::Kind::kRange, 2, 2, 1};
constexpr KeySpec kFirstTwo{KeySpec::Kind::kRange, 1, 2, 1};
constexpr KeySpec kAllArguments{KeySpec::Kind::kRange, 1, -1, 1};
constexpr KeySpec kEveryOther{KeySpec::Kind::kRange, 1, -1, 2};
constexpr KeySpec kBehindFirst{KeySpec::Kind::kRange, 2, -1, 1};
constexpr KeySpec kNumkeysFirst{KeySpec::Kind::kNumkeys, 1, 0, 1};
constexpr KeySpec kNumkeysSecond{KeySpec::Kind::kNumkeys, 2, 0, 1};

// Arity is Redis 7.0's, but for nutcracker's class "key + any" it is "at least one argument": there
// nutcracker forwards a short command and the client gets the server's own error.
// ZUNIONSTORE and its like have their destination at 1, which is where they go; a second key range
// (numkeys at 2) is not described. Not here: XREAD and XREADGROUP, whose keys stand behind the word
// STREAMS; blocking, transaction and subscription commands, which need a server connection of
// their own; commands about a whole server.
constexpr Command kCommands[] = {
    // Keys of any type
    {.name = "copy", .arity = -2, .keys = kFirstTwo},
    {.name = "del", .arity = -2, .keys = kAllArguments, .split = kMultiShard, .join = kSum},
    {.name = "dump", .arity = 2, .keys = kFirstArgument},
    {.name = "exists", .arity = -2, .keys = kAllArguments, .split = kMultiShard, .join = kSum},
    {.name = "expire", .arity = -3, .keys = kFirstArgument},
    {.name = "expireat", .arity = -3, .keys = kFirstArgument},
    {.name = "expiretime", .arity = 2, .keys = kFirstArgument},
    {.name = "persist", .arity = 2, .keys = kFirstArgument},
    {.name = "pexpire", .arity = -3, .keys = kFirstArgument},
    {.name = "pexpireat", .arity = -3, .keys = kFirstArgument},
    {.name = "pexpiretime", .arity = 2, .keys = kFirstArgument},
    {.name = "pttl", .arity = 2, .keys = kFirstArgument},
    {.name = "rename", .arity = 3, .keys = kFirstTwo},
    {.name = "renamenx", .arity = 3, .keys = kFirstTwo},
    {.name = "restore", .arity = -2, .keys = kFirstArgument},
    {.name = "touch", .arity = -2, .keys = kAllArguments, .split = kMultiShard, .join = kSum},
    {.name = "ttl", .arity = 2, .keys = kFirstArgument},
    {.name = "type", .arity = 2, .keys = kFirstArgument},
    {.name = "unlink", .arity = -2, .keys = kAllArguments, .split = kMultiShard, .join = kSum},
    // Strings
    {.name = "append", .arity = 3, .keys = kFirstArgument},
    {.name = "decr", .arity = 2, .keys = kFirstArgument},
    {.name = "decrby", .arity = 3, .keys = kFirstArgument},
    {.name = "get", .arity = 2, .keys = kFirstArgument},
    {.name = "getdel", .arity = 2, .keys = kFirstArgument},
    {.name = "getex", .arity = -2, .keys = kFirstArgument},
    {.name = "getrange", .arity = 4, .keys = kFirstArgument},
    {.name = "getset", .arity = 3, .keys = kFirstArgument},
    {.name = "incr", .arity = 2, .keys = kFirstArgument},
    {.name = "incrby", .arity = 3, .keys = kFirstArgument},
    {.name = "incrbyfloat", .arity = 3, .keys = kFirstArgument},
    {.name = "lcs", .arity = -3, .keys = kFirstTwo},
    {.name = "mget", .arity = -2, .keys = kAllArguments, .split = kMultiShard, .join = kArray},
    {.name = "mset",
     .arity = -3,
     .keys = kEveryOther,
     .split = kMultiShard,
     .join = kAllSucceeded,
     .pairs = true},
    {.name = "msetnx", .arity = -3, .keys = kEveryOther, .pairs = true},
    {.name = "psetex", .arity = 4, .keys = kFirstArgument},
    {.name = "set", .arity = -2, .keys = kFirstArgument},
    {.name = "setex", .arity = 4, .keys = kFirstArgument},
    {.name = "setnx", .arity = 3, .keys = kFirstArgument},
    {.name = "setrange", .arity = 4, .keys = kFirstArgument},
    {.name = "strlen", .arity = 2, .keys = kFirstArgument},
    {.name = "substr", .arity = 4, .keys = kFirstArgument},
    // Bitmaps
    {.name = "bitcount", .arity = -2, .keys = kFirstArgument},
    {.name = "bitfield", .arity = -2, .keys = kFirstArgument},
    {.name = "bitfield_ro", .arity = -2, .keys = kFirstArgument},
    {.name = "bitop", .arity = -4, .keys = kBehindFirst},
    {.name = "bitpos", .arity = -2, .keys = kFirstArgument},
    {.name = "getbit", .arity = 3, .keys = kFirstArgument},
    {.name = "setbit", .arity = 4, .keys = kFirstArgument},
    // HyperLogLog
    {.name = "pfadd", .arity = -2, .keys = kFirstArgument},
    {.name = "pfcount", .arity = -2, .keys = kAllArguments},
    {.name = "pfmerge", .arity = -2, .keys = kAllArguments},
    // Hashes
    {.name = "hdel", .arity = -2, .keys = kFirstArgument},
    {.name = "hexists", .arity = 3, .keys = kFirstArgument},
    {.name = "hget", .arity = 3, .keys = kFirstArgument},
    {.name = "hgetall", .arity = 2, .keys = kFirstArgument},
    {.name = "hincrby", .arity = 4, .keys = kFirstArgument},
    {.name = "hincrbyfloat", .arity = 4, .keys = kFirstArgument},
    {.name = "hkeys", .arity = 2, .keys = kFirstArgument},
    {.name = "hlen", .arity = 2, .keys = kFirstArgument},
    {.name = "hmget", .arity = -2, .keys = kFirstArgument},
    {.name = "hmset", .arity = -2, .keys = kFirstArgument},
    {.name = "hrandfield", .arity = -2, .keys = kFirstArgument},
    {.name = "hscan", .arity = -2, .keys = kFirstArgument},
    {.name = "hset", .arity = -2, .keys = kFirstArgument},
    {.name = "hsetnx", .arity = 4, .keys = kFirstArgument},
    {.name = "hstrlen", .arity = 3, .keys = kFirstArgument},
    {.name = "hvals", .arity = 2, .keys = kFirstArgument},
    // Lists
    {.name = "lindex", .arity = 3, .keys = kFirstArgument},
    {.name = "linsert", .arity = 5, .keys = kFirstArgument},
    {.name = "llen", .arity = 2, .keys = kFirstArgument},
    {.name = "lmove", .arity = 5, .keys = kFirstTwo},
    {.name = "lmpop", .arity = -4, .keys = kNumkeysFirst},
    {.name = "lpop", .arity = -2, .keys = kFirstArgument},
    {.name = "lpos", .arity = -2, .keys = kFirstArgument},
    {.name = "lpush", .arity = -2, .keys = kFirstArgument},
    {.name = "lpushx", .arity = -2, .keys = kFirstArgument},
    {.name = "lrange", .arity = 4, .keys = kFirstArgument},
    {.name = "lrem", .arity = 4, .keys = kFirstArgument},
    {.name = "lset", .arity = 4, .keys = kFirstArgument},
    {.name = "ltrim", .arity = 4, .keys = kFirstArgument},
    {.name = "rpop", .arity = -2, .keys = kFirstArgument},
    {.name = "rpoplpush", .arity = 3, .keys = kFirstTwo},
    {.name = "rpush", .arity = -2, .keys = kFirstArgument},
    {.name = "rpushx", .arity = -2, .keys = kFirstArgument},
    {.name = "sort", .arity = -2, .keys = kFirstArgument},
    {.name = "sort_ro", .arity = -2, .keys = kFirstArgument},
    // Sets
    {.name = "sadd", .arity = -2, .keys = kFirstArgument},
    {.name = "scard", .arity = 2, .keys = kFirstArgument},
    {.name = "sdiff", .arity = -2, .keys = kAllArguments},
    {.name = "sdiffstore", .arity = -2, .keys = kAllArguments},
    {.name = "sinter", .arity = -2, .keys = kAllArguments},
    {.name = "sintercard", .arity = -3, .keys = kNumkeysFirst},
    {.name = "sinterstore", .arity = -2, .keys = kAllArguments},
    {.name = "sismember", .arity = 3, .keys = kFirstArgument},
    {.name = "smembers", .arity = 2, .keys = kFirstArgument},
    {.name = "smismember", .arity = -2, .keys = kFirstArgument},
    {.name = "smove", .arity = 4, .keys = kFirstTwo},
    {.name = "spop", .arity = -2, .keys = kFirstArgument},
    {.name = "srandmember", .arity = -2, .keys = kFirstArgument},
    {.name = "srem", .arity = -2, .keys = kFirstArgument},
    {.name = "sscan", .arity = -2, .keys = kFirstArgument},
    {.name = "sunion", .arity = -2, .keys = kAllArguments},
    {.name = "sunionstore", .arity = -2, .keys = kAllArguments},
    // Sorted sets
    {.name = "zadd", .arity = -2, .keys = kFirstArgument},
    {.name = "zcard", .arity = 2, .keys = kFirstArgument},
    {.name = "zcount", .arity = 4, .keys = kFirstArgument},
    {.name = "zdiff", .arity = -3, .keys = kNumkeysFirst},
    {.name = "zdiffstore", .arity = -2, .keys = kFirstArgument},
    {.name = "zincrby", .arity = 4, .keys = kFirstArgument},
    {.name = "zinter", .arity = -3, .keys = kNumkeysFirst},
    {.name = "zintercard", .arity = -3, .keys = kNumkeysFirst},
    {.name = "zinterstore", .arity = -2, .keys = kFirstArgument},
    {.name = "zlexcount", .arity = 4, .keys = kFirstArgument},
    {.name = "zmpop", .arity = -4, .keys = kNumkeysFirst},
    {.name = "zmscore", .arity = -2, .keys = kFirstArgument},
    {.name = "zpopmax", .arity = -2, .keys = kFirstArgument},
    {.name = "zpopmin", .arity = -2, .keys = kFirstArgument},
    {.name = "zrandmember", .arity = -2, .keys = kFirstArgument},
    {.name = "zrange", .arity = -2, .keys = kFirstArgument},
    {.name = "zrangebylex", .arity = -2, .keys = kFirstArgument},
    {.name = "zrangebyscore", .arity = -2, .keys = kFirstArgument},
    {.name = "zrangestore", .arity = -2, .keys = kFirstTwo},
    {.name = "zrank", .arity = 3, .keys = kFirstArgument},
    {.name = "zrem", .arity = -2, .keys = kFirstArgument},
    {.name = "zremrangebylex", .arity = 4, .keys = kFirstArgument},
    {.name = "zremrangebyrank", .arity = 4, .keys = kFirstArgument},
    {.name = "zremrangebyscore", .arity = 4, .keys = kFirstArgument},
    {.name = "zrevrange", .arity = -2, .keys = kFirstArgument},
    {.name = "zrevrangebylex", .arity = -2, .keys = kFirstArgument},
    {.name = "zrevrangebyscore", .arity = -2, .keys = kFirstArgument},
    {.name = "zrevrank", .arity = 3, .keys = kFirstArgument},
    {.name = "zscan", .arity = -2, .keys = kFirstArgument},
    {.name = "zscore", .arity = 3, .keys = kFirstArgument},
    {.name = "zunion", .arity = -3, .keys = kNumkeysFirst},
    {.name = "zunionstore", .arity = -2, .keys = kFirstArgument},
    // Geo
    {.name = "geoadd", .arity = -2, .keys = kFirstArgument},
    {.name = "geodist", .arity = -2, .keys = kFirstArgument},
    {.name = "geohash", .arity = -2, .keys = kFirstArgument},
    {.name = "geopos", .arity = -2, .keys = kFirstArgument},
    {.name = "georadius", .arity = -2, .keys = kFirstArgument},
    {.name = "georadius_ro", .arity = -6, .keys = kFirstArgument},
    {.name = "georadiusbymember", .arity = -2, .keys = kFirstArgument},
    {.name = "georadiusbymember_ro", .arity = -5, .keys = kFirstArgument},
    {.name = "geosearch", .arity = -2, .keys = kFirstArgument},
    {.name = "geosearchstore", .arity = -2, .keys = kFirstTwo},
    // Streams
    {.name = "xack", .arity = -4, .keys = kFirstArgument},
    {.name = "xadd", .arity = -5, .keys = kFirstArgument},
    {.name = "xautoclaim", .arity = -6, .keys = kFirstArgument},
    {.name = "xclaim", .arity = -6, .keys = kFirstArgument},
    {.name = "xdel", .arity = -3, .keys = kFirstArgument},
    {.name = "xlen", .arity = 2, .keys = kFirstArgument},
    {.name = "xpending", .arity = -3, .keys = kFirstArgument},
    {.name = "xrange", .arity = -4, .keys = kFirstArgument},
    {.name = "xrevrange", .arity = -4, .keys = kFirstArgument},
    {.name = "xsetid", .arity = -3, .keys = kFirstArgument},
    {.name = "xtrim", .arity = -4, .keys = kFirstArgument},
    // Subcommands: the key stands behind the subcommand (HELP and the like have none: wrong arity)
    {.name = "memory", .arity = -3, .keys = kSecondArgument},
    {.name = "object", .arity = -3, .keys = kSecondArgument},
    {.name = "xgroup", .arity = -3, .keys = kSecondArgument},
    {.name = "xinfo", .arity = -3, .keys = kSecondArgument},
    // Scripts and functions
    {.name = "eval", .arity = -3, .keys = kNumkeysSecond},
    {.name = "eval_ro", .arity = -3, .keys = kNumkeysSecond},
    {.name = "evalsha", .arity = -3, .keys = kNumkeysSecond},
    {.name = "evalsha_ro", .arity = -3, .keys = kNumkeysSecond},
    {.name = "fcall", .arity = -3, .keys = kNumkeysSecond},
    {.name = "fcall_ro", .arity = -3, .keys = kNumkeysSecond},
    // No key: any server will do
    {.name = "command", .arity = -1, .keys = kNoKey, .split = kAnyShard},
    {.name = "lolwut", .arity = -1, .keys = kNoKey, .split = kAnyShard},
    // Answered by the proxy
    {.name = "auth", .arity = -2, .max_arity = 3, .keys = kNoKey, .split = kLocal, .local = kAuth},
    {.name = "echo", .arity = 2, .keys = kNoKey, .split = kLocal, .local = kEcho},
    {.name = "ping", .arity = -1, .max_arity = 2, .keys = kNoKey, .split = kLocal, .local = kPing},
    {.name = "quit", .arity = -1, .keys = kNoKey, .split = kLocal, .local = kQuit},
    {.name = "select", .arity = 2, .keys = kNoKey, .split = kLocal, .local = kSelect},
    // Refused: it would move the key out of the pool's database, where no client finds it again
    {.name = "move", .arity = 3, .keys = kFirstArgument, .split = kRefused},
};
constexpr size_t kCommandCount = std::size(kCommands);

// The hash table. A name is up to three words whose case bit is masked away: for letters that is
// exact case folding (only letters fold into 'A'..'Z'). The few names with '_' are compared again,
// as 0x7f folds into it.
static_assert(std::endian::native == std::endian::little, "words are loaded as little endian");
constexpr size_t kMaxNameBytes = 24;
constexpr uint64_t kFold = 0xdfdfdfdfdfdfdfdf;

struct Words {
    uint64_t word[3] = {};
    constexpr bool operator==(const Words&) const = default;
};

constexpr Words fold_constant(std::string_view name) {
    Words words;
    for (size_t i = 0; i < name.size(); ++i) {
        words.word[i / 8] |= static_cast<uint64_t>(static_cast<unsigned char>(name[i]))
                             << (i % 8 * 8);
    }
    for (uint64_t& word : words.word) {
        word &= kFold;
    }
    return words;
}

template <class Word>
uint64_t load(const char* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// Up to 8 bytes as one word, without reading beyond them: two loads that overlap.
uint64_t load_short(const char* at, size_t size) noexcept {
    if (size >= 4) {
        return load<uint32_t>(at) | load<uint32_t>(at + size - 4) << ((size - 4) * 8);
    }
    if (size >= 2) {
        return load<uint16_t>(at) | load<uint16_t>(at + size - 2) << ((size - 2) * 8);
    }
    return size == 1 ? load<uint8_t>(at) : 0;
}

Words fold(std::string_view name) noexcept {
    Words words;
    size_t index = 0;
    const char* at = name.data();
    size_t left = name.size();
    for (; left > 8; left -= 8, at += 8) {
        words.word[index++] = load<uint64_t>(at) & kFold;
    }
    words.word[index] = load_short(at, left) & kFold;
    return words;
}

constexpr unsigned kTableBits = 10;
constexpr size_t kTableSize = size_t{1} << kTableBits;
// A lookup looks at no more than this many slots, whatever the name.
constexpr size_t kMaxProbes = 4;

constexpr size_t slot_of(const Words& words, size_t size) {
    const uint64_t mixed = (words.word[0] * 0x9e3779b97f4a7c15) ^
                           ((words.word[1] + size) * 0xc2b2ae3d27d4eb4f) ^ words.word[2];
    return static_cast<size_t>((mixed * 0xff51afd7ed558ccd) >> (64 - kTableBits));
}

struct Table {
    std::array<uint8_t, kTableSize> row_plus_one{};  // 0 = free
    std::array<Words, kCommandCount> words{};
    size_t most_probes = 0;
    bool names_fit = true;
};

constexpr Table make_table() {
    Table table;
    for (size_t row = 0; row < kCommandCount; ++row) {
        const std::string_view name = kCommands[row].name;
        table.names_fit = table.names_fit && !name.empty() && name.size() <= kMaxNameBytes;
        table.words[row] = fold_constant(name);
        size_t slot = slot_of(table.words[row], name.size());
        size_t probes = 1;
        while (table.row_plus_one[slot] != 0) {
            slot = (slot + 1) % kTableSize;
            ++probes;
        }
        table.row_plus_one[slot] = static_cast<uint8_t>(row + 1);
        table.most_probes = probes > table.most_probes ? probes : table.most_probes;
    }
    return table;
}

static_assert(kCommandCount < 255, "rows are numbered in one byte");
constexpr Table kTable = make_table();
static_assert(kTable.names_fit);
static_assert(kTable.most_probes <= kMaxProbes, "change slot_of()'s constants");

bool underscores_agree(std::string_view lower, std::string_view name) noexcept {
    for (size_t i = 0; i < lower.size(); ++i) {
        if (lower[i] == '_' && name[i] != '_') {
            return false;
        }
    }
    return true;
}

}  // namespace

std::span<const Command> all_commands() noexcept {
    return kCommands;
}

const Command* find_command_or_null(std::string_view name) noexcept {
    if (name.empty() || name.size() > kMaxNameBytes) {
        return nullptr;
    }
    const Words words = fold(name);
    size_t slot = slot_of(words, name.size());
    for (size_t probe = 0; probe < kMaxProbes; ++probe) {
        const size_t row_plus_one = kTable.row_plus_one[slot];
        if (row_plus_one == 0) {
            return nullptr;
        }
        const Command& command = kCommands[row_plus_one - 1];
        if (command.name.size() == name.size() && kTable.words[row_plus_one - 1] == words) {
            return underscores_agree(command.name, name) ? &command : nullptr;
        }
        slot = (slot + 1) % kTableSize;
    }
    return nullptr;
}

bool arity_is_right(const Command& command, uint32_t argc) noexcept {
    const int64_t count = argc;
    if (command.arity >= 0 ? count != command.arity : count < -command.arity) {
        return false;
    }
    if (command.max_arity != 0 && count > command.max_arity) {
        return false;
    }
    return !command.pairs || argc % 2 == 1;
}

}  // namespace ringmaster::proto::redis
