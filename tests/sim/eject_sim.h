// SPDX-License-Identifier: Apache-2.0
// Ejection under virtual time: real ejectors and a real reconciler, everything else made up from a
// seed. Workers send requests to servers, servers and paths fail, processes crash and stop, control
// messages come late, are lost, merged or swapped; after every event the invariants are checked.
//
//   I1 same epoch, not in fall-back => same ring      I6 healthy long enough => in every ring
//   I2 quiet => everybody on the master's epoch       I7 trouble of one worker changes no ring
//   I3 never fewer live servers than the floor        I8 dead with traffic => out in time
//   I4 epochs only grow, never beyond the master's    I9 no request before the first RING
//   I5 at most 4 ejections of a server in 10 s (server_retry_timeout 2 s)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/health/types.h"

namespace ringmaster::sim {

// What a seed is about. Every kind but kSlow and kPath has servers that die too.
enum class Scenario : uint8_t {
    kDown,    // refuses
    kSilent,  // accepts and never answers
    kSlow,    // answers late, but within the timeout
    kFlap,    // up and down every 350 ms
    kPath,    // fails for one worker only
    kWorkerCrash,
    kWorkerStall,
    kMasterStall,
    kChannel,  // control messages lost, merged, swapped
    kEverything,
};
inline constexpr size_t kScenarioCount = 10;
const char* scenario_name(Scenario scenario) noexcept;

struct Outcome {
    std::string violation;  // empty: none
    // Per death of a server that lasted: until it was out of, or refused in, every running worker.
    std::vector<uint64_t> converge_ms;
    uint64_t requests = 0;
    uint64_t failures = 0;
    uint64_t fast_fails = 0;
    int64_t ejects = 0;
    int64_t local_ejects = 0;
    int64_t readmits = 0;
    int64_t vetoes = 0;
    int64_t panics = 0;
};

Outcome run_eject_sim(uint64_t seed, Scenario scenario,
                      health::Mutation mutation = health::Mutation::kNone);

}  // namespace ringmaster::sim
