// SPDX-License-Identifier: Apache-2.0
// Workers and master of the simulated world: the shell that the real ones have around the logic.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "tests/sim/eject_sim_world.h"

namespace ringmaster::sim {

using Kind = Event::Kind;
using health::Ejector;
using health::EjectorAction;
using health::ReconcilerAction;

// ---- workers ----

health::Now World::now_of(const SimWorker& worker) const {
    return {.active_ms = now_ms_ - worker.stalled_total_ms, .shared_ms = now_ms_};
}

uint32_t World::period_ms() const {
    return now_ms_ < faults_end_ms_ ? 7 : 31;
}

void World::on_worker_event(const Event& event) {
    SimWorker& worker = workers_[event.worker];
    Event next = event;
    switch (event.kind) {
        case Kind::kIssue:
            issue(event.worker);
            next.at_ms = now_ms_ + period_ms() + rng_.below(3);
            push(std::move(next));
            return;
        case Kind::kDone:
            done(event);
            return;
        case Kind::kTick:
            if (worker.ejector->next_due_ms() <= now_of(worker).active_ms) {
                worker.ejector->tick(now_of(worker));
            }
            next.at_ms = now_ms_ + kTickMs;
            push(std::move(next));
            return;
        case Kind::kBeat: {
            auto beat = std::make_shared<health::PoolBeat>();
            worker.ejector->fill(*beat);
            send({.kind = Kind::kBeatArrives, .worker = event.worker, .beat = std::move(beat)}, 1);
            next.at_ms = now_ms_ + kBeatMs;
            push(std::move(next));
            return;
        }
        case Kind::kRing:
            worker.got_ring = true;
            if (!worker.ejector->on_ring(*event.ring, now_of(worker))) {
                violation("a RING was refused");
            }
            return;
        case Kind::kReconnect:
            worker.ejector->forget(event.shard);
            return;
        default:
            return;
    }
}

void World::issue(uint32_t index) {
    SimWorker& worker = workers_[index];
    Ejector& ejector = *worker.ejector;
    if (!ejector.may_serve()) {
        return;
    }
    if (!worker.got_ring) {
        violation("I9: worker " + std::to_string(index) + " serves before its first RING");
    }
    ++outcome_.requests;
    const auto count = static_cast<uint32_t>(servers_.size());
    for (uint32_t i = 0; i < count && (i == 0 || !ejector.is_live(worker.cursor)); ++i) {
        worker.cursor = (worker.cursor + 1) % count;
    }
    const uint32_t shard = worker.cursor;
    if (!ejector.is_live(shard)) {
        return;  // no ring at all: I3 says so
    }
    const health::Now now = now_of(worker);
    if (ejector.route(shard, now.active_ms) == Ejector::Route::kFailAtOnce) {
        ++outcome_.fast_fails;
        return;
    }
    const Health health = health_of(index, shard);
    uint64_t takes_ms = 1;
    if (health == Health::kSilent) {
        takes_ms = kTimeoutMs;
    } else if (health == Health::kSlow) {
        takes_ms = kTimeoutMs - 15;
    }
    push({.at_ms = now_ms_ + takes_ms,
          .kind = Kind::kDone,
          .worker = index,
          .incarnation = worker.incarnation,
          .shard = shard,
          .value = now.active_ms});
}

uint32_t World::result_of(const Event& event) const {
    const Health health =
        event.kind == Kind::kDone ? health_of(event.worker, event.shard) : servers_[event.shard];
    if (event.extra != kUnknownYet || health == Health::kSilent) {
        return event.extra;
    }
    return health == Health::kUp || health == Health::kSlow ? kAnswered : kFailed;
}

void World::done(const Event& event) {
    SimWorker& worker = workers_[event.worker];
    const health::Now now = now_of(worker);
    const uint32_t result = result_of(event);
    if (result == kAnswered) {
        worker.ejector->on_success(event.shard, now.shared_ms);
        return;
    }
    if (result == kUnknownYet && now.active_ms < event.value + kTimeoutMs) {
        Event again = event;  // the worker was stopped meanwhile: its clock was too
        again.at_ms = now_ms_ + (event.value + kTimeoutMs - now.active_ms);
        push(std::move(again));
        return;
    }
    ++outcome_.failures;
    int cause = result == kUnknownYet ? ETIMEDOUT : ECONNREFUSED;
    if (health_of(event.worker, event.shard) == Health::kLocalTrouble) {
        cause = EMFILE;
    }
    worker.ejector->on_failure(
        {.shard = event.shard, .cause = cause, .attempt_began_ms = event.value}, now);
}

void World::drain_worker(uint32_t index) {
    for (const EjectorAction& action : workers_[index].ejector->take_actions()) {
        if (action.kind == EjectorAction::Kind::kSuspect) {
            send({.kind = Kind::kSuspect,
                  .worker = index,
                  .shard = action.shard,
                  .accusation = {.epoch = action.epoch,
                                 .cause = action.cause,
                                 .first_failure_ms = action.first_failure_ms,
                                 .sent_ms = now_ms_}},
                 1);
        }
    }
}

// ---- the master ----

void World::on_master_event(const Event& event) {
    Event next = event;
    switch (event.kind) {
        case Kind::kSuspect:
        case Kind::kBeatArrives: {
            const SimWorker& worker = workers_[event.worker];
            if (worker.ejector == nullptr || worker.incarnation != event.incarnation) {
                return;  // its channel is gone
            }
            const bool fits =
                event.kind == Kind::kSuspect
                    ? master_->on_suspect(event.worker, event.shard, event.accusation, now_ms_)
                    : master_->on_beat(event.worker, *event.beat, now_ms_);
            if (!fits) {
                violation("the master refused a message");
            }
            return;
        }
        case Kind::kMasterTick:
            if (master_->next_due_ms() <= now_ms_) {
                master_->tick(now_ms_);
            }
            next.at_ms = now_ms_ + kTickMs;
            push(std::move(next));
            return;
        case Kind::kProbeDone:
            master_->on_probe(event.shard, event.value,
                              result_of(event) == kAnswered ? health::ProbeResult::kGood
                                                            : health::ProbeResult::kBad,
                              now_ms_);
            return;
        case Kind::kWorkerGone:
            if (workers_[event.worker].ejector == nullptr) {
                master_->on_worker_gone(event.worker);
            }
            return;
        default:
            return;
    }
}

void World::drain_master() {
    for (const ReconcilerAction& action : master_->take_actions()) {
        switch (action.kind) {
            case ReconcilerAction::Kind::kSendRing:
                for (uint32_t i = 0; i < workers_.size(); ++i) {
                    if (action.worker == health::kAllWorkers || action.worker == i) {
                        send_ring(i);
                    }
                }
                break;
            case ReconcilerAction::Kind::kReconnect:
                send({.kind = Kind::kReconnect, .worker = action.worker, .shard = action.shard}, 0);
                break;
            case ReconcilerAction::Kind::kStartProbe:
                start_probe(action);
                break;
            case ReconcilerAction::Kind::kEjected:
                on_ejected(action.shard);
                break;
            case ReconcilerAction::Kind::kReadmitted:
            case ReconcilerAction::Kind::kRefused:
            case ReconcilerAction::Kind::kVetoed:
                break;
        }
    }
    note_epoch();
}

void World::start_probe(const ReconcilerAction& action) {
    const Health health = servers_[action.shard];
    uint64_t takes_ms = 1;
    if (health == Health::kSilent) {
        takes_ms = action.timeout_ms;
    } else if (health == Health::kSlow) {
        takes_ms = kTimeoutMs - 15;
    }
    push({.at_ms = now_ms_ + takes_ms,
          .kind = Kind::kProbeDone,
          .shard = action.shard,
          .value = action.probe_id});
}

void World::send_ring(uint32_t index) {
    SimWorker& worker = workers_[index];
    if (worker.ejector == nullptr) {
        return;
    }
    if (worker.full[0]) {
        worker.pending_ring = merges_;
        return;
    }
    auto ring = std::make_shared<const health::RingVerdicts>(master_->ring());
    send({.kind = Kind::kRing, .worker = index, .ring = std::move(ring)}, 0);
}

// direction: 0 to the worker, 1 from it.
void World::send(Event event, uint32_t direction) {
    SimWorker& worker = workers_[event.worker];
    if (worker.ejector == nullptr || worker.full[direction]) {
        return;
    }
    event.incarnation = worker.incarnation;
    event.at_ms = now_ms_ + rng_.below(kDelayMaxMs + 1);
    if (!swaps_) {
        event.at_ms = std::max(event.at_ms, worker.last_arrival_ms[direction]);
        worker.last_arrival_ms[direction] = event.at_ms;
    }
    push(std::move(event));
}

}  // namespace ringmaster::sim
