// SPDX-License-Identifier: Apache-2.0
// One pool in this worker: its servers, its placement and its clients.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "common/control/messages.h"
#include "common/health/ejector.h"
#include "common/ring/placement.h"
#include "common/stats/stats.h"
#include "config/model.h"
#include "worker/client_session.h"
#include "worker/data_path.h"
#include "worker/server.h"

namespace ringmaster::worker {

class Pool {
  public:
    // `config` is borrowed and outlives the pool.
    Pool(DataPath& path, const config::PoolConfig& config, uint32_t index);
    ~Pool();

    // The master's word on membership. False when it does not fit this pool (then nothing changed);
    // one that is older than what holds changes nothing either.
    bool set_ring(const control::RingState& state);
    // The server is well, its connections here are not. False: there is no such server.
    bool renew_connections(std::string_view server_name);
    // 0 until the first RING has come.
    [[nodiscard]] uint64_t epoch() const noexcept { return ejector_.epoch(); }

    // ---- health: what the data path sees and asks (common/health/ejector.h) ----

    // Whether a request for this shard may go to its server; else it fails with fail_cause() now.
    [[nodiscard]] bool may_send(uint32_t shard) {
        return ejector_.route(shard, path_.loop.active_ms()) == health::Ejector::Route::kSend;
    }
    [[nodiscard]] int fail_cause(uint32_t shard) const noexcept {
        return ejector_.fail_cause(shard);
    }
    // A whole reply came.
    void on_server_success(uint32_t shard) noexcept {
        if (config_.eject.auto_eject) {
            ejector_.on_success(shard, path_.loop.now_ms());
        }
    }
    // A connect failed, or a connection ended with requests outstanding. `attempt_began_ms` is
    // active time.
    void on_server_failure(uint32_t shard, int cause, uint64_t attempt_began_ms);
    // Deadlines of health; false when there are none left.
    bool judge_health();
    [[nodiscard]] control::PoolHealth health() const;

    // Takes ownership of an accepted connection. With client_connections it waits for the master's
    // word.
    void add_client(int fd);
    // That word for the oldest one that waits: served, or told that there is no room.
    void on_place(bool granted);
    void preconnect();

    // ring::kNoShard when no server is live.
    [[nodiscard]] uint32_t shard_of(std::string_view key) {
        return placement_.shard_of(key, path_.rng);
    }

    Server& server(uint32_t shard) noexcept { return *servers_[shard]; }
    [[nodiscard]] size_t server_count() const noexcept { return servers_.size(); }
    [[nodiscard]] const config::PoolConfig& config() const noexcept { return config_; }
    [[nodiscard]] uint32_t index() const noexcept { return index_; }
    // True once for each command: its keys are on several servers and the first one decides.
    bool first_across_shards(const proto::redis::Command& command) {
        return across_shards_.insert(&command).second;
    }
    stats::PoolCounters& stats() noexcept { return stats_; }
    [[nodiscard]] const stats::PoolCounters& stats() const noexcept { return stats_; }
    base::IntrusiveList<ClientSession, PoolTag>& clients() noexcept { return clients_; }

    void check_deadlines(uint64_t now_ms);
    // Every session ends when its last reply is out; idle ones now.
    void finish_clients();
    void fail_servers(int error);
    // About once a second: frees what retired connections leave.
    void housekeep();
    void fill(stats::PoolSnapshot& snapshot) const;

  private:
    void admit(int fd, bool has_place);
    void obey_ejector();
    void note_ejections();
    void place();

    DataPath& path_;
    const config::PoolConfig& config_;
    uint32_t index_;
    health::Ejector ejector_;
    ring::Placement placement_;
    std::vector<std::unique_ptr<Server>> servers_;
    base::IntrusiveList<ClientSession, PoolTag> clients_;
    std::deque<int> waiting_;  // accepted, not admitted yet
    stats::PoolCounters stats_;
    std::set<const proto::redis::Command*> across_shards_;
};

}  // namespace ringmaster::worker
