// SPDX-License-Identifier: Apache-2.0
#include "common/health/reconciler.h"

#include <algorithm>
#include <utility>

namespace ringmaster::health {

using Kind = ReconcilerAction::Kind;

Reconciler::Reconciler(const Settings& settings, std::vector<std::string> server_names,
                       const Reconciler* former_or_null, uint64_t now_ms)
    : settings_(settings), servers_(server_names.size()) {
    for (size_t i = 0; i < servers_.size(); ++i) {
        servers_[i].name = std::move(server_names[i]);
    }
    if (former_or_null != nullptr) {
        carry_over(*former_or_null, now_ms);
    }
}

bool Reconciler::outlives_reload(const Server& server) const noexcept {
    // Whoever ejects from now on: what is out may have to be emptied before it is in again.
    const bool is_to_be_emptied = settings_.flush_on_return && server.verdict == Verdict::kEjected;
    return settings_.auto_eject || server.by_hand || is_to_be_emptied;
}

void Reconciler::carry_over(const Reconciler& former, uint64_t now_ms) {
    epoch_ = former.epoch_ + 1;
    last_probe_id_ = former.last_probe_id_;
    counters_ = former.counters_;
    for (Server& server : servers_) {
        const uint32_t shard = former.shard_of(server.name);
        const bool is_known = shard < former.servers_.size();
        if (is_known && outlives_reload(former.servers_[shard])) {
            server = former.servers_[shard];
            if (server.probe_id != 0) {  // its answer goes to the former generation
                server.due_ms = server.verdict == Verdict::kIn ? kNever : now_ms;
                server.probe_id = 0;
            } else if (server.verdict == Verdict::kIn) {
                server.due_ms = kNever;
            }
        }
        server.changed_epoch = epoch_;
    }
    // Servers may have left the pool: what cannot be spared any more comes back in.
    for (size_t i = 0; i < servers_.size(); ++i) {
        const bool is_out = servers_[i].verdict == Verdict::kEjected && !servers_[i].by_hand;
        if (is_out && ejected_count() > max_ejected(settings_, servers_.size())) {
            servers_[i].verdict = Verdict::kRefused;
            servers_[i].since_ms = now_ms;
            servers_[i].due_ms = now_ms;
        }
    }
    spare_one();
}

// ---- workers ----

void Reconciler::on_worker_up(uint32_t worker) {
    if (worker >= workers_.size()) {
        workers_.resize(worker + size_t{1});
    }
    workers_[worker].up = true;
    workers_[worker].views.assign(servers_.size(), View());
}

void Reconciler::on_worker_gone(uint32_t worker) {
    if (worker < workers_.size()) {
        workers_[worker] = Worker();
    }
}

bool Reconciler::on_suspect(uint32_t worker, uint32_t shard, const Accusation& accusation,
                            uint64_t now_ms) {
    if (worker >= workers_.size() || !workers_[worker].up || shard >= servers_.size()) {
        return false;
    }
    const Server& server = servers_[shard];
    // Said of a server as it was before a verdict: answered, not heard. Other servers' verdicts
    // meanwhile do not matter.
    const bool is_stale =
        accusation.epoch < server.changed_epoch && !mutated(settings_, Mutation::kNoEpochCheck);
    if (settings_.auto_eject && server.verdict == Verdict::kIn && !is_stale) {
        View& view = workers_[worker].views[shard];
        view.accuses = true;
        view.first_failure_ms = std::min(accusation.first_failure_ms, now_ms);
        view.heard_ms = now_ms;
        // One that has waited longer (a stopped master) proves nothing about now.
        view.fresh = now_ms <= accusation.sent_ms + kFallbackMs;
        judge(shard, accusation.cause, now_ms);
    }
    actions_.push_back({.kind = Kind::kSendRing, .worker = worker});
    return true;
}

bool Reconciler::on_beat(uint32_t worker, const PoolBeat& beat, uint64_t now_ms) {
    if (worker >= workers_.size() || !workers_[worker].up ||
        (!beat.last_success_ms.empty() && beat.last_success_ms.size() != servers_.size())) {
        return false;
    }
    for (uint32_t shard = 0; shard < beat.last_success_ms.size(); ++shard) {
        View& view = workers_[worker].views[shard];
        view.last_success_ms = std::min(beat.last_success_ms[shard], now_ms);
        if (view.last_success_ms > view.first_failure_ms) {
            view.accuses = false;
        }
        const Server& server = servers_[shard];
        if (server.verdict == Verdict::kRefused && view.last_success_ms > server.since_ms) {
            end_refusal(shard);
        }
    }
    const bool is_off = beat.epoch != epoch_ || beat.in_fallback;
    if (is_off && !mutated(settings_, Mutation::kNoHeartbeatRepair)) {
        actions_.push_back({.kind = Kind::kSendRing, .worker = worker});
    }
    return true;
}

// ---- judging ----

void Reconciler::judge(uint32_t shard, int cause, uint64_t now_ms) {
    size_t fresh_accusers = 0;
    uint64_t first_failure_ms = kNever;
    for (const Worker& worker : workers_) {
        if (worker.up && worker.views[shard].accuses) {
            const View& view = worker.views[shard];
            const bool counts = now_ms - view.heard_ms <= kAccusationMs;
            fresh_accusers += counts && view.fresh ? size_t{1} : size_t{0};
            first_failure_ms =
                counts ? std::min(first_failure_ms, view.first_failure_ms) : first_failure_ms;
        }
    }
    const bool is_contradicted = contradicted(shard, first_failure_ms);
    servers_[shard].cause = cause;
    servers_[shard].accused_since_ms = first_failure_ms;
    if ((fresh_accusers >= 2 && !is_contradicted) || mutated(settings_, Mutation::kNoVeto)) {
        eject(shard, cause, now_ms);
    } else if (settings_.probe) {
        decide_by_probe(shard, is_contradicted, now_ms);
    } else if (is_contradicted) {
        veto(shard, now_ms);
    } else {
        eject(shard, cause, now_ms);
    }
}

bool Reconciler::contradicted(uint32_t shard, uint64_t since_ms) const {
    return std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
        return worker.up && !worker.views[shard].accuses &&
               worker.views[shard].last_success_ms > since_ms;
    });
}

void Reconciler::decide_by_probe(uint32_t shard, bool is_contradicted, uint64_t now_ms) {
    Server& server = servers_[shard];
    if (server.probe_id != 0 || server.due_ms != kNever) {
        return;  // under way
    }
    server.probe_weighs = is_contradicted;
    server.due_timeout_ms = is_contradicted
                                ? settings_.probe_timeout_ms
                                : std::min(settings_.probe_timeout_ms, kDecisionProbeMs);
    const bool was_vetoed = server.last_veto_ms > 0;
    if (was_vetoed && now_ms < server.last_veto_ms + kDecisionGapMs) {
        server.due_ms = server.last_veto_ms + kDecisionGapMs;
    } else {
        start_probe(shard, now_ms);
    }
}

void Reconciler::veto(uint32_t shard, uint64_t now_ms) {
    servers_[shard].last_veto_ms = now_ms;
    ++counters_.vetoes;
    actions_.push_back({.kind = Kind::kVetoed, .shard = shard, .cause = servers_[shard].cause});
    for (uint32_t worker = 0; worker < workers_.size(); ++worker) {
        if (workers_[worker].up && workers_[worker].views[shard].accuses) {
            actions_.push_back({.kind = Kind::kReconnect, .worker = worker, .shard = shard});
        }
    }
    drop_accusations(shard);
}

void Reconciler::drop_accusations(uint32_t shard) {
    for (Worker& worker : workers_) {
        if (worker.up) {
            worker.views[shard].accuses = false;
        }
    }
}

}  // namespace ringmaster::health
