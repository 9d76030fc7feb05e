// SPDX-License-Identifier: Apache-2.0
// What `ringmaster status` shows, as plain values, and its two forms. Pure.
//
// The names in the JSON document are promised: fields may be added, none changes its meaning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/health/reconciler.h"
#include "common/health/types.h"
#include "common/stats/stats.h"

namespace ringmaster::master {

struct ServerStatus {
    std::string name;
    std::string address;  // empty = its name does not resolve
    health::Verdict verdict = health::Verdict::kIn;
    bool by_hand = false;
    double requests_per_s = 0;
    stats::ServerCounters counters;
};

struct PoolStatus {
    std::string name;
    std::string listen;
    bool redis = false;
    bool auto_eject = false;
    uint64_t epoch = 0;
    size_t ejected = 0;
    health::ReconcilerCounters health;
    double requests_per_s = 0;
    stats::PoolCounters counters;
    std::vector<ServerStatus> servers;
};

// One pool in one worker, as its last beat and its last report said.
struct WorkerPoolStatus {
    uint64_t epoch = 0;
    bool in_fallback = false;
    stats::PoolSnapshot counters;
};

struct WorkerStatus {
    size_t slot = 0;
    int64_t pid = 0;
    std::optional<uint32_t> cpu;  // the only one it was told to run on
    std::string state;            // starting, configured, ready, dead
    uint64_t age_ms = 0;
    bool surplus = false;              // not wanted any more: it ends with its last client
    bool silent = false;               // ready, but its beats stay away
    std::optional<size_t> adopted_by;  // the slot whose worker accepts for it meanwhile
    uint64_t crashes = 0;              // of this slot, ever
    uint64_t generation = 0;
    std::optional<uint64_t> beat_age_ms;  // none before the first beat
    uint32_t clients = 0;
    uint32_t lag_ms = 0;
    std::vector<WorkerPoolStatus> pools;
};

struct StatusReport {
    std::string version;
    int64_t pid = 0;
    uint64_t uptime_ms = 0;
    uint64_t generation = 0;
    std::string config_file;
    bool stopping = false;
    int log_level = 0;
    int64_t reloads = 0;
    int64_t failed_reloads = 0;
    uint64_t crashes = 0;           // of all workers, ever
    uint64_t adoptions = 0;         // times that a worker accepted for another, ever
    int64_t total_connections = 0;  // of clients, ever
    int64_t curr_connections = 0;
    std::vector<WorkerStatus> workers;
    std::vector<PoolStatus> pools;
};

// "in", "ejected", "ejected by hand", "refused", "probing".
std::string server_state(health::Verdict verdict, bool by_hand);

// "1 worker", "2 workers"
std::string counted(size_t count, std::string_view what);

// Connections lost: ended by the server, by an error, given up after a timeout.
int64_t server_errors(const stats::ServerCounters& counters) noexcept;

std::string status_text(const StatusReport& report);  // for people; lines
std::string status_json(const StatusReport& report);  // one document, one line

}  // namespace ringmaster::master
