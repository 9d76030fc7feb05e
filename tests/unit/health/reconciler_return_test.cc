// SPDX-License-Identifier: Apache-2.0
// Ways back in: probes, growth, addresses, reloads.
#include <doctest/doctest.h>

#include "tests/unit/health/reconciler_fixture.h"

namespace ringmaster::health {
namespace {

TEST_CASE("reconciler: only a good probe readmits; the next one comes a retry timeout later") {
    Master m;
    m.kill(0, 1000);
    CHECK(m.reconciler.next_due_ms() == 3000);
    CHECK(m.probe(3000, ProbeResult::kBad));
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.reconciler.next_due_ms() == 5001);
    CHECK(m.probe(5001, ProbeResult::kUnknown));
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.probe(7002, ProbeResult::kGood));
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.reconciler.epoch() == 3);
    CHECK(m.reconciler.counters().readmits == 1);
    CHECK(m.reconciler.counters().probes == 4);  // one of them the accusation's
    CHECK(m.take(Kind::kSendRing) == 1);
    CHECK(m.last[0].worker == kAllWorkers);
}

TEST_CASE("reconciler: with probe off it returns unseen, and nobody is asked before an ejection") {
    Settings blind = reconciler_settings();
    blind.probe = false;
    Master m(blind);
    m.suspect(0, 1000);
    CHECK(m.take(Kind::kStartProbe) == 0);
    CHECK(m.verdict(0) == Verdict::kEjected);
    m.reconciler.tick(3000);
    CHECK(m.verdict(0) == Verdict::kIn);
    m.beat(2, 3500, {3499, 0, 0});
    m.suspect(0, 3500);
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.take(Kind::kReconnect) == 1);
}

TEST_CASE("reconciler: the time out doubles up to eight times for one that fails again soon") {
    Master m;
    uint64_t now_ms = 1000;
    for (const uint64_t growth : {1U, 2U, 4U, 8U, 8U}) {
        m.kill(0, now_ms);
        CHECK(m.reconciler.next_due_ms() == now_ms + 2000 * growth);
        now_ms = m.reconciler.next_due_ms();
        CHECK(m.probe(now_ms, ProbeResult::kGood));
        now_ms += 100;
    }
    now_ms += kGrowthWindowMs;
    m.kill(0, now_ms);
    CHECK(m.reconciler.next_due_ms() == now_ms + 2000);
}

TEST_CASE("reconciler: a flush is asked for when a server returns, not when one is judged") {
    Settings flush = reconciler_settings();
    flush.flush_on_return = true;
    Master m(flush);
    m.suspect(0, 1000);
    CHECK(m.take(Kind::kStartProbe) == 1);
    CHECK_FALSE(m.last[0].flush);
    m.suspect(1, 1001);
    m.reconciler.tick(3001);
    CHECK(m.take(Kind::kStartProbe) == 1);
    CHECK(m.last[0].flush);
    CHECK(m.last[0].timeout_ms == 1000);
}

TEST_CASE("reconciler: a tiny retry timeout does not become a storm of probes") {
    Settings hasty = reconciler_settings();
    hasty.retry_timeout_ms = 0;
    Master m(hasty);
    m.kill(0, 1000);
    CHECK(m.reconciler.next_due_ms() == 1000 + kRetryMinMs);
}

TEST_CASE("reconciler: another address is a new server: epoch, past and pending probe go") {
    Master m;
    m.suspect(0, 1000);
    CHECK(m.take(Kind::kStartProbe) == 1);
    const uint64_t probe_id = m.last[0].probe_id;
    m.reconciler.on_address_change(0, 1001);
    CHECK(m.reconciler.epoch() == 2);
    CHECK(m.verdict(0) == Verdict::kIn);
    m.reconciler.on_probe(0, probe_id, ProbeResult::kBad, 1002);
    CHECK(m.verdict(0) == Verdict::kIn);
    m.suspect(1, 1003);  // the former accuser's word was about the former address
    CHECK(m.verdict(0) == Verdict::kProbing);
}

TEST_CASE("reconciler: an ejected server with another address stays out until a probe is good") {
    Master m;
    m.kill(0, 1000);
    m.reconciler.on_address_change(0, 1500);
    CHECK(m.verdict(0) == Verdict::kEjected);
    CHECK(m.reconciler.epoch() == 3);
    CHECK(m.probe(1500, ProbeResult::kGood));
    CHECK(m.verdict(0) == Verdict::kIn);
    m.kill(0, 1600);
    CHECK(m.reconciler.next_due_ms() == 1600 + 4000);  // it has failed soon after its return
}

TEST_CASE("reconciler: a reload keeps ejections by name, and the epoch goes on") {
    Master m;
    m.kill(1, 1000);
    m.suspect(0, 1001, 2);  // probing: its answer belongs to the former generation
    Reconciler next(reconciler_settings(), {"s2", "s1", "new"}, &m.reconciler, 1010);
    CHECK(next.epoch() == 3);
    const RingVerdicts ring = next.ring();
    CHECK(ring.servers[0].verdict == Verdict::kIn);
    CHECK(ring.servers[1].verdict == Verdict::kEjected);
    CHECK(ring.servers[2].verdict == Verdict::kIn);
    CHECK(next.next_due_ms() == 3000);
    CHECK(next.counters().ejects == 1);
}

TEST_CASE("reconciler: a reload that takes the healthy servers away leaves one of the others in") {
    Master m;
    m.kill(0, 1000);
    m.kill(1, 1000);
    Reconciler next(reconciler_settings(), {"s0", "s1"}, &m.reconciler, 1010);
    CHECK(next.ejected_count() == 1);
    CHECK(next.ring().servers[0].verdict == Verdict::kRefused);
    Settings off = reconciler_settings();
    off.auto_eject = false;
    const Reconciler none(off, {"s0", "s1", "s2"}, &m.reconciler, 1010);
    CHECK(none.ejected_count() == 0);
    CHECK(none.next_due_ms() == kNever);
}

TEST_CASE("reconciler: without auto_eject an accusation is answered and not heard") {
    Settings off = reconciler_settings();
    off.auto_eject = false;
    Master m(off);
    m.kill(0, 1000);
    CHECK(m.verdict(0) == Verdict::kIn);
    CHECK(m.take(Kind::kSendRing) == 2);
}

}  // namespace
}  // namespace ringmaster::health
