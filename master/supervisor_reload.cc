// SPDX-License-Identifier: Apache-2.0
// Supervisor: its part in a reload.
#include <algorithm>
#include <csignal>
#include <utility>

#include "common/base/log.h"
#include "master/listener_messages.h"
#include "master/process_state.h"
#include "master/supervisor.h"

namespace ringmaster::master {

std::vector<size_t> Supervisor::ready_slots() const {
    std::vector<size_t> ready;
    for (size_t i = 0; i < slots_.size(); ++i) {
        const WorkerProcess* worker = slots_[i].worker.get();
        if (worker != nullptr && worker->state() == WorkerProcess::State::kReady &&
            !worker->accept_stopped()) {
            ready.push_back(i);
        }
    }
    return ready;
}

void Supervisor::send_own_listeners(Slot& slot, uint64_t generation,
                                    const std::vector<PoolListener>& listeners) {
    std::vector<PoolListener> missing;
    std::copy_if(
        listeners.begin(), listeners.end(), std::back_inserter(missing),
        [&](const PoolListener& listener) { return slot.sockets.insert(listener.id).second; });
    send_listeners(slot.worker->link(), generation, missing);
}

void Supervisor::prepare(size_t index, const control::Prepare& order,
                         const std::vector<PoolListener>& listeners) {
    Slot& slot = slots_[index];
    slot.worker->link().send(order);
    send_own_listeners(slot, order.generation, listeners);
}

void Supervisor::abort(std::span<const size_t> slots, uint64_t generation) {
    for (const size_t index : slots) {
        Slot& slot = slots_[index];
        if (!is_connected(slot)) {
            continue;
        }
        slot.worker->link().send(control::Abort{.generation = generation});
        // It drops what came with the order.
        std::set<uint32_t> kept;
        if (slot.wanted) {
            for (const PoolListener& listener : provisions_.listeners.of_slot(index)) {
                kept.insert(listener.id);
            }
        }
        std::erase_if(slot.sockets, [&](uint32_t id) { return !kept.contains(id); });
    }
}

void Supervisor::commit(const control::Prepare& order, std::span<const size_t> prepared,
                        size_t wanted, uint32_t drain_timeout_ms) {
    add_slots(wanted);
    policy_.grow(slots_.size());
    ledger_ = ClientLedger::of(provisions_.config, slots_.size());
    book_.reload(provisions_.config, slots_.size());
    watch_.reload(slots_.size(), wanted);
    for (size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        slot.wanted = i < wanted;
        if (is_connected(slot) && slot.worker->accept_stopped()) {
            continue;  // told to end by itself: its successor starts with the new config
        }
        if (is_connected(slot)) {
            const bool knows = std::find(prepared.begin(), prepared.end(), i) != prepared.end();
            if (!knows) {
                slot.worker->link().send(order);
            }
            tell_to_commit(i, drain_timeout_ms);
        } else if (!slot.wanted) {
            slot.respawn->stop();
            if (slot.worker != nullptr) {
                slot.worker->kill(SIGKILL);  // it has not even said HELLO
            }
        } else if ((slot.worker == nullptr || !slot.worker->running()) &&
                   !slot.respawn->running() && respawning_) {
            spawn(i);
        }
    }
}

void Supervisor::tell_to_commit(size_t index, uint32_t drain_timeout_ms) {
    Slot& slot = slots_[index];
    control::Commit commit;
    commit.generation = provisions_.config_bytes.generation;
    commit.drain_timeout_ms = drain_timeout_ms;
    commit.surplus = !slot.wanted;
    commit.removed = provisions_.listeners.removed_ids();
    std::set<uint32_t> sockets;
    if (slot.wanted) {
        const std::vector<PoolListener> listeners = provisions_.listeners.of_slot(index);
        send_own_listeners(slot, commit.generation, listeners);
        for (const PoolListener& listener : listeners) {
            commit.uses.push_back(
                {.listener = listener.id, .pool = static_cast<uint32_t>(listener.pool)});
            sockets.insert(listener.id);
        }
        const std::vector<control::ListenerUse> kept = watch_.kept_by(index);
        commit.uses.insert(commit.uses.end(), kept.begin(), kept.end());
    }
    slot.sockets = std::move(sockets);
    for (size_t pool = 0; pool < provisions_.config.pools.size(); ++pool) {
        commit.rings.push_back(provisions_.ring(pool));
    }
    slot.worker->expect_generation(commit.generation);
    slot.worker->link().send(commit);
}

std::vector<size_t> Supervisor::laggards() const {
    std::vector<size_t> slots;
    for (size_t i = 0; i < slots_.size(); ++i) {
        if (is_connected(slots_[i]) && !slots_[i].worker->accept_stopped() &&
            !is_current(*slots_[i].worker)) {
            slots.push_back(i);
        }
    }
    return slots;
}

void Supervisor::kill(std::span<const size_t> slots) {
    for (const size_t slot : slots) {
        WorkerProcess& worker = *slots_[slot].worker;
        if (is_stopped(worker.pid())) {
            // The order waits in its socket; until it goes on, somebody else accepts for it.
            RM_LOG(kWarn, "worker {} is stopped and follows the reload when it goes on pid={}",
                   slot, worker.pid());
            continue;
        }
        RM_LOG(kErr, "worker {} has not followed the reload pid={}: replacing it", slot,
               worker.pid());
        worker.kill(SIGKILL);
    }
}

void Supervisor::on_worker_prepared(WorkerProcess& worker, const control::Prepared& vote) {
    events_.on_prepared(worker.slot(), vote);
}

bool Supervisor::on_worker_committed(WorkerProcess& worker, const control::Committed& message) {
    if (!is_current(worker)) {
        return true;  // another reload has come in between
    }
    if (!ledger_.hold(worker.slot(), message.held)) {
        return false;
    }
    events_.on_committed(worker.slot());
    return true;
}

}  // namespace ringmaster::master
