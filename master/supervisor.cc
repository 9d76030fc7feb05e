// SPDX-License-Identifier: Apache-2.0
#include "master/supervisor.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "master/listener_messages.h"
#include "master/machine.h"

namespace ringmaster::master {

using base::format;

Supervisor::Supervisor(io::Loop& loop, size_t slots, Provisions provisions,
                       SupervisorEvents& events)
    : loop_(loop),
      provisions_(std::move(provisions)),
      events_(events),
      policy_(slots),
      ledger_(ClientLedger::of(provisions_.config, slots)),
      book_(provisions_.config, slots),
      gather_(loop, [this](uint64_t id) { return ask_for_stats(id); }),
      watch_(loop, slots,
             {.listeners = provisions_.listeners,
              .config_bytes = provisions_.config_bytes,
              .worker_or_null = [this](size_t slot) { return ready_worker_or_null(slot); }}) {
    add_slots(slots);
}

void Supervisor::add_slots(size_t count) {
    while (slots_.size() < count) {
        const size_t index = slots_.size();
        slots_.emplace_back();
        slots_.back().respawn = std::make_unique<io::Timer>(loop_, [this, index] { spawn(index); });
    }
}

bool Supervisor::is_connected(const Slot& slot) noexcept {
    return slot.worker != nullptr && (slot.worker->state() == WorkerProcess::State::kReady ||
                                      slot.worker->state() == WorkerProcess::State::kConfigured);
}

WorkerProcess* Supervisor::ready_worker_or_null(size_t slot) noexcept {
    WorkerProcess* worker = slots_[slot].worker.get();
    const bool ready = worker != nullptr && worker->state() == WorkerProcess::State::kReady;
    return ready ? worker : nullptr;
}

void Supervisor::start() {
    for (size_t i = 0; i < slots_.size() && respawning_; ++i) {
        spawn(i);
    }
}

void Supervisor::spawn(size_t index) {
    Slot& slot = slots_[index];
    slot.sockets.clear();
    slot.worker = std::make_unique<WorkerProcess>(loop_, index, static_cast<WorkerEvents&>(*this));
    // Asked each time: what we may run on can change.
    const std::optional<uint32_t> cpu =
        provisions_.one_cpu_each ? cpu_of_slot(cpus_by_affinity(), index) : std::nullopt;
    const base::Status status = slot.worker->start({.credentials = provisions_.credentials,
                                                    .log_level = base::log_level(),
                                                    .cpu = cpu,
                                                    .detached = provisions_.detached});
    if (!status) {
        RM_LOG(kErr, "worker {}: {}", index, status.error().message);
        after_death(index, status.error().message);
    }
}

void Supervisor::stop_respawning() {
    respawning_ = false;
    watch_.stop();
    for (Slot& slot : slots_) {
        slot.respawn->stop();
    }
}

void Supervisor::send_stop(const control::Stop& stop) {
    for (const Slot& slot : slots_) {
        if (slot.worker == nullptr) {
            continue;
        }
        if (slot.worker->state() == WorkerProcess::State::kReady) {
            slot.worker->link().send(stop);
        } else {
            slot.worker->kill(SIGKILL);
        }
    }
}

void Supervisor::kill_all() noexcept {
    for (const Slot& slot : slots_) {
        if (slot.worker != nullptr) {
            slot.worker->kill(SIGKILL);
        }
    }
}

void Supervisor::send_ring(size_t slot, size_t pool) {
    if (slot < slots_.size() && is_connected(slots_[slot])) {
        slots_[slot].worker->link().send_ring(provisions_.ring(pool));
    }
}

void Supervisor::broadcast_ring(size_t pool) {
    const control::RingState ring = provisions_.ring(pool);
    for (const Slot& slot : slots_) {
        if (is_connected(slot)) {
            slot.worker->link().send_ring(ring);
        }
    }
}

void Supervisor::broadcast_log() {
    const int fd = base::log_fd();
    if (fd != STDERR_FILENO) {
        broadcast(control::LogReopen{}, {&fd, 1});
    }
}

std::vector<size_t> Supervisor::ask_for_stats(uint64_t request_id) {
    std::vector<size_t> asked;
    for (size_t i = 0; i < slots_.size(); ++i) {
        const Slot& slot = slots_[i];
        if (slot.worker != nullptr && slot.worker->state() == WorkerProcess::State::kReady &&
            slot.worker->link().try_send(control::StatsRequest{.request_id = request_id})) {
            asked.push_back(i);
        }
    }
    return asked;
}

size_t Supervisor::running_count() const noexcept {
    return static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
        return slot.worker != nullptr && slot.worker->running();
    }));
}

bool Supervisor::all_accept_stopped() const noexcept {
    return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
        return slot.worker == nullptr || !slot.worker->running() || slot.worker->accept_stopped();
    });
}

// ---- what workers say ----

void Supervisor::on_worker_hello(WorkerProcess& worker) {
    worker.expect_generation(provisions_.config_bytes.generation);
    events_.on_worker_up(worker.slot());
    WorkerLink& link = worker.link();
    if (const int fd = base::log_fd(); fd != STDERR_FILENO) {
        // It may have been reopened since the worker was started.
        link.send(control::LogReopen{}, {&fd, 1});
    }
    link.send(provisions_.config_bytes);
    for (size_t pool = 0; pool < provisions_.config.pools.size(); ++pool) {
        // Not send_ring(): START must not overtake it, and there is one of each.
        link.send(provisions_.ring(pool));
    }
    send_own_listeners(slots_[worker.slot()], provisions_.config_bytes.generation,
                       provisions_.listeners.of_slot(worker.slot()));
    link.send(control::Start{});
}

void Supervisor::on_worker_ready(WorkerProcess& worker) {
    const bool again = policy_.was_ready(worker.slot());
    policy_.on_ready(worker.slot(), loop_.now_ms());
    watch_.on_ready(worker.slot());
    if (all_were_ready_) {
        RM_LOG(kNotice, "worker {} serves{} pid={} after_ms={}", worker.slot(),
               again ? " again" : "", worker.pid(), worker.age_ms());
        return;
    }
    RM_LOG(kInfo, "worker {} is ready pid={} after_ms={}", worker.slot(), worker.pid(),
           worker.age_ms());
    if (policy_.live_count() == slots_.size() && !cannot_start_) {
        all_were_ready_ = true;
        watch_.start();
        events_.on_workers_ready();
    }
}

void Supervisor::on_worker_failed(WorkerProcess& worker, const std::string& reason) {
    if (all_were_ready_) {
        RM_LOG(kErr, "worker {} cannot serve pid={}: {}", worker.slot(), worker.pid(), reason);
    } else if (!cannot_start_) {
        cannot_start_ = true;
        events_.on_workers_cannot_start(format("worker {}: {}", worker.slot(), reason));
    }
}

bool Supervisor::on_worker_stats(WorkerProcess& worker, const control::StatsReport& report) {
    // In the numbers' shape of before a reload: the next report is not.
    if (report.generation == provisions_.config_bytes.generation &&
        !book_.store(worker.slot(), report)) {
        return false;
    }
    if (report.request_id != 0) {
        gather_.on_report(worker.slot(), report.request_id);
    }
    return true;
}

bool Supervisor::is_current(const WorkerProcess& worker) const noexcept {
    return worker.generation() == provisions_.config_bytes.generation;
}

bool Supervisor::on_worker_connect_failed(WorkerProcess& worker,
                                          const control::ConnectFailed& message) {
    return !is_current(worker) || events_.on_connect_failed(message.pool, message.shard);
}

bool Supervisor::on_worker_suspect(WorkerProcess& worker, const control::Suspect& suspect) {
    return events_.on_suspect(worker.slot(), suspect);
}

bool Supervisor::on_worker_beat(WorkerProcess& worker, const control::Beat& beat) {
    watch_.on_beat(worker.slot());
    return events_.on_beat(worker.slot(), beat);
}

bool Supervisor::on_worker_client_ask(WorkerProcess& worker, const control::ClientAsk& ask) {
    const bool counts = is_current(worker);
    if (counts && ask.pool >= ledger_.pool_count()) {
        return false;
    }
    // Asked before it heard of a reload: it asks again, and ignores this.
    const bool granted = !counts || ledger_.ask(ask.pool, worker.slot());
    worker.link().send(control::ClientAnswer{.pool = ask.pool, .granted = granted});
    return true;
}

bool Supervisor::on_worker_client_gone(WorkerProcess& worker, const control::ClientGone& gone) {
    return !is_current(worker) || (gone.pool < ledger_.pool_count() &&
                                   ledger_.give_back(gone.pool, worker.slot(), gone.count));
}

void Supervisor::on_worker_accept_stopped(WorkerProcess& worker) {
    RM_LOG(kDebug, "worker {} has stopped accepting", worker.slot());
    watch_.on_accept_stopped(worker.slot());
    events_.on_worker_stopped();
}

void Supervisor::on_worker_exit(WorkerProcess& worker, io::ProcessExit exit) {
    const size_t slot = worker.slot();
    const std::string what = exit_text(exit);
    const bool well = exit.signal == 0 && exit.code == 0;
    if ((!respawning_ || !slots_[slot].wanted) && (well || exit.signal == SIGKILL)) {
        RM_LOG(kInfo, "worker {} has ended pid={}: {}", slot, worker.pid(), what);
    } else {
        RM_LOG(kWarn, "worker {} is gone pid={}: {}{} age_ms={}", slot, worker.pid(), what,
               exit.core_dumped ? ", core dumped" : "", worker.age_ms());
    }
    events_.on_worker_gone(slot);
    if (respawning_ && !well) {
        ++slots_[slot].crashes;
        count_crash();
    }
    watch_.on_exit(slot);
    ledger_.give_back_all(slot);
    book_.fold(slot);
    gather_.on_gone(slot);
    after_death(slot, what);
    events_.on_worker_exit(slot, what);
}

void Supervisor::count_crash() {
    if (crashes_.on_crash(loop_.now_ms())) {
        RM_LOG(kCrit,
               "more than {} workers have crashed within a minute, {} since the start: a request "
               "may be killing them",
               CrashMeter::kManyPerMinute, crashes_.count());
    }
}

void Supervisor::after_death(size_t slot, const std::string& what) {
    const uint64_t delay_ms = policy_.on_death(slot, loop_.now_ms());
    if (!respawning_) {
        events_.on_worker_stopped();
        return;
    }
    if (!slots_[slot].wanted) {
        return;
    }
    if (!all_were_ready_ && policy_.failed_starts(slot) >= kFailedStartsMax) {
        if (!cannot_start_) {
            cannot_start_ = true;
            events_.on_workers_cannot_start(
                format("worker {} ended {} times before it was ready, the last time with {}", slot,
                       policy_.failed_starts(slot), what));
        }
        return;
    }
    // By the timer even without a delay: the WorkerProcess that tells us must not be replaced here.
    slots_[slot].respawn->start(delay_ms);
}

}  // namespace ringmaster::master
