// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/info_text.h"

#include <algorithm>
#include <array>

#include "common/base/format.h"
#include "common/proto/redis/keys.h"

namespace ringmaster::proto::redis {
namespace {

std::string human(uint64_t bytes) {
    constexpr std::string_view kUnits = "BKMGT";
    auto value = static_cast<double>(bytes);
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    return unit == 0 ? base::format("{}B", bytes) : base::format("{:.2f}{}", value, kUnits[unit]);
}

std::string seconds(uint64_t us) {
    return base::format("{}.{:06}", us / 1000000, us % 1000000);
}

std::string server(const InfoFacts& facts) {
    return base::format(
        "# Server\r\nredis_version:{}\r\nredis_mode:standalone\r\nos:{}\r\narch_bits:{}\r\n"
        "process_id:{}\r\nrun_id:{}\r\ntcp_port:{}\r\nserver_time_usec:{}\r\n"
        "uptime_in_seconds:{}\r\nuptime_in_days:{}\r\n",
        facts.redis_version, facts.os, 8 * sizeof(void*), facts.process_id, facts.run_id,
        facts.tcp_port, facts.server_time_us, facts.uptime_s, facts.uptime_s / 86400);
}

std::string clients(const InfoFacts& facts) {
    return base::format(
        "# Clients\r\nconnected_clients:{}\r\nmaxclients:{}\r\n"
        "blocked_clients:0\r\ntracking_clients:0\r\n",
        facts.connected_clients, facts.max_clients);
}

std::string memory(const InfoFacts& facts) {
    return base::format(
        "# Memory\r\nused_memory:{}\r\nused_memory_human:{}\r\nmaxmemory:{}\r\n"
        "maxmemory_human:{}\r\nmaxmemory_policy:noeviction\r\n",
        facts.used_memory, human(facts.used_memory), facts.max_memory, human(facts.max_memory));
}

std::string persistence(const InfoFacts&) {
    return "# Persistence\r\nloading:0\r\nasync_loading:0\r\nrdb_bgsave_in_progress:0\r\n"
           "aof_enabled:0\r\naof_rewrite_in_progress:0\r\n";
}

std::string stats(const InfoFacts& facts) {
    return base::format(
        "# Stats\r\ntotal_connections_received:{}\r\ntotal_commands_processed:{}\r\n"
        "rejected_connections:0\r\npubsub_channels:0\r\npubsub_patterns:0\r\n"
        "total_error_replies:{}\r\n",
        facts.connections_received, facts.commands_processed, facts.requests_failed);
}

std::string replication(const InfoFacts& facts) {
    return base::format(
        "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"
        "master_failover_state:no-failover\r\nmaster_replid:{}\r\n"
        "master_repl_offset:0\r\n",
        facts.run_id);
}

std::string cpu(const InfoFacts& facts) {
    return base::format("# CPU\r\nused_cpu_sys:{}\r\nused_cpu_user:{}\r\n",
                        seconds(facts.cpu_system_us), seconds(facts.cpu_user_us));
}

std::string modules(const InfoFacts&) {
    return "# Modules\r\n";
}

std::string cluster(const InfoFacts&) {
    return "# Cluster\r\ncluster_enabled:0\r\n";
}

// How many keys there are is the servers' knowledge.
std::string keyspace(const InfoFacts&) {
    return "# Keyspace\r\n";
}

std::string proxy(const InfoFacts& facts) {
    return base::format(
        "# Proxy\r\nproxy_name:ringmaster\r\nproxy_version:{}\r\nproxy_pool:{}\r\n"
        "proxy_worker:{}\r\nproxy_database:{}\r\nproxy_servers:{}\r\nproxy_servers_out:{}\r\n",
        facts.proxy_version, facts.pool, facts.worker, facts.database, facts.servers,
        facts.servers_out);
}

struct Section {
    std::string_view name;
    std::string (*text)(const InfoFacts&);
};

constexpr std::array kSections = {
    Section{"server", server},   Section{"clients", clients},
    Section{"memory", memory},   Section{"persistence", persistence},
    Section{"stats", stats},     Section{"replication", replication},
    Section{"cpu", cpu},         Section{"modules", modules},
    Section{"cluster", cluster}, Section{"keyspace", keyspace},
    Section{"proxy", proxy},
};

bool is_wanted(std::string_view section, std::span<const std::string_view> wanted) {
    return wanted.empty() ||
           std::any_of(wanted.begin(), wanted.end(), [section](std::string_view word) {
               return equal_ignoring_case(word, section) || equal_ignoring_case(word, "default") ||
                      equal_ignoring_case(word, "all") || equal_ignoring_case(word, "everything");
           });
}

}  // namespace

std::string info_text(const InfoFacts& facts, std::span<const std::string_view> wanted) {
    std::string text;
    for (const Section& section : kSections) {
        if (is_wanted(section.name, wanted)) {
            text += text.empty() ? "" : "\r\n";
            text += section.text(facts);
        }
    }
    return text;
}

}  // namespace ringmaster::proto::redis
