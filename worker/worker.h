// SPDX-License-Identifier: Apache-2.0
// The worker: one thread, one loop, all pools of the config on the listeners of its slot.
//
// Serves only after the master has sent the config, the placement of every pool, the listeners and
// Start. Ends when the master says so, or goes away. Its parts: worker.cc the turn of the loop and
// what is reported, worker_orders.cc the start and small orders, worker_reload.cc the change of
// generations, worker_stop.cc the end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/io/loop.h"
#include "common/io/signal.h"
#include "common/io/timer.h"
#include "worker/accept_gate.h"
#include "worker/control_link.h"
#include "worker/data_path.h"
#include "worker/generation.h"
#include "worker/handover.h"
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
    void handle(control::Prepare& message);
    void handle(control::Commit& message);
    void handle(control::Abort& message);
    // What only a worker sends.
    template <class M>
    void handle(M&) {
        on_master_gone();
    }

    // Of the current generation and all former ones.
    template <class F>
    void for_each_pool(F&& f) const;
    [[nodiscard]] bool is_current(const Pool& pool) const noexcept {
        return pool.generation() == current_->number;
    }
    void connect_callbacks();
    void beat();
    void judge_health();
    void accuse(const Pool& pool, const health::EjectorAction& suspect);
    void housekeep();
    void judge_load();
    void report_stats(uint64_t request_id);
    // ---- worker_reload.cc ----
    [[nodiscard]] std::string why_not_prepare(uint64_t generation) const;
    void build_one_pool();
    [[nodiscard]] std::string why_not_commit(const control::Commit& message,
                                             const Generation& next) const;
    // Returns the clients to be asked for again.
    std::vector<WaitingClient> switch_generation(uint64_t drain_timeout_ms);
    [[nodiscard]] std::vector<WaitingClient> take_waiting_clients() const;
    void answer_commit();
    void sweep_formers();
    void end_former(FormerGeneration& former);
    void set_memory_share(size_t bytes) noexcept;
    void update_check_period();

    // ---- worker_stop.cc ----
    enum class StopStep : uint8_t { kFinish, kFailRequests, kEnd };
    void begin_stop();
    void begin_drain(uint64_t timeout_ms);
    void bound_stop(uint64_t timeout_ms);
    void on_stop_timer();
    void end_when_empty();
    void stop_accepting();
    void free_closed_sessions();
    void preconnect() const;
    void sweep_watched();
    [[nodiscard]] size_t client_count() const;
    // Descriptors of clients: served, or waiting for their place.
    [[nodiscard]] size_t client_descriptors() const;
    void judge_room();
    void on_accepted(Pool& pool, int fd);
    void end(int status);
    // Tells the master why this worker cannot serve, and ends.
    void give_up(const std::string& reason);

    WorkerOptions options_;
    // Declaration order is teardown order reversed: what the loop still refers to outlives it.
    Memory memory_;
    io::Loop loop_;
    DataPath path_;
    std::unique_ptr<Generation> current_ = std::make_unique<Generation>();  // never null
    std::unique_ptr<Generation> prepared_;  // null, or being built, or built
    std::vector<FormerGeneration> formers_;
    ListenerTable listeners_;
    AcceptGate gate_{[this](bool accept) { listeners_.set_accepting(accept); }};
    io::Timer deadline_timer_;
    io::Timer health_timer_;
    io::Timer beat_timer_;
    io::Timer housekeeping_timer_;
    io::Timer build_timer_;
    io::Timer stop_timer_;
    io::Signal term_;
    io::Signal quit_;
    uint64_t check_period_ms_ = 0;  // 0: no request has a deadline
    bool stop_due_ = false;
    bool build_due_ = false;
    bool sweep_due_ = false;
    bool deadlines_due_ = false;
    bool health_due_ = false;
    // CPU time of this process, and the clock, when the load was last judged.
    uint64_t load_cpu_us_ = 0;
    uint64_t load_wall_us_ = 0;
    bool ready_ = false;
    // ClientAsks without an answer; the next so many answers are to asks from before a Commit.
    uint64_t asks_open_ = 0;
    uint64_t answers_to_ignore_ = 0;
    bool reloaded_ = false;  // at least once
    bool surplus_ = false;   // accepts nothing, ends with its last client
    bool draining_ = false;  // the same, for good
    bool accept_stopped_ = false;
    StopStep stop_step_ = StopStep::kEnd;  // what stop_timer_ is for
    uint64_t stop_reserve_ms_ = 0;         // of a drain: kept back for the end of what is left
    // Turns until the open sessions are told to finish: what has already arrived is read first.
    int turns_to_finish_ = 0;
    bool master_gone_ = false;
    int exit_status_ = 0;
    TestFaults test_faults_;
    std::unique_ptr<ControlLink> control_;
};

template <class F>
void Worker::for_each_pool(F&& f) const {
    for (const auto& pool : current_->pools) {
        f(*pool);
    }
    for (const FormerGeneration& former : formers_) {
        for (const auto& pool : former.generation->pools) {
            f(*pool);
        }
    }
}

}  // namespace ringmaster::worker
