// SPDX-License-Identifier: Apache-2.0
// Keeps every slot served: starts the workers, gives each what it needs, replaces the dead.
//
// Events are borrowed and outlive this. Times are the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/control/messages.h"
#include "common/io/credentials.h"
#include "common/io/loop.h"
#include "common/io/timer.h"
#include "common/stats/stats.h"
#include "config/model.h"
#include "master/client_ledger.h"
#include "master/crash_meter.h"
#include "master/listener_set.h"
#include "master/respawn_policy.h"
#include "master/slot_watch.h"
#include "master/stats_book.h"
#include "master/stats_gather.h"
#include "master/status_report.h"
#include "master/worker_process.h"

namespace ringmaster::master {

class SupervisorEvents {
  public:
    virtual ~SupervisorEvents() = default;
    // Every slot has become READY for the first time. Once.
    virtual void on_workers_ready() = 0;
    // Before on_workers_ready() only: it will not succeed.
    virtual void on_workers_cannot_start(const std::string& reason) = 0;
    // False: there is no such server.
    [[nodiscard]] virtual bool on_connect_failed(size_t pool, size_t shard) = 0;
    // A process has said HELLO, and is about to be sent every pool's RING. / It has ended.
    virtual void on_worker_up(size_t slot) = 0;
    virtual void on_worker_gone(size_t slot) = 0;
    // False: it does not fit the config.
    [[nodiscard]] virtual bool on_suspect(size_t slot, const control::Suspect& suspect) = 0;
    [[nodiscard]] virtual bool on_beat(size_t slot, const control::Beat& beat) = 0;
    // A worker has stopped accepting, or has ended.
    virtual void on_worker_stopped() = 0;
    // A vote on a reload; the end of a voter; a worker goes by what it was told to commit.
    virtual void on_prepared(size_t slot, const control::Prepared& vote) = 0;
    virtual void on_worker_exit(size_t slot, const std::string& how) = 0;
    virtual void on_committed(size_t slot) = 0;
};

// What a worker is given. References are borrowed.
struct Provisions {
    const config::Config& config;
    const control::ConfigBytes& config_bytes;
    const ListenerSet& listeners;
    std::function<control::RingState(size_t pool)> ring;
    std::optional<io::Credentials> credentials;  // of the workers; else they stay who we are
    bool one_cpu_each = false;                   // each worker runs on one CPU, by its slot
    bool detached = false;
};

class Supervisor : private WorkerEvents {
  public:
    static constexpr uint32_t kFailedStartsMax = 3;

    Supervisor(io::Loop& loop, size_t slots, Provisions provisions, SupervisorEvents& events);

    void start();
    // From now on a dead worker stays dead.
    void stop_respawning();
    // TERM-like order to every worker; one that is not READY yet is killed.
    void send_stop(const control::Stop& stop);
    void kill_all() noexcept;

    void broadcast_ring(size_t pool);
    void send_ring(size_t slot, size_t pool);
    template <class M>
    void send(size_t slot, const M& message) {
        if (slot < slots_.size() && is_connected(slots_[slot])) {
            slots_[slot].worker->link().send(message);
        }
    }
    template <class M>
    void broadcast(const M& message, std::span<const int> descriptors = {}) {
        for (const Slot& slot : slots_) {
            if (is_connected(slot)) {
                slot.worker->link().send(message, descriptors);
            }
        }
    }
    // The log file that is open here now, to write to from now on. Workers open no files.
    void broadcast_log();

    // Brings the numbers up to date, then calls.
    void gather_stats(std::function<void()> on_done) { gather_.start(std::move(on_done)); }
    [[nodiscard]] stats::Snapshot stats() const { return book_.merged(); }
    [[nodiscard]] bool ever_answered(size_t pool, size_t shard) const {
        return book_.ever_answered(pool, shard);
    }

    // ---- a reload (supervisor_reload.cc) ----

    [[nodiscard]] size_t slot_count() const noexcept { return slots_.size(); }
    // Not surplus.
    [[nodiscard]] bool is_wanted(size_t slot) const { return slots_[slot].wanted; }
    // Slots whose workers are READY.
    [[nodiscard]] std::vector<size_t> ready_slots() const;
    // Sends the order, and the sockets among `listeners` that the slot's worker has not got.
    void prepare(size_t slot, const control::Prepare& order,
                 const std::vector<PoolListener>& listeners);
    void abort(std::span<const size_t> slots, uint64_t generation);
    // What Provisions refer to is of another generation now: every worker is told to switch to it
    // (those that were not asked to prepare are sent `order` first), slots come or become surplus.
    void commit(const control::Prepare& order, std::span<const size_t> prepared, size_t wanted,
                uint32_t drain_timeout_ms);
    // Workers that have not followed yet.
    [[nodiscard]] std::vector<size_t> laggards() const;
    // Replaces those: they missed a reload.
    void kill(std::span<const size_t> slots);

    // Once per turn of the loop, after what has arrived was read (io::LoopHooks).
    void after_poll() { watch_.after_poll(); }

    // For `status`: every slot that is wanted or has a worker, from its last beat and report.
    [[nodiscard]] std::vector<WorkerStatus> worker_statuses() const;
    // Slots the config asks for, and those of them whose workers are READY.
    [[nodiscard]] size_t wanted_count() const noexcept;
    [[nodiscard]] size_t ready_count() const noexcept;
    [[nodiscard]] size_t running_count() const noexcept;
    // Workers that ended unbidden, and slots whose listeners another worker took over; ever.
    [[nodiscard]] uint64_t crash_count() const noexcept { return crashes_.count(); }
    [[nodiscard]] uint64_t adoption_count() const noexcept { return watch_.adoption_count(); }
    [[nodiscard]] const SlotWatch& watch() const noexcept { return watch_; }
    [[nodiscard]] bool all_accept_stopped() const noexcept;

  private:
    struct Slot {
        std::unique_ptr<WorkerProcess> worker;  // null before the first
        std::unique_ptr<io::Timer> respawn;
        uint64_t crashes = 0;        // ends that nobody ordered
        bool wanted = true;          // else its worker ends with its last client
        std::set<uint32_t> sockets;  // what its worker has been sent of its own listeners
    };

    static bool is_connected(const Slot& slot) noexcept;
    void add_slots(size_t count);
    void spawn(size_t slot);
    void send_own_listeners(Slot& slot, uint64_t generation,
                            const std::vector<PoolListener>& listeners);
    void tell_to_commit(size_t slot, uint32_t drain_timeout_ms);
    // Its worker's indexes are those of the config in force.
    [[nodiscard]] bool is_current(const WorkerProcess& worker) const noexcept;
    WorkerProcess* ready_worker_or_null(size_t slot) noexcept;
    void count_crash();
    void after_death(size_t slot, const std::string& what);
    std::vector<size_t> ask_for_stats(uint64_t request_id);

    void on_worker_hello(WorkerProcess& worker) override;
    void on_worker_ready(WorkerProcess& worker) override;
    void on_worker_failed(WorkerProcess& worker, const std::string& reason) override;
    bool on_worker_stats(WorkerProcess& worker, const control::StatsReport& report) override;
    bool on_worker_connect_failed(WorkerProcess& worker,
                                  const control::ConnectFailed& message) override;
    void on_worker_prepared(WorkerProcess& worker, const control::Prepared& vote) override;
    bool on_worker_committed(WorkerProcess& worker, const control::Committed& message) override;
    bool on_worker_suspect(WorkerProcess& worker, const control::Suspect& suspect) override;
    bool on_worker_beat(WorkerProcess& worker, const control::Beat& beat) override;
    bool on_worker_client_ask(WorkerProcess& worker, const control::ClientAsk& ask) override;
    bool on_worker_client_gone(WorkerProcess& worker, const control::ClientGone& gone) override;
    void on_worker_accept_stopped(WorkerProcess& worker) override;
    void on_worker_exit(WorkerProcess& worker, io::ProcessExit exit) override;

    io::Loop& loop_;
    Provisions provisions_;
    SupervisorEvents& events_;
    RespawnPolicy policy_;
    ClientLedger ledger_;
    StatsBook book_;
    StatsGather gather_;
    std::vector<Slot> slots_;
    CrashMeter crashes_;
    SlotWatch watch_;
    bool all_were_ready_ = false;
    bool cannot_start_ = false;
    bool respawning_ = true;
};

}  // namespace ringmaster::master
