// SPDX-License-Identifier: Apache-2.0
// The master's state machine: prepare, start the workers, serve, stop.
//
// Signals are its orders (README.md lists them). One per process, on its loop. Prepared in the
// order that README.md, "The way to 'started'", draws.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/io/loop.h"
#include "common/io/signal.h"
#include "common/io/timer.h"
#include "master/client_room.h"
#include "master/config_file.h"
#include "master/control_backend.h"
#include "master/control_server.h"
#include "master/daemonize.h"
#include "master/health_keeper.h"
#include "master/listener_set.h"
#include "master/notify.h"
#include "master/pid_file.h"
#include "master/reload_sequence.h"
#include "master/server_resolver.h"
#include "master/settings.h"
#include "master/stats_server.h"
#include "master/stop_sequence.h"
#include "master/supervisor.h"

namespace ringmaster::master {

class Master : private SupervisorEvents, private io::LoopHooks {
  public:
    using MergeSettings = std::function<Settings(const config::ProcessConfig& process)>;

    // `file` holds a good config; `merge` makes the settings of another one, with the command line
    // over it. `loop` and `daemon` are borrowed.
    Master(io::Loop& loop, Settings settings, ConfigFile file, MergeSettings merge, Daemon& daemon);

    ~Master() override;
    Master(const Master&) = delete;
    Master& operator=(const Master&) = delete;

    // Takes pid file, listeners, stats port and control socket. Blocks while names are looked up.
    base::Status prepare();
    // Runs until the end; the process's exit code. Requires a good prepare().
    int run();
    // Why run() returned 1.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    // A look-up is still in a thread that cannot be called off; ending the loop would wait for it.
    [[nodiscard]] bool lookups_pending() const noexcept {
        return lookups_abandoned_ || resolver_->lookups_pending();
    }

  private:
    void on_signal(int number, const char* name, const char* effect,
                   const std::function<void()>& act);
    void install_signals();
    void on_hup();
    void begin_stop(StopSequence::Kind kind, uint32_t timeout_ms);
    std::unique_ptr<ServerResolver> make_resolver(const config::Config& config, uint64_t generation,
                                                  const ServerResolver* former_or_null);
    void adopt(ReloadPlan plan);
    void reopen_logs();
    void change_log_level(int step);
    void set_log_level(int level);
    ControlParts control_parts();
    base::Status open_control();
    void stop_at_once();
    void pulse();
    void report_started();
    void make_stats_document(std::function<void(std::string)> on_document);

    void on_workers_ready() override;
    void on_workers_cannot_start(const std::string& reason) override;
    bool on_connect_failed(size_t pool, size_t shard) override;
    void on_worker_up(size_t slot) override;
    void on_worker_gone(size_t slot) override;
    bool on_suspect(size_t slot, const control::Suspect& suspect) override;
    bool on_beat(size_t slot, const control::Beat& beat) override;
    [[nodiscard]] control::RingState ring(size_t pool) const;

    void before_poll() noexcept override {}
    void after_poll() noexcept override;

    void on_worker_stopped() override;
    void on_prepared(size_t slot, const control::Prepared& vote) override;
    void on_worker_exit(size_t slot, const std::string& how) override;
    void on_committed(size_t slot) override;

    io::Loop& loop_;
    Settings settings_;  // these three: of the config in force
    ConfigFile file_;
    control::ConfigBytes config_bytes_;
    const MergeSettings merge_;
    Daemon& daemon_;
    std::string problem_;
    uint64_t born_ms_ = 0;
    ClientRoom client_room_;
    std::vector<stats::PoolNames> stats_names_;
    size_t pools_at_most_;  // over all reloads: a total never goes down
    std::vector<std::unique_ptr<io::Signal>> signals_;
    PidFile pid_file_;
    ListenerSet listeners_;
    std::unique_ptr<ServerResolver> resolver_;
    bool lookups_abandoned_ = false;
    HealthKeeper health_;
    Supervisor supervisor_;
    StatsServer stats_server_;
    StopSequence stop_;
    ReloadSequence reload_;
    Notifier notifier_;
    MasterControl control_;
    ControlServer control_server_;
    std::string control_problem_;  // why there is no control socket
    io::Timer pulse_;              // every RateKeeper::kPeriodMs
};

}  // namespace ringmaster::master
