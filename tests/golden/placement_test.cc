// SPDX-License-Identifier: Apache-2.0
#include "common/ring/placement.h"

#include <map>
#include <set>

#include <doctest/doctest.h>

#include "tests/golden/pool.h"
#include "tests/golden/tsv.h"

namespace ringmaster::golden {
namespace {

enum Column : size_t {
    kConfigId,
    kDistribution,
    kHash,
    kTag,
    kServers,
    kKey,
    kIndex,
    kEjected,
    kEntry
};

std::vector<Row> placement_rows() {
    return read_tsv("placement.tsv", {"config_id", "distribution", "hash", "hash_tag", "servers",
                                      "key_hex", "server_index", "ejected_index", "chosen_entry"});
}

struct PlacedPool {
    Pool pool;
    ring::Placement placement;
};

PlacedPool make_placed_pool(const Row& row) {
    PlacedPool placed{make_pool(split(row[kServers], '|'), row[kEjected]), {}};
    const hash::HashRow* hash = hash::find_hash_or_null(row[kHash]);
    REQUIRE_MESSAGE(hash != nullptr, row[kHash]);
    const auto* distribution = ring::find_distribution_or_null(row[kDistribution]);
    REQUIRE_MESSAGE(distribution != nullptr, row[kDistribution]);
    ring::HashTag tag;
    if (!row[kTag].empty()) {
        REQUIRE(row[kTag].size() == 2);
        tag = std::pair(row[kTag][0], row[kTag][1]);
    }
    placed.placement = ring::Placement(hash, tag, distribution->distribution, placed.pool.servers);
    return placed;
}

TEST_CASE("golden placement: every key goes to nutcracker's server") {
    const std::vector<Row> rows = placement_rows();
    CHECK(rows.size() == 11136);
    std::map<Row, PlacedPool> pools;
    base::Rng rng(1);
    for (const Row& row : rows) {
        const Row id = {row[kDistribution], row[kHash], row[kTag], row[kServers], row[kEjected]};
        auto found = pools.find(id);
        if (found == pools.end()) {
            found = pools.emplace(id, make_placed_pool(row)).first;
        }
        const auto& [pool, placement] = found->second;
        const uint32_t shard = placement.shard_of(bytes_from_hex(row[kKey]), rng);
        CAPTURE(to_line(row));
        REQUIRE(shard < pool.servers.size());
        CHECK(pool.written_index[shard] == number(row[kIndex]));
        CHECK(pool.entries[pool.written_index[shard]] == row[kEntry]);
    }
}

TEST_CASE("golden placement: every registered hash and distribution has vectors") {
    std::set<std::string> hashes;
    std::set<std::string> distributions;
    for (const Row& row : placement_rows()) {
        hashes.insert(row[kHash]);
        distributions.insert(row[kDistribution]);
    }
    for (const hash::HashRow& hash : hash::all_hashes()) {
        CAPTURE(hash.name);
        CHECK(hashes.count(std::string(hash.name)) == 1);
    }
    // `random` has no right answer to record; the unit tests look at its spread.
    distributions.insert("random");
    for (const ring::DistributionRow& distribution : ring::all_distributions()) {
        CAPTURE(distribution.name);
        CHECK(distributions.count(std::string(distribution.name)) == 1);
    }
}

}  // namespace
}  // namespace ringmaster::golden
