// SPDX-License-Identifier: Apache-2.0
// Judges the servers of all pools for all workers: one health::Reconciler per pool, its probes and
// its clock. What the verdicts mean and why: common/health/README.md.
//
// What comes from workers is untrusted: a false says that it cannot come from a worker in order.
// Times are the loop's; deadlines are judged in after_poll(). Callbacks come from inside every
// function that takes an event.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/control/messages.h"
#include "common/health/probe.h"
#include "common/health/reconciler.h"
#include "common/io/loop.h"
#include "common/io/socket_address.h"
#include "common/io/timer.h"
#include "common/stats/stats.h"
#include "config/model.h"
#include "master/probe_connection.h"

namespace ringmaster::master {

class HealthKeeper {
  public:
    struct Callbacks {
        // The pool's RING as it is when it is written.
        std::function<void(size_t pool)> ring_to_all;
        std::function<void(size_t slot, size_t pool)> ring_to;
        std::function<void(size_t slot, const control::Reconnect& message)> reconnect;
        // Empty when the name does not resolve.
        std::function<io::SocketAddress(size_t pool, size_t shard)> address;
    };

    HealthKeeper(io::Loop& loop, const config::Config& config, uint64_t generation,
                 Callbacks callbacks);

    // Another config is in force. Servers of the same name in a pool of the same name keep their
    // verdicts; nothing is sent.
    void reload(const config::Config& config, uint64_t generation);

    // HELLO: it is to be sent every pool's RING. / The process has ended.
    void on_worker_up(size_t slot);
    void on_worker_gone(size_t slot);
    [[nodiscard]] bool on_suspect(size_t slot, const control::Suspect& message);
    [[nodiscard]] bool on_beat(size_t slot, const control::Beat& message);
    void on_address_change(size_t pool, size_t shard);
    // A person's order. Requires: there is such a server.
    health::HandOutcome eject_by_hand(size_t pool, size_t shard);
    health::HandOutcome readmit_by_hand(size_t pool, size_t shard);
    // Of the loop's hooks.
    void after_poll();

    // The pool's RING without addresses; empty ones stand where they belong.
    [[nodiscard]] control::RingState ring(size_t pool) const;
    [[nodiscard]] const health::Reconciler& reconciler(size_t pool) const {
        return pools_[pool].reconciler;
    }
    // The master's part of the stats: ejections, returns, probes, the epoch.
    void add_to(stats::Snapshot& snapshot) const;

  private:
    struct Pool {
        std::string name;
        std::vector<std::string> servers;
        std::vector<std::string> addresses;         // by shard; as the configuration says them
        std::vector<health::ProbeSettings> probes;  // by shard
        std::vector<int64_t> ejected_at_us;         // by shard; since 1970, 0 = never
        health::Reconciler reconciler;
    };
    struct Probing {
        size_t pool = 0;
        uint32_t shard = 0;
        uint64_t id = 0;
        std::unique_ptr<ProbeConnection> connection;
    };

    // A server whose name stays and whose address is another one is probed there, and soon.
    static void note_moved_servers(const Pool& former, Pool& pool, uint64_t now_ms);
    static Pool make_pool(const config::PoolConfig& config, const Pool* former_or_null,
                          uint64_t now_ms);
    void obey(size_t pool);
    void start_probe(size_t pool, const health::ReconcilerAction& action);
    void tell(Pool& pool, const health::ReconcilerAction& action);
    bool collect_probes();  // true when some were done
    void arm();

    io::Loop& loop_;
    uint64_t generation_;
    Callbacks callbacks_;
    std::vector<Pool> pools_;
    std::vector<bool> workers_up_;  // by slot
    std::vector<Probing> probing_;
    // Makes the loop turn when something is due; after_poll() does the rest.
    io::Timer wake_;
};

}  // namespace ringmaster::master
