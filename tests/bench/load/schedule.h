// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include <uv.h>

#include "tests/bench/load/random.h"

namespace bench {

// Poisson arrivals: they keep to their times whatever became of the earlier ones. libuv's timers
// count in milliseconds, so this one is a timerfd.
class Schedule {
  public:
    using Due = std::function<void(std::uint64_t due_ns)>;
    using TurnOver = std::function<void()>;

    // `due` is called for each arrival with the time it was meant for, late or not; `turn_over`
    // after those of one wakeup.
    Schedule(uv_loop_t* loop, std::uint64_t seed, Due due, TurnOver turn_over);
    ~Schedule();
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    void start(double per_second, std::uint64_t arrivals);

  private:
    double gap_ns();
    void arm();
    void on_time();

    uv_loop_t* loop_;
    Random random_;
    Due due_;
    TurnOver turn_over_;
    int timer_ = -1;
    uv_poll_t poll_ = {};
    double mean_gap_ns_ = 0;
    std::uint64_t left_ = 0;
    double next_ns_ = 0;
};

}  // namespace bench
