// SPDX-License-Identifier: Apache-2.0
#include "master/beat_watch.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

using Verdict = BeatWatch::Verdict;

// Judges every 100 ms, as the master does; the time and the verdict when it is first another one.
uint64_t until_other(BeatWatch& watch, uint64_t from_ms, bool stopped, Verdict expected,
                     Verdict& other) {
    for (uint64_t now_ms = from_ms;; now_ms += 100) {
        REQUIRE(now_ms < from_ms + 100000);
        other = watch.judge(now_ms, stopped);
        if (other != expected) {
            return now_ms;
        }
    }
}

TEST_CASE("beats: who beats is fine, who does not is silent after 1 s") {
    BeatWatch watch;
    watch.start(1000);
    for (uint64_t now_ms = 1100; now_ms < 20000; now_ms += 100) {
        watch.on_beat(now_ms);
        CHECK(watch.judge(now_ms + 99, false) == Verdict::kFine);
    }
    const uint64_t last_ms = 19900;
    CHECK(watch.judge(last_ms + 999, false) == Verdict::kFine);
    CHECK_FALSE(watch.is_silent(last_ms + 999));
    CHECK(watch.is_silent(last_ms + 1000));
    CHECK(watch.judge(last_ms + 1000, false) == Verdict::kSilent);
    watch.on_beat(last_ms + 1500);
    CHECK(watch.judge(last_ms + 1500, false) == Verdict::kFine);
}

TEST_CASE("beats: aborted after 5 s, killed 1 s later, and again") {
    BeatWatch watch;
    watch.start(0);
    Verdict verdict{};
    CHECK(until_other(watch, 1000, false, Verdict::kSilent, verdict) == 5000);
    CHECK(verdict == Verdict::kAbort);
    CHECK(until_other(watch, 5100, false, Verdict::kSilent, verdict) == 6000);
    CHECK(verdict == Verdict::kKill);
    CHECK(until_other(watch, 6100, false, Verdict::kSilent, verdict) == 7000);
    CHECK(verdict == Verdict::kKill);
}

TEST_CASE("beats: a stopped process is silent, and never ended") {
    BeatWatch watch;
    watch.start(0);
    for (uint64_t now_ms = 1000; now_ms < 60000; now_ms += 100) {
        CHECK(watch.judge(now_ms, true) == Verdict::kSilent);
    }
    SUBCASE("one that goes on has time for its first beat") {
        Verdict verdict{};
        CHECK(until_other(watch, 60000, false, Verdict::kSilent, verdict) == 64900);
        CHECK(verdict == Verdict::kAbort);
    }
    SUBCASE("a beat ends the matter") {
        watch.on_beat(60000);
        CHECK(watch.judge(60900, false) == Verdict::kFine);
    }
}

TEST_CASE("beats: stopped after the abort: not killed before it goes on") {
    BeatWatch watch;
    watch.start(0);
    CHECK(watch.judge(5000, false) == Verdict::kAbort);
    CHECK(watch.judge(5900, true) == Verdict::kSilent);
    CHECK(watch.judge(8000, true) == Verdict::kSilent);
    CHECK(watch.judge(8900, false) == Verdict::kSilent);
    CHECK(watch.judge(9000, false) == Verdict::kKill);
}

TEST_CASE("beats: one that has ended is not judged, its successor from its own READY on") {
    BeatWatch watch;
    CHECK(watch.judge(100000, false) == Verdict::kFine);
    watch.start(0);
    watch.stop();
    CHECK(watch.judge(100000, false) == Verdict::kFine);
    watch.start(100000);
    CHECK(watch.judge(100999, false) == Verdict::kFine);
    CHECK(watch.judge(101000, false) == Verdict::kSilent);
}

}  // namespace
}  // namespace ringmaster::master
