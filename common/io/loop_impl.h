// SPDX-License-Identifier: Apache-2.0
// Private to common/io: the inside of a Loop.
#pragma once

#include <uv.h>

#include "common/base/intrusive_list.h"
#include "common/io/loop.h"
#include "common/io/stall_clock.h"

namespace ringmaster::io {

struct TenantTag;
struct TimerTag;

// Something that may outlive its owner on the loop, and must be let go when the Loop ends.
class LoopTenant : public base::ListLink<TenantTag> {
  public:
    virtual ~LoopTenant() = default;
    virtual void on_loop_end() noexcept = 0;
};

// A timer that may be running.
class LoopTimer : public base::ListLink<TimerTag> {
  public:
    uv_timer_t timer{};
};

struct Loop::Impl {
    uv_loop_t loop{};
    uv_prepare_t prepare{};
    uv_check_t check{};
    uv_idle_t idle{};  // active: the next wait does not block
    LoopHooks* hooks = nullptr;
    StallClock clock{0};
    uint64_t polled_ticks =
        0;  // base::ticks() before the last wait, behind which libuv reads the clock
    bool skips_wait = false;  // `idle` is active
    base::IntrusiveList<LoopTenant, TenantTag> tenants;
    base::IntrusiveList<LoopTimer, TimerTag> timers;

    [[nodiscard]] uint64_t poll_timeout_ms() noexcept;
    // The wait of this turn does not block, so that after_poll() follows at once.
    void skip_wait() noexcept;
};

inline uv_loop_t* uv_loop_of(Loop& loop) noexcept {
    return &loop.impl().loop;
}

}  // namespace ringmaster::io
