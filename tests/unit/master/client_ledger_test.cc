// SPDX-License-Identifier: Apache-2.0
#include "master/client_ledger.h"

#include <cstdint>

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

TEST_CASE("client ledger: the limit holds over all slots, pool by pool") {
    const uint32_t limits[] = {2, 0};
    ClientLedger ledger(limits, 3);
    CHECK(ledger.ask(0, 0));
    CHECK(ledger.ask(0, 2));
    CHECK_FALSE(ledger.ask(0, 1));
    CHECK_FALSE(ledger.ask(0, 0));
    CHECK(ledger.held(0) == 2);
    for (int i = 0; i < 1000; ++i) {
        CHECK(ledger.ask(1, 1));  // no limit
    }
}

TEST_CASE("client ledger: a place given back is free for any slot") {
    const uint32_t limits[] = {1};
    ClientLedger ledger(limits, 2);
    CHECK(ledger.ask(0, 0));
    CHECK_FALSE(ledger.ask(0, 1));
    CHECK(ledger.give_back(0, 0, 1));
    CHECK(ledger.ask(0, 1));
}

TEST_CASE("client ledger: a worker cannot give back what it does not hold") {
    const uint32_t limits[] = {3};
    ClientLedger ledger(limits, 2);
    CHECK(ledger.ask(0, 0));
    CHECK_FALSE(ledger.give_back(0, 1, 1));
    CHECK_FALSE(ledger.give_back(0, 0, 2));
    CHECK(ledger.held(0) == 1);
}

TEST_CASE("client ledger: a dead worker's places are free again") {
    const uint32_t limits[] = {2};
    ClientLedger ledger(limits, 2);
    CHECK(ledger.ask(0, 0));
    CHECK(ledger.ask(0, 1));
    ledger.give_back_all(0);
    CHECK(ledger.held(0) == 1);
    CHECK(ledger.ask(0, 1));
    CHECK_FALSE(ledger.ask(0, 0));
}

TEST_CASE("client ledger: what a worker holds after a reload takes the place of what was said") {
    const uint32_t limits[] = {3, 2};
    ClientLedger ledger(limits, 2);
    CHECK(ledger.ask(0, 0));
    CHECK(ledger.ask(0, 1));
    const uint32_t held[] = {2, 0};
    CHECK(ledger.hold(0, held));
    CHECK(ledger.held(0) == 3);
    CHECK_FALSE(ledger.ask(0, 1));
    CHECK(ledger.give_back(0, 0, 2));
    CHECK_FALSE(ledger.give_back(0, 0, 1));
    // More than the limit is what there is after a reload that lowers it.
    const uint32_t many[] = {10, 10};
    CHECK(ledger.hold(1, many));
    CHECK(ledger.held(1) == 10);
    CHECK_FALSE(ledger.ask(1, 0));
}

TEST_CASE("client ledger: places of other pools than there are change nothing") {
    const uint32_t limits[] = {3};
    ClientLedger ledger(limits, 1);
    CHECK(ledger.ask(0, 0));
    const uint32_t two[] = {5, 5};
    CHECK_FALSE(ledger.hold(0, two));
    CHECK_FALSE(ledger.hold(0, {}));
    CHECK(ledger.held(0) == 1);
}

TEST_CASE("client ledger: absurd numbers do not wrap round") {
    const uint32_t limits[] = {3};
    ClientLedger ledger(limits, 2);
    const uint32_t most[] = {UINT32_MAX};
    CHECK(ledger.hold(0, most));
    CHECK(ledger.hold(1, most));
    CHECK(ledger.held(0) == uint64_t{2} * UINT32_MAX);
    CHECK_FALSE(ledger.ask(0, 0));
}

}  // namespace
}  // namespace ringmaster::master
