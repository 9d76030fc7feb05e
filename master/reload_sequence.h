// SPDX-License-Identifier: Apache-2.0
// A reload, from the request to the moment when all workers go by the new config.
//
//   check     the file is read once; a child tries it, then the master reads it
//   resolve   names of servers that are new are looked up, sockets that are new are made
//   prepare   one worker, then the others, build it beside the present one
//   commit    everybody switches; what is not needed any more is closed
//
// Whatever fails before commit leaves everything as it was. One reload at a time: requests that
// come meanwhile make one more, afterwards. A file that has not changed is no reload.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/io/loop.h"
#include "common/io/timer.h"
#include "master/client_room.h"
#include "master/config_check.h"
#include "master/config_file.h"
#include "master/listener_set.h"
#include "master/reload_vote.h"
#include "master/server_resolver.h"
#include "master/settings.h"
#include "master/supervisor.h"

namespace ringmaster::master {

// What takes the place of the present config.
struct ReloadPlan {
    uint64_t generation = 0;
    ConfigFile file;
    Settings settings;
    std::unique_ptr<ServerResolver> resolver;
};

struct ReloadOutcome {
    bool ok = false;
    uint64_t generation = 0;         // in force now
    std::vector<std::string> lines;  // for people; of a failure, every problem
};

class ReloadSequence {
  public:
    static constexpr uint64_t kVoteMs = 5000;
    static constexpr uint64_t kCommitMs = 5000;
    // From one begin to the next: who is asked in bursts reloads once for what came in between,
    // however fast a reload is.
    static constexpr uint64_t kPaceMs = 20;

    using OnDone = std::function<void(const ReloadOutcome& outcome)>;

    struct Surroundings {
        Supervisor& supervisor;
        ListenerSet& listeners;
        const ConfigFile& file;    // in force
        const Settings& settings;  // in force
        std::function<Settings(const config::ProcessConfig& process)> merge;
        std::function<std::unique_ptr<ServerResolver>(const config::Config& config,
                                                      uint64_t generation)>
            make_resolver;
        // For the clients of a config.
        std::function<ClientRoom(const config::Config& config)> room;
        // Makes it the config in force, for everything that is not told here.
        std::function<void(ReloadPlan plan)> adopt;
        std::function<void()> on_begin;
        std::function<void(const ReloadOutcome& outcome)> on_end;
    };

    ReloadSequence(io::Loop& loop, uint64_t first_generation, Surroundings surroundings);

    // Reloads when the file has changed. `on_done` may be empty.
    void request(OnDone on_done);
    // Requests wait until then.
    void allow();
    // For good: the process is stopping.
    void cancel(const std::string& reason);

    // ---- what the workers tell ----
    void on_prepared(size_t slot, const control::Prepared& vote);
    void on_worker_exit(size_t slot, const std::string& how);
    void on_committed();
    // What the workers have said while this process was stopped or busy has been read: only now is
    // anybody late (LoopHooks).
    void after_poll();

    [[nodiscard]] uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] int64_t success_count() const noexcept { return successes_; }
    [[nodiscard]] int64_t failure_count() const noexcept { return failures_; }

  private:
    enum class Phase { kNotYet, kIdle, kChecking, kResolving, kPreparing, kCommitting, kOver };

    void start_if_wanted();
    void on_checked(const base::Status& checked);
    void prepare();
    void obey(ReloadVote::Step step);
    void ask();
    void commit();
    void be_patient(uint64_t for_ms);
    void on_patience_over();
    void finish_commit();
    void fail(std::vector<std::string> lines);
    void end(const ReloadOutcome& outcome);

    io::Loop& loop_;
    Surroundings around_;
    ConfigCheck check_;
    io::Timer patience_;
    uint64_t patience_until_ms_ = 0;  // active time
    bool patience_due_ = false;
    io::Timer pace_;
    uint64_t not_before_ms_ = 0;
    Phase phase_ = Phase::kNotYet;
    uint64_t generation_;
    uint64_t last_generation_;  // given to an attempt, successful or not
    std::string bytes_;
    std::vector<std::string> notes_;
    ReloadPlan plan_;
    control::Prepare order_;
    ReloadVote vote_;
    std::vector<size_t> asked_;
    std::vector<OnDone> waiting_;  // for this attempt
    std::vector<OnDone> later_;    // for the next one
    bool wanted_ = false;
    int64_t successes_ = 0;
    int64_t failures_ = 0;
};

}  // namespace ringmaster::master
