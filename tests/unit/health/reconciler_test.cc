// SPDX-License-Identifier: Apache-2.0
// Accusations and verdicts.
#include <doctest/doctest.h>

#include "tests/unit/health/reconciler_fixture.h"

namespace ringmaster::health {
namespace {

TEST_CASE("reconciler: a single accuser is answered at once, and a probe of 100 ms decides") {
    Master m;
    CHECK(m.suspect(0, 1000));
    const RingVerdicts ring = m.reconciler.ring();
    CHECK(ring.epoch == 1);
    CHECK(ring.servers[0].verdict == Verdict::kProbing);
    CHECK(ring.servers[0].probing_until_ms == 1100);
    const std::vector<ReconcilerAction> actions = m.reconciler.take_actions();
    REQUIRE(actions.size() == 2);
    CHECK(actions[0].kind == Kind::kStartProbe);
    CHECK(actions[0].timeout_ms == 100);
    CHECK_FALSE(actions[0].flush);
    CHECK(actions[1].kind == Kind::kSendRing);
    CHECK(actions[1].worker == 0);

    m.reconciler.on_probe(0, actions[0].probe_id, ProbeResult::kBad, 1100);
    CHECK(m.reconciler.epoch() == 2);
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.reconciler.ring().servers[0].cause == ECONNREFUSED);
    CHECK_FALSE(m.reconciler.is_live(0));
    CHECK(m.take(Kind::kSendRing) == 1);
    CHECK(m.last[0].worker == kAllWorkers);
}

TEST_CASE("reconciler: a good probe is a veto: the accuser reconnects, the ring stays") {
    Master m;
    m.suspect(0, 1000);
    CHECK(m.take(Kind::kStartProbe) == 1);
    m.reconciler.on_probe(0, m.last[0].probe_id, ProbeResult::kGood, 1001);
    CHECK(m.reconciler.epoch() == 1);
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.reconciler.counters().vetoes == 1);
    CHECK(m.take(Kind::kReconnect) == 1);
    CHECK(m.last[0].worker == 0);
    CHECK(m.last[0].shard == 0);

    // Again at once: the next probe waits a little.
    m.suspect(0, 1010);
    CHECK(m.take(Kind::kStartProbe) == 0);
    CHECK(m.verdict(0) == Verdict::kProbing);
    CHECK(m.reconciler.next_due_ms() == 1101);
    m.reconciler.tick(1101);
    CHECK(m.take(Kind::kStartProbe) == 1);
}

TEST_CASE("reconciler: a probe that fails by this machine's own fault decides nothing") {
    Master m;
    m.suspect(0, 1000);
    m.take(Kind::kStartProbe);
    m.reconciler.on_probe(0, m.last[0].probe_id, ProbeResult::kUnknown, 1001);
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.reconciler.epoch() == 1);
    CHECK(m.take(Kind::kReconnect) == 0);
    m.suspect(0, 1020);
    CHECK(m.take(Kind::kStartProbe) == 1);
}

TEST_CASE("reconciler: two accusers and nobody who contradicts need no probe") {
    Master m;
    m.suspect(0, 1000);
    CHECK(m.take(Kind::kStartProbe) == 1);
    const uint64_t probe_id = m.last[0].probe_id;
    m.suspect(1, 1005);
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.reconciler.counters().ejects == 1);
    m.reconciler.on_probe(0, probe_id, ProbeResult::kGood, 1006);  // comes too late to matter
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.reconciler.counters().vetoes == 0);
}

TEST_CASE("reconciler: the same worker accusing twice is one accuser") {
    Master m;
    m.suspect(0, 1000);
    m.suspect(0, 1005);
    CHECK(m.verdict(0) == Verdict::kProbing);
    CHECK(m.take(Kind::kStartProbe) == 1);
}

TEST_CASE("reconciler: another worker's success after the first failure calls for a probe") {
    Master m;
    CHECK(m.beat(2, 995, {994, 0, 0}));
    m.suspect(0, 1000);  // first failure at 990
    CHECK(m.take(Kind::kStartProbe) == 1);
    CHECK(m.last[0].timeout_ms == 1000);
    m.suspect(1, 1001);
    CHECK(m.verdict(0) == Verdict::kProbing);

    Master older;
    CHECK(older.beat(2, 995, {989, 0, 0}));
    older.suspect(0, 1000);
    older.suspect(1, 1001);
    CHECK(older.verdict(0) == Verdict::kEjected);
}

TEST_CASE("reconciler: a success of the accuser itself takes its accusation back") {
    Master m;
    m.suspect(0, 1000);
    m.beat(0, 1010, {1005, 0, 0});
    m.suspect(1, 1012, 0, 2);
    CHECK(m.verdict(0) == Verdict::kProbing);
}

TEST_CASE("reconciler: accusations that waited in a stopped master's sockets need a probe") {
    Master m;
    for (uint32_t worker = 0; worker < 3; ++worker) {
        m.reconciler.on_suspect(
            worker, 0, {.epoch = 1, .cause = ETIMEDOUT, .first_failure_ms = 1000, .sent_ms = 1000},
            1251);
    }
    CHECK(m.verdict(0) == Verdict::kProbing);
}

TEST_CASE(
    "reconciler: an accusation from before the server's last verdict is answered, not heard") {
    Master m;
    m.kill(0, 1000);
    CHECK(m.probe(3000, ProbeResult::kGood));
    CHECK(m.reconciler.epoch() == 3);
    static_cast<void>(m.reconciler.take_actions());
    const auto accuse = [&](uint32_t shard, uint64_t epoch) {
        m.reconciler.on_suspect(
            0, shard,
            {.epoch = epoch, .cause = ETIMEDOUT, .first_failure_ms = 3090, .sent_ms = 3100}, 3100);
        return m.take(Kind::kSendRing) == 1 && m.last[0].worker == 0;
    };
    CHECK(accuse(0, 2));
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(accuse(1, 1));  // of another server, that verdict does not matter
    CHECK(m.verdict(1) == Verdict::kProbing);
    CHECK(accuse(0, 3));
    CHECK(m.verdict(0) == Verdict::kProbing);
}

TEST_CASE("reconciler: an accusation of an ejected server is answered with RING and nothing else") {
    Master m;
    m.kill(0, 1000);
    static_cast<void>(m.reconciler.take_actions());
    m.suspect(2, 1010);
    const std::vector<ReconcilerAction> actions = m.reconciler.take_actions();
    REQUIRE(actions.size() == 1);
    CHECK(actions[0].kind == Kind::kSendRing);
    CHECK(actions[0].worker == 2);
    CHECK(m.reconciler.epoch() == 2);
}

TEST_CASE("reconciler: the last server stays, refused, and is probed until it is well") {
    Master m(reconciler_settings(), 1);
    m.kill(0, 1000);
    CHECK(m.verdict(0) == Verdict::kRefused);
    CHECK(m.reconciler.is_live(0));
    CHECK(m.reconciler.epoch() == 2);
    CHECK(m.reconciler.counters().panics == 1);
    CHECK(m.reconciler.counters().ejects == 0);
    CHECK(m.probe(1500, ProbeResult::kBad));
    CHECK(m.verdict(0) == Verdict::kRefused);
    CHECK(m.probe(2001, ProbeResult::kGood));
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.reconciler.epoch() == 3);
    CHECK(m.reconciler.next_due_ms() == kNever);
}

TEST_CASE("reconciler: a worker's success ends a refusal, one from before it does not") {
    Master m(reconciler_settings(), 1);
    m.kill(0, 1000);
    m.beat(2, 1010, {999});
    CHECK(m.verdict(0) == Verdict::kRefused);
    m.beat(2, 1020, {1015});
    CHECK(m.verdict(0) == Verdict::kIn);
}

TEST_CASE("reconciler: max_ejection_percent caps, a return makes room for what was refused") {
    Settings half = reconciler_settings();
    half.max_ejection_percent = 50;
    Master m(half, 4);
    m.kill(0, 1000);
    m.kill(1, 1000);
    m.kill(2, 1000);
    CHECK(m.reconciler.ejected_count() == 2);
    CHECK(m.verdict(2) == Verdict::kRefused);
    static_cast<void>(m.reconciler.take_actions());
    m.reconciler.tick(1500);  // the refused one's probe
    CHECK(m.take(Kind::kStartProbe) == 1);
    m.reconciler.on_probe(2, m.last[0].probe_id, ProbeResult::kBad, 1500);
    m.reconciler.tick(3000);
    CHECK(m.take(Kind::kStartProbe) == 3);
    m.reconciler.on_probe(0, m.last[0].probe_id, ProbeResult::kGood, 3001);
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.verdict(2) == Verdict::kEjected);
}

TEST_CASE("reconciler: the cap is never the last server, and never less than one") {
    Settings s = reconciler_settings();
    CHECK(max_ejected(s, 1) == 0);
    CHECK(max_ejected(s, 2) == 1);
    CHECK(max_ejected(s, 8) == 7);
    s.max_ejection_percent = 10;
    CHECK(max_ejected(s, 1) == 0);
    CHECK(max_ejected(s, 8) == 1);
    CHECK(max_ejected(s, 39) == 3);
    s.max_ejection_percent = 4000;
    CHECK(max_ejected(s, 8) == 7);
    s.mode = EjectMode::kHold;
    s.max_ejection_percent = 10;
    CHECK(max_ejected(s, 8) == 8);
}

TEST_CASE("reconciler: hold ejects them all and keeps every key where it is") {
    Settings hold = reconciler_settings();
    hold.mode = EjectMode::kHold;
    Master m(hold, 2);
    m.kill(0, 1000);
    m.kill(1, 1000);
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.verdict(1) == Verdict::kEjected);
    CHECK(m.reconciler.is_live(0));
    CHECK(m.reconciler.is_live(1));
}

TEST_CASE("reconciler: a beat that is off its epoch or in fall-back gets RING, others do not") {
    Master m;
    m.beat(0, 1000);
    CHECK(m.take(Kind::kSendRing) == 0);
    m.reconciler.on_beat(1, {.epoch = 0, .in_fallback = false, .last_success_ms = {}}, 1000);
    CHECK(m.take(Kind::kSendRing) == 1);
    CHECK(m.last[0].worker == 1);
    m.reconciler.on_beat(2, {.epoch = 1, .in_fallback = true, .last_success_ms = {}}, 1000);
    CHECK(m.take(Kind::kSendRing) == 1);
    CHECK(m.last[0].worker == 2);
}

TEST_CASE("reconciler: what does not fit is refused and changes nothing") {
    Master m;
    CHECK_FALSE(m.suspect(3, 1000));
    CHECK_FALSE(m.suspect(0, 1000, 3));
    CHECK_FALSE(m.beat(7, 1000));
    CHECK_FALSE(m.beat(0, 1000, {1, 2}));
    m.reconciler.on_probe(9, 1, ProbeResult::kBad, 1000);
    m.reconciler.on_probe(0, 77, ProbeResult::kBad, 1000);
    m.reconciler.on_address_change(9, 1000);
    m.reconciler.on_worker_gone(9);
    CHECK(m.reconciler.take_actions().empty());
    CHECK(m.reconciler.shard_of("s1") == 1);
    CHECK(m.reconciler.shard_of("elsewhere") == 3);
    // Times of the future count as now.
    m.beat(2, 1000, {kNever, 0, 0});
    m.suspect(0, 1100);
    m.suspect(1, 1100);
    CHECK(m.verdict(0) == Verdict::kEjected);
}

TEST_CASE(
    "reconciler: a success that is heard of only during the short probe asks for a patient one") {
    Master m;
    m.suspect(0, 1000);  // first failure at 990
    REQUIRE(m.take(Kind::kStartProbe) == 1);
    const ReconcilerAction quick = m.last[0];
    CHECK(quick.timeout_ms == kDecisionProbeMs);
    m.beat(1, 1060, {1050, 0, 0});
    m.reconciler.on_probe(0, quick.probe_id, ProbeResult::kBad, 1100);
    CHECK(m.verdict(0) == Verdict::kProbing);
    REQUIRE(m.take(Kind::kStartProbe) == 1);
    const ReconcilerAction patient = m.last[0];
    CHECK(patient.timeout_ms == 1000);
    // It decides, for good or bad, though the success is still there.
    m.reconciler.on_probe(0, patient.probe_id, ProbeResult::kBad, 2100);
    CHECK(m.verdict(0) == Verdict::kEjected);
    REQUIRE(m.take(Kind::kEjected) == 1);
    CHECK(m.last[0].epoch == 2);
}

TEST_CASE("reconciler: an accusation goes with its worker") {
    Master m;
    m.suspect(0, 1000);
    m.reconciler.on_worker_gone(0);
    CHECK_FALSE(m.suspect(0, 1001));
    m.suspect(1, 1002);
    CHECK(m.verdict(0) == Verdict::kProbing);
    m.reconciler.on_worker_up(0);
    m.suspect(2, 1003);
    CHECK(m.verdict(0) == Verdict::kEjected);
}

}  // namespace
}  // namespace ringmaster::health
