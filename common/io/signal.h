// SPDX-License-Identifier: Apache-2.0
// Signals as loop events.
#pragma once

#include <functional>
#include <memory>

#include "common/io/loop.h"

namespace ringmaster::io {

class Signal {
  public:
    Signal(Loop& loop, int signal_number, std::function<void()> on_signal);
    ~Signal();
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    struct Impl;

  private:
    Impl* impl_;
};

// Process-wide: the signal does nothing from now on.
void ignore_signal(int signal_number) noexcept;

// For a process that is leaving: whatever comes to this thread from now on stays pending.
void block_signals() noexcept;

}  // namespace ringmaster::io
