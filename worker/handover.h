// SPDX-License-Identifier: Apache-2.0
// The moment of a reload: what one generation hands to the next. Allocates a little, and cannot
// fail. Touches no client's stream, as it may run in the middle of a read (DataPath::catch_up).
#pragma once

#include <cstdint>
#include <vector>

#include "worker/generation.h"

namespace ringmaster::worker {

// A client that waits for a place of client_connections.
struct WaitingClient {
    Pool* pool = nullptr;  // of the next generation
    Accepted client;
};

// Connections, counters, clients (reload_map.h). A pool that is removed keeps its clients and
// servers; of one whose protocol changes the clients end. `to` has its RINGs. Returns the clients
// to be asked for again, now the caller's. For `grace_ms`: UpstreamConnection::rebind().
std::vector<WaitingClient> hand_over(Generation& from, Generation& to, uint64_t grace_ms);

// Counters of pools and servers that are in both go on in `to`.
void take_counters(Generation& from, Generation& to);

// Adds what the pools of a former generation count still to the report of the one that serves.
void add_former(stats::Snapshot& report, const Generation& current, const Generation& former);

}  // namespace ringmaster::worker
