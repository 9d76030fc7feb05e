// SPDX-License-Identifier: Apache-2.0
#include "master/respawn_policy.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

TEST_CASE("respawn: a worker that lived is replaced at once, every time") {
    RespawnPolicy policy(2);
    policy.on_ready(0, 0);
    policy.on_ready(1, 0);
    uint64_t now_ms = 0;
    for (int i = 0; i < 10; ++i) {
        now_ms += RespawnPolicy::kShortLifeMs + 1;
        CHECK(policy.on_death(1, now_ms) == 0);
        policy.on_ready(1, now_ms);
    }
}

TEST_CASE("respawn: deaths before READY are delayed from 100 ms, doubling to 5 s") {
    RespawnPolicy policy(2);
    policy.on_ready(0, 0);
    for (const uint64_t expected : {100U, 200U, 400U, 800U, 1600U, 3200U, 5000U, 5000U}) {
        CHECK(policy.on_death(1, 10) == expected);
    }
}

TEST_CASE("respawn: a death within 500 ms after READY counts as a short life") {
    RespawnPolicy policy(2);
    policy.on_ready(0, 0);
    policy.on_ready(1, 1000);
    CHECK(policy.on_death(1, 1500) == 100);
    policy.on_ready(1, 2000);
    CHECK(policy.on_death(1, 2000) == 200);
}

TEST_CASE("respawn: a longer life resets the delay") {
    RespawnPolicy policy(2);
    policy.on_ready(0, 0);
    CHECK(policy.on_death(1, 0) == 100);
    CHECK(policy.on_death(1, 0) == 200);
    policy.on_ready(1, 1000);
    CHECK(policy.on_death(1, 1501) == 0);
    CHECK(policy.on_death(1, 1600) == 100);
}

TEST_CASE("respawn: the last live slot is never delayed, however short its life") {
    RespawnPolicy policy(2);
    policy.on_ready(0, 0);
    policy.on_ready(1, 0);
    CHECK(policy.on_death(0, 10) == 100);
    for (int i = 0; i < 5; ++i) {
        CHECK(policy.on_death(1, 20) == 0);
        policy.on_ready(1, 20);
    }
}

TEST_CASE("respawn: a slot that never became ready is not the last live one") {
    RespawnPolicy policy(1);
    CHECK(policy.on_death(0, 0) == 100);
    CHECK(policy.on_death(0, 0) == 200);
}

TEST_CASE("respawn: slots do not share their delays") {
    RespawnPolicy policy(3);
    policy.on_ready(0, 0);
    CHECK(policy.on_death(1, 0) == 100);
    CHECK(policy.on_death(1, 0) == 200);
    CHECK(policy.on_death(2, 0) == 100);
}

TEST_CASE("respawn: failed starts are counted until the first READY") {
    RespawnPolicy policy(2);
    policy.on_death(0, 0);
    policy.on_death(0, 0);
    CHECK(policy.failed_starts(0) == 2);
    CHECK(policy.failed_starts(1) == 0);
    policy.on_ready(0, 0);
    CHECK(policy.live_count() == 1);
    policy.on_death(0, 0);
    policy.on_death(0, 0);
    CHECK(policy.failed_starts(0) == 2);
    CHECK(policy.live_count() == 0);
}

}  // namespace
}  // namespace ringmaster::master
