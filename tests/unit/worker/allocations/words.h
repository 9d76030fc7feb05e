// SPDX-License-Identifier: Apache-2.0
// What the clients ask and the servers answer. Every key has one value for ever, so that servers
// need no memory and every byte of a reply is known beforehand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringmaster::allocations {

constexpr uint32_t kKeys = 512;
constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";

const std::string& key_of(uint32_t index);
// By index: most are some ten bytes, some 900, a few 6,000 (passed on by reference).
const std::string& value_of(uint32_t index);
// kKeys when it is no key of ours.
uint32_t index_of_key(std::string_view key);

// Appends one request and the reply it must get.
struct Conversation {
    std::string request;
    std::string reply;
    uint64_t count = 0;  // requests in it
};

enum class Speech {
    kRedisSingle,      // GET and SET in turn
    kRedisMulti,       // MGET, MSET and DEL of 12 keys
    kRedisLocal,       // PING: answered by the proxy
    kResp3Single,      // GET, SET, HGETALL and ZSCORE in turn
    kResp3Multi,       // as kRedisMulti
    kMemcachedSingle,  // get and set in turn
    kMemcachedMulti,   // get of 12 keys
    kMeta,             // mg and ms, loud and quiet, and mn in turn
    kBinary,           // get, set, setq, getkq of a hit and of a miss, and noop in turn
};
// How many meta or binary requests it takes until their turn begins anew; the last of them is
// answered by the proxy.
constexpr uint32_t kMemcachedTurn = 6;

inline bool is_resp3(Speech speech) {
    return speech == Speech::kResp3Single || speech == Speech::kResp3Multi;
}
inline bool is_redis(Speech speech) {
    return speech == Speech::kRedisSingle || speech == Speech::kRedisMulti ||
           speech == Speech::kRedisLocal || is_resp3(speech);
}
// `number` chooses command and keys. RESP3 begins with a HELLO 3 that is not said here.
void say(Speech speech, uint32_t number, Conversation& conversation);
// Which key the request of this number is about.
uint32_t spread(uint32_t number);
// A SET whose value is larger than any pooled chunk.
void say_large_set(Conversation& conversation);

// The server's side. Takes all whole requests off the front of `input`, appends their replies.
// False when it is no request these clients make, or carries a wrong value.
bool answer_redis(std::string& input, std::string& output);
bool answer_memcached(std::string& input, std::string& output);
bool answer_memcached_binary(std::string& input, std::string& output);

}  // namespace ringmaster::allocations
