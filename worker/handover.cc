// SPDX-License-Identifier: Apache-2.0
#include "worker/handover.h"

#include <map>
#include <string_view>

#include "worker/counters.h"
#include "worker/reload_map.h"

namespace ringmaster::worker {

namespace {

// `removed` keeps its clients, also those that wait: nobody counts places of it any more.
void keep_serving(Pool& removed) {
    for (const Accepted& client : removed.take_waiting()) {
        removed.admit_now(client);
    }
    if (removed.clients().empty()) {
        removed.retire_servers();
    }
}

template <class Named>
std::map<std::string_view, uint32_t> index_by_name(const std::vector<Named>& named) {
    std::map<std::string_view, uint32_t> indexes;
    for (uint32_t i = 0; i < named.size(); ++i) {
        indexes.emplace(named[i].name, i);
    }
    return indexes;
}

// f(index in `from`, index in `to`) for each name that is in both.
template <class Named, class F>
void for_each_namesake(const std::vector<Named>& from, const std::vector<Named>& to, F&& f) {
    const auto indexes = index_by_name(to);
    for (uint32_t i = 0; i < from.size(); ++i) {
        const auto at = indexes.find(from[i].name);
        if (at != indexes.end()) {
            f(i, at->second);
        }
    }
}

}  // namespace

void Pool::take_counters(Pool& former) {
    stats::PoolSnapshot shown;
    former.fill(shown);
    move_counters(stats_, former.stats_, shown.pool);
    for_each_namesake(former.config_.servers, config_.servers, [&](uint32_t old, uint32_t now) {
        stats::ServerCounters& counters = server(now).stats();
        move_counters(counters, former.server(old).stats(), shown.servers[old]);
        if (server(now).is_out() && former.server(old).is_out()) {  // it has not been ejected anew
            counters.set(stats::ServerStat::kServerEjectedAt,
                         shown.servers[old].get(stats::ServerStat::kServerEjectedAt));
        }
    });
}

void take_counters(Generation& from, Generation& to) {
    for_each_namesake(from.config.pools, to.config.pools, [&](uint32_t old, uint32_t now) {
        to.pools[now]->take_counters(*from.pools[old]);
    });
}

std::vector<WaitingClient> hand_over(Generation& from, Generation& to, uint64_t grace_ms) {
    const std::vector<uint32_t> targets = map_pools(from.config, to.config);
    for (const ServerMove& move : map_servers(from.config, to.config, targets)) {
        Server& former = from.pools[move.from_pool]->server(move.from_shard);
        to.pools[move.to_pool]->server(move.to_shard).take_over(former, grace_ms);
    }
    take_counters(from, to);
    std::vector<WaitingClient> waiting;
    for (uint32_t i = 0; i < from.pools.size(); ++i) {
        Pool& former = *from.pools[i];
        if (targets[i] == kNoPool) {
            keep_serving(former);
            continue;
        }
        Pool& next = *to.pools[targets[i]];
        if (next.config().redis != former.config().redis) {
            keep_serving(former);
            former.finish_clients_soon();
            continue;
        }
        next.take_clients(former);
        for (const Accepted& client : former.take_waiting()) {
            waiting.push_back({&next, client});
        }
        former.retire_servers();
    }
    return waiting;
}

void add_former(stats::Snapshot& report, const Generation& current, const Generation& former) {
    for_each_namesake(former.config.pools, current.config.pools, [&](uint32_t old, uint32_t now) {
        stats::PoolSnapshot of_former;
        former.pools[old]->fill(of_former);
        stats::PoolSnapshot& into = report.pools[now];
        add_former(into.pool, of_former.pool);
        for_each_namesake(former.config.pools[old].servers, current.config.pools[now].servers,
                          [&](uint32_t old_shard, uint32_t shard) {
                              add_former(into.servers[shard], of_former.servers[old_shard]);
                          });
    });
}

}  // namespace ringmaster::worker
