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
    kMemcachedSingle,  // get and set in turn
    kMemcachedMulti,   // get of 12 keys
};
inline bool is_redis(Speech speech) {
    return speech == Speech::kRedisSingle || speech == Speech::kRedisMulti;
}
// `number` chooses command and keys.
void say(Speech speech, uint32_t number, Conversation& conversation);
// A SET whose value is larger than any pooled chunk.
void say_large_set(Conversation& conversation);

// The server's side. Takes all whole requests off the front of `input`, appends their replies.
// False when it is no request these clients make, or carries a wrong value.
bool answer_redis(std::string& input, std::string& output);
bool answer_memcached(std::string& input, std::string& output);

}  // namespace ringmaster::allocations
