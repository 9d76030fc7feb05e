// SPDX-License-Identifier: Apache-2.0
#include "common/health/ejector.h"

#include <algorithm>
#include <utility>

namespace ringmaster::health {

Ejector::Ejector(const Settings& settings, size_t server_count)
    : settings_(settings),
      successes_(server_count, kNoticed),
      gates_(server_count, Gate::kOpen),
      servers_(server_count) {
    settings_.failure_limit = std::max<uint32_t>(settings_.failure_limit, 1);
}

bool Ejector::take_success(uint32_t shard) noexcept {
    const bool is_new = (successes_[shard] & kNoticed) == 0;
    successes_[shard] |= kNoticed;
    return is_new;
}

// ---- counting ----

void Ejector::on_failure(const Failure& failure, Now now) {
    if (!settings_.auto_eject || failure.shard >= servers_.size() ||
        !counts_as_failure(failure.cause) || mutated(settings_, Mutation::kNoSuspect)) {
        return;
    }
    Server& server = servers_[failure.shard];
    if (is_ejected(failure.shard)) {
        return;  // what was under way when it was ejected
    }
    if (take_success(failure.shard)) {
        server.failures = 0;
        server.fallback_at_ms = kNever;
        gates_[failure.shard] = Gate::kOpen;
    }
    if (server.has_counted && failure.attempt_began_ms <= server.last_counted_ms) {
        return;  // the same blip, seen by another connection
    }
    server.has_counted = true;
    server.last_counted_ms = now.active_ms;
    server.cause = failure.cause;
    if (server.failures == 0) {
        server.first_failure_ms = now.shared_ms;
    }
    ++server.failures;
    if (server.failures < settings_.failure_limit || server.fallback_at_ms != kNever) {
        return;
    }
    if (server.verdict == Verdict::kRefused) {
        // The master knows. After a success in between: requests fail at once again.
        if (gates_[failure.shard] == Gate::kOpen) {
            shut_gate(failure.shard, now.active_ms);
        }
        return;
    }
    server.fallback_at_ms = now.active_ms + kFallbackMs;
    ++counters_.suspects;
    actions_.push_back({.kind = EjectorAction::Kind::kSuspect,
                        .shard = failure.shard,
                        .cause = failure.cause,
                        .epoch = epoch_,
                        .first_failure_ms = server.first_failure_ms});
}

void Ejector::forget(uint32_t shard) noexcept {
    Server& server = servers_[shard];
    server.failures = 0;
    server.fallback_at_ms = kNever;
    successes_[shard] = kNoticed;
}

// ---- without the master ----

void Ejector::tick(Now now) {
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        Server& server = servers_[shard];
        if (server.fallback_at_ms <= now.active_ms) {
            fall_back(shard, now);
        }
        if (server.out_until_ms > 0 && server.out_until_ms <= now.active_ms) {
            server.out_until_ms = 0;  // blindly, as nutcracker does
            server.failures = 0;
            gates_[shard] = Gate::kOpen;
            if (settings_.mode == EjectMode::kRehash) {
                ring_changed();
            }
        }
    }
}

void Ejector::fall_back(uint32_t shard, Now now) {
    Server& server = servers_[shard];
    server.fallback_at_ms = kNever;
    server.failures = 0;
    if (take_success(shard)) {
        return;
    }
    size_t out = 0;
    for (uint32_t i = 0; i < servers_.size(); ++i) {
        out += is_ejected(i) ? size_t{1} : size_t{0};
    }
    if (out >= max_ejected(settings_, servers_.size())) {
        shut_gate(shard, now.active_ms);  // it cannot be spared
        return;
    }
    server.out_until_ms = now.active_ms + retry_ms(settings_);
    ++counters_.local_ejects;
    if (settings_.mode == EjectMode::kHold) {
        gates_[shard] = Gate::kShut;
    } else {
        ring_changed();
    }
}

uint64_t Ejector::next_due_ms() const noexcept {
    uint64_t due = kNever;
    for (const Server& server : servers_) {
        due = std::min(due, server.fallback_at_ms);
        if (server.out_until_ms > 0) {
            due = std::min(due, server.out_until_ms);
        }
    }
    return due;
}

// ---- the master's word ----

bool Ejector::on_ring(const RingVerdicts& ring, Now now) {
    if (ring.servers.size() != servers_.size() || ring.epoch == 0) {
        return false;
    }
    if (ring.epoch < epoch_ && !mutated(settings_, Mutation::kNoEpochCheck)) {
        return true;
    }
    bool changed = epoch_ == 0;
    epoch_ = ring.epoch;
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        const bool was_live = is_live(shard);
        apply(shard, ring.servers[shard], now);
        changed = changed || was_live != is_live(shard);
    }
    if (changed) {
        ring_changed();
    }
    return true;
}

void Ejector::apply(uint32_t shard, const ServerVerdict& verdict, Now now) {
    Server& server = servers_[shard];
    const Verdict before = std::exchange(server.verdict, verdict.verdict);
    const bool was_out = std::exchange(server.out_until_ms, 0) > 0;
    const bool was_waiting = std::exchange(server.fallback_at_ms, kNever) != kNever;
    const bool is_bad =
        verdict.verdict == Verdict::kEjected || verdict.verdict == Verdict::kRefused;
    // Armed again. A streak that was still growing goes on, unless the verdict changes.
    if (was_out || was_waiting || is_bad || before == Verdict::kEjected ||
        before == Verdict::kRefused) {
        server.failures = 0;
    }
    if (!is_bad) {
        gates_[shard] = Gate::kOpen;
        return;
    }
    server.cause = verdict.cause;
    if (verdict.verdict == Verdict::kEjected) {
        gates_[shard] = settings_.mode == EjectMode::kHold ? Gate::kShut : Gate::kOpen;
    } else if (before != Verdict::kRefused) {
        shut_gate(shard, now.active_ms);
    }
}

// ---- what holds now ----

void Ejector::shut_gate(uint32_t shard, uint64_t active_ms) noexcept {
    Server& server = servers_[shard];
    gates_[shard] = Gate::kTrialsOnly;
    server.failures = 0;
    server.next_trial_ms =
        active_ms + (fails_quickly(server.cause) ? kQuickTrialMs : retry_ms(settings_));
    take_success(shard);  // only a later one opens it
}

Ejector::Route Ejector::route_gated(uint32_t shard, uint64_t active_ms) {
    Server& server = servers_[shard];
    if (gates_[shard] == Gate::kTrialsOnly) {
        if (take_success(shard)) {
            gates_[shard] = Gate::kOpen;
            server.failures = 0;
            return Route::kSend;
        }
        if (active_ms >= server.next_trial_ms) {
            server.next_trial_ms =
                active_ms + (fails_quickly(server.cause) ? kQuickTrialMs : retry_ms(settings_));
            return Route::kSend;
        }
    }
    ++counters_.fast_fails;
    return Route::kFailAtOnce;
}

bool Ejector::is_ejected(uint32_t shard) const noexcept {
    const Server& server = servers_[shard];
    return server.verdict == Verdict::kEjected || server.out_until_ms > 0;
}

bool Ejector::is_live(uint32_t shard) const noexcept {
    return settings_.mode == EjectMode::kHold || !is_ejected(shard);
}

bool Ejector::in_fallback() const noexcept {
    return std::any_of(servers_.begin(), servers_.end(),
                       [](const Server& server) { return server.out_until_ms > 0; });
}

void Ejector::fill(PoolBeat& beat) const {
    beat.epoch = epoch_;
    beat.in_fallback = in_fallback();
    beat.last_success_ms.resize(successes_.size());
    std::transform(successes_.begin(), successes_.end(), beat.last_success_ms.begin(),
                   [](uint64_t success) { return success & ~kNoticed; });
}

void Ejector::ring_changed() {
    actions_.push_back({.kind = EjectorAction::Kind::kRingChanged});
}

std::vector<EjectorAction> Ejector::take_actions() {
    return std::exchange(actions_, {});
}

}  // namespace ringmaster::health
