// SPDX-License-Identifier: Apache-2.0
#include "master/rate_keeper.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

stats::Snapshot snapshot(std::vector<std::vector<int64_t>> requests) {
    stats::Snapshot out;
    for (const std::vector<int64_t>& pool : requests) {
        stats::PoolSnapshot& entry = out.pools.emplace_back();
        for (const int64_t count : pool) {
            entry.servers.emplace_back().set(stats::ServerStat::kRequests, count);
        }
    }
    return out;
}

TEST_CASE("rates: the difference of the last two samples, per second") {
    RateKeeper rates;
    CHECK(rates.server(0, 0) == 0);
    rates.sample(snapshot({{100, 5}, {7}}), 1000);
    CHECK(rates.server(0, 0) == 0);
    rates.sample(snapshot({{300, 5}, {8}}), 3000);
    CHECK(rates.server(0, 0) == 100);
    CHECK(rates.server(0, 1) == 0);
    CHECK(rates.pool(0) == 100);
    CHECK(rates.pool(1) == 0.5);
    rates.sample(snapshot({{300, 15}, {8}}), 4000);
    CHECK(rates.server(0, 0) == 0);
    CHECK(rates.server(0, 1) == 10);
}

TEST_CASE("rates: unknown places, samples at one time and shrinking counters are 0") {
    RateKeeper rates;
    rates.sample(snapshot({{100}}), 1000);
    rates.sample(snapshot({{200}}), 1000);
    CHECK(rates.server(0, 0) == 0);
    rates.sample(snapshot({{50}}), 2000);
    CHECK(rates.server(0, 0) == 0);
    CHECK(rates.server(0, 1) == 0);
    CHECK(rates.server(1, 0) == 0);
    CHECK(rates.pool(1) == 0);
}

TEST_CASE("rates: another shape begins anew") {
    RateKeeper rates;
    rates.sample(snapshot({{100}}), 1000);
    rates.sample(snapshot({{200}}), 2000);
    rates.sample(snapshot({{200, 7}}), 3000);
    CHECK(rates.pool(0) == 0);
    rates.sample(snapshot({{200, 9}}), 4000);
    CHECK(rates.pool(0) == 2);
}

}  // namespace
}  // namespace ringmaster::master
