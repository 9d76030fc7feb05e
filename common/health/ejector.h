// SPDX-License-Identifier: Apache-2.0
// A worker's view of the servers of one pool: counts failures in a row, accuses to the master, and
// acts alone when the master is silent. Pure: events and the time in, actions out.
//
// Counting: per server, over all its connections. A failure counts only if its attempt began after
//           the last counted one, so a blip on 50 connections is one failure; two attempts within
//           one millisecond are one. Any success ends the streak.
// Limit:    one kSuspect, then 250 ms (active) for a RING of this pool, which ends the wait and
//           arms the counter again. Without one: out of the ring for server_retry_timeout, as
//           nutcracker does it, never below the floor. A RING overrides all of that.
// Serving:  may_serve() is false before the first RING.
// Hot path: on_success() is one store, route() one load while all is well. Neither allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/health/types.h"

namespace ringmaster::health {

struct Now {
    uint64_t active_ms = 0;  // this worker's deadlines
    uint64_t shared_ms = 0;  // what is told to the master
};

struct EjectorAction {
    enum class Kind : uint8_t {
        kSuspect,      // tell the master: shard, cause, epoch, first_failure_ms
        kRingChanged,  // is_live() has changed for some server: rebuild the placement
    };
    Kind kind = Kind::kRingChanged;
    uint32_t shard = 0;
    int cause = 0;
    uint64_t epoch = 0;
    uint64_t first_failure_ms = 0;  // shared
};

struct EjectorCounters {
    int64_t suspects = 0;
    int64_t local_ejects = 0;  // without the master
    int64_t fast_fails = 0;
};

class Ejector {
  public:
    struct Failure {
        uint32_t shard = 0;
        int cause = kServerClosed;
        // Active: when the failed attempt began. For a connect, open(); for a connection that has
        // been working, its last progress, or when its FIFO ceased to be empty.
        uint64_t attempt_began_ms = 0;
    };
    enum class Route : uint8_t { kSend, kFailAtOnce };

    Ejector(const Settings& settings, size_t server_count);

    // ---- events ----

    // A whole reply came; a well-formed error is one too. A connect alone is no success: a server
    // may accept and never answer. Requires shard < server_count, shared_ms > 0.
    void on_success(uint32_t shard, uint64_t shared_ms) noexcept { successes_[shard] = shared_ms; }
    // A connect failed, or a connection ended with requests outstanding. Not for idle connections,
    // and not for those to a former address.
    void on_failure(const Failure& failure, Now now);
    // When an attempt that begins now began, at least: in the millisecond of a failure that was
    // counted, active time alone does not say which of the two was first.
    [[nodiscard]] uint64_t attempt_floor_ms(uint32_t shard) const noexcept {
        return servers_[shard].has_counted ? servers_[shard].last_counted_ms + 1 : 0;
    }
    // False: it is not about this pool. An epoch before the current one is ignored.
    bool on_ring(const RingVerdicts& ring, Now now);
    // The server's connections are renewed (RECONNECT), or it has another address: its past is
    // forgotten.
    void forget(uint32_t shard) noexcept;
    // Deadlines. To be called after what has arrived was read, once active time >= next_due_ms().
    void tick(Now now);
    [[nodiscard]] uint64_t next_due_ms() const noexcept;

    // ---- what holds now ----

    [[nodiscard]] bool may_serve() const noexcept {
        return epoch_ > 0 || mutated(settings_, Mutation::kServeBeforeFirstRing);
    }
    // Where a request for this shard may go. kFailAtOnce: answer fail_cause() at once. A kSend for
    // a server known to be bad is a trial: one at a time, and it is spent by asking.
    Route route(uint32_t shard, uint64_t active_ms) {
        return gates_[shard] == Gate::kOpen ? Route::kSend : route_gated(shard, active_ms);
    }
    [[nodiscard]] int fail_cause(uint32_t shard) const noexcept { return servers_[shard].cause; }
    // Whether the server takes part in the placement. Always in `hold`.
    [[nodiscard]] bool is_live(uint32_t shard) const noexcept;
    [[nodiscard]] bool is_ejected(uint32_t shard) const noexcept;
    [[nodiscard]] uint64_t epoch() const noexcept { return epoch_; }
    // This worker has ejected on its own: its ring is not that of its epoch.
    [[nodiscard]] bool in_fallback() const noexcept;
    void fill(PoolBeat& beat) const;
    [[nodiscard]] const EjectorCounters& counters() const noexcept { return counters_; }

    // The actions since the last call, in order.
    [[nodiscard]] std::vector<EjectorAction> take_actions();
    [[nodiscard]] bool has_actions() const noexcept { return !actions_.empty(); }

  private:
    enum class Gate : uint8_t { kOpen, kTrialsOnly, kShut };

    struct Server {
        Verdict verdict = Verdict::kIn;  // the master's
        int cause = 0;
        uint32_t failures = 0;
        bool has_counted = false;
        uint64_t last_counted_ms = 0;   // active
        uint64_t first_failure_ms = 0;  // shared
        uint64_t fallback_at_ms = kNever;
        uint64_t out_until_ms = 0;  // ejected without the master; 0 = not
        uint64_t next_trial_ms = 0;
    };

    // True once after each success.
    bool take_success(uint32_t shard) noexcept;
    Route route_gated(uint32_t shard, uint64_t active_ms);
    void shut_gate(uint32_t shard, uint64_t active_ms) noexcept;
    void fall_back(uint32_t shard, Now now);
    void apply(uint32_t shard, const ServerVerdict& verdict, Now now);
    void ring_changed();

    // In a success the highest bit says that it has been noticed.
    static constexpr uint64_t kNoticed = uint64_t{1} << 63;

    Settings settings_;
    uint64_t epoch_ = 0;
    std::vector<uint64_t> successes_;  // shared; apart from the rest, as every reply writes it
    std::vector<Gate> gates_;
    std::vector<Server> servers_;
    std::vector<EjectorAction> actions_;
    EjectorCounters counters_;
};

}  // namespace ringmaster::health
