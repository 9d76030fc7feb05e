// SPDX-License-Identifier: Apache-2.0
// Everything that one version of the config made in this worker: its pools with their servers,
// placements and clients.
//
// A worker has one that serves, at most one that is being prepared beside it, and those it served
// before, for as long as they have something in flight or clients of a removed pool. Never moves in
// memory: pools refer to the config.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "worker/data_path.h"
#include "worker/pool.h"

namespace ringmaster::worker {

struct Generation {
    uint64_t number = 0;        // the master's; 0 = before the first config
    uint64_t memory_bytes = 0;  // this worker's share of max_memory; 0 = the default
    config::Config config;
    std::vector<std::unique_ptr<Pool>> pools;  // a prefix of the config's until it is built

    // Null when the bytes are no valid config.
    static std::unique_ptr<Generation> load(uint64_t number, uint64_t memory_bytes,
                                            std::string_view bytes);

    // Makes the next pool and its placement, so that a large config can be built in pieces.
    void build_next(DataPath& path);
    [[nodiscard]] bool is_built() const noexcept { return pools.size() == config.pools.size(); }
    // Every pool has had its RING.
    [[nodiscard]] bool is_placed() const;
    // The period of the deadline check; 0 when no pool has a timeout.
    [[nodiscard]] uint64_t check_period_ms() const;
    [[nodiscard]] bool is_idle() const;
};

// One that serves no new requests but those of its removed pools.
struct FormerGeneration {
    std::unique_ptr<Generation> generation;
    uint64_t drain_until_ms = 0;  // active time: what it has not finished then is ended
    bool is_ended = false;
    uint64_t close_at_ms = 0;  // active time: last clients are closed; set once it is ended
};

}  // namespace ringmaster::worker
