// SPDX-License-Identifier: Apache-2.0
#include "master/settings.h"

#include <algorithm>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "config/client_room.h"

namespace ringmaster::master {

namespace {

template <class T>
T first_of(const std::optional<T>& said, const std::optional<T>& written, T built_in) {
    return said ? *said : written.value_or(built_in);
}

}  // namespace

Settings merge_settings(const Options& options, const config::ProcessConfig& process,
                        const Machine& machine) {
    RM_ASSERT(machine.cpus > 0);
    Settings settings;
    settings.config_file = options.config_file;
    const uint32_t workers = first_of(options.workers, process.workers, 0U);
    settings.workers = std::min(workers == 0 ? machine.cpus : workers, kMaxWorkers);
    settings.cpu_affinity = process.cpu_affinity ? "auto" : "off";
    settings.log_file = first_of(options.log_file, process.log_file, settings.log_file);
    settings.log_level = first_of(options.log_level, process.log_level, settings.log_level);
    settings.pid_file = first_of(options.pid_file, process.pid_file, settings.pid_file);
    settings.stats_address =
        first_of(options.stats_address, process.stats_address, settings.stats_address);
    settings.stats_port = first_of(options.stats_port, process.stats_port, settings.stats_port);
    settings.control_path = first_of(options.control, process.control, settings.control_path);
    settings.control_is_asked_for = options.control || process.control;
    settings.shutdown_timeout_ms = process.shutdown_timeout_ms;
    settings.drain_timeout_ms = process.drain_timeout_ms;
    const uint64_t memory_bytes =
        process.max_memory_bytes > 0 ? process.max_memory_bytes : machine.memory_bytes / 4;
    settings.memory_per_worker_bytes = memory_bytes / settings.workers;
    settings.user = process.user.value_or("");
    settings.group = process.group.value_or("");
    settings.daemonize = options.daemonize;
    return settings;
}

std::vector<std::string> keep_what_cannot_change(const Settings& running, Settings& next) {
    std::vector<std::string> lines;
    const auto keep = [&lines](const char* key, const auto& now, auto& wanted) {
        if (wanted != now) {
            lines.push_back(base::format(
                "warning: '{}' cannot change while running, it stays '{}': restart to use '{}'",
                key, now, wanted));
            wanted = now;
        }
    };
    keep("cpu_affinity", running.cpu_affinity, next.cpu_affinity);
    keep("stats_address", running.stats_address, next.stats_address);
    keep("stats_port", running.stats_port, next.stats_port);
    keep("log_file", running.log_file, next.log_file);
    keep("pid_file", running.pid_file, next.pid_file);
    keep("control", running.control_path, next.control_path);
    keep("user", running.user, next.user);
    keep("group", running.group, next.group);
    next.worker_credentials = running.worker_credentials;
    return lines;
}

ServerConnections count_server_connections(const config::Config& config, uint32_t workers) {
    ServerConnections connections;
    for (const config::PoolConfig& pool : config.pools) {
        const uint64_t per_server = uint64_t{workers} * pool.server_connections;
        const uint64_t in_one_dialect = per_server * pool.servers.size();
        connections.total += in_one_dialect;
        connections.in_all_dialects += in_one_dialect * config::dialects(pool);
        if (per_server > connections.most_per_server) {
            connections.most_per_server = per_server;
            connections.most_pool = pool.name;
        }
    }
    return connections;
}

std::string connections_text(const ServerConnections& connections) {
    std::string text = base::format("up to {} server connections", connections.total);
    if (connections.in_all_dialects > connections.total) {
        text += base::format(", {} with a second protocol", connections.in_all_dialects);
    }
    return text;
}

std::string connections_warning(const ServerConnections& connections) {
    if (connections.most_per_server <= kManyConnectionsPerServer) {
        return {};
    }
    return base::format(
        "pool '{}' may open {} connections to each server for each protocol of its clients; "
        "lower server_connections or workers",
        connections.most_pool, connections.most_per_server);
}

}  // namespace ringmaster::master
