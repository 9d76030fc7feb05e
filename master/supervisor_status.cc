// SPDX-License-Identifier: Apache-2.0
// The supervisor's part of `status`.
#include <algorithm>

#include "master/supervisor.h"

namespace ringmaster::master {

namespace {

const char* state_text(WorkerProcess::State state) {
    switch (state) {
        case WorkerProcess::State::kStarting:
            return "starting";
        case WorkerProcess::State::kConfigured:
            return "configured";
        case WorkerProcess::State::kReady:
            return "ready";
        case WorkerProcess::State::kDead:
            return "dead";
    }
    return "dead";
}

}  // namespace

std::vector<WorkerStatus> Supervisor::worker_statuses() const {
    std::vector<WorkerStatus> out;
    for (size_t i = 0; i < slots_.size(); ++i) {
        const bool runs = slots_[i].worker != nullptr && slots_[i].worker->running();
        if (!slots_[i].wanted && !runs) {
            continue;
        }
        WorkerStatus& status = out.emplace_back();
        status.slot = i;
        status.crashes = slots_[i].crashes;
        status.surplus = !slots_[i].wanted;
        status.state = "dead";
        for (const stats::PoolSnapshot& pool : book_.latest(i).pools) {
            status.pools.push_back({.epoch = 0, .in_fallback = false, .counters = pool});
        }
        if (const size_t adopter = watch_.adopter(i); adopter != Adoption::kNobody) {
            status.adopted_by = adopter;
        }
        const WorkerProcess* worker = slots_[i].worker.get();
        if (worker == nullptr) {
            continue;  // before the first
        }
        status.pid = worker->pid();
        status.cpu = worker->cpu();
        status.state = state_text(worker->state());
        if (worker->state() == WorkerProcess::State::kDead) {
            continue;
        }
        status.silent = all_were_ready_ && respawning_ && slots_[i].wanted &&
                        worker->state() == WorkerProcess::State::kReady && !watch_.serves(i);
        const control::Beat& beat = worker->last_beat();
        status.age_ms = worker->age_ms();
        status.beat_age_ms = worker->beat_age_ms();
        status.generation = beat.generation;
        status.clients = beat.client_connections;
        status.lag_ms = beat.lag_ms;
        for (size_t pool = 0; pool < std::min(status.pools.size(), beat.pools.size()); ++pool) {
            status.pools[pool].epoch = beat.pools[pool].epoch;
            status.pools[pool].in_fallback = beat.pools[pool].in_fallback;
        }
    }
    return out;
}

size_t Supervisor::wanted_count() const noexcept {
    return static_cast<size_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.wanted; }));
}

size_t Supervisor::ready_count() const noexcept {
    return static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
        return slot.wanted && slot.worker != nullptr &&
               slot.worker->state() == WorkerProcess::State::kReady;
    }));
}

}  // namespace ringmaster::master
