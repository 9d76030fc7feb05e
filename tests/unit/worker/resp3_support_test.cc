// SPDX-License-Identifier: Apache-2.0
#include "worker/resp3_support.h"

#include <doctest/doctest.h>

namespace ringmaster::worker::test {
namespace {

using enum Resp3Answer;
using Verdict = Resp3Support::Verdict;

TEST_CASE("resp3 support: a pool that says on or off asks nobody") {
    Resp3Support on(config::Resp3::kOn);
    CHECK(on.verdict(0) == Verdict::kSpoken);
    CHECK(on.on_answer(0, kNo, 5));  // worth a line in the log, and no more
    CHECK(on.verdict(5) == Verdict::kSpoken);
    const Resp3Support off(config::Resp3::kOff);
    CHECK(off.verdict(0) == Verdict::kNotSpoken);
}

TEST_CASE("resp3 support: it is spoken when all who were asked have answered") {
    Resp3Support support(config::Resp3::kAuto);
    CHECK(support.verdict(0) == Verdict::kOpen);
    CHECK_FALSE(support.is_asking());
    support.ask({0, 1, 3}, 0);
    CHECK(support.is_asking());
    CHECK(support.verdict(1) == Verdict::kOpen);
    CHECK_FALSE(support.on_answer(0, kYes, 1));
    CHECK_FALSE(support.on_answer(0, kYes, 1));  // a second connection of the same server
    CHECK_FALSE(support.on_answer(2, kYes, 1));  // nobody asked it
    CHECK_FALSE(support.on_answer(3, kUnknown, 1));
    CHECK(support.verdict(2) == Verdict::kOpen);
    CHECK(support.on_answer(1, kYes, 2));
    CHECK(support.verdict(1000000) == Verdict::kSpoken);
    CHECK_FALSE(support.is_asking());
}

TEST_CASE("resp3 support: one that does not speak it decides, whenever it says so") {
    Resp3Support support(config::Resp3::kAuto);
    support.ask({0, 1}, 100);
    CHECK(support.on_answer(1, kNo, 110));
    CHECK_FALSE(support.on_answer(0, kYes, 120));
    CHECK(support.verdict(120) == Verdict::kNotSpoken);
    CHECK(support.verdict(110 + Resp3Support::kAskAgainMs - 1) == Verdict::kNotSpoken);
    CHECK(support.verdict(110 + Resp3Support::kAskAgainMs) == Verdict::kOpen);
    CHECK_FALSE(support.is_asking());
    support.ask({0, 1}, 70000);
    CHECK_FALSE(support.on_answer(0, kYes, 70001));
    CHECK(support.on_answer(1, kYes, 70001));
    CHECK(support.verdict(70001) == Verdict::kSpoken);
    CHECK(support.on_answer(0, kNo, 80000));
    CHECK_FALSE(support.on_answer(0, kNo, 80001));
    CHECK(support.verdict(80001) == Verdict::kNotSpoken);
}

TEST_CASE("resp3 support: when nobody can be asked it is assumed for a moment") {
    for (const bool anybody : {true, false}) {
        CAPTURE(anybody);
        Resp3Support support(config::Resp3::kAuto);
        if (anybody) {
            support.ask({0, 1}, 50);
            CHECK_FALSE(support.on_answer(0, kUnknown, 50));
            CHECK(support.on_answer(1, kUnknown, 50));
        } else {
            support.ask({}, 50);
        }
        CHECK(support.verdict(50 + Resp3Support::kAssumeMs - 1) == Verdict::kSpoken);
        CHECK(support.verdict(50 + Resp3Support::kAssumeMs) == Verdict::kOpen);
    }
}

TEST_CASE("resp3 support: who answers too late is not waited for") {
    Resp3Support support(config::Resp3::kAuto);
    CHECK_FALSE(support.give_up_if_due(100000));
    support.ask({0, 1}, 0);
    CHECK_FALSE(support.on_answer(0, kYes, 1));
    CHECK_FALSE(support.give_up_if_due(Resp3Support::kAskMs - 1));
    CHECK(support.give_up_if_due(Resp3Support::kAskMs));
    CHECK(support.verdict(Resp3Support::kAskMs) == Verdict::kSpoken);
    CHECK(support.on_answer(1, kNo, 3000));
    CHECK(support.verdict(3000) == Verdict::kNotSpoken);

    Resp3Support silent(config::Resp3::kAuto);
    silent.ask({0}, 0);
    CHECK(silent.give_up_if_due(1500));
    CHECK(silent.verdict(1500) == Verdict::kSpoken);
    CHECK(silent.verdict(1500 + Resp3Support::kAssumeMs) == Verdict::kOpen);
}

}  // namespace
}  // namespace ringmaster::worker::test
