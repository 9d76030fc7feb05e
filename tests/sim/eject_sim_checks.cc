// SPDX-License-Identifier: Apache-2.0
// The invariants, looked at after every event.
#include <algorithm>
#include <bit>

#include "tests/sim/eject_sim_world.h"

namespace ringmaster::sim {

namespace {

// A beat, its way, the RING's way and a tick each, after a lost message; before that the 250 ms
// after which a worker acts alone.
constexpr uint64_t kRepairMs = health::kFallbackMs + 2 * kBeatMs;
// All workers on the new epoch (design bar).
constexpr uint64_t kSpreadMs = 250;
constexpr uint64_t kGrowthWindowMs = 10000;
constexpr size_t kEjectionsMax = 4;
constexpr uint64_t kFlapRetryMs = 2000;
// How old evidence against a server may be when it is ejected.
constexpr uint64_t kEvidenceMs = 1000;

}  // namespace

void World::violation(const std::string& text) {
    if (outcome_.violation.empty()) {
        outcome_.violation = "at " + std::to_string(now_ms_ - kStartMs) + " ms: " + text;
    }
}

uint64_t World::live_mask(const SimWorker& worker) const {
    uint64_t mask = 0;
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        mask |= uint64_t{worker.ejector->is_live(shard)} << shard;
    }
    return mask;
}

bool World::is_healthy(uint32_t shard) const {
    return servers_[shard] == Health::kUp || servers_[shard] == Health::kSlow;
}

void World::note_epoch() {
    if (mask_of_epoch_.size() > master_->epoch()) {
        return;
    }
    mask_of_epoch_.resize(master_->epoch() + 1, 0);
    uint64_t mask = 0;
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        mask |= uint64_t{master_->is_live(shard)} << shard;
    }
    // Several changes at one moment: only the last was ever sent.
    mask_of_epoch_.back() = mask;
    last_epoch_change_ms_ = now_ms_;
}

void World::on_ejected(uint32_t shard) {
    std::vector<uint64_t>& times = ejected_at_ms_[shard];
    times.push_back(now_ms_);
    const auto recent = std::count_if(times.begin(), times.end(), [&](uint64_t at_ms) {
        return at_ms + kGrowthWindowMs > now_ms_;
    });
    if (settings_.retry_timeout_ms >= kFlapRetryMs && static_cast<size_t>(recent) > kEjectionsMax) {
        violation("I5: server " + std::to_string(shard) + " ejected for the " +
                  std::to_string(recent) + "th time within 10 s");
    }
    const uint64_t blamed_ms = std::max(server_bad_ms_[shard], control_quiet_since_ms_);
    if (is_healthy(shard) && control_faults_ == 0 && now_ms_ > blamed_ms + kEvidenceMs) {
        violation("I7: server " + std::to_string(shard) + " ejected, though it is well");
    }
}

void World::check() {
    for (uint32_t i = 0; i < workers_.size(); ++i) {
        if (workers_[i].ejector != nullptr) {
            check_worker(i);
        }
    }
    check_servers();
    measure();
}

void World::check_worker(uint32_t index) {
    SimWorker& worker = workers_[index];
    const health::Ejector& ejector = *worker.ejector;
    const std::string who = "worker " + std::to_string(index);
    const uint64_t epoch = ejector.epoch();
    const uint64_t mask = live_mask(worker);
    if (epoch < worker.last_epoch || epoch > master_->epoch()) {
        violation("I4: " + who + " went from epoch " + std::to_string(worker.last_epoch) + " to " +
                  std::to_string(epoch));
        return;
    }
    worker.last_epoch = epoch;
    if (epoch > 0 && !ejector.in_fallback() && mask != mask_of_epoch_[epoch]) {
        violation("I1: " + who + " has another ring than its epoch " + std::to_string(epoch));
    }
    const size_t floor =
        servers_.size() -
        (clean_.mode == health::EjectMode::kHold ? 0 : max_ejected(clean_, servers_.size()));
    if (static_cast<size_t>(std::popcount(mask)) < floor) {
        violation("I3: " + who + " has fewer live servers than the floor");
    }
    const bool quiet = control_faults_ == 0 && now_ms_ > control_quiet_since_ms_ + kRepairMs;
    if (!quiet || worker.stalled) {
        return;
    }
    if (ejector.in_fallback()) {
        violation("I2: " + who + " acts alone, though the master answers");
    }
    if (epoch != master_->epoch() && now_ms_ > last_epoch_change_ms_ + kSpreadMs) {
        violation("I2: " + who + " is at epoch " + std::to_string(epoch) + ", the master at " +
                  std::to_string(master_->epoch()));
    }
}

void World::check_servers() {
    if (control_faults_ > 0 || master_stalled_) {
        return;
    }
    const size_t room = max_ejected(clean_, servers_.size());
    const uint64_t retry_ms = health::retry_ms(clean_);
    const uint64_t return_ms =
        retry_ms * health::kGrowthMax + retry_ms + clean_.probe_timeout_ms + kSpreadMs + kRepairMs;
    const uint64_t gap_ms = servers_.size() * (uint64_t{period_ms()} + 3);
    const uint64_t detect_ms = std::max<uint64_t>(clean_.failure_limit, 1) * (kTimeoutMs + gap_ms) +
                               health::kDecisionProbeMs + health::kDecisionGapMs +
                               uint64_t{2} * kDelayMaxMs + kRepairMs;
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        const uint64_t since_ms = std::max(changed_ms_[shard], control_quiet_since_ms_);
        bool in_every_ring = true;
        bool in_some_ring = false;
        for (const SimWorker& worker : workers_) {
            const bool is_in = worker.ejector != nullptr && !worker.ejector->is_ejected(shard);
            in_every_ring = in_every_ring && is_in;
            in_some_ring = in_some_ring || is_in;
        }
        if (is_healthy(shard) && !in_every_ring && now_ms_ > since_ms + return_ms) {
            violation("I6: server " + std::to_string(shard) + " is well, but not in every ring");
        }
        const uint64_t settled_ms =
            std::max({since_ms, last_server_event_ms_, last_epoch_change_ms_});
        if (!is_healthy(shard) && in_some_ring && master_->ejected_count() < room &&
            now_ms_ > settled_ms + detect_ms) {
            violation("I8: server " + std::to_string(shard) + " is dead, but in a ring");
        }
    }
}

// Known to be bad everywhere: out of the ring, or refused and failing at once.
void World::measure() {
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        if (dying_since_ms_[shard] == 0) {
            continue;
        }
        const health::Verdict verdict = master_->ring().servers[shard].verdict;
        const bool everywhere =
            std::all_of(workers_.begin(), workers_.end(), [&](const SimWorker& worker) {
                return worker.ejector == nullptr || worker.stalled ||
                       worker.ejector->is_ejected(shard) ||
                       (verdict == health::Verdict::kRefused &&
                        worker.ejector->epoch() == master_->epoch());
            });
        if (everywhere) {
            outcome_.converge_ms.push_back(now_ms_ - dying_since_ms_[shard]);
            dying_since_ms_[shard] = 0;
        }
    }
}

}  // namespace ringmaster::sim
