// SPDX-License-Identifier: Apache-2.0
// Worker: the change from one generation of the config to the next.
//
// Prepare builds beside what serves, one pool a turn; nobody notices. Commit switches within one
// callback and does nothing that can fail. What the former generation has in flight ends there.
#include <algorithm>
#include <utility>

#include "common/base/format.h"
#include "common/base/log.h"
#include "worker/limits.h"
#include "worker/worker.h"

namespace ringmaster::worker {

void Worker::handle(control::Prepare& message) {
    test_faults_.on_prepare();
    prepared_.reset();
    std::string reason = why_not_prepare(message.generation);
    if (reason.empty()) {
        prepared_ = Generation::load(message.generation, message.memory_bytes, message.bytes);
        reason = prepared_ == nullptr ? "the config does not load" : "";
    }
    if (!reason.empty()) {
        RM_LOG(kWarn, "cannot prepare generation {}: {}", message.generation, reason);
        listeners_.drop_held();
        control_->send(control::Prepared{message.generation, reason});
        return;
    }
    build_timer_.start(0);
}

std::string Worker::why_not_prepare(uint64_t generation) const {
    if (!ready_ || accept_stopped_) {
        return ready_ ? "this worker is ending" : "this worker does not serve yet";
    }
    if (generation <= current_->number) {
        return base::format("generation {} serves already", current_->number);
    }
    return {};
}

// A step a turn, so that the clients of a large config's worker do not wait for all of it.
void Worker::build_one_pool() {
    if (prepared_ == nullptr || prepared_->is_built()) {
        return;  // taken back meanwhile
    }
    prepared_->build_next(path_);
    if (prepared_->is_built()) {
        control_->send(control::Prepared{prepared_->number, {}});
    } else {
        build_timer_.start(0);
    }
}

void Worker::handle(control::Abort& message) {
    if (message.generation <= current_->number) {
        RM_LOG(kWarn, "generation {} cannot be aborted, it serves", message.generation);
        return;
    }
    if (prepared_ != nullptr && prepared_->number == message.generation) {
        prepared_.reset();
    }
    if (prepared_ == nullptr) {
        listeners_.drop_held();
    }
}

void Worker::handle(control::Commit& message) {
    const bool is_switch = prepared_ != nullptr && prepared_->number == message.generation;
    // Born after the vote began: the order to prepare comes together with this one.
    while (is_switch && !prepared_->is_built()) {
        prepared_->build_next(path_);
    }
    if (!ready_ || (!is_switch && message.generation != current_->number)) {
        give_up(base::format("told to commit generation {}, which is not prepared",
                             message.generation));
        return;
    }
    const Generation& next = is_switch ? *prepared_ : *current_;
    const std::string problem = why_not_commit(message, next);
    if (!problem.empty()) {
        give_up(base::format("told to commit generation {}: {}", message.generation, problem));
        return;
    }
    if (accept_stopped_) {
        message.uses.clear();
    }
    // First: who waits in a queue that goes away belongs to the pools that have served it.
    listeners_.remove(message.removed);
    listeners_.switch_to(message.uses, !is_switch && prepared_ != nullptr);
    for (const control::RingState& ring : message.rings) {
        next.pools[ring.pool]->set_ring(ring);
    }
    const std::vector<WaitingClient> waiting =
        is_switch ? switch_generation(message.drain_timeout_ms) : take_waiting_clients();
    surplus_ = message.surplus;
    answer_commit();
    for (const WaitingClient& one : waiting) {
        one.pool->add_client(one.client);
    }
    if (is_switch) {
        preconnect();
    }
}

// Before anything is touched, so that nothing fails behind it. Empty: nothing is wrong.
std::string Worker::why_not_commit(const control::Commit& message, const Generation& next) const {
    for (const control::ListenerUse& use : message.uses) {
        if (use.pool >= next.pools.size() || (!accept_stopped_ && !listeners_.has(use.listener))) {
            return base::format("listener {} is not here", use.listener);
        }
    }
    std::vector<bool> placed(next.pools.size(), false);
    for (const control::RingState& ring : message.rings) {
        if (ring.generation != next.number || ring.pool >= next.pools.size() ||
            !next.pools[ring.pool]->ring_fits(ring)) {
            return base::format("a placement for pool {} does not fit", ring.pool);
        }
        placed[ring.pool] = true;
    }
    const bool all =
        &next == current_.get() || std::count(placed.begin(), placed.end(), false) == 0;
    return all ? "" : "a placement is missing";
}

std::vector<WaitingClient> Worker::switch_generation(uint64_t drain_timeout_ms) {
    std::vector<WaitingClient> waiting = hand_over(*current_, *prepared_, drain_timeout_ms);
    formers_.push_back({.generation = std::exchange(current_, std::move(prepared_)),
                        .drain_until_ms = loop_.active_ms() + drain_timeout_ms});
    if (current_->memory_bytes > 0) {
        set_memory_share(static_cast<size_t>(current_->memory_bytes));
    }
    RM_LOG(kNotice, "generation {} serves, clients={}", current_->number, client_count());
    reloaded_ = true;
    update_check_period();
    return waiting;
}

std::vector<WaitingClient> Worker::take_waiting_clients() const {
    std::vector<WaitingClient> waiting;
    for (const auto& pool : current_->pools) {
        for (const Accepted& client : pool->take_waiting()) {
            waiting.push_back({pool.get(), client});
        }
    }
    return waiting;
}

// The master's books of client_connections begin anew with this: answers to what was asked before
// are still to come, and mean nothing.
void Worker::answer_commit() {
    answers_to_ignore_ = asks_open_;
    control::Committed committed{.generation = current_->number, .held = {}};
    for (const auto& pool : current_->pools) {
        committed.held.push_back(pool->places_held());
    }
    control_->send(committed);
}

// ---- what is left of former generations ----

void Worker::sweep_formers() {
    for (FormerGeneration& former : formers_) {
        end_former(former);
    }
    const size_t before = formers_.size();
    std::erase_if(formers_, [this](const FormerGeneration& former) {
        if (!former.generation->is_idle()) {
            return false;
        }
        take_counters(*former.generation, *current_);  // what it has counted since
        return true;
    });
    if (formers_.size() != before) {
        update_check_period();
    }
}

void Worker::end_former(FormerGeneration& former) {
    const uint64_t now_ms = loop_.active_ms();
    const bool ends_now = !former.is_ended && now_ms >= former.drain_until_ms;
    const bool closes_now = former.is_ended && now_ms >= former.close_at_ms;
    for (const auto& pool : former.generation->pools) {
        if (ends_now) {
            pool->finish_clients();
            pool->fail_servers(ETIMEDOUT);
        }
        if (closes_now) {
            pool->close_clients();
        }
        if (pool->clients().empty()) {
            pool->retire_servers();
        }
        pool->housekeep();
    }
    if (ends_now) {
        former.is_ended = true;
        former.close_at_ms = now_ms + kLingerMs;
    }
}

void Worker::set_memory_share(size_t bytes) noexcept {
    memory_.budget.set_share(bytes);
    path_.hot.set_most_large(bytes / kLargeShare);
}

// After a reload requests may have deadlines although no pool has a timeout any more.
void Worker::update_check_period() {
    check_period_ms_ = current_->check_period_ms();
    for (const FormerGeneration& former : formers_) {
        const uint64_t period_ms = former.generation->check_period_ms();
        if (period_ms > 0) {
            check_period_ms_ =
                check_period_ms_ == 0 ? period_ms : std::min(check_period_ms_, period_ms);
        }
    }
    if (check_period_ms_ == 0 && reloaded_) {
        check_period_ms_ = kMaxCheckMs;
    }
    deadline_timer_.stop();  // started again, with this period, before the loop waits
}

}  // namespace ringmaster::worker
