// SPDX-License-Identifier: Apache-2.0
#include "worker/accept_gate.h"

#include <vector>

#include <doctest/doctest.h>

#include "common/base/log.h"

namespace ringmaster::worker {
namespace {

struct GateFixture {
    GateFixture() { base::log_set_level(0); }
    ~GateFixture() { base::log_set_level(level); }

    const int level = base::log_level();
    std::vector<bool> calls;
    AcceptGate gate{[this](bool accept) { calls.push_back(accept); }};
};

TEST_CASE_FIXTURE(GateFixture, "accept gate: open as long as nobody has set a limit") {
    CHECK(gate.open());
    CHECK_FALSE(gate.update(uint64_t{1} << 40, 0));
    CHECK(gate.open());
    CHECK(calls.empty());
}

TEST_CASE_FIXTURE(GateFixture,
                  "accept gate: closes with the last place, opens with the first free") {
    gate.set_room(3);
    CHECK_FALSE(gate.update(2, 0));
    CHECK(gate.update(3, 0));
    CHECK_FALSE(gate.open());
    CHECK_FALSE(gate.update(3, 0));  // said once
    CHECK_FALSE(gate.update(4, 0));
    CHECK(calls == std::vector<bool>{false});
    CHECK_FALSE(gate.update(2, 0));  // it opened: nothing to count
    CHECK(gate.open());
    CHECK(calls == std::vector<bool>{false, true});
    CHECK(gate.update(3, 0));
    CHECK(calls == std::vector<bool>{false, true, false});
}

TEST_CASE_FIXTURE(GateFixture, "accept gate: a limit that is raised or lowered takes effect") {
    gate.set_room(3);
    gate.update(3, 0);
    gate.set_room(10);
    gate.update(3, 0);
    CHECK(gate.open());
    gate.set_room(2);
    CHECK(gate.update(3, 0));
    CHECK_FALSE(gate.open());
}

TEST_CASE_FIXTURE(GateFixture, "accept gate: one client is always served") {
    gate.set_room(0);
    CHECK_FALSE(gate.update(0, 0));
    CHECK(gate.open());
    CHECK(gate.update(1, 0));
}

}  // namespace
}  // namespace ringmaster::worker
