// SPDX-License-Identifier: Apache-2.0
#include "master/stats_book.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

using stats::PoolStat;
using stats::ServerStat;

config::Config two_servers() {
    config::Config config;
    config.pools.resize(1);
    config.pools[0].servers.resize(2);
    return config;
}

control::StatsReport report(int64_t requests, int64_t clients) {
    const size_t shape[] = {2};
    stats::Snapshot snapshot = stats::make_snapshot(shape);
    snapshot.pools[0].servers[1].add(ServerStat::kRequests, requests);
    snapshot.pools[0].pool.set(PoolStat::kClientConnections, clients);
    return {.request_id = 0,
            .total_connections = requests,
            .curr_connections = clients,
            .values = stats::flatten(snapshot)};
}

int64_t requests(const StatsBook& book) {
    return book.merged().pools[0].servers[1].get(ServerStat::kRequests);
}

TEST_CASE("stats book: the latest report of every slot is summed, not all of them") {
    StatsBook book(two_servers(), 2);
    CHECK(book.store(0, report(5, 1)));
    CHECK(book.store(0, report(7, 1)));
    CHECK(book.store(1, report(100, 3)));
    CHECK(requests(book) == 107);
    CHECK(book.merged().curr_connections == 4);
}

TEST_CASE("stats book: a dead worker's counters stay, its gauges go, the successor adds to them") {
    StatsBook book(two_servers(), 2);
    CHECK(book.store(0, report(5, 2)));
    book.fold(0);
    CHECK(requests(book) == 5);
    CHECK(book.merged().total_connections == 5);
    CHECK(book.merged().curr_connections == 0);
    CHECK(book.merged().pools[0].pool.get(PoolStat::kClientConnections) == 0);
    CHECK(book.store(0, report(1, 1)));
    CHECK(requests(book) == 6);
    book.fold(0);
    book.fold(0);
    CHECK(requests(book) == 6);
}

TEST_CASE("stats book: a report of the wrong shape or with absurd numbers changes nothing") {
    StatsBook book(two_servers(), 1);
    CHECK(book.store(0, report(5, 1)));
    control::StatsReport bad = report(9, 1);
    bad.values.pop_back();
    CHECK_FALSE(book.store(0, bad));
    bad = report(9, 1);
    bad.values.push_back(0);
    CHECK_FALSE(book.store(0, bad));
    bad = report(9, 1);
    bad.values[0] = INT64_MAX;
    CHECK_FALSE(book.store(0, bad));
    bad = report(9, 1);
    bad.curr_connections = INT64_MIN;
    CHECK_FALSE(book.store(0, bad));
    CHECK(requests(book) == 5);
}

TEST_CASE("stats book: a server has answered when any worker ever had a reply from it") {
    StatsBook book(two_servers(), 2);
    CHECK_FALSE(book.ever_answered(0, 0));
    const size_t shape[] = {2};
    stats::Snapshot snapshot = stats::make_snapshot(shape);
    snapshot.pools[0].servers[0].add(ServerStat::kResponses);
    control::StatsReport message;
    message.values = stats::flatten(snapshot);
    CHECK(book.store(1, message));
    CHECK(book.ever_answered(0, 0));
    CHECK_FALSE(book.ever_answered(0, 1));
    book.fold(1);
    CHECK(book.ever_answered(0, 0));
}

config::Config named(std::vector<std::pair<std::string, std::vector<std::string>>> pools) {
    config::Config config;
    for (auto& [name, servers] : pools) {
        config::PoolConfig& pool = config.pools.emplace_back();
        pool.name = name;
        for (std::string& server : servers) {
            pool.servers.emplace_back().name = std::move(server);
        }
    }
    return config;
}

TEST_CASE("stats book: over a reload every server keeps what it counted, dead workers' too") {
    StatsBook book(named({{"p", {"one", "two"}}}), 2);
    CHECK(book.store(0, report(5, 1)));  // of "two"
    CHECK(book.store(1, report(7, 2)));
    book.fold(1);
    book.reload(named({{"q", {"two"}}, {"p", {"two", "three"}}}), 3);
    const stats::Snapshot merged = book.merged();
    REQUIRE(merged.pools.size() == 2);
    CHECK(merged.pools[0].servers[0].get(ServerStat::kRequests) == 0);
    CHECK(merged.pools[1].servers[0].get(ServerStat::kRequests) == 12);
    CHECK(merged.pools[1].servers[1].get(ServerStat::kRequests) == 0);
    CHECK(merged.total_connections == 12);
    CHECK(merged.curr_connections == 1);

    // Reports have the new shape from now on; a new slot counts as the others.
    CHECK_FALSE(book.store(0, report(6, 1)));
    const size_t shape[] = {1, 2};
    stats::Snapshot next = stats::make_snapshot(shape);
    next.pools[1].servers[0].set(ServerStat::kRequests, 100);
    CHECK(book.store(2, {.values = stats::flatten(next)}));
    CHECK(book.merged().pools[1].servers[0].get(ServerStat::kRequests) == 112);
    CHECK_FALSE(book.ever_answered(1, 0));
}

TEST_CASE("stats book: fewer slots leave the numbers of those that end") {
    StatsBook book(named({{"p", {"one", "two"}}}), 2);
    CHECK(book.store(1, report(7, 2)));
    book.reload(named({{"p", {"one", "two"}}}), 1);
    CHECK(requests(book) == 7);
    CHECK(book.store(1, report(8, 1)));  // its worker still drains
    book.fold(1);
    CHECK(requests(book) == 8);
}

}  // namespace
}  // namespace ringmaster::master
