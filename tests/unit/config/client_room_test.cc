// SPDX-License-Identifier: Apache-2.0
#include "config/client_room.h"

#include <cstdint>

#include <doctest/doctest.h>

using namespace ringmaster::config;

TEST_CASE("client room: every pool's servers count, times server_connections") {
    Config config;
    CHECK(server_connections_per_worker(config) == 0);
    config.pools.resize(2);
    config.pools[0].servers.resize(3);
    config.pools[1].servers.resize(2);
    config.pools[1].server_connections = 100;
    CHECK(server_connections_per_worker(config) == 203);
    config.pools[1].server_connections = 0x7fffffff;
    CHECK(server_connections_per_worker(config) == 3 + 2 * uint64_t{0x7fffffff});
}

TEST_CASE("client room: what is left of the limit, and never less than nothing") {
    CHECK(clients_that_fit(1024, 100, 2) == 1024 - 100 - 2 - kReservedDescriptors);
    CHECK(clients_that_fit(kReservedDescriptors + 1, 0, 0) == 1);
    CHECK(clients_that_fit(kReservedDescriptors, 0, 0) == 0);
    CHECK(clients_that_fit(0, 0, 0) == 0);
    CHECK(clients_that_fit(1024, uint64_t{1} << 40, 1) == 0);
    CHECK(clients_that_fit(UINT64_MAX, 1, 1) == UINT64_MAX - 2 - kReservedDescriptors);
}
