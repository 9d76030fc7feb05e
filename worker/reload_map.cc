// SPDX-License-Identifier: Apache-2.0
#include "worker/reload_map.h"

#include <algorithm>
#include <functional>

namespace ringmaster::worker {

namespace {

using config::PoolConfig;
using config::ServerConfig;

uint32_t find_pool(const config::Config& config,
                   const std::function<bool(const PoolConfig&)>& is_it) {
    const auto at = std::find_if(config.pools.begin(), config.pools.end(), is_it);
    return at == config.pools.end() ? kNoPool : static_cast<uint32_t>(at - config.pools.begin());
}

bool same_endpoint(const PoolConfig& pool_a, const ServerConfig& a, const PoolConfig& pool_b,
                   const ServerConfig& b) {
    return same_address(a.address, b.address) && pool_a.redis == pool_b.redis &&
           pool_a.redis_auth == pool_b.redis_auth &&
           config::redis_db_of(pool_a, a) == config::redis_db_of(pool_b, b);
}

class ServerMatcher {
  public:
    ServerMatcher(const config::Config& from, const config::Config& to) : from_(from), to_(to) {
        for (const PoolConfig& pool : to.pools) {
            taken_.emplace_back(pool.servers.size(), false);
        }
    }

    void match(uint32_t from_pool, uint32_t to_pool) {
        const size_t count = from_.pools[from_pool].servers.size();
        std::vector<bool> moved(count, false);
        for (const bool by_name : {true, false}) {
            for (uint32_t shard = 0; shard < count; ++shard) {
                moved[shard] = moved[shard] || match_one(from_pool, shard, to_pool, by_name);
            }
        }
    }
    std::vector<ServerMove> moves;

  private:
    bool match_one(uint32_t from_pool, uint32_t from_shard, uint32_t to_pool, bool by_name) {
        const PoolConfig& former = from_.pools[from_pool];
        const PoolConfig& next = to_.pools[to_pool];
        const ServerConfig& server = former.servers[from_shard];
        for (uint32_t shard = 0; shard < next.servers.size(); ++shard) {
            const ServerConfig& candidate = next.servers[shard];
            if (!taken_[to_pool][shard] && (!by_name || server.name == candidate.name) &&
                same_endpoint(former, server, next, candidate)) {
                taken_[to_pool][shard] = true;
                moves.push_back({from_pool, from_shard, to_pool, shard});
                return true;
            }
        }
        return false;
    }

    const config::Config& from_;
    const config::Config& to_;
    std::vector<std::vector<bool>> taken_;  // by pool and shard of `to`
};

}  // namespace

bool same_address(const config::Address& a, const config::Address& b) {
    if (a.is_unix != b.is_unix) {
        return false;
    }
    return a.is_unix ? a.path == b.path : a.host == b.host && a.port == b.port;
}

std::vector<uint32_t> map_pools(const config::Config& from, const config::Config& to) {
    std::vector<uint32_t> targets;
    for (const PoolConfig& pool : from.pools) {
        uint32_t target = find_pool(to, [&pool](const PoolConfig& candidate) {
            return same_address(candidate.listen, pool.listen);
        });
        if (target == kNoPool) {
            target = find_pool(
                to, [&pool](const PoolConfig& candidate) { return candidate.name == pool.name; });
        }
        targets.push_back(target);
    }
    return targets;
}

std::vector<ServerMove> map_servers(const config::Config& from, const config::Config& to,
                                    const std::vector<uint32_t>& pools) {
    ServerMatcher matcher(from, to);
    for (const bool same_name : {true, false}) {
        for (uint32_t pool = 0; pool < from.pools.size(); ++pool) {
            if (pools[pool] != kNoPool &&
                (from.pools[pool].name == to.pools[pools[pool]].name) == same_name) {
                matcher.match(pool, pools[pool]);
            }
        }
    }
    return std::move(matcher.moves);
}

}  // namespace ringmaster::worker
