// SPDX-License-Identifier: Apache-2.0
#include "worker/client_ids.h"

#include <set>

#include <doctest/doctest.h>

namespace ringmaster::worker::test {
namespace {

constexpr uint64_t kNowUs = 1795658400ULL * 1000000;  // some time in 2026
constexpr uint64_t kJavaScriptMost = (uint64_t{1} << 53) - 1;

TEST_CASE("client ids: unique over workers and within one, positive, exact in JavaScript") {
    std::set<uint64_t> seen;
    for (uint32_t slot = 0; slot < 1024; slot += 31) {
        ClientIds ids(slot);
        for (uint64_t i = 0; i < 200; ++i) {
            const uint64_t id = ids.next(kNowUs + i / 10);  // many within one unit of time
            CHECK(id > 0);
            CHECK(id <= kJavaScriptMost);
            CHECK(seen.insert(id).second);
        }
    }
}

TEST_CASE("client ids: a worker that was restarted gives none of its former numbers") {
    ClientIds former(3);
    uint64_t last = 0;
    for (uint64_t i = 0; i < 1000; ++i) {
        last = former.next(kNowUs);  // faster than the clock's units
    }
    ClientIds restarted(3);
    CHECK(restarted.next(kNowUs + 100000) > last);
}

TEST_CASE("client ids: they grow when the clock stands still or is set back") {
    ClientIds ids(1);
    const uint64_t first = ids.next(kNowUs);
    const uint64_t second = ids.next(kNowUs);
    const uint64_t third = ids.next(kNowUs - 3600ULL * 1000000);
    CHECK(second > first);
    CHECK(third > second);
    CHECK(ids.next(0) > third);
}

TEST_CASE("client ids: they tell whose they are, and small numbers are nobody's") {
    for (const uint32_t slot : {0U, 1U, 1023U}) {
        CHECK(ClientIds::slot_of(ClientIds(slot).next(kNowUs)) == slot);
    }
    CHECK_FALSE(ClientIds::slot_of(1).has_value());
    CHECK_FALSE(ClientIds::slot_of(99999).has_value());
    CHECK_FALSE(ClientIds::slot_of(kJavaScriptMost + 1).has_value());
}

TEST_CASE("client ids: they tell the age of the client") {
    ClientIds ids(1023);
    const uint64_t id = ids.next(kNowUs);
    CHECK(ClientIds::age_s(id, kNowUs) == 0);
    CHECK(ClientIds::age_s(id, kNowUs + 90ULL * 1000000 + 500000) == 90);
    CHECK(ClientIds::age_s(id, kNowUs - 5000000) == 0);
}

}  // namespace
}  // namespace ringmaster::worker::test
