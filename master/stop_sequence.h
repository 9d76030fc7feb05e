// SPDX-License-Identifier: Apache-2.0
// From the order to stop to the moment when nothing runs any more.
//
// Graceful: workers take what waits in the accept queues and say so; then (or after kAcceptWaitMs)
// the listeners are shut down; workers answer what is in flight and exit; who has not at the
// timeout is killed. At once: all are killed. A second graceful order that is not a tighter one
// means at once.
#pragma once

#include <cstdint>
#include <functional>

#include "common/io/loop.h"
#include "common/io/timer.h"
#include "master/listener_set.h"
#include "master/supervisor.h"

namespace ringmaster::master {

class StopSequence {
  public:
    static constexpr uint64_t kAcceptWaitMs = 1000;
    // A killed process is gone in milliseconds; one stuck in the kernel is not waited for.
    static constexpr uint64_t kKillWaitMs = 2000;

    StopSequence(io::Loop& loop, Supervisor& supervisor, ListenerSet& listeners,
                 std::function<void()> on_finished);

    enum class Kind { kDrain, kGraceful };
    void begin(Kind kind, uint32_t timeout_ms);
    void at_once();
    // The supervisor's on_worker_stopped().
    void on_worker_stopped();
    [[nodiscard]] bool begun() const noexcept { return phase_ != Phase::kServing; }

  private:
    enum class Phase { kServing, kDraining, kStopping, kKilling, kFinished };

    void close_listeners();
    void finish_if_all_gone();
    void finish();

    Supervisor& supervisor_;
    ListenerSet& listeners_;
    std::function<void()> on_finished_;
    Phase phase_ = Phase::kServing;
    io::Timer accept_timer_;
    io::Timer deadline_;
};

}  // namespace ringmaster::master
