// SPDX-License-Identifier: Apache-2.0
#include "master/reload_sequence.h"

#include <algorithm>
#include <utility>

#include "common/base/format.h"
#include "common/base/log.h"

namespace ringmaster::master {

using base::format;

ReloadSequence::ReloadSequence(io::Loop& loop, uint64_t first_generation, Surroundings surroundings)
    : loop_(loop),
      around_(std::move(surroundings)),
      check_(loop),
      patience_(loop, [this] { patience_due_ = true; }),
      pace_(loop, [this] { start_if_wanted(); }),
      generation_(first_generation),
      last_generation_(first_generation) {}

void ReloadSequence::request(OnDone on_done) {
    if (on_done) {
        later_.push_back(std::move(on_done));
    }
    wanted_ = true;
    start_if_wanted();
}

void ReloadSequence::allow() {
    if (phase_ == Phase::kNotYet) {
        phase_ = Phase::kIdle;
        start_if_wanted();
    }
}

void ReloadSequence::cancel(const std::string& reason) {
    if (phase_ == Phase::kOver) {
        return;
    }
    const bool under_way = phase_ != Phase::kIdle && phase_ != Phase::kNotYet;
    if (under_way && phase_ != Phase::kCommitting) {
        check_.cancel();
        around_.listeners.abort();
    }
    patience_.stop();
    pace_.stop();
    phase_ = Phase::kOver;
    waiting_.insert(waiting_.end(), later_.begin(), later_.end());
    later_.clear();
    for (const OnDone& on_done : std::exchange(waiting_, {})) {
        on_done({.ok = false, .generation = generation_, .lines = {reason}});
    }
}

// ---- check ----

void ReloadSequence::start_if_wanted() {
    if (phase_ == Phase::kOver) {
        for (const OnDone& on_done : std::exchange(later_, {})) {
            on_done({.ok = false, .generation = generation_, .lines = {"stopping"}});
        }
        return;
    }
    if (phase_ != Phase::kIdle || !wanted_) {
        return;
    }
    const uint64_t now_ms = loop_.now_ms();
    if (now_ms < not_before_ms_) {
        pace_.start(not_before_ms_ - now_ms);
        return;
    }
    not_before_ms_ = now_ms + kPaceMs;
    wanted_ = false;
    waiting_ = std::exchange(later_, {});
    notes_.clear();
    phase_ = Phase::kChecking;
    around_.on_begin();
    auto bytes = read_config_file(around_.settings.config_file);
    if (!bytes) {
        fail({bytes.error().message});
        return;
    }
    if (*bytes == around_.file.bytes) {
        end({.ok = true,
             .generation = generation_,
             .lines = {format("configuration file '{}' is unchanged, generation {} goes on",
                              around_.settings.config_file, generation_)}});
        return;
    }
    bytes_ = std::move(*bytes);
    const base::Status started =
        check_.start(bytes_, [this](const base::Status& checked) { on_checked(checked); });
    if (!started) {
        fail({started.error().message});
    }
}

void ReloadSequence::on_checked(const base::Status& checked) {
    if (!checked) {
        fail({checked.error().message});
        return;
    }
    plan_ = ReloadPlan();
    plan_.file = check_config(around_.settings.config_file, std::move(bytes_));
    notes_ = plan_.file.warnings;
    if (!plan_.file.config) {
        std::vector<std::string> lines = plan_.file.errors;
        lines.insert(lines.end(), notes_.begin(), notes_.end());
        fail(std::move(lines));
        return;
    }
    plan_.settings = around_.merge(plan_.file.config->process);
    for (std::string& note : keep_what_cannot_change(around_.settings, plan_.settings)) {
        notes_.push_back(std::move(note));
    }
    const ClientRoom room = around_.room(*plan_.file.config);
    if (std::string problem = room_problem(room); !problem.empty()) {
        fail({std::move(problem)});
        return;
    }
    if (const std::string warning = room_warning(room); !warning.empty()) {
        notes_.push_back("warning: " + warning);
    }
    // Of the sockets of slots there are already, none are unmade.
    const base::Status made = around_.listeners.prepare(
        *plan_.file.config,
        std::max<size_t>(plan_.settings.workers, around_.supervisor.slot_count()));
    if (!made) {
        fail({made.error().message});
        return;
    }
    plan_.generation = ++last_generation_;
    phase_ = Phase::kResolving;
    plan_.resolver = around_.make_resolver(*plan_.file.config, plan_.generation);
    plan_.resolver->start([this] {
        if (phase_ == Phase::kResolving) {  // not cancelled meanwhile
            prepare();
        }
    });
}

// ---- prepare ----

void ReloadSequence::prepare() {
    if (phase_ != Phase::kResolving) {
        return;  // cancelled meanwhile
    }
    phase_ = Phase::kPreparing;
    order_ = {.generation = plan_.generation,
              .memory_bytes = plan_.settings.memory_per_worker_bytes,
              .file_name = plan_.settings.config_file,
              .bytes = plan_.file.bytes};
    const std::vector<size_t> voters = around_.supervisor.ready_slots();
    if (voters.empty()) {
        fail({"no worker is ready to take it"});
        return;
    }
    vote_.begin(plan_.generation, voters);
    asked_.clear();
    ask();
}

void ReloadSequence::ask() {
    for (const size_t slot : vote_.asked()) {
        if (std::find(asked_.begin(), asked_.end(), slot) == asked_.end()) {
            asked_.push_back(slot);
            const bool goes_on = slot < plan_.settings.workers;
            around_.supervisor.prepare(
                slot, order_,
                goes_on ? around_.listeners.prepared_of_slot(slot) : std::vector<PoolListener>());
        }
    }
    be_patient(kVoteMs);
}

void ReloadSequence::on_prepared(size_t slot, const control::Prepared& vote) {
    if (phase_ == Phase::kPreparing) {
        obey(vote_.on_prepared(slot, vote.generation, vote.reason));
    }
}

void ReloadSequence::on_worker_exit(size_t slot, const std::string& how) {
    if (phase_ == Phase::kPreparing) {
        obey(around_.supervisor.is_wanted(slot) ? vote_.on_gone(slot, how) : vote_.on_left(slot));
    } else if (phase_ == Phase::kCommitting) {
        on_committed();  // its successor starts with the new config
    }
}

void ReloadSequence::be_patient(uint64_t for_ms) {
    patience_until_ms_ = loop_.active_ms() + for_ms;
    patience_.start(for_ms);
}

void ReloadSequence::after_poll() {
    if (!std::exchange(patience_due_, false)) {
        return;
    }
    const uint64_t now_ms = loop_.active_ms();
    if (now_ms < patience_until_ms_) {
        patience_.start(patience_until_ms_ - now_ms);
        return;
    }
    on_patience_over();
}

void ReloadSequence::on_patience_over() {
    if (phase_ == Phase::kPreparing) {
        obey(vote_.on_timeout());
    } else if (phase_ == Phase::kCommitting) {
        around_.supervisor.kill(around_.supervisor.laggards());
        finish_commit();
    }
}

void ReloadSequence::obey(ReloadVote::Step step) {
    switch (step) {
        case ReloadVote::Step::kWait:
            return;
        case ReloadVote::Step::kAskOthers:
            ask();
            return;
        case ReloadVote::Step::kCommit:
            commit();
            return;
        case ReloadVote::Step::kAbort:
            fail({vote_.reason()});
            return;
    }
}

// ---- commit ----

void ReloadSequence::commit() {
    phase_ = Phase::kCommitting;
    vote_.end();
    generation_ = plan_.generation;
    const size_t wanted = plan_.settings.workers;
    const uint32_t drain_timeout_ms = plan_.settings.drain_timeout_ms;
    around_.listeners.commit();
    around_.adopt(std::move(plan_));
    around_.supervisor.commit(order_, asked_, wanted, drain_timeout_ms);
    be_patient(kCommitMs);
    on_committed();
}

void ReloadSequence::on_committed() {
    if (phase_ == Phase::kCommitting && around_.supervisor.laggards().empty()) {
        finish_commit();
    }
}

void ReloadSequence::finish_commit() {
    around_.listeners.close_removed();
    std::vector<std::string> lines = std::exchange(notes_, {});
    lines.push_back(format("reloaded: generation {}, {} workers, {} pools, listening on {}",
                           generation_, around_.settings.workers, around_.file.config->pools.size(),
                           around_.listeners.text()));
    ++successes_;
    end({.ok = true, .generation = generation_, .lines = std::move(lines)});
}

// ---- ends ----

void ReloadSequence::fail(std::vector<std::string> lines) {
    if (phase_ == Phase::kPreparing) {
        around_.supervisor.abort(asked_, plan_.generation);
    }
    around_.listeners.abort();
    vote_.end();
    lines.push_back(
        format("reload failed: the configuration in use goes on, generation {}", generation_));
    ++failures_;
    end({.ok = false, .generation = generation_, .lines = std::move(lines)});
}

void ReloadSequence::end(const ReloadOutcome& outcome) {
    patience_.stop();
    patience_due_ = false;
    for (const std::string& line : outcome.lines) {
        if (outcome.ok) {
            RM_LOG(kNotice, "{}", line);
        } else {
            RM_LOG(kErr, "{}", line);
        }
    }
    phase_ = Phase::kIdle;
    plan_ = ReloadPlan();
    order_ = control::Prepare();
    around_.on_end(outcome);
    for (const OnDone& on_done : std::exchange(waiting_, {})) {
        on_done(outcome);
    }
    start_if_wanted();
}

}  // namespace ringmaster::master
