// SPDX-License-Identifier: Apache-2.0
#include "config/client_room.h"

#include <cstdint>

#include <doctest/doctest.h>

using namespace ringmaster::config;

namespace {

constexpr uint64_t kMany = 1'000'000;

// Redis without RESP3: 3 servers. memcached: 2 servers.
Config two_pools() {
    Config config;
    config.pools.resize(2);
    config.pools[0].servers.resize(3);
    config.pools[0].redis = true;
    config.pools[0].resp3 = Resp3::kOff;
    config.pools[1].servers.resize(2);
    return config;
}

}  // namespace

TEST_CASE("client room: every pool's servers count, times server_connections and dialects") {
    CHECK(descriptor_shares(Config(), kMany, 0).server_connections == 0);
    Config config = two_pools();
    CHECK(descriptor_shares(config, kMany, 0).server_connections == 3 + 2 * 2);
    config.pools[1].server_connections = 100;
    CHECK(descriptor_shares(config, kMany, 0).server_connections == 3 + 2 * 200);
    config.pools[0].resp3 = Resp3::kAuto;
    CHECK(descriptor_shares(config, kMany, 0).server_connections == 2 * 3 + 2 * 200);
}

TEST_CASE("client room: what is left of the limit, and never less than nothing") {
    const Config config = two_pools();
    CHECK(descriptor_shares(config, 1024, 2).clients == 1024 - 7 - 2 - kReservedDescriptors);
    CHECK(descriptor_shares(Config(), kReservedDescriptors + 1, 0).clients == 1);
    CHECK(descriptor_shares(Config(), kReservedDescriptors, 0).clients == 0);
    CHECK(descriptor_shares(Config(), 0, 0).clients == 0);
    CHECK(descriptor_shares(Config(), UINT64_MAX, 1).clients ==
          UINT64_MAX - 1 - kReservedDescriptors);
    Config huge = config;
    huge.pools[1].server_connections = 0x7fffffff;
    CHECK(descriptor_shares(huge, 1024, 1).clients == 0);
}

TEST_CASE("client room: where two dialects leave no client, one has to do") {
    const DescriptorShares shares = descriptor_shares(two_pools(), kReservedDescriptors + 7, 0);
    CHECK(shares.server_connections == 5);
    CHECK(shares.clients == 2);
}
