// SPDX-License-Identifier: Apache-2.0
// Orders by hand: what is out stays out, and the pool keeps a server that works.
#include <doctest/doctest.h>

#include "tests/unit/health/reconciler_fixture.h"

namespace ringmaster::health {
namespace {

Settings without_ejection() {
    Settings out = reconciler_settings();
    out.auto_eject = false;
    return out;
}

TEST_CASE("reconciler: an ejection by hand is a new epoch for all, and nothing brings it back") {
    for (const Settings& settings : {reconciler_settings(), without_ejection()}) {
        Master m(settings);
        CHECK(m.reconciler.eject_by_hand(1) == HandOutcome::kDone);
        CHECK(m.reconciler.epoch() == 2);
        CHECK(m.verdict(1) == Verdict::kEjected);
        CHECK(m.reconciler.is_out_by_hand(1));
        CHECK_FALSE(m.reconciler.is_live(1));
        CHECK(m.reconciler.counters().ejects == 1);
        const std::vector<ReconcilerAction> actions = m.reconciler.take_actions();
        REQUIRE(actions.size() == 2);
        CHECK(actions[0].kind == Kind::kEjected);
        CHECK(actions[1].kind == Kind::kSendRing);
        CHECK(actions[1].worker == kAllWorkers);

        CHECK(m.reconciler.next_due_ms() == kNever);
        m.reconciler.tick(1000000);
        m.reconciler.on_address_change(1, 1000000);
        m.reconciler.tick(1000001);
        CHECK(m.take(Kind::kStartProbe) == 0);
        CHECK(m.verdict(1) == Verdict::kEjected);

        const uint64_t epoch = m.reconciler.epoch();
        CHECK(m.reconciler.eject_by_hand(1) == HandOutcome::kAlready);
        CHECK(m.reconciler.epoch() == epoch);
        CHECK(m.reconciler.readmit_by_hand(1, 2000000) == HandOutcome::kDone);
        CHECK(m.verdict(1) == Verdict::kIn);
        CHECK_FALSE(m.reconciler.is_out_by_hand(1));
        CHECK(m.reconciler.epoch() == epoch + 1);
        CHECK(m.reconciler.counters().readmits == 1);
        CHECK(m.reconciler.readmit_by_hand(1, 2000000) == HandOutcome::kAlready);
    }
}

TEST_CASE("reconciler: by hand the last server that works is not taken out, but in hold it is") {
    Master m;
    CHECK(m.reconciler.eject_by_hand(0) == HandOutcome::kDone);
    CHECK(m.reconciler.eject_by_hand(1) == HandOutcome::kDone);
    CHECK(m.reconciler.eject_by_hand(2) == HandOutcome::kLastLive);
    CHECK(m.reconciler.epoch() == 3);
    CHECK(m.verdict(2) == Verdict::kIn);

    Settings hold = reconciler_settings();
    hold.mode = EjectMode::kHold;
    Master h(hold, 1);
    CHECK(h.reconciler.eject_by_hand(0) == HandOutcome::kDone);
    CHECK(h.reconciler.is_live(0));
}

TEST_CASE("reconciler: by hand no pool is left to a server that is only refused") {
    Master m(reconciler_settings(), 3);
    m.kill(0, 1000);
    m.kill(1, 1000);
    CHECK(m.reconciler.eject_by_hand(2) == HandOutcome::kLastLive);

    Settings one = reconciler_settings();
    one.max_ejection_percent = 34;
    Master r(one, 3);
    r.kill(0, 1000);
    r.kill(1, 1000);
    REQUIRE(r.verdict(1) == Verdict::kRefused);
    CHECK(r.reconciler.eject_by_hand(2) == HandOutcome::kLastLive);
    CHECK(r.reconciler.eject_by_hand(1) == HandOutcome::kDone);  // over the percentage
    CHECK(r.verdict(1) == Verdict::kEjected);
}

TEST_CASE("reconciler: what was ejected by judgement stays out once a hand says so") {
    Master m;
    m.kill(0, 1000);
    static_cast<void>(m.reconciler.take_actions());
    m.reconciler.tick(3000);
    REQUIRE(m.take(Kind::kStartProbe) == 1);
    const uint64_t probe = m.last[0].probe_id;
    CHECK(m.reconciler.eject_by_hand(0) == HandOutcome::kDone);
    m.reconciler.on_probe(0, probe, ProbeResult::kGood, 3001);
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.reconciler.counters().ejects == 1);
}

TEST_CASE("reconciler: a hand may bring back what judgement took out or refused") {
    Master m(reconciler_settings(), 2);
    m.kill(0, 1000);
    m.kill(1, 1000);
    REQUIRE(m.verdict(1) == Verdict::kRefused);
    CHECK(m.reconciler.readmit_by_hand(1, 1100) == HandOutcome::kDone);
    CHECK(m.verdict(1) == Verdict::kIn);
    CHECK(m.reconciler.readmit_by_hand(0, 1100) == HandOutcome::kDone);
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.reconciler.next_due_ms() == kNever);
}

TEST_CASE("reconciler: with readmit: flush the hand's way back is through a probe that empties") {
    Settings flush = reconciler_settings();
    flush.flush_on_return = true;
    Master m(flush);
    CHECK(m.reconciler.eject_by_hand(0) == HandOutcome::kDone);
    CHECK(m.reconciler.readmit_by_hand(0, 1000) == HandOutcome::kAfterProbe);
    CHECK(m.reconciler.readmit_by_hand(0, 1000) == HandOutcome::kAfterProbe);
    REQUIRE(m.take(Kind::kStartProbe) == 1);
    CHECK(m.last[0].flush);
    CHECK(m.verdict(0) == Verdict::kEjected);
    m.reconciler.on_probe(0, m.last[0].probe_id, ProbeResult::kGood, 1001);
    CHECK(m.verdict(0) == Verdict::kIn);
}

TEST_CASE("reconciler: a reload carries over by name what is out by hand, without auto_eject too") {
    Master m(without_ejection());
    CHECK(m.reconciler.eject_by_hand(1) == HandOutcome::kDone);
    Reconciler next(without_ejection(), {"s1", "new"}, &m.reconciler, 5000);
    CHECK(next.is_out_by_hand(0));
    CHECK(next.ring().servers[0].verdict == Verdict::kEjected);
    CHECK(next.ring().servers[1].verdict == Verdict::kIn);
    CHECK(next.epoch() == m.reconciler.epoch() + 1);
    CHECK(next.next_due_ms() == kNever);
}

TEST_CASE("reconciler: no reload brings a server back that has to be emptied first") {
    Settings settings = reconciler_settings();
    settings.flush_on_return = true;
    Master master(settings);
    master.kill(1, 100);
    REQUIRE(master.verdict(1) == Verdict::kEjected);
    settings.auto_eject = false;  // it was on
    Reconciler next(settings, names(3), &master.reconciler, 200);
    CHECK(next.ring().servers[1].verdict == Verdict::kEjected);
    next.tick(next.next_due_ms());
    const auto actions = next.take_actions();
    REQUIRE(actions.size() == 1);
    CHECK(actions[0].flush);
    next.on_probe(1, actions[0].probe_id, ProbeResult::kGood, 5000);
    CHECK(next.ring().servers[1].verdict == Verdict::kIn);

    settings.flush_on_return = false;
    const Reconciler keeps(settings, names(3), &master.reconciler, 200);
    CHECK(keeps.ring().servers[1].verdict == Verdict::kIn);
}

TEST_CASE("reconciler: a reload that leaves only what is out by hand brings one back") {
    Master m;
    CHECK(m.reconciler.eject_by_hand(0) == HandOutcome::kDone);
    CHECK(m.reconciler.eject_by_hand(1) == HandOutcome::kDone);
    Reconciler next(reconciler_settings(), {"s0", "s1"}, &m.reconciler, 5000);
    CHECK(next.ejected_count() == 1);
    CHECK(next.is_live(0));
}

}  // namespace
}  // namespace ringmaster::health
