// SPDX-License-Identifier: Apache-2.0
// The master's judgement of the servers of one pool, for all workers. Only it moves the epoch.
// Pure: events and the time in, actions out; all times are shared ms (types.h).
//
// Accused:  several workers that accuse within one streak, and nobody who has had a success since:
//           ejected. One alone, or contradicted: a probe decides. Good: a veto, the accusers renew
//           their connections and the ring stays. Bad: ejected.
// Refused:  what the floor or max_ejection_percent keeps in is bad all the same: every worker fails
//           its requests at once until a probe is good or a worker has a success.
// Return:   a probe when the time is up; only a good one readmits, else another one
//           server_retry_timeout later. The time doubles, up to 8 times, for a server ejected again
//           within 10 s of its return.
// Answers:  every SUSPECT is answered with RING at once; every beat that is off gets one too.
// Memory:   a worker may send anything; what does not fit is refused by a false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/health/types.h"

namespace ringmaster::health {

inline constexpr uint32_t kAllWorkers = 0xffffffff;

struct ReconcilerAction {
    enum class Kind : uint8_t {
        kSendRing,    // ring() as it is when it is written: to `worker`, or to all
        kReconnect,   // to `worker`: renew the connections to `shard`
        kStartProbe,  // of `shard`; exactly one on_probe(probe_id), at the latest after timeout_ms
        // For the log and the counters; a kSendRing to all follows:
        kEjected,
        kReadmitted,
        kRefused,
        kVetoed,
    };
    Kind kind = Kind::kSendRing;
    uint32_t worker = kAllWorkers;
    uint32_t shard = 0;
    int cause = 0;
    uint64_t epoch = 0;  // that the verdict began
    uint64_t probe_id = 0;
    uint32_t timeout_ms = 0;  // active time, judged after reading
    bool flush = false;       // kStartProbe: empty the server once it answers
    bool by_hand = false;     // kEjected: an order, not a judgement
};

// What became of an order to take a server out or back in.
enum class HandOutcome : uint8_t {
    kDone,
    kAlready,     // it was so before; nothing has changed
    kLastLive,    // eject: the ring would be left without a server that works
    kAfterProbe,  // readmit, with flush_on_return: once a probe has emptied it
};

// kUnknown: the probe failed for a reason of this machine's own (counts_as_failure() is false).
enum class ProbeResult : uint8_t { kGood, kBad, kUnknown };

struct ReconcilerCounters {
    int64_t ejects = 0;
    int64_t readmits = 0;
    int64_t probes = 0;
    int64_t vetoes = 0;
    int64_t panics = 0;  // a bad server that could not be spared
};

// What a worker says of one server.
struct Accusation {
    uint64_t epoch = 0;
    int cause = 0;
    uint64_t first_failure_ms = 0;
    uint64_t sent_ms = 0;
};

class Reconciler {
  public:
    // `server_names` in shard order. After a reload, `former_or_null` is the same pool's: servers
    // of the same name keep their verdicts and times, the epoch goes on from its.
    Reconciler(const Settings& settings, std::vector<std::string> server_names,
               const Reconciler* former_or_null, uint64_t now_ms);

    // ---- events ----

    // HELLO. What a process in this slot said before is forgotten; it is to be sent ring().
    void on_worker_up(uint32_t worker);
    void on_worker_gone(uint32_t worker);
    // False: there is no such worker or server.
    bool on_suspect(uint32_t worker, uint32_t shard, const Accusation& accusation, uint64_t now_ms);
    bool on_beat(uint32_t worker, const PoolBeat& beat, uint64_t now_ms);
    // Results of probes that do not matter any more are ignored.
    void on_probe(uint32_t shard, uint64_t probe_id, ProbeResult result, uint64_t now_ms);
    // The name stands for another address now: a new server. One that was out stays out until a
    // probe of the new address is good.
    void on_address_change(uint32_t shard, uint64_t now_ms);
    // Orders, obeyed in pools without auto_eject too. What is out by hand is neither probed nor
    // counted on: it stays out until it is readmitted by hand. max_ejection_percent is no limit
    // here, but rehash keeps a server that works. Requires: shard < server_count().
    HandOutcome eject_by_hand(uint32_t shard);
    // Also of a server that was ejected or refused by judgement: trusts the order.
    HandOutcome readmit_by_hand(uint32_t shard, uint64_t now_ms);
    // To be called once now >= next_due_ms().
    void tick(uint64_t now_ms);
    [[nodiscard]] uint64_t next_due_ms() const noexcept;

    // ---- what holds now ----

    [[nodiscard]] RingVerdicts ring() const;
    [[nodiscard]] uint64_t epoch() const noexcept { return epoch_; }
    [[nodiscard]] size_t server_count() const noexcept { return servers_.size(); }
    [[nodiscard]] bool is_live(uint32_t shard) const noexcept;
    [[nodiscard]] size_t ejected_count() const noexcept;
    [[nodiscard]] bool is_out_by_hand(uint32_t shard) const noexcept {
        return servers_[shard].by_hand;
    }
    // server_count() when there is none.
    [[nodiscard]] uint32_t shard_of(std::string_view server_name) const noexcept;
    [[nodiscard]] const ReconcilerCounters& counters() const noexcept { return counters_; }

    // The actions since the last call, in order.
    [[nodiscard]] std::vector<ReconcilerAction> take_actions();

  private:
    struct Server {
        std::string name;
        Verdict verdict = Verdict::kIn;
        int cause = 0;
        uint64_t changed_epoch = 1;  // when the verdict last changed
        uint64_t since_ms = 0;       // kRefused: since when
        uint64_t due_ms = kNever;    // the next probe, or with `probe: false` the return
        uint32_t due_timeout_ms = 0;
        uint64_t probe_id = 0;  // 0 = none on its way
        uint64_t probe_until_ms = 0;
        uint64_t accused_since_ms = kNever;  // the first failure that the present probe is about
        bool probe_weighs = false;           // it was known to be contradicted when it began
        uint64_t last_veto_ms = 0;
        uint64_t returned_ms = 0;  // 0 = never
        uint32_t growth = 1;
        bool by_hand = false;  // then it is kEjected, and nothing is due
    };
    // What one worker has said of one server.
    struct View {
        uint64_t last_success_ms = 0;
        uint64_t first_failure_ms = 0;
        uint64_t heard_ms = 0;
        bool accuses = false;
        bool fresh = false;
    };
    struct Worker {
        bool up = false;
        std::vector<View> views;  // by shard
    };

    void carry_over(const Reconciler& former, uint64_t now_ms);
    [[nodiscard]] bool outlives_reload(const Server& server) const noexcept;
    void spare_one();
    void judge(uint32_t shard, int cause, uint64_t now_ms);
    void decide_by_probe(uint32_t shard, bool is_contradicted, uint64_t now_ms);
    // Somebody who does not accuse it has had a success since.
    [[nodiscard]] bool contradicted(uint32_t shard, uint64_t since_ms) const;
    void veto(uint32_t shard, uint64_t now_ms);
    void drop_accusations(uint32_t shard);
    void eject(uint32_t shard, int cause, uint64_t now_ms);
    void refuse(uint32_t shard, uint64_t now_ms);
    void readmit(uint32_t shard, uint64_t now_ms);
    void end_refusal(uint32_t shard);
    void eject_refused(uint64_t now_ms);
    void start_probe(uint32_t shard, uint64_t now_ms);
    void publish(uint32_t shard, ReconcilerAction::Kind kind);
    [[nodiscard]] bool may_eject() const noexcept;

    Settings settings_;
    uint64_t epoch_ = 1;
    uint64_t last_probe_id_ = 0;
    std::vector<Server> servers_;
    std::vector<Worker> workers_;  // by slot
    std::vector<ReconcilerAction> actions_;
    ReconcilerCounters counters_;
};

}  // namespace ringmaster::health
