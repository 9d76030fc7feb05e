// SPDX-License-Identifier: Apache-2.0
// The event loop. common/io is the only folder that sees libuv.
//
// One Loop per process. Everything made on a loop must be destroyed before it; the destructor then
// runs the loop dry and asserts that no handle is left.
// Clocks: now_ms() is monotonic and constant within a turn. active_ms() is the same clock less the
// time in which this process did not turn its loop (stopped, swapped out, or busy for over 50 ms at
// a stretch; what lies beyond the 50 ms is taken off: stall_clock.h). Deadlines are kept in active
// time and judged in LoopHooks::after_poll(), after what has already arrived was read: a paused
// process then times nothing out.
#pragma once

#include <cstdint>
#include <memory>

namespace ringmaster::io {

// Called once per turn of the loop.
class LoopHooks {
  public:
    virtual ~LoopHooks() = default;
    // Just before the loop may block: flush what this turn produced.
    virtual void before_poll() noexcept = 0;
    // After arrived input was read and its callbacks ran: judge deadlines.
    virtual void after_poll() noexcept = 0;
};

class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Borrowed; null to take away. At most one.
    void set_hooks(LoopHooks* hooks_or_null) noexcept;

    // Returns after stop(), or when nothing is left to wait for.
    void run();
    void stop() noexcept;

    [[nodiscard]] uint64_t now_ms() const noexcept;
    [[nodiscard]] uint64_t active_ms() const noexcept;
    // The longest that the loop has not looked for events since the last call: how long a turn of
    // callbacks took, or by how much a wait overslept. The turn that runs now is not in it.
    uint64_t take_lag_ms() noexcept;

    struct Impl;
    [[nodiscard]] Impl& impl() noexcept { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace ringmaster::io
