// SPDX-License-Identifier: Apache-2.0
// The text of INFO: the sections and fields that clients look for, and one of the proxy's own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ringmaster::proto::redis {

struct InfoFacts {
    // Server
    std::string_view redis_version;
    std::string os;  // "Linux 6.1 x86_64"
    int64_t process_id = 0;
    std::string_view run_id;  // 40 hexadecimal digits
    uint16_t tcp_port = 0;    // 0: a Unix socket
    uint64_t server_time_us = 0;
    uint64_t uptime_s = 0;
    // Clients
    int64_t connected_clients = 0;
    uint32_t max_clients = 0;  // 0: no limit
    // Memory
    uint64_t used_memory = 0;
    uint64_t max_memory = 0;
    // Stats
    int64_t connections_received = 0;
    int64_t commands_processed = 0;
    int64_t requests_failed = 0;
    // CPU
    uint64_t cpu_system_us = 0;
    uint64_t cpu_user_us = 0;
    // Proxy
    std::string_view proxy_version;
    std::string_view pool;
    uint32_t worker = 0;
    uint32_t database = 0;
    size_t servers = 0;
    int64_t servers_out = 0;
};

// `wanted`: the arguments of INFO, any case; none is "default". Sections come once, in the server's
// order. A name that no section has adds nothing.
std::string info_text(const InfoFacts& facts, std::span<const std::string_view> wanted);

}  // namespace ringmaster::proto::redis
