// SPDX-License-Identifier: Apache-2.0
// A timer. Due timers run before the loop reads what has already arrived, so a callback should only
// mark; deadlines are judged in LoopHooks::after_poll(). In a turn in which a timer ran the loop
// does not block: after_poll() comes as soon as what has already arrived is read. Have few: one for
// many deadlines, never one per request.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/io/loop.h"

namespace ringmaster::io {

class Timer {
  public:
    Timer(Loop& loop, std::function<void()> on_due);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // repeat_ms 0 = once. Starting again replaces the old due time.
    void start(uint64_t delay_ms, uint64_t repeat_ms = 0);
    void stop();
    [[nodiscard]] bool running() const noexcept;

    struct Impl;

  private:
    Impl* impl_;
};

}  // namespace ringmaster::io
