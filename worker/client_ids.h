// SPDX-License-Identifier: Apache-2.0
// Numbers of clients: unique over all workers, and never given again by a worker that was
// restarted.
//
// Pure; the caller reads the clock. A number has 53 bits, as JavaScript's clients read no more
// exactly: the worker's slot in the highest 10, below them the time of the connection in units of
// 1/32768 s since 2026, or one more than the last number when that is not later. So it needs no
// memory of a former process, and tells the age of its client. The time is good for 8 years; then
// numbers of that age come again.
// Where the machine's clock is set back while a worker restarts, numbers may come twice.
#pragma once

#include <cstdint>
#include <optional>

namespace ringmaster::worker {

class ClientIds {
  public:
    explicit ClientIds(uint32_t slot) noexcept : slot_(slot) {}

    // Always positive. `unix_us`: the machine's clock.
    uint64_t next(uint64_t unix_us) noexcept;
    // Whose it is; nothing for a number that was never given, e.g. a small one.
    static std::optional<uint32_t> slot_of(uint64_t id) noexcept;
    // The time since `id` was given, in seconds; 0 when the clock was set back.
    static uint64_t age_s(uint64_t id, uint64_t unix_us) noexcept;

  private:
    uint32_t slot_;
    uint64_t last_ = 0;
};

}  // namespace ringmaster::worker
