// SPDX-License-Identifier: Apache-2.0
#include "worker/pool.h"

#include <algorithm>

#include <unistd.h>

#include "common/base/log.h"

namespace ringmaster::worker {

Pool::Pool(DataPath& path, const config::PoolConfig& config, uint32_t index)
    : path_(path), config_(config), index_(index), ejector_(config.eject, config.servers.size()) {
    for (uint32_t shard = 0; shard < config.servers.size(); ++shard) {
        servers_.push_back(std::make_unique<Server>(path, *this, shard));
    }
}

Pool::~Pool() {
    RM_ASSERT(clients_.empty());
    for (const int fd : waiting_) {
        ::close(fd);
    }
}

void Pool::add_client(int fd) {
    if (config_.client_connections == 0) {
        admit(fd, true);
        return;
    }
    waiting_.push_back(fd);
    path_.ask_for_place(index_);
}

void Pool::on_place(bool granted) {
    if (waiting_.empty()) {
        RM_LOG(kErr, "pool '{}': a place came that nobody waits for", config_.name);
        return;
    }
    const int fd = waiting_.front();
    waiting_.pop_front();
    admit(fd, granted);
}

void Pool::admit(int fd, bool has_place) {
    // Owned by the pool's list until it closes, then by DataPath::closed.
    auto* session = new ClientSession(path_, *this);
    clients_.push_back(*session);
    const int error = session->start(fd, config_.listen.is_unix);
    if (error != 0) {
        RM_LOG(kWarn, "pool '{}': cannot serve a new client: errno {}", config_.name, error);
        static_cast<base::ListLink<PoolTag>*>(session)->unlink();
        delete session;
        if (has_place && config_.client_connections > 0) {
            path_.give_place_back(index_);
        }
        return;
    }
    if (!has_place) {
        session->refuse();
    } else if (path_.stopping) {
        session->finish();
    }
}

void Pool::preconnect() {
    if (config_.preconnect) {
        for (const auto& server : servers_) {
            server->preconnect();
        }
    }
}

void Pool::check_deadlines(uint64_t now_ms) {
    if (config_.timeout_ms == 0) {
        return;
    }
    for (const auto& server : servers_) {
        server->check_deadlines(now_ms, config_.timeout_ms);
    }
}

void Pool::finish_clients() {
    ClientSession* session = clients_.front_or_null();
    while (session != nullptr) {
        ClientSession* next = clients_.next_or_null(*session);
        session->finish();
        session = next;
    }
}

void Pool::fail_servers(int error) {
    for (const auto& server : servers_) {
        server->fail_all(error);
    }
}

void Pool::housekeep() {
    for (const auto& server : servers_) {
        server->free_retired();
    }
}

void Pool::fill(stats::PoolSnapshot& snapshot) const {
    snapshot.pool = stats_;
    const health::EjectorCounters& health = ejector_.counters();
    snapshot.pool.set(stats::PoolStat::kRingEpoch, static_cast<int64_t>(ejector_.epoch()));
    snapshot.pool.set(stats::PoolStat::kSuspects, health.suspects);
    snapshot.pool.set(stats::PoolStat::kServerEjects, health.local_ejects);
    snapshot.pool.set(stats::PoolStat::kFastFails, health.fast_fails);
    snapshot.pool.set(stats::PoolStat::kServersOut,
                      std::count_if(servers_.begin(), servers_.end(),
                                    [](const auto& server) { return server->is_out(); }));
    for (size_t i = 0; i < servers_.size(); ++i) {
        snapshot.servers[i] = servers_[i]->snapshot();
    }
}

}  // namespace ringmaster::worker
