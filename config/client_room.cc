// SPDX-License-Identifier: Apache-2.0
#include "config/client_room.h"

namespace ringmaster::config {

namespace {

uint64_t clients_beside(uint64_t server_connections, uint64_t descriptor_limit,
                        uint64_t listeners) noexcept {
    const uint64_t needed = server_connections + listeners + kReservedDescriptors;
    return descriptor_limit > needed ? descriptor_limit - needed : 0;
}

}  // namespace

uint64_t dialects(const PoolConfig& pool) noexcept {
    return pool.redis && pool.resp3 == Resp3::kOff ? 1 : 2;
}

DescriptorShares descriptor_shares(const Config& config, uint64_t descriptor_limit,
                                   uint64_t listeners) noexcept {
    uint64_t one_dialect = 0;
    uint64_t all_dialects = 0;
    for (const PoolConfig& pool : config.pools) {
        const uint64_t connections = uint64_t{pool.servers.size()} * pool.server_connections;
        one_dialect += connections;
        all_dialects += connections * dialects(pool);
    }
    const uint64_t clients = clients_beside(all_dialects, descriptor_limit, listeners);
    if (clients > 0) {
        return {.server_connections = all_dialects, .clients = clients};
    }
    return {.server_connections = one_dialect,
            .clients = clients_beside(one_dialect, descriptor_limit, listeners)};
}

}  // namespace ringmaster::config
