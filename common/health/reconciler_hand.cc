// SPDX-License-Identifier: Apache-2.0
// The reconciler's third part: what a person orders.
#include <algorithm>
#include <cerrno>

#include "common/health/reconciler.h"

namespace ringmaster::health {

using Kind = ReconcilerAction::Kind;

namespace {

// What requests fail with in `hold`: never a failure that is counted (counts_as_failure()).
constexpr int kByHandCause = EHOSTDOWN;

}  // namespace

HandOutcome Reconciler::eject_by_hand(uint32_t shard) {
    Server& server = servers_[shard];
    if (server.by_hand) {
        return HandOutcome::kAlready;
    }
    // A refused server is in the ring and bad: the pool cannot live on it.
    bool another_works = false;
    for (uint32_t i = 0; i < servers_.size(); ++i) {
        another_works = another_works || (i != shard && servers_[i].verdict == Verdict::kIn);
    }
    if (!another_works && settings_.mode == EjectMode::kRehash) {
        return HandOutcome::kLastLive;
    }
    drop_accusations(shard);
    counters_.ejects += server.verdict == Verdict::kEjected ? 0 : 1;
    server.verdict = Verdict::kEjected;
    server.by_hand = true;
    server.cause = kByHandCause;
    server.probe_id = 0;
    server.due_ms = kNever;
    publish(shard, Kind::kEjected);
    return HandOutcome::kDone;
}

HandOutcome Reconciler::readmit_by_hand(uint32_t shard, uint64_t now_ms) {
    Server& server = servers_[shard];
    if (server.verdict == Verdict::kIn) {
        return HandOutcome::kAlready;
    }
    if (server.verdict == Verdict::kRefused) {
        end_refusal(shard);
        return HandOutcome::kDone;
    }
    server.by_hand = false;
    if (settings_.flush_on_return && settings_.probe) {
        // It may hold what was overwritten elsewhere meanwhile. From now on it is as one that was
        // ejected by judgement: should the probe fail, there will be others.
        if (server.probe_id == 0) {
            start_probe(shard, now_ms);
        }
        return HandOutcome::kAfterProbe;
    }
    server.probe_id = 0;
    readmit(shard, now_ms);
    return HandOutcome::kDone;
}

// After a reload only those may be left that are out by hand: one of them is needed.
void Reconciler::spare_one() {
    const bool none_is_live =
        std::all_of(servers_.begin(), servers_.end(),
                    [](const Server& server) { return server.verdict == Verdict::kEjected; });
    if (servers_.empty() || !none_is_live || settings_.mode == EjectMode::kHold) {
        return;
    }
    servers_[0].verdict = Verdict::kIn;
    servers_[0].by_hand = false;
    servers_[0].due_ms = kNever;
    actions_.push_back({.kind = Kind::kReadmitted, .shard = 0});
}

}  // namespace ringmaster::health
