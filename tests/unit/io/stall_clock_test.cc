// SPDX-License-Identifier: Apache-2.0
#include "common/io/stall_clock.h"

#include <doctest/doctest.h>

using ringmaster::io::StallClock;

TEST_CASE("stall clock: a wait within its timeout is active time") {
    StallClock clock(1000);
    clock.before_poll(1000, 500);
    CHECK(clock.active_ms(1500) == 1500);
    clock.after_poll(1500);
    clock.before_poll(1510, 100);
    clock.after_poll(1600);
    CHECK(clock.active_ms(1600) == 1600);
}

TEST_CASE("stall clock: a wait may be late by the allowance") {
    StallClock clock(0);
    clock.before_poll(0, 100);
    clock.after_poll(100 + StallClock::kAllowanceMs);
    CHECK(clock.active_ms(150) == 150);
}

TEST_CASE("stall clock: what a wait takes beyond timeout and allowance is stall") {
    StallClock clock(0);
    clock.before_poll(0, 100);
    CHECK(clock.active_ms(10000) == 150);  // seen in the callbacks of the same turn, too
    clock.after_poll(10000);
    CHECK(clock.active_ms(10000) == 150);
    CHECK(clock.active_ms(10020) == 170);
}

TEST_CASE("stall clock: a wait without end is never a stall") {
    StallClock clock(0);
    clock.before_poll(0, StallClock::kWaitForever);
    clock.after_poll(86400000);
    CHECK(clock.active_ms(86400000) == 86400000);
    clock.before_poll(86400000, StallClock::kWaitForever - 1);
    CHECK(clock.active_ms(86500000) == 86500000);
}

TEST_CASE("stall clock: callbacks beyond the allowance are stall, shorter ones are not") {
    StallClock clock(0);
    clock.before_poll(0, 10);
    clock.after_poll(10);
    clock.before_poll(60, 10);  // 50 ms of callbacks
    CHECK(clock.active_ms(60) == 60);
    clock.after_poll(70);
    clock.before_poll(1070, 10);  // 1 s of callbacks
    CHECK(clock.active_ms(1070) == 120);
}

TEST_CASE("stall clock: a loop that is always busy still moves its deadlines") {
    StallClock clock(0);
    uint64_t now = 0;
    for (int turn = 0; turn < 10; ++turn) {
        clock.before_poll(now, 0);
        clock.after_poll(now);
        now += 200;
    }
    clock.before_poll(now, 0);
    CHECK(clock.active_ms(now) == 10 * StallClock::kAllowanceMs);
}

TEST_CASE("stall clock: active time never goes back") {
    StallClock clock(0);
    uint64_t last = 0;
    uint64_t now = 0;
    for (uint64_t i = 0; i < 300; ++i) {
        now += (i * 37) % 160;
        CHECK(clock.active_ms(now) >= last);
        last = clock.active_ms(now);
        if (i % 2 == 0) {
            clock.before_poll(now, (i * 13) % 90);
        } else {
            clock.after_poll(now);
        }
        CHECK(clock.active_ms(now) == last);
    }
}

TEST_CASE("stall clock: a clock that stands or steps back a little does no harm") {
    StallClock clock(100);
    clock.before_poll(100, 5);
    clock.after_poll(99);
    CHECK(clock.active_ms(99) == 99);
}

TEST_CASE("stall clock: lag is the longest stretch of callbacks, or what a wait overslept") {
    StallClock clock(0);
    clock.before_poll(1000, 100);  // before the first turn there is none
    CHECK(clock.take_lag_ms() == 0);
    clock.after_poll(1100);
    clock.before_poll(1107, 100);
    clock.after_poll(1107);
    clock.before_poll(1110, 100);
    CHECK(clock.take_lag_ms() == 7);
    CHECK(clock.take_lag_ms() == 0);
    clock.after_poll(4210);
    CHECK(clock.take_lag_ms() == 3000);
    clock.before_poll(4210, StallClock::kWaitForever);
    clock.after_poll(90000);
    CHECK(clock.take_lag_ms() == 0);
}
