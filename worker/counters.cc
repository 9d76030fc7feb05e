// SPDX-License-Identifier: Apache-2.0
#include "worker/counters.h"

#include <algorithm>
#include <span>

namespace ringmaster::worker {

namespace {

using stats::Kind;
using stats::StatInfo;

template <class C, size_t kCount>
void move_all(std::span<const StatInfo, kCount> infos, C& to, C& base, const C& shown) {
    for (size_t i = 0; i < kCount; ++i) {
        if (infos[i].kind == Kind::kCounter) {
            to.values[i] += shown.values[i];
            base.values[i] -= shown.values[i];
        } else if (infos[i].kind == Kind::kTimestamp) {
            to.values[i] = std::max(to.values[i], shown.values[i]);
        }
    }
}

template <class C, size_t kCount>
void add_all(std::span<const StatInfo, kCount> infos, C& into, const C& former) {
    for (size_t i = 0; i < kCount; ++i) {
        switch (infos[i].kind) {
            case Kind::kCounter:
            case Kind::kGauge:
                into.values[i] += former.values[i];
                break;
            case Kind::kTimestamp:
                into.values[i] = std::max(into.values[i], former.values[i]);
                break;
            case Kind::kHighest:
                break;  // of a placement that holds no more
        }
    }
}

}  // namespace

void move_counters(stats::PoolCounters& to, stats::PoolCounters& base,
                   const stats::PoolCounters& shown) {
    move_all(stats::pool_stats(), to, base, shown);
}

void move_counters(stats::ServerCounters& to, stats::ServerCounters& base,
                   const stats::ServerCounters& shown) {
    move_all(stats::server_stats(), to, base, shown);
}

void add_former(stats::PoolCounters& into, const stats::PoolCounters& former) {
    add_all(stats::pool_stats(), into, former);
}

void add_former(stats::ServerCounters& into, const stats::ServerCounters& former) {
    add_all(stats::server_stats(), into, former);
}

}  // namespace ringmaster::worker
