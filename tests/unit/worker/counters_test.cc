// SPDX-License-Identifier: Apache-2.0
#include "worker/counters.h"

#include <doctest/doctest.h>

namespace ringmaster::worker {
namespace {

using stats::PoolCounters;
using stats::PoolStat;
using stats::ServerCounters;
using stats::ServerStat;

}  // namespace

TEST_CASE("counters: what was counted goes on in the next generation, and only there") {
    ServerCounters former;
    former.add(ServerStat::kRequests, 7);
    former.add(ServerStat::kServerConnections, 2);
    ServerCounters next;
    const ServerCounters shown = former;
    move_counters(next, former, shown);
    CHECK(next.get(ServerStat::kRequests) == 7);
    CHECK(next.get(ServerStat::kServerConnections) == 0);  // a level stays with what it counts
    CHECK(former.get(ServerStat::kRequests) == 0);
    CHECK(former.get(ServerStat::kServerConnections) == 2);
}

TEST_CASE("counters: what is shown beyond the own count is moved as well") {
    // An ejector counts by itself, and its pool shows the sum.
    PoolCounters former;
    PoolCounters shown = former;
    shown.add(PoolStat::kSuspects, 5);
    PoolCounters next;
    move_counters(next, former, shown);
    CHECK(next.get(PoolStat::kSuspects) == 5);
    CHECK(former.get(PoolStat::kSuspects) + 5 == 0);  // the ejector's five, and this
}

TEST_CASE("counters: a report sums what both count, and never goes down when one ends") {
    ServerCounters next;
    next.add(ServerStat::kRequests, 10);
    next.set(ServerStat::kServerEjectedAt, 100);
    ServerCounters former;
    former.add(ServerStat::kResponses, 3);
    former.add(ServerStat::kServerConnections, 1);
    former.set(ServerStat::kServerEjectedAt, 90);
    ServerCounters report = next;
    add_former(report, former);
    CHECK(report.get(ServerStat::kRequests) == 10);
    CHECK(report.get(ServerStat::kResponses) == 3);
    CHECK(report.get(ServerStat::kServerConnections) == 1);
    CHECK(report.get(ServerStat::kServerEjectedAt) == 100);
    former.add(ServerStat::kServerConnections, -1);
    const ServerCounters last = former;
    move_counters(next, former, last);
    CHECK(next.get(ServerStat::kResponses) == 3);
    CHECK(next.get(ServerStat::kServerConnections) == 0);
}

TEST_CASE("counters: the levels of a placement that holds no more are nobody's") {
    PoolCounters next;
    next.set(PoolStat::kRingEpoch, 4);
    PoolCounters former;
    former.set(PoolStat::kRingEpoch, 9);
    former.set(PoolStat::kServersOut, 2);
    former.set(PoolStat::kClientConnections, 1);
    add_former(next, former);
    CHECK(next.get(PoolStat::kRingEpoch) == 4);
    CHECK(next.get(PoolStat::kServersOut) == 0);
    CHECK(next.get(PoolStat::kClientConnections) == 1);
}

}  // namespace ringmaster::worker
