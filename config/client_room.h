// SPDX-License-Identifier: Apache-2.0
// How many clients one worker may hold below its limit of open descriptors. Pure.
//
// A worker that runs out of descriptors could not open connections to servers, and clients that are
// already there would get errors; so what a worker needs for itself is set aside first.
#pragma once

#include <cstdint>

#include "config/model.h"

namespace ringmaster::config {

// Standard streams, log, control channel and the loop take about a dozen. The rest is for what
// comes and goes: connections that are being replaced, listeners of another slot, descriptors in
// flight from the master.
inline constexpr uint64_t kReservedDescriptors = 64;

struct DescriptorShares {
    uint64_t server_connections = 0;  // set aside for a worker's connections to servers
    uint64_t clients = 0;             // that fit beside them; 0 when not one does
};

// How many dialects a worker may speak to the servers of this pool, each on connections of its own.
uint64_t dialects(const PoolConfig& pool) noexcept;

// All pools, servers x server_connections, and the same again for a second dialect (RESP3 beside
// RESP2, memcached's binary protocol beside text) where clients may speak one. Where that would
// leave no client, a single dialect has to do: which one clients speak is not known, and a file
// that nutcracker starts with must not be refused for it.
DescriptorShares descriptor_shares(const Config& config, uint64_t descriptor_limit,
                                   uint64_t listeners) noexcept;

}  // namespace ringmaster::config
