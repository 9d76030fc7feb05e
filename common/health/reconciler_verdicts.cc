// SPDX-License-Identifier: Apache-2.0
// The reconciler's second half: what a verdict does, the ways back in, and what holds now.
#include <algorithm>
#include <utility>

#include "common/health/reconciler.h"

namespace ringmaster::health {

using Kind = ReconcilerAction::Kind;

// ---- verdicts ----

bool Reconciler::may_eject() const noexcept {
    return ejected_count() < max_ejected(settings_, servers_.size());
}

void Reconciler::eject(uint32_t shard, int cause, uint64_t now_ms) {
    Server& server = servers_[shard];
    drop_accusations(shard);
    server.probe_id = 0;
    server.cause = cause;
    if (!may_eject()) {
        refuse(shard, now_ms);
        return;
    }
    const bool is_again = server.returned_ms > 0 &&
                          now_ms <= server.returned_ms + kGrowthWindowMs &&
                          !mutated(settings_, Mutation::kNoGrowth);
    server.growth = is_again ? std::min(server.growth * 2, kGrowthMax) : 1;
    server.verdict = Verdict::kEjected;
    server.due_ms = now_ms + retry_ms(settings_) * server.growth;
    ++counters_.ejects;
    publish(shard, Kind::kEjected);
}

void Reconciler::refuse(uint32_t shard, uint64_t now_ms) {
    Server& server = servers_[shard];
    server.verdict = Verdict::kRefused;
    server.since_ms = now_ms;
    server.due_ms = now_ms + (settings_.probe ? kRefusedProbeMs : retry_ms(settings_));
    ++counters_.panics;
    publish(shard, Kind::kRefused);
}

void Reconciler::readmit(uint32_t shard, uint64_t now_ms) {
    Server& server = servers_[shard];
    server.verdict = Verdict::kIn;
    server.due_ms = kNever;
    server.returned_ms = now_ms;
    ++counters_.readmits;
    publish(shard, Kind::kReadmitted);
    eject_refused(now_ms);
}

void Reconciler::end_refusal(uint32_t shard) {
    Server& server = servers_[shard];
    server.verdict = Verdict::kIn;
    server.due_ms = kNever;
    server.probe_id = 0;
    publish(shard, Kind::kSendRing);
}

// A server has returned, so a bad one that had to stay may go.
void Reconciler::eject_refused(uint64_t now_ms) {
    for (uint32_t shard = 0; shard < servers_.size() && may_eject(); ++shard) {
        if (servers_[shard].verdict == Verdict::kRefused) {
            eject(shard, servers_[shard].cause, now_ms);
        }
    }
}

void Reconciler::publish(uint32_t shard, ReconcilerAction::Kind kind) {
    if (kind != Kind::kReadmitted || !mutated(settings_, Mutation::kNoEpochOnReturn)) {
        ++epoch_;
    }
    servers_[shard].changed_epoch = epoch_;
    if (kind != Kind::kSendRing) {
        actions_.push_back({.kind = kind,
                            .shard = shard,
                            .cause = servers_[shard].cause,
                            .epoch = epoch_,
                            .by_hand = servers_[shard].by_hand});
    }
    actions_.push_back({.kind = Kind::kSendRing});
}

// ---- probes ----

void Reconciler::start_probe(uint32_t shard, uint64_t now_ms) {
    Server& server = servers_[shard];
    const bool decides = server.verdict == Verdict::kIn;
    const uint32_t timeout_ms = decides ? server.due_timeout_ms : settings_.probe_timeout_ms;
    server.due_ms = kNever;
    server.probe_id = ++last_probe_id_;
    server.probe_until_ms = now_ms + timeout_ms;
    ++counters_.probes;
    actions_.push_back({.kind = Kind::kStartProbe,
                        .shard = shard,
                        .probe_id = server.probe_id,
                        .timeout_ms = timeout_ms,
                        .flush = settings_.flush_on_return && server.verdict == Verdict::kEjected});
}

void Reconciler::on_probe(uint32_t shard, uint64_t probe_id, ProbeResult result, uint64_t now_ms) {
    if (shard >= servers_.size() || probe_id == 0 || servers_[shard].probe_id != probe_id) {
        return;
    }
    Server& server = servers_[shard];
    server.probe_id = 0;
    const bool is_good = result == ProbeResult::kGood;
    switch (server.verdict) {
        case Verdict::kEjected:
            if (is_good && !mutated(settings_, Mutation::kNoReturn)) {
                readmit(shard, now_ms);
            } else {
                server.due_ms = now_ms + retry_ms(settings_);
            }
            return;
        case Verdict::kRefused:
            if (is_good) {
                end_refusal(shard);
            } else {
                server.due_ms = now_ms + kRefusedProbeMs;
            }
            return;
        case Verdict::kIn:
        case Verdict::kProbing:
            if (is_good) {
                veto(shard, now_ms);
            } else if (result == ProbeResult::kBad) {
                // Another worker's success may have been on its way all the time: then it was a
                // short probe that failed, and a patient one decides.
                if (!server.probe_weighs && contradicted(shard, server.accused_since_ms)) {
                    decide_by_probe(shard, true, now_ms);
                } else {
                    eject(shard, server.cause, now_ms);
                }
            } else {
                drop_accusations(shard);  // they will be heard again
            }
            return;
    }
}

void Reconciler::on_address_change(uint32_t shard, uint64_t now_ms) {
    if (shard >= servers_.size()) {
        return;
    }
    Server& server = servers_[shard];
    for (Worker& worker : workers_) {
        if (worker.up) {
            worker.views[shard] = View();
        }
    }
    server.probe_id = 0;
    server.growth = 1;
    server.returned_ms = 0;
    server.last_veto_ms = 0;
    if (server.verdict == Verdict::kEjected) {
        server.due_ms = server.by_hand ? kNever : now_ms;
    } else {
        server.verdict = Verdict::kIn;
        server.due_ms = kNever;
    }
    publish(shard, Kind::kSendRing);
}

void Reconciler::tick(uint64_t now_ms) {
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        Server& server = servers_[shard];
        if (server.due_ms > now_ms) {
            continue;
        }
        if (settings_.probe) {
            start_probe(shard, now_ms);
        } else if (server.verdict == Verdict::kEjected) {
            readmit(shard, now_ms);
        } else {
            end_refusal(shard);
        }
    }
}

uint64_t Reconciler::next_due_ms() const noexcept {
    uint64_t due = kNever;
    for (const Server& server : servers_) {
        due = std::min(due, server.due_ms);
    }
    return due;
}

// ---- what holds now ----

RingVerdicts Reconciler::ring() const {
    RingVerdicts ring;
    ring.epoch = epoch_;
    for (const Server& server : servers_) {
        ServerVerdict& out = ring.servers.emplace_back();
        out.verdict = server.verdict;
        if (server.verdict != Verdict::kIn) {
            out.cause = server.cause;
        } else if (server.probe_id != 0 || server.due_ms != kNever) {
            out.verdict = Verdict::kProbing;
            out.probing_until_ms = server.probe_id != 0 ? server.probe_until_ms
                                                        : server.due_ms + server.due_timeout_ms;
        }
    }
    return ring;
}

bool Reconciler::is_live(uint32_t shard) const noexcept {
    return settings_.mode == EjectMode::kHold || servers_[shard].verdict != Verdict::kEjected;
}

size_t Reconciler::ejected_count() const noexcept {
    return static_cast<size_t>(
        std::count_if(servers_.begin(), servers_.end(),
                      [](const Server& server) { return server.verdict == Verdict::kEjected; }));
}

uint32_t Reconciler::shard_of(std::string_view server_name) const noexcept {
    const auto at = std::find_if(servers_.begin(), servers_.end(),
                                 [&](const Server& server) { return server.name == server_name; });
    return static_cast<uint32_t>(at - servers_.begin());
}

std::vector<ReconcilerAction> Reconciler::take_actions() {
    return std::exchange(actions_, {});
}

}  // namespace ringmaster::health
