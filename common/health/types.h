// SPDX-License-Identifier: Apache-2.0
// What ejector (a worker's view) and reconciler (the master's) say to each other, and the rules
// both apply. Plain values; the control messages carry the same fields.
//
// Units:   milliseconds. "shared" times are CLOCK_MONOTONIC (io::Loop::now_ms()), which is one
//          clock for all processes of a machine: only they may cross a process border. "active"
//          times are one worker's own (io::Loop::active_ms()): only deadlines use them.
// Shards:  indexes of the pool's servers, the same in all processes of one generation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ringmaster::health {

// A worker acts on its own when the master has not answered a SUSPECT for so long.
inline constexpr uint64_t kFallbackMs = 250;
// The longest probe that decides about a single accuser nobody contradicts.
inline constexpr uint32_t kDecisionProbeMs = 100;
// Between a good deciding probe and the next one of the same server: a worker whose own path is bad
// accuses again and again.
inline constexpr uint64_t kDecisionGapMs = 100;
// An accusation older than this counts no more.
inline constexpr uint64_t kAccusationMs = 1000;
// A bad server that has to stay in the ring is probed so often: its return is noticed soon.
inline constexpr uint64_t kRefusedProbeMs = 500;
// While a server is known bad, one request in so many ms is let through to it if it fails at once
// anyway (a refused connect): the server's return is noticed by the clients that wait for it.
inline constexpr uint64_t kQuickTrialMs = 5;
// Growth of the ejection time: doubled for a server ejected again so soon after its return.
inline constexpr uint64_t kGrowthWindowMs = 10000;
inline constexpr uint32_t kGrowthMax = 8;
// A shorter server_retry_timeout (0 is allowed, as in nutcracker) acts like this.
inline constexpr uint64_t kRetryMinMs = 50;

inline constexpr uint64_t kNever = UINT64_MAX;

// rehash: an ejected server leaves the ring, its keys move. hold: it keeps its keys, and requests
// for it fail at once.
enum class EjectMode : uint8_t { kRehash, kHold };

// Faults put into the logic on purpose, to show that the simulation finds them. Only a build with
// RM_HEALTH_MUTANTS looks at them.
enum class Mutation : uint8_t {
    kNone,
    kNoFloor,
    kNoEpochCheck,
    kNoGrowth,
    kNoHeartbeatRepair,
    kServeBeforeFirstRing,
    // Not asked of the logic, but of the invariants: each has something it catches.
    kNoVeto,
    kNoReturn,
    kNoEpochOnReturn,
    kNoSuspect,
};

struct Settings {
    bool auto_eject = false;  // false: nothing is ever counted
    EjectMode mode = EjectMode::kRehash;
    uint32_t failure_limit = 2;  // 0 acts like 1, as in nutcracker
    uint32_t retry_timeout_ms = 30000;
    uint32_t max_ejection_percent = 100;
    uint32_t probe_timeout_ms = 1000;
    bool probe = true;             // false: servers return unseen, as in nutcracker
    bool flush_on_return = false;  // needs `probe`
    Mutation mutation = Mutation::kNone;
};

uint64_t retry_ms(const Settings& settings) noexcept;

// How many servers may be out at a time. rehash: never the last one, and at most
// max(1, floor(servers * percent / 100)). hold: all.
size_t max_ejected(const Settings& settings, size_t server_count) noexcept;

#ifdef RM_HEALTH_MUTANTS
inline bool mutated(const Settings& settings, Mutation mutation) noexcept {
    return settings.mutation == mutation;
}
#else
constexpr bool mutated(const Settings&, Mutation) noexcept {
    return false;
}
#endif

// ---- causes ----

// The server closed the connection while requests were outstanding. Else a cause is an errno;
// EINVAL: its bytes could not be understood.
inline constexpr int kServerClosed = 0;

// Whether a failure speaks against the server: refused, timed out, reset, closed, not to be
// understood, EHOSTUNREACH, ENOENT and EAGAIN (a Unix path that is not there, or whose queue is
// full). Everything else (no descriptors, memory, ports or route; a name that does not resolve; our
// own shutdown) is this machine's own trouble.
bool counts_as_failure(int cause) noexcept;

// Whether the next attempt after such a failure will, by all likelihood, fail at once too.
bool fails_quickly(int cause) noexcept;

// ---- messages ----

enum class Verdict : uint8_t {
    kIn,
    kEjected,
    kRefused,  // bad, but it cannot be spared: stays in the ring, requests fail at once
    kProbing,  // in; the master is looking
};

struct ServerVerdict {
    Verdict verdict = Verdict::kIn;
    int32_t cause = 0;              // kEjected, kRefused: what requests fail with
    uint64_t probing_until_ms = 0;  // kProbing; shared

    bool operator==(const ServerVerdict&) const = default;
};

// RING: the whole state of one pool (beside it travel the addresses). The epoch grows with every
// change of a server to or from kEjected or kRefused, and of an address; kProbing does not count.
struct RingVerdicts {
    uint64_t epoch = 0;  // 1 or more
    std::vector<ServerVerdict> servers;

    bool operator==(const RingVerdicts&) const = default;
};

// SUSPECT, worker to master. The shard stands for a server of this generation; the name survives a
// reload that happens meanwhile.
struct Suspect {
    uint64_t generation = 0;
    uint32_t pool = 0;
    std::string server;
    uint64_t epoch = 0;
    int32_t cause = 0;
    uint64_t first_failure_ms = 0;  // of the streak; shared
    uint64_t sent_ms = 0;           // shared
};

// RECONNECT, master to worker: the server is well, renew your connections to it.
struct Reconnect {
    uint64_t generation = 0;
    uint32_t pool = 0;
    std::string server;
};

// A worker's part of its beat for one pool. For a pool without auto_eject the vector may be empty.
struct PoolBeat {
    uint64_t epoch = 0;
    bool in_fallback = false;
    std::vector<uint64_t> last_success_ms;  // by shard; shared; 0 = never
};

}  // namespace ringmaster::health
