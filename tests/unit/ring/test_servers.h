// SPDX-License-Identifier: Apache-2.0
// Server lists for the ring tests.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "common/ring/ring.h"
#include "common/ring/server_name.h"

namespace ringmaster::ring {

// "s0", "s1", ... with the given weights.
inline std::vector<RingServer> servers_with_weights(const std::vector<uint32_t>& weights) {
    std::vector<RingServer> servers;
    for (const uint32_t weight : weights) {
        servers.push_back({"s" + std::to_string(servers.size()), weight, true});
    }
    return servers;
}

inline std::vector<RingServer> equal_servers(size_t count) {
    return servers_with_weights(std::vector<uint32_t>(count, 1));
}

inline size_t points_of(const Ring& ring, uint32_t shard) {
    const auto points = ring.points();
    return static_cast<size_t>(
        std::count_if(points.begin(), points.end(),
                      [shard](const RingPoint& point) { return point.shard == shard; }));
}

}  // namespace ringmaster::ring
