// SPDX-License-Identifier: Apache-2.0
// Who accepts from the listeners of each slot. Pure: no I/O, no clock; times come in as
// milliseconds.
//
// A slot's own worker does while it serves (is READY, beats, and the slot is wanted). Else one of
// the workers that serve does: at once for a worker that has fallen silent and for a slot that is
// not wanted any more (its sockets stay open, since closing one would reset what waits in it),
// after kEmptyMs for a slot without a worker. The work is spread: the worker that has adopted least
// takes the next slot, from equal ones the next after the slot, cyclically. Where nobody serves,
// nobody accepts, and clients wait in the queues.
//
// A silent worker keeps its copies of the sockets. When it goes on, two processes accept from one
// queue for a moment, which is harmless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace ringmaster::master {

class Adoption {
  public:
    static constexpr uint64_t kEmptyMs = 100;
    static constexpr size_t kNobody = std::numeric_limits<size_t>::max();

    // All slots are wanted, and empty since 0.
    explicit Adoption(size_t slots) : slots_(slots) {}

    // More slots, empty since `now_ms`.
    void grow(size_t slots, uint64_t now_ms);
    void on_serving(size_t slot);
    void on_silent(size_t slot, uint64_t now_ms);
    // The worker has ended or closed its listeners: what it had adopted is nobody's.
    void on_gone(size_t slot, uint64_t now_ms);
    void set_wanted(size_t slot, bool wanted) { slots_[slot].wanted = wanted; }

    // The slot's listeners go from one adopter to another; kNobody: it had, or has, none.
    struct Move {
        size_t slot = 0;
        size_t from = kNobody;
        size_t to = kNobody;
        bool operator==(const Move&) const = default;
    };
    // What has to change now, in slot order. Taken as done.
    std::vector<Move> update(uint64_t now_ms);
    // When an update() may bring something without any other event.
    [[nodiscard]] std::optional<uint64_t> next_due_ms(uint64_t now_ms) const;

    [[nodiscard]] bool serves(size_t slot) const {
        return slots_[slot].wanted && slots_[slot].state == State::kServing;
    }
    // kNobody: its own worker, or none.
    [[nodiscard]] size_t adopter(size_t slot) const { return slots_[slot].adopter; }
    // How often a slot without an adopter has got one.
    [[nodiscard]] uint64_t count() const noexcept { return count_; }

  private:
    enum class State { kServing, kSilent, kEmpty };
    struct Slot {
        State state = State::kEmpty;
        bool wanted = true;
        uint64_t due_from_ms = kEmptyMs;  // unless it serves
        size_t adopter = kNobody;
    };

    [[nodiscard]] bool needs_adopter(size_t slot, uint64_t now_ms) const;
    // Slots adopted, by worker; only those that serve may be chosen.
    [[nodiscard]] std::vector<size_t> loads() const;
    [[nodiscard]] size_t choose(size_t slot, const std::vector<size_t>& loads) const;

    std::vector<Slot> slots_;
    uint64_t count_ = 0;
};

}  // namespace ringmaster::master
