// SPDX-License-Identifier: Apache-2.0
// When a dead worker's slot gets its next process. Pure: times come in as milliseconds.
//
// At once, unless the process died before READY or within kShortLifeMs after it: then after 100 ms,
// doubling to 5 s; a longer life resets the delay. The last live slot is never delayed, whatever
// its history. A slot is live while its worker is READY, so a process that never got there waits:
// else a single worker that cannot start would be restarted as fast as the machine can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringmaster::master {

class RespawnPolicy {
  public:
    static constexpr uint64_t kShortLifeMs = 500;
    static constexpr uint64_t kFirstDelayMs = 100;
    static constexpr uint64_t kLongestDelayMs = 5000;

    explicit RespawnPolicy(size_t slots) : slots_(slots) {}

    // More slots.
    void grow(size_t slots) { slots_.resize(slots); }
    void on_ready(size_t slot, uint64_t now_ms);
    // The delay before the slot's next process.
    uint64_t on_death(size_t slot, uint64_t now_ms);
    [[nodiscard]] bool was_ready(size_t slot) const { return slots_[slot].ever_ready; }
    // Deaths before the slot's first READY ever.
    [[nodiscard]] uint32_t failed_starts(size_t slot) const { return slots_[slot].failed_starts; }
    [[nodiscard]] size_t live_count() const noexcept { return live_count_; }

  private:
    struct Slot {
        bool live = false;
        bool ever_ready = false;
        uint64_t ready_at_ms = 0;
        uint64_t next_delay_ms = kFirstDelayMs;
        uint32_t failed_starts = 0;
    };
    std::vector<Slot> slots_;
    size_t live_count_ = 0;
};

}  // namespace ringmaster::master
