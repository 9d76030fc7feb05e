// SPDX-License-Identifier: Apache-2.0
// One worker process in one slot, from spawn to exit, and the conversation with it.
//
// Life: kStarting -> (HELLO) kConfigured -> (READY) kReady -> (exit) kDead; any state may go to
// kDead. A worker that says something out of turn, takes over kReadyTimeoutMs to get READY, or
// closes its channel without ending is killed. Events are borrowed, outlive this, and must not
// destroy this from inside a callback.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/control/messages.h"
#include "common/io/credentials.h"
#include "common/io/loop.h"
#include "common/io/process.h"
#include "common/io/timer.h"
#include "master/worker_link.h"

namespace ringmaster::master {

class WorkerProcess;

class WorkerEvents {
  public:
    virtual ~WorkerEvents() = default;
    virtual void on_worker_hello(WorkerProcess& worker) = 0;  // send it what it needs
    virtual void on_worker_ready(WorkerProcess& worker) = 0;
    virtual void on_worker_failed(WorkerProcess& worker, const std::string& reason) = 0;
    // False: the report does not fit the config.
    [[nodiscard]] virtual bool on_worker_stats(WorkerProcess& worker,
                                               const control::StatsReport& report) = 0;
    // False: there is no such server.
    [[nodiscard]] virtual bool on_worker_connect_failed(WorkerProcess& worker,
                                                        const control::ConnectFailed& message) = 0;
    virtual void on_worker_prepared(WorkerProcess& worker, const control::Prepared& vote) = 0;
    // False: it does not fit the config.
    [[nodiscard]] virtual bool on_worker_committed(WorkerProcess& worker,
                                                   const control::Committed& message) = 0;
    [[nodiscard]] virtual bool on_worker_suspect(WorkerProcess& worker,
                                                 const control::Suspect& suspect) = 0;
    [[nodiscard]] virtual bool on_worker_beat(WorkerProcess& worker, const control::Beat& beat) = 0;
    // False: there is no such pool.
    [[nodiscard]] virtual bool on_worker_client_ask(WorkerProcess& worker,
                                                    const control::ClientAsk& ask) = 0;
    // False: the worker never had that many.
    [[nodiscard]] virtual bool on_worker_client_gone(WorkerProcess& worker,
                                                     const control::ClientGone& gone) = 0;
    virtual void on_worker_accept_stopped(WorkerProcess& worker) = 0;
    virtual void on_worker_exit(WorkerProcess& worker, io::ProcessExit exit) = 0;
};

struct WorkerLaunch {
    std::optional<io::Credentials> credentials;  // who to become; else it stays who we are
    int log_level = 5;
    std::optional<uint32_t> cpu;  // the only one to run on
    bool detached = false;        // descriptors 0 to 2 are /dev/null instead of ours
};

class WorkerProcess : private WorkerLinkHandler {
  public:
    enum class State { kStarting, kConfigured, kReady, kDead };
    static constexpr uint64_t kReadyTimeoutMs = 30000;
    static constexpr uint64_t kExitAfterCloseMs = 1000;

    WorkerProcess(io::Loop& loop, size_t slot, WorkerEvents& events);

    base::Status start(const WorkerLaunch& launch);
    void kill(int signal_number) noexcept { process_.kill(signal_number); }

    [[nodiscard]] size_t slot() const noexcept { return slot_; }
    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] bool running() const noexcept { return process_.running(); }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }  // also of a dead one
    // The only one it was told to run on.
    [[nodiscard]] std::optional<uint32_t> cpu() const noexcept { return cpu_; }
    [[nodiscard]] uint64_t age_ms() const noexcept { return loop_.now_ms() - born_ms_; }
    // Requires a successful start().
    [[nodiscard]] WorkerLink& link() noexcept { return *link_; }
    // What it goes by: the generation it was configured with, or the last one it has committed.
    [[nodiscard]] uint64_t generation() const noexcept { return generation_; }
    // It has been told so: at HELLO, and by each Commit.
    void expect_generation(uint64_t generation) noexcept;
    [[nodiscard]] const control::Beat& last_beat() const noexcept { return last_beat_; }
    // None before the first.
    [[nodiscard]] std::optional<uint64_t> beat_age_ms() const noexcept {
        return beat_at_ms_ ? std::optional(loop_.now_ms() - *beat_at_ms_) : std::nullopt;
    }
    [[nodiscard]] bool accept_stopped() const noexcept { return accept_stopped_; }

  private:
    struct Receiver;

    void on_link_message(const control::Message& message) override;
    void on_link_bad(const std::string& reason) override;
    void on_link_closed() override;
    void on_exit(io::ProcessExit exit);
    void on_deadline();

    io::Loop& loop_;
    const size_t slot_;
    WorkerEvents& events_;
    State state_ = State::kStarting;
    uint64_t generation_ = 0;
    uint64_t expected_generation_ = 0;
    uint64_t born_ms_ = 0;
    pid_t pid_ = 0;
    std::optional<uint32_t> cpu_;
    bool accept_stopped_ = false;
    control::Beat last_beat_;
    std::optional<uint64_t> beat_at_ms_;
    io::Timer deadline_;
    io::Process process_;
    std::optional<WorkerLink> link_;
};

// "signal 9 (Killed)" or "exit code 1".
std::string exit_text(io::ProcessExit exit);

}  // namespace ringmaster::master
