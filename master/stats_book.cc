// SPDX-License-Identifier: Apache-2.0
#include "master/stats_book.h"

#include <algorithm>
#include <cstdint>
#include <utility>

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

std::vector<stats::PoolNames> names_of(const config::Config& config) {
    std::vector<stats::PoolNames> names;
    for (const config::PoolConfig& pool : config.pools) {
        stats::PoolNames& entry = names.emplace_back();
        entry.pool = pool.name;
        for (const config::ServerConfig& server : pool.servers) {
            entry.servers.push_back(server.name);
        }
    }
    return names;
}

StatsBook::StatsBook(const config::Config& config, size_t slots) {
    reload(config, slots);
}

void StatsBook::reload(const config::Config& config, size_t slots) {
    std::vector<stats::PoolNames> names = names_of(config);
    gone_ = stats::reshape(gone_, names_, names);
    for (stats::Snapshot& snapshot : latest_) {
        snapshot = stats::reshape(snapshot, names_, names);
    }
    empty_ = stats::reshape({}, {}, names);
    if (slots > latest_.size()) {
        latest_.resize(slots, empty_);
    }
    names_ = std::move(names);
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
