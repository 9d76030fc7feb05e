// SPDX-License-Identifier: Apache-2.0
// Tells time that a loop was at work or lawfully waiting from time in which it did not turn.
//
// Pure; the caller gives the time. Every stretch between two marks has an allowance: while waiting,
// the time it asked the kernel for plus 50 ms; while running callbacks, 50 ms. What a stretch takes
// beyond its allowance is stall time and does not count as active. Each turn is thus worth at least
// 50 ms: a loop that is busy for long stretches slows its deadlines down but cannot stop them.
// A wait without end has no stall: any length of it is lawful.
//
// lag: the longest that the loop did not look for events, although some may have been there: a
// stretch of callbacks, or what a wait took beyond its timeout.
//
// Units: milliseconds of one monotonic clock. active_ms() never goes back while `now` does not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace ringmaster::io {

class StallClock {
  public:
    static constexpr uint64_t kAllowanceMs = 50;
    static constexpr uint64_t kWaitForever = std::numeric_limits<uint64_t>::max();

    explicit StallClock(uint64_t now_ms) noexcept : since_ms_(now_ms) {}

    // The loop is about to wait at most `timeout_ms`.
    void before_poll(uint64_t now_ms, uint64_t timeout_ms) noexcept {
        const bool forever = timeout_ms >= kWaitForever - kAllowanceMs;
        begin(now_ms, forever ? kWaitForever : timeout_ms + kAllowanceMs,
              forever ? kWaitForever : timeout_ms);
    }
    // The wait ended at `now_ms`; callbacks run from now on.
    void after_poll(uint64_t now_ms) noexcept { begin(now_ms, kAllowanceMs, 0); }

    [[nodiscard]] uint64_t active_ms(uint64_t now_ms) const noexcept {
        return now_ms - stalled_ms_ - excess_ms(now_ms);
    }

    // The longest lag of all stretches that have ended since the last call.
    uint64_t take_lag_ms() noexcept { return std::exchange(lag_ms_, 0); }

  private:
    [[nodiscard]] uint64_t beyond_ms(uint64_t now_ms, uint64_t limit_ms) const noexcept {
        const uint64_t took_ms = now_ms > since_ms_ ? now_ms - since_ms_ : 0;
        return took_ms > limit_ms ? took_ms - limit_ms : 0;
    }
    [[nodiscard]] uint64_t excess_ms(uint64_t now_ms) const noexcept {
        return beyond_ms(now_ms, allowed_ms_);
    }
    void begin(uint64_t now_ms, uint64_t allowed_ms, uint64_t waiting_ms) noexcept {
        stalled_ms_ += excess_ms(now_ms);
        lag_ms_ = std::max(lag_ms_, beyond_ms(now_ms, waiting_ms_));
        waiting_ms_ = waiting_ms;
        since_ms_ = now_ms;
        allowed_ms_ = allowed_ms;
    }

    uint64_t since_ms_;
    uint64_t allowed_ms_ = kWaitForever;  // nothing is judged before the first turn
    uint64_t waiting_ms_ = kWaitForever;  // of these none is lag
    uint64_t stalled_ms_ = 0;
    uint64_t lag_ms_ = 0;
};

}  // namespace ringmaster::io
