// SPDX-License-Identifier: Apache-2.0
#include "common/stats/stats.h"

#include <algorithm>
#include <limits>

namespace ringmaster::stats {

namespace {

constexpr std::array<StatInfo, kPoolStatCount> kPoolStats = {{
#define RM_POOL_STAT(enumerator, name, kind, text) {name, Kind::kind, text, true},
#define RM_POOL_STAT_OWN(enumerator, name, kind, text) {name, Kind::kind, text, false},
#define RM_SERVER_STAT(enumerator, name, kind, text)
#include "common/stats/stats.def"
#undef RM_POOL_STAT
#undef RM_POOL_STAT_OWN
#undef RM_SERVER_STAT
}};

constexpr std::array<StatInfo, kServerStatCount> kServerStats = {{
#define RM_POOL_STAT(enumerator, name, kind, text)
#define RM_POOL_STAT_OWN(enumerator, name, kind, text)
#define RM_SERVER_STAT(enumerator, name, kind, text) {name, Kind::kind, text, true},
#include "common/stats/stats.def"
#undef RM_POOL_STAT
#undef RM_POOL_STAT_OWN
#undef RM_SERVER_STAT
}};

int64_t saturating_add(int64_t a, int64_t b) {
    int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) {
        return sum;
    }
    return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

template <size_t kCount>
void merge_values(std::array<int64_t, kCount>& into, const std::array<int64_t, kCount>& from,
                  const std::array<StatInfo, kCount>& infos) {
    for (size_t i = 0; i < kCount; ++i) {
        switch (infos[i].kind) {
            case Kind::kCounter:
            case Kind::kGauge:
                into[i] = saturating_add(into[i], from[i]);
                break;
            case Kind::kHighest:
            case Kind::kTimestamp:
                into[i] = std::max(into[i], from[i]);
                break;
        }
    }
}

template <size_t kCount>
void drop_gauge_values(std::array<int64_t, kCount>& values,
                       const std::array<StatInfo, kCount>& infos) {
    for (size_t i = 0; i < kCount; ++i) {
        if (infos[i].kind == Kind::kGauge || infos[i].kind == Kind::kHighest) {
            values[i] = 0;
        }
    }
}

bool same_shape(const Snapshot& a, const Snapshot& b) {
    return std::equal(a.pools.begin(), a.pools.end(), b.pools.begin(), b.pools.end(),
                      [](const PoolSnapshot& left, const PoolSnapshot& right) {
                          return left.servers.size() == right.servers.size();
                      });
}

size_t value_count(const Snapshot& snapshot) {
    size_t count = 0;
    for (const PoolSnapshot& pool : snapshot.pools) {
        count += kPoolStatCount + pool.servers.size() * kServerStatCount;
    }
    return count;
}

}  // namespace

std::span<const StatInfo, kPoolStatCount> pool_stats() noexcept {
    return kPoolStats;
}

std::span<const StatInfo, kServerStatCount> server_stats() noexcept {
    return kServerStats;
}

Snapshot make_snapshot(std::span<const size_t> servers_per_pool) {
    Snapshot snapshot;
    snapshot.pools.resize(servers_per_pool.size());
    for (size_t i = 0; i < servers_per_pool.size(); ++i) {
        snapshot.pools[i].servers.resize(servers_per_pool[i]);
    }
    return snapshot;
}

bool merge(Snapshot& into, const Snapshot& from) {
    if (!same_shape(into, from)) {
        return false;
    }
    into.total_connections = saturating_add(into.total_connections, from.total_connections);
    into.curr_connections = saturating_add(into.curr_connections, from.curr_connections);
    for (size_t p = 0; p < into.pools.size(); ++p) {
        PoolSnapshot& to = into.pools[p];
        const PoolSnapshot& other = from.pools[p];
        merge_values(to.pool.values, other.pool.values, kPoolStats);
        for (size_t s = 0; s < to.servers.size(); ++s) {
            merge_values(to.servers[s].values, other.servers[s].values, kServerStats);
        }
    }
    return true;
}

void drop_gauges(Snapshot& snapshot) {
    snapshot.curr_connections = 0;
    for (PoolSnapshot& pool : snapshot.pools) {
        drop_gauge_values(pool.pool.values, kPoolStats);
        for (ServerCounters& server : pool.servers) {
            drop_gauge_values(server.values, kServerStats);
        }
    }
}

Snapshot reshape(const Snapshot& snapshot, std::span<const PoolNames> from,
                 std::span<const PoolNames> to) {
    Snapshot out;
    out.total_connections = snapshot.total_connections;
    out.curr_connections = snapshot.curr_connections;
    for (const PoolNames& pool : to) {
        PoolSnapshot& next = out.pools.emplace_back();
        next.servers.resize(pool.servers.size());
        const auto former = std::find_if(from.begin(), from.end(), [&](const PoolNames& names) {
            return names.pool == pool.pool;
        });
        if (former == from.end()) {
            continue;
        }
        const PoolSnapshot& numbers = snapshot.pools[static_cast<size_t>(former - from.begin())];
        next.pool = numbers.pool;
        for (size_t i = 0; i < pool.servers.size(); ++i) {
            const auto at =
                std::find(former->servers.begin(), former->servers.end(), pool.servers[i]);
            if (at != former->servers.end()) {
                next.servers[i] =
                    numbers.servers[static_cast<size_t>(at - former->servers.begin())];
            }
        }
    }
    return out;
}

std::vector<int64_t> flatten(const Snapshot& snapshot) {
    std::vector<int64_t> values;
    values.reserve(value_count(snapshot));
    for (const PoolSnapshot& pool : snapshot.pools) {
        values.insert(values.end(), pool.pool.values.begin(), pool.pool.values.end());
        for (const ServerCounters& server : pool.servers) {
            values.insert(values.end(), server.values.begin(), server.values.end());
        }
    }
    return values;
}

bool unflatten(std::span<const int64_t> values, Snapshot& shape) {
    if (values.size() != value_count(shape)) {
        return false;
    }
    const int64_t* next = values.data();
    for (PoolSnapshot& pool : shape.pools) {
        std::copy_n(next, kPoolStatCount, pool.pool.values.begin());
        next += kPoolStatCount;
        for (ServerCounters& server : pool.servers) {
            std::copy_n(next, kServerStatCount, server.values.begin());
            next += kServerStatCount;
        }
    }
    return true;
}

}  // namespace ringmaster::stats
