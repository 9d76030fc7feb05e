// SPDX-License-Identifier: Apache-2.0
#include "master/slot_watch.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/base/log.h"
#include "master/listener_messages.h"
#include "master/process_state.h"

namespace ringmaster::master {

SlotWatch::SlotWatch(io::Loop& loop, size_t slots, Surroundings surroundings)
    : loop_(loop),
      around_(std::move(surroundings)),
      adoption_(slots),
      slots_(slots),
      check_timer_(loop, [this] { beats_due_ = true; }),
      due_timer_(loop, [this] { adoption_due_ = true; }) {}

void SlotWatch::start() {
    running_ = true;
    adoption_due_ = true;
    check_timer_.start(kCheckMs, kCheckMs);
}

void SlotWatch::stop() {
    if (running_) {
        // Whoever is told to stop next empties its queues first: no slot may be left out.
        adopt(loop_.active_ms() + Adoption::kEmptyMs);
    }
    running_ = false;
    check_timer_.stop();
    due_timer_.stop();
}

// ---- another config ----

void SlotWatch::reload(size_t slots, size_t wanted) {
    adoption_.grow(slots, loop_.active_ms());
    if (slots > slots_.size()) {
        slots_.resize(slots);
    }
    for (size_t i = 0; i < slots_.size(); ++i) {
        adoption_.set_wanted(i, i < wanted);
        // What is not there any more is not lent any more.
        const std::vector<PoolListener> listeners = lendable(i);
        std::erase_if(slots_[i].lent, [&](uint32_t id) {
            return std::none_of(listeners.begin(), listeners.end(),
                                [id](const PoolListener& listener) { return listener.id == id; });
        });
    }
    adoption_due_ = true;
    lent_is_stale_ = true;
}

std::vector<control::ListenerUse> SlotWatch::kept_by(size_t slot) const {
    std::vector<control::ListenerUse> kept;
    if (!adoption_.serves(slot)) {
        return kept;
    }
    for (size_t other = 0; other < slots_.size(); ++other) {
        if (adoption_.adopter(other) != slot) {
            continue;
        }
        for (const PoolListener& listener : lendable(other)) {
            const std::vector<uint32_t>& lent = slots_[other].lent;
            if (std::find(lent.begin(), lent.end(), listener.id) != lent.end()) {
                kept.push_back(
                    {.listener = listener.id, .pool = static_cast<uint32_t>(listener.pool)});
            }
        }
    }
    return kept;
}

// A shared one is every worker's anyway.
std::vector<PoolListener> SlotWatch::lendable(size_t slot) const {
    std::vector<PoolListener> listeners = around_.listeners.of_slot(slot);
    std::erase_if(listeners, [](const PoolListener& listener) { return listener.shared; });
    return listeners;
}

// ---- what happens ----

void SlotWatch::on_ready(size_t index) {
    Slot& slot = slots_[index];
    slot.beats.start(loop_.active_ms());
    slot.silent = false;
    slot.accepting = true;  // what is lent is still to be taken back
    adoption_.on_serving(index);
    adoption_due_ = true;
}

void SlotWatch::on_beat(size_t index) {
    Slot& slot = slots_[index];
    const uint64_t now_ms = loop_.active_ms();
    if (slot.silent) {
        slot.silent = false;
        RM_LOG(kNotice, "worker {} goes on silent_ms={}", index, slot.beats.silent_for_ms(now_ms));
        if (slot.accepting) {
            adoption_.on_serving(index);
            adoption_due_ = true;
        }
    }
    slot.beats.on_beat(now_ms);
}

// Its loans end with it: the next adopter is to get them all.
void SlotWatch::forget_loans_to(size_t adopter) {
    for (size_t i = 0; i < slots_.size(); ++i) {
        if (adoption_.adopter(i) == adopter) {
            slots_[i].lent.clear();
        }
    }
}

void SlotWatch::on_accept_stopped(size_t slot) {
    forget_loans_to(slot);
    slots_[slot].accepting = false;
    adoption_.on_gone(slot, loop_.active_ms());
    adoption_due_ = true;
}

void SlotWatch::on_exit(size_t slot) {
    forget_loans_to(slot);
    slots_[slot].beats.stop();
    slots_[slot].silent = false;
    slots_[slot].accepting = false;
    adoption_.on_gone(slot, loop_.active_ms());
    adoption_due_ = true;
}

// ---- what follows ----

void SlotWatch::after_poll() {
    if (!running_ || (!beats_due_ && !adoption_due_)) {
        return;
    }
    const uint64_t now_ms = loop_.active_ms();
    if (std::exchange(beats_due_, false)) {
        judge_beats(now_ms);
    }
    if (std::exchange(adoption_due_, false)) {
        adopt(now_ms);
    }
}

void SlotWatch::judge_beats(uint64_t now_ms) {
    for (size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        WorkerProcess* worker = around_.worker_or_null(i);
        if (worker == nullptr || !slot.beats.is_silent(now_ms)) {
            continue;
        }
        const bool stopped = is_stopped(worker->pid());
        const auto verdict = slot.beats.judge(now_ms, stopped);
        if (!slot.silent) {
            slot.silent = true;
            RM_LOG(kWarn, "worker {} is silent pid={} silent_ms={}{}", i, worker->pid(),
                   slot.beats.silent_for_ms(now_ms), stopped ? " (stopped)" : "");
            if (slot.accepting) {
                adoption_.on_silent(i, now_ms);
                adoption_due_ = true;
            }
        }
        if (verdict == BeatWatch::Verdict::kAbort || verdict == BeatWatch::Verdict::kKill) {
            const bool abort = verdict == BeatWatch::Verdict::kAbort;
            RM_LOG(kErr, "worker {} hangs pid={} silent_ms={}: ending it by {}", i, worker->pid(),
                   slot.beats.silent_for_ms(now_ms), abort ? "SIGABRT" : "SIGKILL");
            worker->kill(abort ? SIGABRT : SIGKILL);
        }
    }
}

void SlotWatch::adopt(uint64_t now_ms) {
    for (const Adoption::Move& move : adoption_.update(now_ms)) {
        if (move.from != Adoption::kNobody) {
            take_back(move.slot, move.from);
        }
        if (move.to != Adoption::kNobody) {
            lend(move.slot, move.to);
        }
    }
    if (std::exchange(lent_is_stale_, false)) {
        for (size_t i = 0; i < slots_.size(); ++i) {
            if (adoption_.adopter(i) != Adoption::kNobody) {
                lend(i, adoption_.adopter(i));  // what a reload has added
            }
        }
    }
    if (const auto due_ms = adoption_.next_due_ms(now_ms)) {
        due_timer_.start(*due_ms - now_ms);
    }
}

void SlotWatch::take_back(size_t slot, size_t from) {
    WorkerProcess* worker = around_.worker_or_null(from);
    if (worker != nullptr && !slots_[slot].lent.empty()) {
        worker->link().send(control::ReleaseListeners{.listeners = slots_[slot].lent});
    }
    slots_[slot].lent.clear();
    RM_LOG(kNotice, "worker {} no longer accepts for slot {}", from, slot);
}

void SlotWatch::lend(size_t slot, size_t to) {
    WorkerProcess* worker = around_.worker_or_null(to);
    if (worker == nullptr) {
        return;  // it is about to be told gone
    }
    std::vector<uint32_t>& lent = slots_[slot].lent;
    std::vector<PoolListener> listeners = lendable(slot);
    std::erase_if(listeners, [&](const PoolListener& listener) {
        return std::find(lent.begin(), lent.end(), listener.id) != lent.end();
    });
    if (listeners.empty()) {
        return;
    }
    send_listeners(worker->link(), around_.config_bytes.generation, listeners);
    for (const PoolListener& listener : listeners) {
        lent.push_back(listener.id);
    }
    RM_LOG(kNotice, "worker {} accepts for slot {}", to, slot);
}

}  // namespace ringmaster::master
