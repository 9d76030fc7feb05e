// SPDX-License-Identifier: Apache-2.0
// A worker's data path in this process, between forked clients and servers.
//
// Put together as class Worker does it: loop, memory, pools of a configuration, listeners, the turn
// of the loop and the check of deadlines. Left out is what Worker does by the clock and not by
// requests: the beat to the master, the stats report and Memory::decay(), which gives memory back
// that is then allocated anew.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/unit/worker/allocations/counter.h"
#include "tests/unit/worker/allocations/peers.h"

namespace ringmaster::allocations {

struct Outcome {
    bool content = false;      // every byte was right, on either side, and nothing was left over
    uint64_t requests = 0;     // that the pools' servers were sent while counting, fragments too
    uint64_t fragments = 0;    // of these, parts of multi-key requests
    uint64_t allocations = 0;  // while counting
    uint64_t turns = 0;        // of the loop, while counting
    bool parked = false;       // replies have waited for their turn or their siblings
};

// One pool of each protocol, with three servers each. From when all clients are warm until the last
// of them is done, allocations are counted.
Outcome run_data_path(const std::vector<ClientPlan>& clients, Explain explain);

}  // namespace ringmaster::allocations
