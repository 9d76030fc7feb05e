// SPDX-License-Identifier: Apache-2.0
#include "master/client_ledger.h"

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

}  // namespace
}  // namespace ringmaster::master
