// SPDX-License-Identifier: Apache-2.0
// A reconciler with some workers up, and its actions sorted by kind.
#pragma once

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "common/health/reconciler.h"

namespace ringmaster::health {

using Kind = ReconcilerAction::Kind;

inline Settings reconciler_settings() {
    Settings out;
    out.auto_eject = true;
    out.retry_timeout_ms = 2000;
    out.probe_timeout_ms = 1000;
    return out;
}

inline std::vector<std::string> names(size_t count) {
    std::vector<std::string> out;
    for (size_t i = 0; i < count; ++i) {
        out.push_back("s" + std::to_string(i));
    }
    return out;
}

struct Master {
    explicit Master(const Settings& settings = reconciler_settings(), size_t servers = 3,
                    uint32_t workers = 3)
        : reconciler(settings, names(servers), nullptr, 0) {
        for (uint32_t i = 0; i < workers; ++i) {
            reconciler.on_worker_up(i);
        }
    }

    // Takes what has happened into `last`; how many of that kind there are.
    size_t take(Kind kind) {
        last.clear();
        for (const ReconcilerAction& action : reconciler.take_actions()) {
            if (action.kind == kind) {
                last.push_back(action);
            }
        }
        return last.size();
    }
    bool suspect(uint32_t worker, uint64_t now_ms, uint32_t shard = 0, uint64_t age_ms = 10) {
        return reconciler.on_suspect(worker, shard,
                                     {.epoch = reconciler.epoch(),
                                      .cause = ECONNREFUSED,
                                      .first_failure_ms = now_ms - age_ms,
                                      .sent_ms = now_ms},
                                     now_ms);
    }
    bool beat(uint32_t worker, uint64_t now_ms, std::vector<uint64_t> successes = {}) {
        return reconciler.on_beat(worker,
                                  {.epoch = reconciler.epoch(),
                                   .in_fallback = false,
                                   .last_success_ms = std::move(successes)},
                                  now_ms);
    }
    // Two accusers: out without a probe.
    void kill(uint32_t shard, uint64_t now_ms) {
        suspect(0, now_ms, shard);
        suspect(1, now_ms, shard);
    }
    // The probe that is due at `now_ms` gives `result`.
    bool probe(uint64_t now_ms, ProbeResult result) {
        static_cast<void>(reconciler.take_actions());
        reconciler.tick(now_ms);
        if (take(Kind::kStartProbe) != 1) {
            return false;
        }
        const ReconcilerAction started = last[0];
        reconciler.on_probe(started.shard, started.probe_id, result, now_ms + 1);
        return true;
    }
    Verdict verdict(uint32_t shard) { return reconciler.ring().servers[shard].verdict; }

    Reconciler reconciler;
    std::vector<ReconcilerAction> last;
};

}  // namespace ringmaster::health
