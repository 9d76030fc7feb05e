// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "common/stats/stats.h"

namespace ringmaster::stats {
namespace {

using Names = std::vector<PoolNames>;

const Names kBefore = {{"a", {"one", "two"}}, {"b", {"three"}}};

Snapshot before() {
    const size_t shape[] = {2, 1};
    Snapshot snapshot = make_snapshot(shape);
    snapshot.total_connections = 50;
    snapshot.curr_connections = 5;
    snapshot.pools[0].pool.set(PoolStat::kClientEof, 10);
    snapshot.pools[1].pool.set(PoolStat::kClientEof, 11);
    snapshot.pools[0].servers[0].set(ServerStat::kRequests, 1);
    snapshot.pools[0].servers[1].set(ServerStat::kRequests, 2);
    snapshot.pools[1].servers[0].set(ServerStat::kRequests, 3);
    return snapshot;
}

int64_t requests(const Snapshot& snapshot, size_t pool, size_t shard) {
    return snapshot.pools[pool].servers[shard].get(ServerStat::kRequests);
}

TEST_CASE("stats reshape: the same names, the same numbers") {
    const Snapshot after = reshape(before(), kBefore, kBefore);
    CHECK(flatten(after) == flatten(before()));
    CHECK(after.total_connections == 50);
    CHECK(after.curr_connections == 5);
}

TEST_CASE("stats reshape: numbers follow their names, wherever those stand") {
    const Names to = {{"b", {"three"}}, {"new", {"one"}}, {"a", {"two", "four", "one"}}};
    const Snapshot after = reshape(before(), kBefore, to);
    REQUIRE(after.pools.size() == 3);
    CHECK(after.pools[0].pool.get(PoolStat::kClientEof) == 11);
    CHECK(requests(after, 0, 0) == 3);
    // A server of the same name in another pool is another one.
    CHECK(after.pools[1].pool.get(PoolStat::kClientEof) == 0);
    CHECK(requests(after, 1, 0) == 0);
    CHECK(after.pools[2].pool.get(PoolStat::kClientEof) == 10);
    CHECK(requests(after, 2, 0) == 2);
    CHECK(requests(after, 2, 1) == 0);
    CHECK(requests(after, 2, 2) == 1);
    CHECK(after.total_connections == 50);
}

TEST_CASE("stats reshape: from nothing, and to nothing") {
    const Snapshot empty = reshape({}, {}, kBefore);
    REQUIRE(empty.pools.size() == 2);
    CHECK(empty.pools[0].servers.size() == 2);
    CHECK(requests(empty, 0, 0) == 0);
    CHECK(reshape(before(), kBefore, {}).pools.empty());
}

}  // namespace
}  // namespace ringmaster::stats
