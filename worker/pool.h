// SPDX-License-Identifier: Apache-2.0
// One pool in this worker: its servers, its placement and its clients.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "common/base/inline.h"
#include "common/control/messages.h"
#include "common/health/ejector.h"
#include "common/ring/placement.h"
#include "common/stats/stats.h"
#include "config/model.h"
#include "worker/client_session.h"
#include "worker/data_path.h"
#include "worker/resp3_support.h"
#include "worker/server.h"

namespace ringmaster::worker {

// A connection that was accepted.
struct Accepted {
    int fd = -1;
    bool is_unix = false;
};

class Pool {
  public:
    // `config` is borrowed and outlives the pool. `index` is the pool's in its `generation`.
    Pool(DataPath& path, const config::PoolConfig& config, uint32_t index, uint64_t generation);
    ~Pool();

    // Builds the placement ahead of the first RING, with every server in it: most often that RING
    // says just that, and has nothing left to build.
    void place_ahead() { place(); }
    // Whether set_ring() would take it.
    [[nodiscard]] bool ring_fits(const control::RingState& state) const;
    // The master's word on membership. False when it does not fit this pool (then nothing changed);
    // one that is older than what holds changes nothing either.
    bool set_ring(const control::RingState& state);
    // The server is well, its connections here are not. False: there is no such server.
    bool renew_connections(std::string_view server_name);
    // 0 until the first RING has come.
    [[nodiscard]] uint64_t epoch() const noexcept { return ejector_.epoch(); }

    // ---- health: what the data path sees and asks (common/health/ejector.h) ----

    // Whether a request for this shard may go to its server; else it fails with fail_cause() now.
    [[nodiscard]] RM_INLINE bool may_send(uint32_t shard) {
        return ejector_.route(shard, path_.event_ms) == health::Ejector::Route::kSend;
    }
    [[nodiscard]] int fail_cause(uint32_t shard) const noexcept {
        return ejector_.fail_cause(shard);
    }
    // A whole reply came.
    void on_server_success(uint32_t shard) noexcept {
        if (config_.eject.auto_eject) {
            ejector_.on_success(shard, path_.event_now_ms);
        }
    }
    // A connect failed, or a connection ended with requests outstanding. `attempt_began_ms` is
    // active time.
    void on_server_failure(uint32_t shard, int cause, uint64_t attempt_began_ms);
    // See Ejector.
    [[nodiscard]] uint64_t attempt_floor_ms(uint32_t shard) const noexcept {
        return ejector_.attempt_floor_ms(shard);
    }
    // Deadlines of health; false when there are none left.
    bool judge_health();
    [[nodiscard]] control::PoolHealth health() const;

    // Takes ownership of an accepted connection. With client_connections it waits for the master's
    // word.
    void add_client(int fd) { add_client({fd, config_.listen.is_unix}); }
    // One that came by the address of another generation.
    void add_client(Accepted client);
    // That word for the oldest one that waits: served, or told that there is no room.
    void on_place(bool granted);
    [[nodiscard]] size_t waiting_count() const noexcept { return waiting_.size(); }
    // Those that still wait for the master's word; the caller owns them.
    [[nodiscard]] std::deque<Accepted> take_waiting() { return std::exchange(waiting_, {}); }
    [[nodiscard]] bool has_waiting() const noexcept { return !waiting_.empty(); }
    // Serves it without asking.
    void admit_now(Accepted client) { admit(client, true, false); }
    // Tells all that wait that there is no room, and closes them.
    void refuse_waiting();
    void preconnect();

    // ring::kNoShard when no server is live.
    [[nodiscard]] uint32_t shard_of(std::string_view key) {
        return placement_.shard_of(key, path_.rng);
    }

    // ---- RESP3: resp3_support.h ----

    // For a client that wants it. kOpen: the servers are asked, and ClientSession::on_wait_over()
    // follows.
    Resp3Support::Verdict resp3_for(ClientSession& client);
    // HELLO 3 is refused. False as long as nobody knows.
    [[nodiscard]] bool refuses_resp3() const noexcept {
        return resp3_.verdict(path_.loop.now_ms()) == Resp3Support::Verdict::kNotSpoken;
    }
    void forget_waiting(ClientSession& client) noexcept { std::erase(wait_for_resp3_, &client); }
    // A server has answered HELLO 3, or will not.
    void on_resp3_answer(uint32_t shard, Resp3Answer answer);

    Server& server(uint32_t shard) noexcept { return *servers_[shard]; }
    [[nodiscard]] size_t server_count() const noexcept { return servers_.size(); }
    [[nodiscard]] const config::PoolConfig& config() const noexcept { return config_; }
    [[nodiscard]] uint32_t index() const noexcept { return index_; }
    [[nodiscard]] uint64_t generation() const noexcept { return generation_; }
    // True once for each command: its keys are on several servers and the first one decides.
    bool first_across_shards(const proto::redis::Command& command) {
        return across_shards_.insert(&command).second;
    }
    stats::PoolCounters& stats() noexcept { return stats_; }
    [[nodiscard]] const stats::PoolCounters& stats() const noexcept { return stats_; }
    base::IntrusiveList<ClientSession, PoolTag>& clients() noexcept { return clients_; }

    // ---- a reload ----

    // All sessions of a pool of the same protocol are this one's from now on.
    void take_clients(Pool& former);
    // Counters of `former` go on here and stand at zero there; levels follow what they count.
    void take_counters(Pool& former);
    // Later requests open new connections; the present ones close when they are idle.
    void retire_servers();
    // No client and no connection: nothing is left to wait for.
    [[nodiscard]] bool is_idle() const;
    // Every session ends when its last reply is out, once the turn ends.
    void finish_clients_soon();
    void close_clients();
    [[nodiscard]] uint32_t places_held();

    // Every session ends when its last reply is out; idle ones now.
    void finish_clients();
    void fail_servers(int error);
    // About once a second: frees what retired connections leave.
    void housekeep();
    void fill(stats::PoolSnapshot& snapshot) const;

  private:
    template <class F>
    void for_each_client(F&& f);
    // Not welcome: it is told that there is no room. A place it holds is given back when it leaves.
    void admit(Accepted client, bool is_welcome, bool holds_place);
    void obey_ejector();
    void note_ejections();
    void place();
    void ask_for_resp3();
    void end_waits_for_resp3();

    DataPath& path_;
    const config::PoolConfig& config_;
    uint32_t index_;
    uint64_t generation_;
    health::Ejector ejector_;
    ring::Placement placement_;
    std::vector<bool> placed_live_;  // the servers `placement_` was built of; empty = not built
    Resp3Support resp3_;
    std::vector<ClientSession*> wait_for_resp3_;
    std::vector<std::unique_ptr<Server>> servers_;
    base::IntrusiveList<ClientSession, PoolTag> clients_;
    std::deque<Accepted> waiting_;  // accepted, not admitted yet
    stats::PoolCounters stats_;
    std::set<const proto::redis::Command*> across_shards_;
};

}  // namespace ringmaster::worker
