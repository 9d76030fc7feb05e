// SPDX-License-Identifier: Apache-2.0
#include "master/stats_book.h"

#include <algorithm>
#include <cstdint>

#include "common/base/assert.h"

namespace ringmaster::master {

namespace {

// 36 petabytes, or a timestamp of the year 4253; the sum over 128 workers still fits 64 bits, and
// anything above is nonsense.
constexpr int64_t kLargestValue = int64_t{1} << 56;

bool plausible(int64_t value) {
    return value >= -kLargestValue && value <= kLargestValue;
}

bool answered(const stats::Snapshot& snapshot, size_t pool, size_t shard) {
    return snapshot.pools[pool].servers[shard].get(stats::ServerStat::kResponses) > 0;
}

}  // namespace

StatsBook::StatsBook(const config::Config& config, size_t slots) {
    std::vector<size_t> shape;
    for (const config::PoolConfig& pool : config.pools) {
        shape.push_back(pool.servers.size());
    }
    empty_ = stats::make_snapshot(shape);
    gone_ = empty_;
    latest_.assign(slots, empty_);
}

bool StatsBook::store(size_t slot, const control::StatsReport& report) {
    RM_ASSERT(slot < latest_.size());
    if (!plausible(report.total_connections) || !plausible(report.curr_connections) ||
        !std::all_of(report.values.begin(), report.values.end(), plausible)) {
        return false;
    }
    stats::Snapshot snapshot = empty_;
    if (!stats::unflatten(report.values, snapshot)) {
        return false;
    }
    snapshot.total_connections = report.total_connections;
    snapshot.curr_connections = report.curr_connections;
    latest_[slot] = std::move(snapshot);
    return true;
}

void StatsBook::fold(size_t slot) {
    RM_ASSERT(slot < latest_.size());
    stats::drop_gauges(latest_[slot]);
    stats::merge(gone_, latest_[slot]);
    latest_[slot] = empty_;
}

stats::Snapshot StatsBook::merged() const {
    stats::Snapshot all = gone_;
    for (const stats::Snapshot& snapshot : latest_) {
        stats::merge(all, snapshot);
    }
    return all;
}

bool StatsBook::ever_answered(size_t pool, size_t shard) const {
    return answered(gone_, pool, shard) ||
           std::any_of(latest_.begin(), latest_.end(), [&](const stats::Snapshot& snapshot) {
               return answered(snapshot, pool, shard);
           });
}

}  // namespace ringmaster::master
