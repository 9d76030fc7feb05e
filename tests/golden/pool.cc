// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/pool.h"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "common/ring/server_name.h"
#include "config/load.h"
#include "tests/golden/tsv.h"

namespace ringmaster::golden {

Pool make_pool(const std::vector<std::string>& entries, const std::string& ejected_index) {
    std::vector<ring::RingServer> as_written;
    for (const std::string& entry : entries) {
        const config::ServerEntry parsed = config::parse_server_entry(entry);
        REQUIRE_MESSAGE(parsed.problem.empty(), entry << ": " << parsed.problem);
        as_written.push_back({parsed.server.name, parsed.server.weight, true});
    }
    if (!ejected_index.empty()) {
        REQUIRE(number(ejected_index) < as_written.size());
        as_written[number(ejected_index)].live = false;
    }

    Pool pool{.entries = entries, .servers = {}, .written_index = {}};
    pool.written_index.resize(entries.size());
    std::iota(pool.written_index.begin(), pool.written_index.end(), 0U);
    std::sort(pool.written_index.begin(), pool.written_index.end(), [&](uint32_t a, uint32_t b) {
        return ring::sorts_before(as_written[a].name, as_written[b].name);
    });
    for (const uint32_t index : pool.written_index) {
        pool.servers.push_back(as_written[index]);
    }
    return pool;
}

}  // namespace ringmaster::golden
