// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "common/stats/stats.h"

namespace ringmaster::stats {
namespace {

const std::vector<size_t> kShape = {2, 0, 1};

// What a worker takes with it when it dies.
bool is_level(Kind kind) {
    return kind == Kind::kGauge || kind == Kind::kHighest;
}

// Every number different, none zero.
Snapshot numbered(int64_t first) {
    Snapshot snapshot = make_snapshot(kShape);
    std::vector<int64_t> values = flatten(snapshot);
    for (int64_t& value : values) {
        value = first++;
    }
    REQUIRE(unflatten(values, snapshot));
    snapshot.total_connections = first++;
    snapshot.curr_connections = first;
    return snapshot;
}

// Calls visit(kind, value of a, value of b) for every number of two equal shapes.
template <class Visit>
void for_each_pair(const Snapshot& a, const Snapshot& b, Visit visit) {
    visit(Kind::kCounter, a.total_connections, b.total_connections);
    visit(Kind::kGauge, a.curr_connections, b.curr_connections);
    REQUIRE(a.pools.size() == b.pools.size());
    for (size_t p = 0; p < a.pools.size(); ++p) {
        for (size_t i = 0; i < kPoolStatCount; ++i) {
            visit(pool_stats()[i].kind, a.pools[p].pool.values[i], b.pools[p].pool.values[i]);
        }
        REQUIRE(a.pools[p].servers.size() == b.pools[p].servers.size());
        for (size_t s = 0; s < a.pools[p].servers.size(); ++s) {
            for (size_t i = 0; i < kServerStatCount; ++i) {
                visit(server_stats()[i].kind, a.pools[p].servers[s].values[i],
                      b.pools[p].servers[s].values[i]);
            }
        }
    }
}

void check_equal(const Snapshot& a, const Snapshot& b) {
    for_each_pair(a, b, [](Kind, int64_t left, int64_t right) { CHECK(left == right); });
}

TEST_CASE("stats counters: add and set change one stat") {
    ServerCounters counters;
    counters.add(ServerStat::kRequests);
    counters.add(ServerStat::kRequests, 4);
    counters.set(ServerStat::kServerEjectedAt, 77);
    counters.add(ServerStat::kInQueue, -1);
    CHECK(counters.get(ServerStat::kRequests) == 5);
    CHECK(counters.get(ServerStat::kServerEjectedAt) == 77);
    CHECK(counters.get(ServerStat::kInQueue) == -1);
    CHECK(counters.get(ServerStat::kResponses) == 0);
}

TEST_CASE("stats snapshot: a new one has the shape asked for and is all zero") {
    const Snapshot snapshot = make_snapshot(kShape);
    REQUIRE(snapshot.pools.size() == 3);
    CHECK(snapshot.pools[0].servers.size() == 2);
    CHECK(snapshot.pools[1].servers.empty());
    for (const int64_t value : flatten(snapshot)) {
        CHECK(value == 0);
    }
}

TEST_CASE("stats merge: counters and gauges add up, the latest timestamp wins") {
    const Snapshot a = numbered(1000);
    const Snapshot b = numbered(5000);
    Snapshot merged = a;
    REQUIRE(merge(merged, b));
    for_each_pair(a, merged, [](Kind kind, int64_t before, int64_t after) {
        CHECK(after == (kind == Kind::kTimestamp || kind == Kind::kHighest ? before + 4000
                                                                           : 2 * before + 4000));
    });
    Snapshot other_way = b;
    REQUIRE(merge(other_way, a));
    check_equal(merged, other_way);
}

TEST_CASE("stats merge: another shape is refused and changes nothing") {
    const Snapshot before = numbered(1);
    const std::vector<std::vector<size_t>> others = {
        {}, {2, 0}, {2, 0, 2}, {2, 0, 1, 1}, {0, 2, 1}};
    for (const std::vector<size_t>& other : others) {
        Snapshot into = before;
        CHECK_FALSE(merge(into, make_snapshot(other)));
        check_equal(into, before);
    }
}

TEST_CASE("stats merge: numbers at the ends of their range stop there") {
    Snapshot high = make_snapshot(kShape);
    high.total_connections = INT64_MAX;
    high.pools[0].pool.set(PoolStat::kClientErr, INT64_MIN);
    Snapshot merged = high;
    REQUIRE(merge(merged, high));
    CHECK(merged.total_connections == INT64_MAX);
    CHECK(merged.pools[0].pool.get(PoolStat::kClientErr) == INT64_MIN);
}

TEST_CASE("stats drop_gauges: levels go, counters and timestamps stay") {
    const Snapshot before = numbered(1);
    Snapshot after = before;
    drop_gauges(after);
    for_each_pair(before, after, [](Kind kind, int64_t was, int64_t is) {
        CHECK(is == (is_level(kind) ? 0 : was));
    });
}

// What the master does: totals of the dead plus the latest of the living.
TEST_CASE("stats: no counter and no timestamp goes down when workers count, die and come back") {
    const uint64_t seed = 42;
    CAPTURE(seed);
    base::Rng rng(seed);
    Snapshot dead = make_snapshot(kShape);
    std::vector<Snapshot> living(3, make_snapshot(kShape));
    Snapshot last = make_snapshot(kShape);
    for (int step = 0; step < 500; ++step) {
        Snapshot& worker = living[rng.below(3)];
        if (rng.below(5) == 0) {
            drop_gauges(worker);
            REQUIRE(merge(dead, worker));
            worker = make_snapshot(kShape);
        } else {
            std::vector<int64_t> values = flatten(worker);
            values[rng.below(static_cast<uint32_t>(values.size()))] += rng.below(1000);
            REQUIRE(unflatten(values, worker));
            worker.total_connections += rng.below(3);
        }
        Snapshot now = dead;
        for (const Snapshot& each : living) {
            REQUIRE(merge(now, each));
        }
        for_each_pair(last, now, [](Kind kind, int64_t was, int64_t is) {
            if (!is_level(kind)) {
                REQUIRE(is >= was);
            }
        });
        last = now;
    }
}

TEST_CASE("stats flatten: pools in order, each with its own stats and then its servers'") {
    Snapshot snapshot = make_snapshot(kShape);
    snapshot.pools[0].servers[1].set(ServerStat::kServerEof, 1);
    snapshot.pools[1].pool.set(PoolStat::kClientEof, 2);
    snapshot.pools[2].servers[0].set(ServerStat::kOutQueueBytes, 3);
    const std::vector<int64_t> values = flatten(snapshot);
    REQUIRE(values.size() == 3 * kPoolStatCount + 3 * kServerStatCount);
    CHECK(values[kPoolStatCount + kServerStatCount] == 1);
    CHECK(values[kPoolStatCount + 2 * kServerStatCount] == 2);
    CHECK(values.back() == 3);
}

TEST_CASE("stats unflatten: gives back what was flattened") {
    const Snapshot before = numbered(-20);
    Snapshot after = make_snapshot(kShape);
    after.total_connections = before.total_connections;
    after.curr_connections = before.curr_connections;
    REQUIRE(unflatten(flatten(before), after));
    check_equal(before, after);
}

TEST_CASE("stats unflatten: a count that does not fit is refused and changes nothing") {
    const Snapshot before = numbered(1);
    std::vector<int64_t> values = flatten(make_snapshot(kShape));
    Snapshot shape = before;
    values.push_back(0);
    CHECK_FALSE(unflatten(values, shape));
    values.resize(values.size() - 2);
    CHECK_FALSE(unflatten(values, shape));
    CHECK_FALSE(unflatten({}, shape));
    check_equal(shape, before);
}

}  // namespace
}  // namespace ringmaster::stats
