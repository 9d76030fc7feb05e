// SPDX-License-Identifier: Apache-2.0
#include "master/adoption.h"

#include <algorithm>

namespace ringmaster::master {

void Adoption::grow(size_t slots, uint64_t now_ms) {
    while (slots_.size() < slots) {
        slots_.push_back({.state = State::kEmpty,
                          .wanted = true,
                          .due_from_ms = now_ms + kEmptyMs,
                          .adopter = kNobody});
    }
}

void Adoption::on_serving(size_t slot) {
    slots_[slot].state = State::kServing;
}

void Adoption::on_silent(size_t slot, uint64_t now_ms) {
    slots_[slot].state = State::kSilent;
    slots_[slot].due_from_ms = now_ms;
}

void Adoption::on_gone(size_t index, uint64_t now_ms) {
    Slot& slot = slots_[index];
    if (slot.state == State::kServing) {
        slot.due_from_ms = now_ms + kEmptyMs;
    }
    slot.state = State::kEmpty;
    for (Slot& other : slots_) {
        if (other.adopter == index) {
            other.adopter = kNobody;
        }
    }
}

bool Adoption::needs_adopter(size_t index, uint64_t now_ms) const {
    const Slot& slot = slots_[index];
    return !slot.wanted || (slot.state != State::kServing && now_ms >= slot.due_from_ms);
}

std::vector<size_t> Adoption::loads() const {
    std::vector<size_t> loads(slots_.size(), 0);
    for (const Slot& slot : slots_) {
        if (slot.adopter != kNobody) {
            ++loads[slot.adopter];
        }
    }
    return loads;
}

size_t Adoption::choose(size_t slot, const std::vector<size_t>& loads) const {
    size_t best = kNobody;
    for (size_t step = 1; step < slots_.size(); ++step) {
        const size_t candidate = (slot + step) % slots_.size();
        if (serves(candidate) && (best == kNobody || loads[candidate] < loads[best])) {
            best = candidate;
        }
    }
    return best;
}

std::vector<Adoption::Move> Adoption::update(uint64_t now_ms) {
    std::vector<size_t> before;
    for (size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        before.push_back(slot.adopter);
        if (slot.adopter != kNobody && (!needs_adopter(i, now_ms) || !serves(slot.adopter))) {
            slot.adopter = kNobody;
        }
    }
    std::vector<size_t> load = loads();
    // Who has no adopter gets one; who has one leaves it for a worker with two less, so that a
    // worker that comes back takes its share.
    for (size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        if (!needs_adopter(i, now_ms)) {
            continue;
        }
        const size_t best = choose(i, load);
        if (best == kNobody) {
            continue;
        }
        if (slot.adopter == kNobody) {
            slot.adopter = best;
            ++load[best];
        } else if (load[slot.adopter] >= load[best] + 2) {
            --load[slot.adopter];
            slot.adopter = best;
            ++load[best];
        }
    }
    std::vector<Move> moves;
    for (size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].adopter != before[i]) {
            moves.push_back({.slot = i, .from = before[i], .to = slots_[i].adopter});
            count_ += before[i] == kNobody ? 1U : 0U;
        }
    }
    return moves;
}

std::optional<uint64_t> Adoption::next_due_ms(uint64_t now_ms) const {
    std::optional<uint64_t> due;
    for (const Slot& slot : slots_) {
        if (slot.wanted && slot.state != State::kServing && slot.due_from_ms > now_ms) {
            due = std::min(due.value_or(slot.due_from_ms), slot.due_from_ms);
        }
    }
    return due;
}

}  // namespace ringmaster::master
