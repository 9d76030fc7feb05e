// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "tests/sim/eject_sim_world.h"

namespace ringmaster::sim {

using Kind = Event::Kind;
using health::Ejector;

namespace {

bool is_later(const Event& a, const Event& b) {
    return a.at_ms != b.at_ms ? a.at_ms > b.at_ms : a.order > b.order;
}

bool is_of_worker(Kind kind) {
    return kind <= Kind::kReconnect;
}

bool is_of_master(Kind kind) {
    return kind > Kind::kReconnect && kind <= Kind::kWorkerGone;
}

}  // namespace

const char* scenario_name(Scenario scenario) noexcept {
    static constexpr std::array<const char*, kScenarioCount> kNames = {
        "server down",  "server silent", "server slow",  "server flaps", "one worker's path",
        "worker crash", "worker stall",  "master stall", "channel full", "everything"};
    return kNames[static_cast<size_t>(scenario)];
}

Outcome run_eject_sim(uint64_t seed, Scenario scenario, health::Mutation mutation) {
    return World(seed, scenario, mutation).run();
}

World::World(uint64_t seed, Scenario scenario, health::Mutation mutation)
    : rng_(seed * kScenarioCount + static_cast<uint64_t>(scenario)), scenario_(scenario) {
    settings_.mutation = mutation;
    choose_settings();
    clean_ = settings_;
    clean_.mutation = health::Mutation::kNone;
    changed_ms_.assign(servers_.size(), kStartMs);
    server_bad_ms_.assign(servers_.size(), 0);
    dying_since_ms_.assign(servers_.size(), 0);
    ejected_at_ms_.resize(servers_.size());
    std::vector<std::string> names;
    for (size_t i = 0; i < servers_.size(); ++i) {
        names.push_back("s" + std::to_string(i));
    }
    master_ = std::make_unique<health::Reconciler>(settings_, names, nullptr, now_ms_);
    note_epoch();
    for (uint32_t i = 0; i < workers_.size(); ++i) {
        workers_[i].paths.assign(servers_.size(), Health::kUp);
        spawn(i);
    }
    push({.at_ms = now_ms_, .kind = Kind::kMasterTick});
    plan_faults();
}

Outcome World::run() {
    while (!queue_.empty() && outcome_.violation.empty()) {
        std::pop_heap(queue_.begin(), queue_.end(), is_later);
        Event event = std::move(queue_.back());
        queue_.pop_back();
        if (event.at_ms > end_ms_) {
            break;
        }
        now_ms_ = event.at_ms;
        dispatch(std::move(event));
        check();
    }
    outcome_.ejects = master_->counters().ejects;
    outcome_.readmits = master_->counters().readmits;
    outcome_.vetoes = master_->counters().vetoes;
    outcome_.panics = master_->counters().panics;
    for (const SimWorker& worker : workers_) {
        if (worker.ejector != nullptr) {
            outcome_.local_ejects += worker.ejector->counters().local_ejects;
        }
    }
    return outcome_;
}

void World::push(Event event) {
    event.order = ++order_;
    queue_.push_back(std::move(event));
    std::push_heap(queue_.begin(), queue_.end(), is_later);
}

void World::dispatch(Event event) {
    if (is_of_worker(event.kind)) {
        SimWorker& worker = workers_[event.worker];
        if (worker.ejector == nullptr || event.incarnation != worker.incarnation) {
            return;
        }
        if (worker.stalled) {
            // Its sockets go on: what the server does now is what it will find.
            event.extra = event.kind == Kind::kDone ? result_of(event) : event.extra;
            worker.deferred.push_back(std::move(event));
            return;
        }
        on_worker_event(event);
        drain_worker(event.worker);
    } else if (is_of_master(event.kind)) {
        if (master_stalled_) {
            event.extra = event.kind == Kind::kProbeDone ? result_of(event) : event.extra;
            master_deferred_.push_back(std::move(event));
            return;
        }
        on_master_event(event);
        drain_master();
    } else {
        on_world_event(event);
    }
}

// ---- the world ----

Health World::health_of(uint32_t worker, uint32_t shard) const {
    const Health path = workers_[worker].paths[shard];
    return path != Health::kUp ? path : servers_[shard];
}

void World::on_world_event(const Event& event) {
    switch (event.kind) {
        case Kind::kServer: {
            const Health health = static_cast<Health>(event.extra);
            servers_[event.shard] = health;
            changed_ms_[event.shard] = now_ms_;
            last_server_event_ms_ = now_ms_;
            const bool dies = health == Health::kRefusing || health == Health::kSilent;
            server_bad_ms_[event.shard] = now_ms_;
            const health::Verdict verdict = master_->ring().servers[event.shard].verdict;
            const bool is_known =
                verdict == health::Verdict::kEjected || verdict == health::Verdict::kRefused;
            dying_since_ms_[event.shard] = dies && !is_known ? now_ms_ : 0;
            return;
        }
        case Kind::kPath:
            workers_[event.worker].paths[event.shard] = static_cast<Health>(event.extra);
            changed_ms_[event.shard] = now_ms_;
            return;
        case Kind::kCrash:
            crash(event.worker);
            return;
        case Kind::kRespawn:
            spawn(event.worker);
            return;
        case Kind::kStall:
            if (workers_[event.worker].ejector != nullptr && !workers_[event.worker].stalled) {
                workers_[event.worker].stalled = true;
                workers_[event.worker].stalled_at_ms = now_ms_;
                ++control_faults_;
                push({.at_ms = now_ms_ + event.value,
                      .kind = Kind::kResume,
                      .worker = event.worker,
                      .incarnation = workers_[event.worker].incarnation});
            }
            return;
        case Kind::kResume:
            if (workers_[event.worker].incarnation == event.incarnation) {
                resume_worker(event.worker);
            }
            return;
        case Kind::kMasterStall:
            if (!master_stalled_) {
                master_stalled_ = true;
                ++control_faults_;
                push({.at_ms = now_ms_ + event.value, .kind = Kind::kMasterResume});
            }
            return;
        case Kind::kMasterResume: {
            master_stalled_ = false;
            --control_faults_;
            control_quiet_since_ms_ = now_ms_;
            for (Event& late : std::exchange(master_deferred_, {})) {
                dispatch(std::move(late));
            }
            return;
        }
        case Kind::kFull:
            if (!workers_[event.worker].full[event.extra]) {
                workers_[event.worker].full[event.extra] = true;
                ++control_faults_;
                push({.at_ms = now_ms_ + event.value,
                      .kind = Kind::kNotFull,
                      .worker = event.worker,
                      .extra = event.extra});
            }
            return;
        case Kind::kNotFull:
            workers_[event.worker].full[event.extra] = false;
            --control_faults_;
            control_quiet_since_ms_ = now_ms_;
            if (event.extra == 0 && std::exchange(workers_[event.worker].pending_ring, false)) {
                send_ring(event.worker);
            }
            return;
        default:
            return;
    }
}

void World::crash(uint32_t index) {
    SimWorker& worker = workers_[index];
    if (worker.ejector == nullptr) {
        return;
    }
    if (worker.stalled) {
        --control_faults_;
    }
    ++control_faults_;
    ++worker.incarnation;
    worker.ejector.reset();
    worker.stalled = false;
    worker.deferred.clear();
    worker.pending_ring = false;
    push({.at_ms = now_ms_ + 1, .kind = Kind::kWorkerGone, .worker = index});
    push({.at_ms = now_ms_ + kRespawnMs, .kind = Kind::kRespawn, .worker = index});
}

void World::spawn(uint32_t index) {
    SimWorker& worker = workers_[index];
    if (now_ms_ > kStartMs) {
        if (master_stalled_) {  // nobody starts it
            push({.at_ms = now_ms_ + kRespawnMs, .kind = Kind::kRespawn, .worker = index});
            return;
        }
        --control_faults_;
        control_quiet_since_ms_ = now_ms_;
    }
    worker.ejector = std::make_unique<Ejector>(settings_, servers_.size());
    worker.got_ring = false;
    worker.last_epoch = 0;
    worker.stalled_total_ms = 0;
    worker.last_arrival_ms = {now_ms_, now_ms_};
    master_->on_worker_up(index);
    send_ring(index);
    for (const Kind kind : {Kind::kIssue, Kind::kTick, Kind::kBeat}) {
        push({.at_ms = now_ms_ + rng_.below(10),
              .kind = kind,
              .worker = index,
              .incarnation = worker.incarnation});
    }
}

void World::resume_worker(uint32_t index) {
    SimWorker& worker = workers_[index];
    worker.stalled = false;
    worker.stalled_total_ms += now_ms_ - worker.stalled_at_ms;
    --control_faults_;
    control_quiet_since_ms_ = now_ms_;
    std::vector<Event> late = std::exchange(worker.deferred, {});
    // The control channel is read before any client, deadlines are judged last.
    const auto rank = [](const Event& event) {
        if (event.kind == Kind::kRing || event.kind == Kind::kReconnect) {
            return 0;
        }
        return event.kind == Kind::kTick ? 2 : 1;
    };
    std::stable_sort(late.begin(), late.end(),
                     [&](const Event& a, const Event& b) { return rank(a) < rank(b); });
    for (Event& event : late) {
        dispatch(std::move(event));
    }
}

}  // namespace ringmaster::sim
