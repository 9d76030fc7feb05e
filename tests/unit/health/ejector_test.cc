// SPDX-License-Identifier: Apache-2.0
#include "common/health/ejector.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <vector>

#include <doctest/doctest.h>

namespace {
size_t allocations = 0;
}  // namespace

void* operator new(size_t size) {
    ++allocations;
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}

namespace ringmaster::health {
namespace {

using Kind = EjectorAction::Kind;
using Route = Ejector::Route;

Settings settings(uint32_t limit = 2) {
    Settings out;
    out.auto_eject = true;
    out.failure_limit = limit;
    out.retry_timeout_ms = 2000;
    return out;
}

RingVerdicts all_in(uint64_t epoch, size_t servers = 3) {
    RingVerdicts ring;
    ring.epoch = epoch;
    ring.servers.resize(servers);
    return ring;
}

// An ejector whose two clocks are 100000 ms apart, on its first RING.
struct Fixture {
    explicit Fixture(const Settings& how = settings(), size_t servers = 3) : ejector(how, servers) {
        CHECK(ejector.on_ring(all_in(1, servers), at(0)));
        static_cast<void>(ejector.take_actions());
    }
    static Now at(uint64_t ms) { return {.active_ms = ms, .shared_ms = 100000 + ms}; }
    void fail(uint64_t began_ms, uint64_t ms, int cause = ECONNREFUSED, uint32_t shard = 0) {
        ejector.on_failure({.shard = shard, .cause = cause, .attempt_began_ms = began_ms}, at(ms));
    }
    size_t suspects() {
        size_t count = 0;
        for (const EjectorAction& action : ejector.take_actions()) {
            count += action.kind == Kind::kSuspect ? size_t{1} : size_t{0};
        }
        return count;
    }
    Ejector ejector;
};

TEST_CASE("ejector: does not serve before the first RING") {
    Ejector ejector(settings(), 3);
    CHECK_FALSE(ejector.may_serve());
    CHECK_FALSE(ejector.on_ring(all_in(1, 2), {}));  // of another pool
    CHECK_FALSE(ejector.on_ring(all_in(0), {}));
    CHECK_FALSE(ejector.may_serve());
    CHECK(ejector.on_ring(all_in(4), {}));
    CHECK(ejector.may_serve());
    CHECK(ejector.epoch() == 4);
    CHECK(ejector.take_actions().size() == 1);
}

TEST_CASE("ejector: accuses once at the limit, with the first failure of the streak") {
    Fixture f;
    f.fail(10, 11);
    CHECK(f.ejector.take_actions().empty());
    f.fail(12, 13, ETIMEDOUT);
    const std::vector<EjectorAction> actions = f.ejector.take_actions();
    REQUIRE(actions.size() == 1);
    CHECK(actions[0].kind == Kind::kSuspect);
    CHECK(actions[0].shard == 0);
    CHECK(actions[0].cause == ETIMEDOUT);
    CHECK(actions[0].epoch == 1);
    CHECK(actions[0].first_failure_ms == 100011);
    f.fail(14, 15);
    f.fail(16, 17);
    f.fail(18, 19);
    CHECK(f.suspects() == 0);
    CHECK(f.ejector.is_live(0));
}

TEST_CASE("ejector: a blip on fifty connections is one failure") {
    Fixture f;
    for (int i = 0; i < 50; ++i) {
        f.fail(10, 20, ECONNRESET);
    }
    f.fail(20, 21);  // began in the millisecond of the counted one
    CHECK(f.suspects() == 0);
    f.fail(21, 22);
    CHECK(f.suspects() == 1);
}

TEST_CASE(
    "ejector: an attempt behind a counted failure counts, in the millisecond of that one too") {
    Fixture f;
    CHECK(f.ejector.attempt_floor_ms(0) == 0);
    const uint64_t before = std::max<uint64_t>(20, f.ejector.attempt_floor_ms(0));
    f.fail(10, 20, ETIMEDOUT);
    const uint64_t behind = std::max<uint64_t>(20, f.ejector.attempt_floor_ms(0));
    f.fail(before, 120, ETIMEDOUT);
    CHECK(f.suspects() == 0);
    f.fail(behind, 120, ETIMEDOUT);
    CHECK(f.suspects() == 1);
    CHECK(f.ejector.attempt_floor_ms(1) == 0);
}

TEST_CASE("ejector: a success between two failures ends the streak, in the same millisecond too") {
    Fixture f;
    f.fail(10, 11);
    f.ejector.on_success(0, 100011);
    f.fail(12, 13);
    CHECK(f.suspects() == 0);
    f.fail(14, 15);
    CHECK(f.suspects() == 1);

    Fixture before;  // and one before the first failure does not
    before.ejector.on_success(0, 100011);
    before.fail(10, 11);
    before.fail(12, 13);
    CHECK(before.suspects() == 1);
}

TEST_CASE("ejector: another server's success ends nobody else's streak") {
    Fixture f;
    f.fail(10, 11);
    f.ejector.on_success(1, 100012);
    f.fail(12, 13);
    CHECK(f.suspects() == 1);
}

TEST_CASE("ejector: this machine's own troubles never count") {
    for (const int cause : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, ENETUNREACH, EHOSTDOWN,
                            ECANCELED, EACCES, EPERM}) {
        Fixture f(settings(1));
        f.fail(10, 11, cause);
        CHECK(f.suspects() == 0);
    }
    for (const int cause : {ECONNREFUSED, ECONNRESET, ETIMEDOUT, EPIPE, EINVAL, EHOSTUNREACH,
                            ENOENT, kServerClosed}) {
        Fixture f(settings(1));
        f.fail(10, 11, cause);
        CHECK(f.suspects() == 1);
    }
}

TEST_CASE("ejector: without auto_eject nothing is counted; a limit of 0 acts like 1") {
    Settings off = settings(1);
    off.auto_eject = false;
    Fixture f(off);
    f.fail(10, 11);
    f.fail(12, 13);
    CHECK(f.suspects() == 0);
    CHECK(f.ejector.next_due_ms() == kNever);
    Fixture zero(settings(0));
    zero.fail(10, 11);
    CHECK(zero.suspects() == 1);
}

TEST_CASE("ejector: a master silent for 250 ms of active time is replaced by a blind ejection") {
    Fixture f(settings(1));
    f.fail(10, 11);
    CHECK(f.ejector.next_due_ms() == 261);
    f.ejector.tick(Fixture::at(260));
    CHECK(f.ejector.is_live(0));
    static_cast<void>(f.ejector.take_actions());
    f.ejector.tick(Fixture::at(261));
    CHECK_FALSE(f.ejector.is_live(0));
    CHECK(f.ejector.in_fallback());
    CHECK(f.ejector.counters().local_ejects == 1);
    const std::vector<EjectorAction> actions = f.ejector.take_actions();
    REQUIRE(actions.size() == 1);
    CHECK(actions[0].kind == Kind::kRingChanged);
    f.ejector.tick(Fixture::at(2260));
    CHECK_FALSE(f.ejector.is_live(0));
    f.ejector.tick(Fixture::at(2261));
    CHECK(f.ejector.is_live(0));
    CHECK_FALSE(f.ejector.in_fallback());
    CHECK(f.ejector.take_actions().size() == 1);
}

TEST_CASE("ejector: a success while it waits for the master ends the accusation") {
    Fixture f(settings(1));
    f.fail(10, 11);
    f.ejector.on_success(0, 100050);
    f.ejector.tick(Fixture::at(300));
    CHECK(f.ejector.is_live(0));
    CHECK_FALSE(f.ejector.in_fallback());
}

TEST_CASE("ejector: a RING ends the wait and arms the counter again") {
    Fixture f(settings(2));
    f.fail(10, 11);
    f.fail(12, 13);
    CHECK(f.suspects() == 1);
    RingVerdicts probing = all_in(1);
    probing.servers[0].verdict = Verdict::kProbing;
    CHECK(f.ejector.on_ring(probing, Fixture::at(20)));
    CHECK(f.ejector.next_due_ms() == kNever);
    f.fail(21, 22);
    CHECK(f.suspects() == 0);
    f.fail(23, 24);
    CHECK(f.suspects() == 1);
}

TEST_CASE("ejector: a RING overrides a fall-back, an older one changes nothing") {
    Fixture f(settings(1));
    CHECK(f.ejector.on_ring(all_in(5), Fixture::at(1)));
    f.fail(10, 11);
    f.ejector.tick(Fixture::at(261));
    CHECK(f.ejector.in_fallback());
    CHECK(f.ejector.on_ring(all_in(4), Fixture::at(262)));
    CHECK(f.ejector.in_fallback());
    CHECK(f.ejector.epoch() == 5);
    RingVerdicts other = all_in(5);
    other.servers[1].verdict = Verdict::kEjected;
    CHECK(f.ejector.on_ring(other, Fixture::at(263)));
    CHECK_FALSE(f.ejector.in_fallback());
    CHECK(f.ejector.is_live(0));
    CHECK_FALSE(f.ejector.is_live(1));
}

TEST_CASE("ejector: alone, too, it keeps to the floor, and fails what is left at once") {
    Fixture f(settings(1), 2);
    f.fail(10, 11, ETIMEDOUT, 0);
    f.ejector.tick(Fixture::at(261));
    f.fail(262, 312, ETIMEDOUT, 1);
    f.ejector.tick(Fixture::at(562));
    CHECK_FALSE(f.ejector.is_live(0));
    CHECK(f.ejector.is_live(1));
    CHECK(f.ejector.route(1, 563) == Route::kFailAtOnce);
    CHECK(f.ejector.fail_cause(1) == ETIMEDOUT);
}

TEST_CASE("ejector: a single server is never ejected") {
    Fixture f(settings(1), 1);
    f.fail(10, 11);
    f.ejector.tick(Fixture::at(1000));
    CHECK(f.ejector.is_live(0));
    CHECK_FALSE(f.ejector.in_fallback());
}

TEST_CASE("ejector: refused: requests fail at once, but for a trial every 5 ms, or per retry") {
    RingVerdicts refused = all_in(2, 1);
    refused.servers[0] = {.verdict = Verdict::kRefused, .cause = ECONNREFUSED};
    Fixture quick(settings(), 1);
    CHECK(quick.ejector.on_ring(refused, Fixture::at(100)));
    CHECK(quick.ejector.is_live(0));
    CHECK(quick.ejector.route(0, 104) == Route::kFailAtOnce);
    CHECK(quick.ejector.fail_cause(0) == ECONNREFUSED);
    CHECK(quick.ejector.route(0, 105) == Route::kSend);
    CHECK(quick.ejector.route(0, 105) == Route::kFailAtOnce);
    CHECK(quick.ejector.counters().fast_fails == 2);
    quick.fail(105, 106);
    quick.fail(110, 111);
    CHECK(quick.suspects() == 0);  // the master knows

    refused.servers[0].cause = ETIMEDOUT;
    Fixture slow(settings(), 1);
    CHECK(slow.ejector.on_ring(refused, Fixture::at(100)));
    CHECK(slow.ejector.route(0, 2099) == Route::kFailAtOnce);
    CHECK(slow.ejector.route(0, 2100) == Route::kSend);
}

TEST_CASE("ejector: one success opens a refused server again, failures shut it again") {
    RingVerdicts refused = all_in(2, 1);
    refused.servers[0] = {.verdict = Verdict::kRefused, .cause = ECONNREFUSED};
    Fixture f(settings(2), 1);
    f.ejector.on_success(0, 100050);  // before the verdict: proves nothing
    CHECK(f.ejector.on_ring(refused, Fixture::at(100)));
    CHECK(f.ejector.route(0, 101) == Route::kFailAtOnce);
    f.ejector.on_success(0, 100110);
    CHECK(f.ejector.route(0, 111) == Route::kSend);
    CHECK(f.ejector.route(0, 111) == Route::kSend);
    f.fail(112, 113);
    f.fail(114, 115);
    CHECK(f.ejector.route(0, 116) == Route::kFailAtOnce);
}

TEST_CASE("ejector: hold keeps the keys and fails their requests at once") {
    Settings hold = settings(1);
    hold.mode = EjectMode::kHold;
    Fixture f(hold, 1);
    RingVerdicts ring = all_in(2, 1);
    ring.servers[0] = {.verdict = Verdict::kEjected, .cause = ECONNRESET};
    CHECK(f.ejector.on_ring(ring, Fixture::at(1)));
    CHECK(f.ejector.is_live(0));
    CHECK(f.ejector.is_ejected(0));
    CHECK(f.ejector.take_actions().empty());
    CHECK(f.ejector.route(0, 100000) == Route::kFailAtOnce);
    CHECK(f.ejector.fail_cause(0) == ECONNRESET);
    CHECK(f.ejector.on_ring(all_in(3, 1), Fixture::at(2)));
    CHECK(f.ejector.route(0, 3) == Route::kSend);
    f.fail(10, 11);  // no floor in hold: alone it shuts it too
    f.ejector.tick(Fixture::at(261));
    CHECK(f.ejector.route(0, 262) == Route::kFailAtOnce);
    CHECK(f.ejector.in_fallback());
}

TEST_CASE("ejector: what was under way at an ejection counts no more, nor after forget()") {
    Fixture f(settings(2));
    RingVerdicts ring = all_in(2);
    ring.servers[0].verdict = Verdict::kEjected;
    CHECK(f.ejector.on_ring(ring, Fixture::at(1)));
    f.fail(2, 3);
    f.fail(4, 5);
    CHECK(f.suspects() == 0);
    f.fail(6, 7, ECONNREFUSED, 1);
    f.ejector.forget(1);
    f.fail(8, 9, ECONNREFUSED, 1);
    CHECK(f.suspects() == 0);
}

TEST_CASE("ejector: the beat tells epoch, fall-back and last successes") {
    Fixture f(settings(1));
    f.ejector.on_success(2, 100007);
    f.fail(10, 11);
    f.ejector.tick(Fixture::at(261));
    f.ejector.on_success(1, 100300);
    f.fail(300, 301, ECONNRESET, 1);  // has noticed the success; the beat still tells it
    PoolBeat beat;
    f.ejector.fill(beat);
    CHECK(beat.epoch == 1);
    CHECK(beat.in_fallback);
    CHECK(beat.last_success_ms == std::vector<uint64_t>{0, 100300, 100007});
}

TEST_CASE("ejector: ten thousand answered requests allocate nothing and accuse nobody") {
    Fixture f;
    const size_t before = allocations;
    bool all_sent = true;
    for (uint64_t ms = 1; ms <= 10000; ++ms) {
        all_sent = all_sent && f.ejector.route(0, ms) == Route::kSend;
        f.ejector.on_success(0, 100000 + ms);
    }
    CHECK(allocations == before);
    CHECK(all_sent);
    CHECK_FALSE(f.ejector.has_actions());
    CHECK(f.ejector.next_due_ms() == kNever);
}

}  // namespace
}  // namespace ringmaster::health
