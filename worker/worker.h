// SPDX-License-Identifier: Apache-2.0
// The worker: one thread, one loop, all pools of the config on the listeners of its slot.
//
// Serves only after the master has sent the config, the placement of every pool, the listeners and
// Start. Ends when the master says so, or goes away.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/io/loop.h"
#include "common/io/signal.h"
#include "common/io/timer.h"
#include "config/model.h"
#include "worker/control_link.h"
#include "worker/data_path.h"
#include "worker/listener_table.h"
#include "worker/pool.h"
#include "worker/test_faults.h"
#include "worker/worker_main.h"

namespace ringmaster::worker {

class Worker : public io::LoopHooks, public ControlEvents {
  public:
    explicit Worker(const WorkerOptions& options);
    ~Worker() override;

    // Returns the process's exit status.
    int run();

    // io::LoopHooks
    void before_poll() noexcept override;
    void after_poll() noexcept override;
    // ControlEvents
    void on_message(control::Message& message) override;
    void on_master_gone() override;

  private:
    void handle(std::monostate&) {}
    void handle(control::ConfigBytes& message);
    void handle(control::RingState& message);
    void handle(control::Reconnect& message);
    void handle(control::Listeners& message);
    void handle(control::ReleaseListeners& message);
    void handle(control::Start& message);
    void handle(control::StatsRequest& message);
    void handle(control::ClientAnswer& message);
    void handle(control::LogLevel& message);
    void handle(control::LogReopen& message);
    void handle(control::Stop& message);
    // What only a worker sends.
    template <class M>
    void handle(M&) {
        on_master_gone();
    }

    void beat();
    void judge_health();
    void accuse(uint32_t pool, const health::EjectorAction& suspect);
    void housekeep();
    void judge_load();
    void report_stats(uint64_t request_id);
    void begin_stop();
    void stop_accepting();
    void free_closed_sessions();
    void sweep_paused();
    [[nodiscard]] size_t client_count() const;
    void end(int status);
    // Tells the master why this worker cannot serve, and ends.
    void give_up(const std::string& reason);

    WorkerOptions options_;
    // Declaration order is teardown order reversed: what the loop still refers to outlives it.
    Memory memory_;
    io::Loop loop_;
    DataPath path_;
    config::Config config_;
    uint64_t generation_ = 0;
    std::vector<std::unique_ptr<Pool>> pools_;
    ListenerTable listeners_;
    io::Timer deadline_timer_;
    io::Timer health_timer_;
    io::Timer beat_timer_;
    io::Timer housekeeping_timer_;
    io::Timer stop_timer_;
    io::Signal term_;
    io::Signal quit_;
    uint64_t check_period_ms_ = 0;  // 0: no pool has a timeout
    bool deadlines_due_ = false;
    bool health_due_ = false;
    uint64_t load_cpu_us_ =
        0;  // CPU time of this process, and the clock, when the load was last judged
    uint64_t load_wall_us_ = 0;
    bool ready_ = false;
    // Turns until the open sessions are told to finish: what has already arrived is read first.
    int turns_to_finish_ = 0;
    bool master_gone_ = false;
    int exit_status_ = 0;
    TestFaults test_faults_;
    std::unique_ptr<ControlLink> control_;
};

}  // namespace ringmaster::worker
