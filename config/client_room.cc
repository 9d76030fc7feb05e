// SPDX-License-Identifier: Apache-2.0
#include "config/client_room.h"

namespace ringmaster::config {

uint64_t server_connections_per_worker(const Config& config) noexcept {
    uint64_t count = 0;
    for (const PoolConfig& pool : config.pools) {
        count += uint64_t{pool.servers.size()} * pool.server_connections;
    }
    return count;
}

uint64_t clients_that_fit(uint64_t descriptor_limit, uint64_t server_connections,
                          uint64_t listeners) noexcept {
    const uint64_t needed = server_connections + listeners + kReservedDescriptors;
    return descriptor_limit > needed ? descriptor_limit - needed : 0;
}

}  // namespace ringmaster::config
