// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/commands.h"

#include "common/base/assert.h"
#include "common/proto/redis/command_lookup.h"

namespace ringmaster::proto::redis {
namespace {

using enum SplitPolicy;
using enum JoinPolicy;
using enum LocalCommand;

constexpr KeySpec range(uint8_t first, int8_t last, int8_t step = 1) {
    return {.kind = KeySpec::Kind::kRange, .first = first, .last = last, .step = step};
}
constexpr KeySpec numkeys(uint8_t first, bool destination = false) {
    return {.kind = KeySpec::Kind::kNumkeys, .first = first, .destination = destination};
}
constexpr KeySpec with_store(int8_t options) {
    return {.kind = KeySpec::Kind::kRange, .first = 1, .last = 1, .options = options};
}

constexpr KeySpec kNoKey{};
constexpr KeySpec kFirstArgument = range(1, 1);
constexpr KeySpec kSecondArgument = range(2, 2);
constexpr KeySpec kFirstTwo = range(1, 2);
constexpr KeySpec kAllArguments = range(1, -1);
constexpr KeySpec kEveryOther = range(1, -1, 2);
constexpr KeySpec kBehindFirst = range(2, -1);
constexpr KeySpec kNumkeysFirst = numkeys(1);
constexpr KeySpec kNumkeysSecond = numkeys(2);
constexpr KeySpec kNumkeysBehindDestination = numkeys(2, true);
constexpr KeySpec kStreamsWord{.kind = KeySpec::Kind::kStreams};

// Why a command is refused; completes "... is not supported through a proxy: ".
constexpr std::string_view kBlocks = "it would block a connection that others share";
constexpr std::string_view kTransaction = "transactions need a connection of their own";
constexpr std::string_view kSubscription = "subscriptions need a connection of their own";
constexpr std::string_view kServerWide = "it is about one server, and the keys are on several";
constexpr std::string_view kAdmin = "administration goes to a server directly";
constexpr std::string_view kKeyMoves = "the key would be where no client finds it again";

// Arity is Redis 7's, but for nutcracker's class "key + any" it is "at least one argument": there
// nutcracker forwards a short command and the client gets the server's own error.
constexpr Command kRows[] = {
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
    {.name = "rename", .arity = 3, .keys = kFirstTwo, .one_shard = true},
    {.name = "renamenx", .arity = 3, .keys = kFirstTwo, .one_shard = true},
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
    {.name = "lcs", .arity = -3, .keys = kFirstTwo, .one_shard = true},
    {.name = "mget", .arity = -2, .keys = kAllArguments, .split = kMultiShard, .join = kArray},
    {.name = "mset",
     .arity = -3,
     .keys = kEveryOther,
     .split = kMultiShard,
     .join = kAllSucceeded,
     .pairs = true},
    {.name = "msetnx", .arity = -3, .keys = kEveryOther, .pairs = true, .one_shard = true},
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
    {.name = "bitop", .arity = -4, .keys = kBehindFirst, .one_shard = true},
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
    {.name = "hexpire", .arity = -6, .keys = kFirstArgument},
    {.name = "hexpireat", .arity = -6, .keys = kFirstArgument},
    {.name = "hexpiretime", .arity = -5, .keys = kFirstArgument},
    {.name = "hget", .arity = 3, .keys = kFirstArgument},
    {.name = "hgetall", .arity = 2, .keys = kFirstArgument},
    {.name = "hincrby", .arity = 4, .keys = kFirstArgument},
    {.name = "hincrbyfloat", .arity = 4, .keys = kFirstArgument},
    {.name = "hkeys", .arity = 2, .keys = kFirstArgument},
    {.name = "hlen", .arity = 2, .keys = kFirstArgument},
    {.name = "hmget", .arity = -2, .keys = kFirstArgument},
    {.name = "hmset", .arity = -2, .keys = kFirstArgument},
    {.name = "hpersist", .arity = -5, .keys = kFirstArgument},
    {.name = "hpexpire", .arity = -6, .keys = kFirstArgument},
    {.name = "hpexpireat", .arity = -6, .keys = kFirstArgument},
    {.name = "hpexpiretime", .arity = -5, .keys = kFirstArgument},
    {.name = "hpttl", .arity = -5, .keys = kFirstArgument},
    {.name = "hrandfield", .arity = -2, .keys = kFirstArgument},
    {.name = "hscan", .arity = -2, .keys = kFirstArgument},
    {.name = "hset", .arity = -2, .keys = kFirstArgument},
    {.name = "hsetnx", .arity = 4, .keys = kFirstArgument},
    {.name = "hstrlen", .arity = 3, .keys = kFirstArgument},
    {.name = "httl", .arity = -5, .keys = kFirstArgument},
    {.name = "hvals", .arity = 2, .keys = kFirstArgument},
    // Lists
    {.name = "lindex", .arity = 3, .keys = kFirstArgument},
    {.name = "linsert", .arity = 5, .keys = kFirstArgument},
    {.name = "llen", .arity = 2, .keys = kFirstArgument},
    {.name = "lmove", .arity = 5, .keys = kFirstTwo},
    {.name = "lmpop", .arity = -4, .keys = kNumkeysFirst, .one_shard = true},
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
    {.name = "sort", .arity = -2, .keys = with_store(2)},
    {.name = "sort_ro", .arity = -2, .keys = kFirstArgument},
    // Sets
    {.name = "sadd", .arity = -2, .keys = kFirstArgument},
    {.name = "scard", .arity = 2, .keys = kFirstArgument},
    {.name = "sdiff", .arity = -2, .keys = kAllArguments},
    {.name = "sdiffstore", .arity = -2, .keys = kAllArguments},
    {.name = "sinter", .arity = -2, .keys = kAllArguments},
    {.name = "sintercard", .arity = -3, .keys = kNumkeysFirst, .one_shard = true},
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
    {.name = "zdiffstore", .arity = -2, .keys = kNumkeysBehindDestination},
    {.name = "zincrby", .arity = 4, .keys = kFirstArgument},
    {.name = "zinter", .arity = -3, .keys = kNumkeysFirst},
    {.name = "zintercard", .arity = -3, .keys = kNumkeysFirst, .one_shard = true},
    {.name = "zinterstore", .arity = -2, .keys = kNumkeysBehindDestination},
    {.name = "zlexcount", .arity = 4, .keys = kFirstArgument},
    {.name = "zmpop", .arity = -4, .keys = kNumkeysFirst, .one_shard = true},
    {.name = "zmscore", .arity = -2, .keys = kFirstArgument},
    {.name = "zpopmax", .arity = -2, .keys = kFirstArgument},
    {.name = "zpopmin", .arity = -2, .keys = kFirstArgument},
    {.name = "zrandmember", .arity = -2, .keys = kFirstArgument},
    {.name = "zrange", .arity = -2, .keys = kFirstArgument},
    {.name = "zrangebylex", .arity = -2, .keys = kFirstArgument},
    {.name = "zrangebyscore", .arity = -2, .keys = kFirstArgument},
    {.name = "zrangestore", .arity = -2, .keys = kFirstTwo},
    {.name = "zrank", .arity = -3, .keys = kFirstArgument},
    {.name = "zrem", .arity = -2, .keys = kFirstArgument},
    {.name = "zremrangebylex", .arity = 4, .keys = kFirstArgument},
    {.name = "zremrangebyrank", .arity = 4, .keys = kFirstArgument},
    {.name = "zremrangebyscore", .arity = 4, .keys = kFirstArgument},
    {.name = "zrevrange", .arity = -2, .keys = kFirstArgument},
    {.name = "zrevrangebylex", .arity = -2, .keys = kFirstArgument},
    {.name = "zrevrangebyscore", .arity = -2, .keys = kFirstArgument},
    {.name = "zrevrank", .arity = -3, .keys = kFirstArgument},
    {.name = "zscan", .arity = -2, .keys = kFirstArgument},
    {.name = "zscore", .arity = 3, .keys = kFirstArgument},
    {.name = "zunion", .arity = -3, .keys = kNumkeysFirst},
    {.name = "zunionstore", .arity = -2, .keys = kNumkeysBehindDestination},
    // Geo
    {.name = "geoadd", .arity = -2, .keys = kFirstArgument},
    {.name = "geodist", .arity = -2, .keys = kFirstArgument},
    {.name = "geohash", .arity = -2, .keys = kFirstArgument},
    {.name = "geopos", .arity = -2, .keys = kFirstArgument},
    {.name = "georadius", .arity = -2, .keys = with_store(5)},
    {.name = "georadius_ro", .arity = -6, .keys = kFirstArgument},
    {.name = "georadiusbymember", .arity = -2, .keys = with_store(5)},
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
    {.name = "xread", .arity = -4, .keys = kStreamsWord, .one_shard = true},
    {.name = "xreadgroup", .arity = -7, .keys = kStreamsWord, .one_shard = true},
    {.name = "xrevrange", .arity = -4, .keys = kFirstArgument},
    {.name = "xsetid", .arity = -3, .keys = kFirstArgument},
    {.name = "xtrim", .arity = -4, .keys = kFirstArgument},
    // Subcommands: the key stands behind the subcommand; HELP has none and goes to any server
    {.name = "memory", .arity = -2, .keys = kSecondArgument, .subcommands = "usage"},
    {.name = "object",
     .arity = -2,
     .keys = kSecondArgument,
     .subcommands = "encoding freq idletime refcount"},
    {.name = "xgroup",
     .arity = -2,
     .keys = kSecondArgument,
     .subcommands = "create createconsumer delconsumer destroy setid"},
    {.name = "xinfo",
     .arity = -2,
     .keys = kSecondArgument,
     .subcommands = "consumers groups stream"},
    // Scripts and functions
    {.name = "eval", .arity = -3, .keys = kNumkeysSecond},
    {.name = "eval_ro", .arity = -3, .keys = kNumkeysSecond, .one_shard = true},
    {.name = "evalsha", .arity = -3, .keys = kNumkeysSecond},
    {.name = "evalsha_ro", .arity = -3, .keys = kNumkeysSecond, .one_shard = true},
    {.name = "fcall", .arity = -3, .keys = kNumkeysSecond, .one_shard = true},
    {.name = "fcall_ro", .arity = -3, .keys = kNumkeysSecond, .one_shard = true},
    // Answered by the proxy
    {.name = "acl", .arity = -2, .keys = kNoKey, .split = kLocal, .local = kAcl},
    {.name = "asking", .arity = 1, .keys = kNoKey, .split = kLocal, .local = kAsking},
    {.name = "auth", .arity = -2, .keys = kNoKey, .split = kLocal, .local = kAuth},
    {.name = "client", .arity = -2, .keys = kNoKey, .split = kLocal, .local = kClient},
    {.name = "cluster", .arity = -2, .keys = kNoKey, .split = kLocal, .local = kCluster},
    {.name = "command", .arity = -1, .keys = kNoKey, .split = kLocal, .local = kCommand},
    {.name = "config", .arity = -2, .keys = kNoKey, .split = kLocal, .local = kConfig},
    {.name = "echo", .arity = 2, .keys = kNoKey, .split = kLocal, .local = kEcho},
    {.name = "hello", .arity = -1, .keys = kNoKey, .split = kLocal, .local = kHello},
    {.name = "info", .arity = -1, .keys = kNoKey, .split = kLocal, .local = kInfo},
    {.name = "lolwut", .arity = -1, .keys = kNoKey, .split = kLocal, .local = kLolwut},
    {.name = "module", .arity = -2, .keys = kNoKey, .split = kLocal, .local = kModule},
    {.name = "ping", .arity = -1, .max_arity = 2, .keys = kNoKey, .split = kLocal, .local = kPing},
    {.name = "quit", .arity = -1, .keys = kNoKey, .split = kLocal, .local = kQuit},
    {.name = "readonly", .arity = 1, .keys = kNoKey, .split = kLocal, .local = kReadonly},
    {.name = "readwrite", .arity = 1, .keys = kNoKey, .split = kLocal, .local = kReadonly},
    {.name = "reset", .arity = 1, .keys = kNoKey, .split = kLocal, .local = kReset},
    {.name = "role", .arity = 1, .keys = kNoKey, .split = kLocal, .local = kRole},
    {.name = "select", .arity = 2, .keys = kNoKey, .split = kLocal, .local = kSelect},
    {.name = "time", .arity = 1, .keys = kNoKey, .split = kLocal, .local = kTime},
    {.name = "wait", .arity = 3, .keys = kNoKey, .split = kLocal, .local = kWait},
    // Refused, each with its reason
    {.name = "blmove", .arity = 6, .split = kRefused, .why = kBlocks},
    {.name = "blmpop", .arity = -5, .split = kRefused, .why = kBlocks},
    {.name = "blpop", .arity = -3, .split = kRefused, .why = kBlocks},
    {.name = "brpop", .arity = -3, .split = kRefused, .why = kBlocks},
    {.name = "brpoplpush", .arity = 4, .split = kRefused, .why = kBlocks},
    {.name = "bzmpop", .arity = -5, .split = kRefused, .why = kBlocks},
    {.name = "bzpopmax", .arity = -3, .split = kRefused, .why = kBlocks},
    {.name = "bzpopmin", .arity = -3, .split = kRefused, .why = kBlocks},
    {.name = "waitaof", .arity = 4, .split = kRefused, .why = kBlocks},
    {.name = "discard", .arity = 1, .split = kRefused, .why = kTransaction},
    {.name = "exec", .arity = 1, .split = kRefused, .why = kTransaction},
    {.name = "multi", .arity = 1, .split = kRefused, .why = kTransaction},
    {.name = "unwatch", .arity = 1, .split = kRefused, .why = kTransaction},
    {.name = "watch", .arity = -2, .split = kRefused, .why = kTransaction},
    {.name = "psubscribe", .arity = -2, .split = kRefused, .why = kSubscription},
    {.name = "punsubscribe", .arity = -1, .split = kRefused, .why = kSubscription},
    {.name = "ssubscribe", .arity = -2, .split = kRefused, .why = kSubscription},
    {.name = "subscribe", .arity = -2, .split = kRefused, .why = kSubscription},
    {.name = "sunsubscribe", .arity = -1, .split = kRefused, .why = kSubscription},
    {.name = "unsubscribe", .arity = -1, .split = kRefused, .why = kSubscription},
    {.name = "dbsize", .arity = 1, .split = kRefused, .why = kServerWide},
    {.name = "flushall", .arity = -1, .split = kRefused, .why = kServerWide},
    {.name = "flushdb", .arity = -1, .split = kRefused, .why = kServerWide},
    {.name = "function", .arity = -2, .split = kRefused, .why = kServerWide},
    {.name = "keys", .arity = 2, .split = kRefused, .why = kServerWide},
    {.name = "publish", .arity = 3, .split = kRefused, .why = kServerWide},
    {.name = "pubsub", .arity = -2, .split = kRefused, .why = kServerWide},
    {.name = "randomkey", .arity = 1, .split = kRefused, .why = kServerWide},
    {.name = "scan", .arity = -2, .split = kRefused, .why = kServerWide},
    {.name = "script", .arity = -2, .split = kRefused, .why = kServerWide},
    {.name = "spublish", .arity = 3, .split = kRefused, .why = kServerWide},
    {.name = "swapdb", .arity = 3, .split = kRefused, .why = kServerWide},
    {.name = "bgrewriteaof", .arity = 1, .split = kRefused, .why = kAdmin},
    {.name = "bgsave", .arity = -1, .split = kRefused, .why = kAdmin},
    {.name = "debug", .arity = -2, .split = kRefused, .why = kAdmin},
    {.name = "failover", .arity = -1, .split = kRefused, .why = kAdmin},
    {.name = "lastsave", .arity = 1, .split = kRefused, .why = kAdmin},
    {.name = "monitor", .arity = 1, .split = kRefused, .why = kAdmin},
    {.name = "psync", .arity = -3, .split = kRefused, .why = kAdmin},
    {.name = "replconf", .arity = -1, .split = kRefused, .why = kAdmin},
    {.name = "replicaof", .arity = 3, .split = kRefused, .why = kAdmin},
    {.name = "save", .arity = 1, .split = kRefused, .why = kAdmin},
    {.name = "shutdown", .arity = -1, .split = kRefused, .why = kAdmin},
    {.name = "slaveof", .arity = 3, .split = kRefused, .why = kAdmin},
    {.name = "sync", .arity = 1, .split = kRefused, .why = kAdmin},
    {.name = "migrate", .arity = -6, .split = kRefused, .why = kKeyMoves},
    {.name = "move", .arity = 3, .split = kRefused, .why = kKeyMoves},
};

constexpr auto kCommands = with_derived(kRows);
constexpr auto kTable = make_command_table(kCommands);
constexpr ShortTable kShortTable = make_short_table(kCommands);
static_assert(kShortTable.most_probes <= kMaxProbes, "change short_slot_of()'s constant");
static_assert(kTable.names_fit);
static_assert(kTable.most_probes <= kMaxProbes, "change slot_of()'s constants");

const Command* same_underscores_or_null(const Command& command, std::string_view name) noexcept {
    if (command.has_underscore) {
        for (size_t i = 0; i < name.size(); ++i) {
            if (command.name[i] == '_' && name[i] != '_') {
                return nullptr;
            }
        }
    }
    return &command;
}

// `word` is `name`, folded.
inline const Command* find_short(uint64_t word, std::string_view name) noexcept {
    for (size_t slot = short_slot_of(word);; slot = (slot + 1) % kShortSlots) {
        const ShortSlot& found = kShortTable.slots[slot];
        if (found.size == 0) {
            return nullptr;  // also for an empty name; the table is far from full
        }
        if (found.word == word && found.size == name.size()) {
            return same_underscores_or_null(kCommands[found.row], name);
        }
    }
}

}  // namespace

std::span<const Command> all_commands() noexcept {
    return kCommands;
}

const Command* find_command_or_null(std::string_view name) noexcept {
    if (name.size() <= kShortName) {
        return find_short(load_short(name.data(), name.size()) & kFold, name);
    }
    if (name.size() > kMaxNameBytes) {
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
            return same_underscores_or_null(command, name);
        }
        slot = (slot + 1) % kTableSize;
    }
    return nullptr;
}

const Command* find_short_command_or_null(const char* name, size_t size) noexcept {
    RM_DEBUG_ASSERT(size <= kShortName);
    return find_short(load<uint64_t>(name) & kShortMasks[size], std::string_view(name, size));
}

}  // namespace ringmaster::proto::redis
