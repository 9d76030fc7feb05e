// SPDX-License-Identifier: Apache-2.0
// Thousands of seeds without a violation, and every mutant caught.
//
// Environment:  RM_SIM_SEEDS   seeds per scenario, instead of the build's own number
//               RM_SIM_REPLAY  one seed of every scenario, as printed by a failure
//               RM_SIM_REPORT  1: prints the table of the README
#include "tests/sim/eject_sim.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ringmaster::sim {
namespace {

using health::Mutation;

#ifndef RM_SIM_DEFAULT_SEEDS
#define RM_SIM_DEFAULT_SEEDS 300
#endif

uint64_t number_from_environment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Scenario scenario_of(size_t index) {
    return static_cast<Scenario>(index);
}

struct Range {
    uint64_t first = 1;
    uint64_t last = RM_SIM_DEFAULT_SEEDS;
};

Range seeds() {
    Range range;
    range.last = number_from_environment("RM_SIM_SEEDS", range.last);
    if (std::getenv("RM_SIM_REPLAY") != nullptr) {
        range.first = range.last = number_from_environment("RM_SIM_REPLAY", 1);
    }
    return range;
}

// "I3" of "at 812 ms: I3: ..."
std::string invariant_of(const std::string& violation) {
    const size_t at = violation.find(": I");
    return at == std::string::npos ? violation : violation.substr(at + 2, 2);
}

struct Catch {
    size_t runs = 0;
    std::map<std::string, size_t> by;  // invariant -> in how many runs
};

// Tries a mutant with one seed after the other of every scenario, until `wanted` has caught it a
// few times.
Catch catch_mutant(Mutation mutation, const std::string& wanted) {
    constexpr uint64_t kSeeds = 20;
    constexpr size_t kEnough = 3;
    Catch out;
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
        for (size_t scenario = 0; scenario < kScenarioCount; ++scenario) {
            const Outcome outcome = run_eject_sim(seed, scenario_of(scenario), mutation);
            ++out.runs;
            if (!outcome.violation.empty()) {
                ++out.by[invariant_of(outcome.violation)];
            }
            if (out.by[wanted] >= kEnough) {
                return out;
            }
        }
    }
    return out;
}

void print_row(const char* name, std::vector<uint64_t> times, const Outcome& sum, uint64_t count) {
    std::sort(times.begin(), times.end());
    const auto at = [&](size_t percent) {
        return times.empty() ? uint64_t{0} : times[(times.size() - 1) * percent / 100];
    };
    std::printf(
        "| %-17s | %5llu | %6zu | %4llu | %4llu | %5llu | %6lld | %5lld | %6lld | %6lld |\n", name,
        static_cast<unsigned long long>(count), times.size(),
        static_cast<unsigned long long>(at(50)), static_cast<unsigned long long>(at(99)),
        static_cast<unsigned long long>(at(100)), static_cast<long long>(sum.ejects),
        static_cast<long long>(sum.local_ejects), static_cast<long long>(sum.vetoes),
        static_cast<long long>(sum.panics));
}

TEST_CASE("eject sim: no seed of any scenario violates an invariant") {
    const Range range = seeds();
    const bool report = number_from_environment("RM_SIM_REPORT", 0) != 0;
    if (report) {
        std::printf(
            "| fault             | seeds | deaths |  p50 |  p99 |   max | ejects | alone "
            "| vetoes | panics |\n|---|---|---|---|---|---|---|---|---|---|\n");
    }
    for (size_t scenario = 0; scenario < kScenarioCount; ++scenario) {
        Outcome sum;
        uint64_t requests = 0;
        for (uint64_t seed = range.first; seed <= range.last; ++seed) {
            const Outcome outcome = run_eject_sim(seed, scenario_of(scenario));
            CAPTURE(seed);
            CAPTURE(std::string(scenario_name(scenario_of(scenario))));
            REQUIRE(outcome.violation == "");
            requests += outcome.requests;
            sum.ejects += outcome.ejects;
            sum.local_ejects += outcome.local_ejects;
            sum.vetoes += outcome.vetoes;
            sum.panics += outcome.panics;
            sum.converge_ms.insert(sum.converge_ms.end(), outcome.converge_ms.begin(),
                                   outcome.converge_ms.end());
        }
        CHECK(requests > 0);
        if (report) {
            print_row(scenario_name(scenario_of(scenario)), sum.converge_ms, sum,
                      range.last - range.first + 1);
        }
    }
}

TEST_CASE("eject sim: the same seed gives the same run") {
    const Outcome first = run_eject_sim(7, Scenario::kEverything);
    const Outcome second = run_eject_sim(7, Scenario::kEverything);
    CHECK(first.requests == second.requests);
    CHECK(first.failures == second.failures);
    CHECK(first.converge_ms == second.converge_ms);
    CHECK(run_eject_sim(8, Scenario::kEverything).failures != first.failures);
}

TEST_CASE("eject sim: a slow server and a bad path of one worker eject nothing") {
    int64_t vetoes = 0;
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        CHECK(run_eject_sim(seed, Scenario::kSlow).ejects == 0);
        const Outcome path = run_eject_sim(seed, Scenario::kPath);
        CHECK(path.ejects == 0);
        CHECK(path.panics == 0);
        vetoes += path.vetoes;
    }
    CHECK(vetoes > 0);
}

TEST_CASE("eject sim: what a mutant breaks is found by the invariant that forbids it") {
    struct Row {
        const char* name;
        Mutation mutation;
        const char* invariant;
    };
    static constexpr Row kRows[] = {
        {"no floor", Mutation::kNoFloor, "I3"},
        {"no epoch check", Mutation::kNoEpochCheck, "I4"},
        {"no growth", Mutation::kNoGrowth, "I5"},
        {"no repair by heartbeat", Mutation::kNoHeartbeatRepair, "I2"},
        {"serves before the first RING", Mutation::kServeBeforeFirstRing, "I9"},
        {"no veto", Mutation::kNoVeto, "I7"},
        {"no return", Mutation::kNoReturn, "I6"},
        {"no new epoch on return", Mutation::kNoEpochOnReturn, "I1"},
        {"no accusation", Mutation::kNoSuspect, "I8"},
    };
    for (const Row& row : kRows) {
        CAPTURE(std::string(row.name));
        Catch caught = catch_mutant(row.mutation, row.invariant);
        CHECK(caught.by[row.invariant] > 0);
        for (const auto& [invariant, count] : caught.by) {
            MESSAGE(std::string(row.name)
                    << ": caught by " << invariant << " in " << count << " of " << caught.runs);
        }
    }
}

}  // namespace
}  // namespace ringmaster::sim
