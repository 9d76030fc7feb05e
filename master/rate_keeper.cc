// SPDX-License-Identifier: Apache-2.0
#include "master/rate_keeper.h"

#include <algorithm>
#include <utility>

namespace ringmaster::master {

void RateKeeper::sample(const stats::Snapshot& snapshot, uint64_t now_ms) {
    before_ = std::move(last_);
    last_ = {.at_ms = now_ms, .requests = {}};
    for (const stats::PoolSnapshot& pool : snapshot.pools) {
        std::vector<int64_t>& requests = last_.requests.emplace_back();
        for (const stats::ServerCounters& server : pool.servers) {
            requests.push_back(server.get(stats::ServerStat::kRequests));
        }
    }
    const bool same_shape =
        std::equal(before_.requests.begin(), before_.requests.end(), last_.requests.begin(),
                   last_.requests.end(),
                   [](const auto& one, const auto& other) { return one.size() == other.size(); });
    if (!same_shape) {
        before_ = {};
    }
}

double RateKeeper::server(size_t pool, size_t shard) const noexcept {
    if (pool >= before_.requests.size() || shard >= before_.requests[pool].size() ||
        last_.at_ms <= before_.at_ms) {
        return 0;
    }
    const int64_t count = last_.requests[pool][shard] - before_.requests[pool][shard];
    return static_cast<double>(std::max<int64_t>(count, 0)) * 1000 /
           static_cast<double>(last_.at_ms - before_.at_ms);
}

double RateKeeper::pool(size_t pool) const noexcept {
    double sum = 0;
    for (size_t shard = 0; pool < before_.requests.size() && shard < before_.requests[pool].size();
         ++shard) {
        sum += server(pool, shard);
    }
    return sum;
}

}  // namespace ringmaster::master
