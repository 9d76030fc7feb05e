// SPDX-License-Identifier: Apache-2.0
// The simulated world: its state and its events. Times are virtual ms.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/rng.h"
#include "common/health/ejector.h"
#include "common/health/reconciler.h"
#include "tests/sim/eject_sim.h"

namespace ringmaster::sim {

inline constexpr uint64_t kStartMs = 1000;
inline constexpr uint64_t kTimeoutMs = 50;  // the pool's `timeout`
inline constexpr uint32_t kDelayMaxMs = 20;
inline constexpr uint64_t kTickMs = 10;
inline constexpr uint64_t kBeatMs = 100;
inline constexpr uint64_t kRespawnMs = 100;

// What is known of a request or probe before its process looks at it.
inline constexpr uint32_t kUnknownYet = 0;
inline constexpr uint32_t kAnswered = 1;
inline constexpr uint32_t kFailed = 2;

enum class Health : uint8_t { kUp, kSlow, kRefusing, kSilent, kLocalTrouble };

struct Event {
    enum class Kind : uint8_t {
        // of a worker
        kIssue,  // it sends a request
        kDone,   // what becomes of one: value = began (active), extra = Result
        kTick,
        kBeat,
        kRing,
        kReconnect,
        // of the master
        kSuspect,
        kBeatArrives,
        kMasterTick,
        kProbeDone,  // value = probe id, extra = Result
        kWorkerGone,
        // of the world
        kServer,  // shard becomes extra
        kPath,    // worker, shard: becomes extra
        kCrash,
        kRespawn,
        kStall,  // worker, for value
        kResume,
        kMasterStall,  // for value
        kMasterResume,
        kFull,  // worker's channel, for value; extra: 0 to the worker, 1 from it
        kNotFull,
    };
    uint64_t at_ms = 0;
    uint64_t order = 0;
    Kind kind = Kind::kIssue;
    uint32_t worker = 0;
    uint32_t incarnation = 0;
    uint32_t shard = 0;
    uint64_t value = 0;
    uint32_t extra = 0;
    std::shared_ptr<const health::RingVerdicts> ring = nullptr;
    std::shared_ptr<const health::PoolBeat> beat = nullptr;
    health::Accusation accusation = {};
};

struct SimWorker {
    std::unique_ptr<health::Ejector> ejector;  // null while dead
    uint32_t incarnation = 0;
    bool stalled = false;
    bool got_ring = false;
    uint64_t stalled_at_ms = 0;
    uint64_t stalled_total_ms = 0;
    std::vector<Event> deferred;
    std::vector<Health> paths;
    uint32_t cursor = 0;
    uint64_t last_epoch = 0;
    std::array<bool, 2> full = {false, false};
    bool pending_ring = false;
    std::array<uint64_t, 2> last_arrival_ms = {0, 0};
};

class World {
  public:
    World(uint64_t seed, Scenario scenario, health::Mutation mutation);
    Outcome run();

  private:
    // eject_sim_faults.cc
    void choose_settings();
    void plan_faults();
    void plan_deaths(Health how, uint32_t count);
    void plan_flapping();
    void plan_path_trouble();
    void plan_process_faults(Event::Kind kind, uint32_t count, uint32_t min_ms, uint32_t max_ms);
    void plan_full_channels();

    // eject_sim.cc
    void push(Event event);
    void dispatch(Event event);
    void on_world_event(const Event& event);
    void on_worker_event(const Event& event);
    void on_master_event(const Event& event);
    void spawn(uint32_t worker);
    void crash(uint32_t worker);
    void resume_worker(uint32_t worker);
    void issue(uint32_t worker);
    void done(const Event& event);
    [[nodiscard]] uint32_t result_of(const Event& event) const;
    void drain_worker(uint32_t worker);
    void drain_master();
    void send_ring(uint32_t worker);
    void send(Event event, uint32_t direction);
    void start_probe(const health::ReconcilerAction& action);
    [[nodiscard]] Health health_of(uint32_t worker, uint32_t shard) const;
    [[nodiscard]] health::Now now_of(const SimWorker& worker) const;
    [[nodiscard]] uint32_t period_ms() const;
    uint32_t between(uint32_t low, uint32_t high) { return low + rng_.below(high - low + 1); }

    // eject_sim_checks.cc
    void check();
    void check_worker(uint32_t index);
    void check_servers();
    void measure();
    void on_ejected(uint32_t shard);
    void note_epoch();
    void violation(const std::string& text);
    [[nodiscard]] uint64_t live_mask(const SimWorker& worker) const;
    [[nodiscard]] bool is_healthy(uint32_t shard) const;

    base::Rng rng_;
    Scenario scenario_;
    health::Settings settings_;
    health::Settings clean_;  // without the mutation: what the invariants go by
    uint64_t now_ms_ = kStartMs;
    uint64_t faults_end_ms_ = 0;
    uint64_t end_ms_ = 0;
    uint64_t order_ = 0;
    bool swaps_ = false;        // messages of one channel may overtake each other
    bool merges_ = true;        // a full channel keeps the newest RING; else it is lost
    std::vector<Event> queue_;  // a heap
    std::vector<Health> servers_;
    std::vector<SimWorker> workers_;
    std::unique_ptr<health::Reconciler> master_;
    bool master_stalled_ = false;
    std::vector<Event> master_deferred_;

    // for the checks
    std::vector<uint64_t> mask_of_epoch_;
    uint64_t last_epoch_change_ms_ = kStartMs;
    uint64_t control_quiet_since_ms_ = kStartMs;
    uint64_t last_server_event_ms_ = kStartMs;
    uint32_t control_faults_ = 0;           // going on now
    std::vector<uint64_t> changed_ms_;      // per server: its health, or a path to it
    std::vector<uint64_t> server_bad_ms_;   // per server: when it was last bad itself
    std::vector<uint64_t> dying_since_ms_;  // 0 = not measured
    std::vector<std::vector<uint64_t>> ejected_at_ms_;
    Outcome outcome_;
};

}  // namespace ringmaster::sim
