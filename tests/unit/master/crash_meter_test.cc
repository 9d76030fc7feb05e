// SPDX-License-Identifier: Apache-2.0
#include "master/crash_meter.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

TEST_CASE("crashes: the eleventh within a minute is told, once a minute") {
    CrashMeter meter;
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(meter.on_crash(1000));
    }
    CHECK(meter.on_crash(60999));
    CHECK_FALSE(meter.on_crash(60999));
    for (int i = 0; i < 20; ++i) {
        CHECK_FALSE(meter.on_crash(100000));
    }
    CHECK(meter.on_crash(120999));
    CHECK(meter.count() == 33);
}

TEST_CASE("crashes: ten a minute are not told, however long it goes on") {
    CrashMeter meter;
    for (uint64_t i = 0; i < 100; ++i) {
        CHECK_FALSE(meter.on_crash(i * 6000));
    }
}

}  // namespace
}  // namespace ringmaster::master
