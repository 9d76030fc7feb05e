// SPDX-License-Identifier: Apache-2.0
// What is spoken on a connection to a server, beside the protocol of its pool.
//
// Replies of one dialect cannot be given to clients of another, so a server has a group of
// connections for each that its clients speak (connection_group.h). A pool's protocol never
// changes under a connection, and it has at most one dialect beside the plain one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringmaster::worker {

enum class Dialect : uint8_t {
    kPlain,            // RESP2, or the text protocol of memcached
    kResp3,            // Redis, after HELLO 3
    kMemcachedBinary,  // memcached's binary protocol
};

inline constexpr size_t kDialects = 3;

}  // namespace ringmaster::worker
