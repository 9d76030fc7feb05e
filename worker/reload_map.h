// SPDX-License-Identifier: Apache-2.0
// What of one config is what of the next: whose clients go where, whose connections go on. Pure.
//
// Clients follow the address they connected to, then the name of their pool. Connections follow the
// clients of their pool: a client whose SET is still under way sends its GET over the same
// connection, and no reload lets the one overtake the other.
#pragma once

#include <cstdint>
#include <vector>

#include "config/model.h"

namespace ringmaster::worker {

inline constexpr uint32_t kNoPool = UINT32_MAX;

// The same place to connect to, whatever mode its socket file has.
bool same_address(const config::Address& a, const config::Address& b);

// By index of `from`: the pool of `to` that its clients belong to; kNoPool when it is removed. Two
// may go to the same one. Says nothing about protocols.
std::vector<uint32_t> map_pools(const config::Config& from, const config::Config& to);

struct ServerMove {
    uint32_t from_pool = 0;
    uint32_t from_shard = 0;
    uint32_t to_pool = 0;
    uint32_t to_shard = 0;

    bool operator==(const ServerMove&) const = default;
};

// Which servers are the same, so that an open connection to the one serves as one to the other:
// same address, protocol, password and database. A renamed server is. `pools` comes from
// map_pools(). No server is named twice; of two pools that become one, the one of its name has the
// first say.
std::vector<ServerMove> map_servers(const config::Config& from, const config::Config& to,
                                    const std::vector<uint32_t>& pools);

}  // namespace ringmaster::worker
