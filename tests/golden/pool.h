// SPDX-License-Identifier: Apache-2.0
// A pool as the placement vectors describe one: servers as written, one of them perhaps ejected.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/ring/ring.h"

namespace ringmaster::golden {

struct Pool {
    std::vector<std::string> entries;       // as written
    std::vector<ring::RingServer> servers;  // in internal order
    std::vector<uint32_t> written_index;    // of servers[i], its position in `entries`
};

// `ejected_index` is a position in `entries`, or empty. A bad entry fails the running test case.
Pool make_pool(const std::vector<std::string>& entries, const std::string& ejected_index);

}  // namespace ringmaster::golden
