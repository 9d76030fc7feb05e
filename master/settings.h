// SPDX-License-Identifier: Apache-2.0
// What the process runs with: the command line wins over the config's `ringmaster:` section, which
// wins over the built-in defaults. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/io/credentials.h"
#include "config/model.h"
#include "master/options.h"

namespace ringmaster::master {

inline constexpr const char* kDefaultControlPath = "/run/ringmaster/control.sock";

struct Settings {
    std::string config_file;
    uint32_t workers = 1;              // 1..kMaxWorkers
    std::string cpu_affinity = "off";  // or "auto": each worker has one CPU
    std::string log_file;              // empty = stderr
    int log_level = 5;
    std::string pid_file;                   // empty = none
    std::string stats_address = "0.0.0.0";  // a host, or a path when it begins with '/'
    uint16_t stats_port = 22222;
    std::string control_path = kDefaultControlPath;
    bool control_is_asked_for = false;  // then a start without it is a failure
    uint32_t shutdown_timeout_ms = 10000;
    uint32_t drain_timeout_ms = 60000;
    uint64_t memory_per_worker_bytes = 0;
    std::string user;  // as written; worker_credentials are what they stand for
    std::string group;
    bool daemonize = false;
    // Who the workers become; looked up by the caller (identity.h).
    std::optional<io::Credentials> worker_credentials;
};

// What the machine offers.
struct Machine {
    uint32_t cpus = 1;  // at least 1; what workers "auto" means
    uint64_t memory_bytes = 0;
};

// max_memory "auto" is a quarter of the machine's memory, over all workers.
Settings merge_settings(const Options& options, const config::ProcessConfig& process,
                        const Machine& machine);

// What a running process cannot change is put back to what it is; a line for each that was to
// change.
std::vector<std::string> keep_what_cannot_change(const Settings& running, Settings& next);

// Connections to servers that all workers may open, but for spares behind slow readers.
struct ServerConnections {
    uint64_t total = 0;            // while all clients of a pool speak one dialect
    uint64_t in_all_dialects = 0;  // RESP2 and RESP3, or memcached's text and binary
    uint64_t most_per_server = 0;  // in one dialect
    std::string most_pool;         // the pool with most_per_server
};
inline constexpr uint64_t kManyConnectionsPerServer = 1000;

ServerConnections count_server_connections(const config::Config& config, uint32_t workers);

// "up to 8 server connections, 16 with a second protocol".
std::string connections_text(const ServerConnections& connections);
// The warning when most_per_server is over kManyConnectionsPerServer, else empty.
std::string connections_warning(const ServerConnections& connections);

}  // namespace ringmaster::master
