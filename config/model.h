// SPDX-License-Identifier: Apache-2.0
// The validated configuration: what master and workers act on. Plain values, no behaviour.
//
// Made only by config::load(); every member is in range and every cross-check has passed. Pools and
// the servers of a pool are in nutcracker's internal order (by name length, then bytewise): indexes
// into these vectors are the pool and shard indexes used everywhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/hash/registry.h"
#include "common/health/types.h"
#include "common/ring/ring.h"

namespace ringmaster::config {

// Where a pool listens or a server lives, as written; nothing here is resolved.
struct Address {
    bool is_unix = false;
    std::string host;       // TCP only; a name or a bare IPv4 or IPv6 address
    uint16_t port = 0;      // TCP only
    std::string port_text;  // TCP only; as written, it is part of a server's default name
    std::string path;       // Unix only
    uint32_t mode = 0;      // Unix listeners only; 0 leaves what the umask gives
    std::string text;       // as written in the file, for messages
};

struct ServerConfig {
    std::string name;  // effective name: ketama label and stats key
    Address address;
    uint32_t weight = 1;
};

// What becomes of a request that cannot be split and whose keys are on several servers.
enum class CrossShard : uint8_t {
    kFirst,  // it goes to the server of its first key, as nutcracker's
    kError,  // -CROSSSLOT
};

// Whether clients may have RESP3 (HELLO 3).
enum class Resp3 : uint8_t {
    kAuto,  // when all servers speak it
    kOn,    // the servers are not asked
    kOff,   // -NOPROTO
};

struct PoolConfig {
    std::string name;
    Address listen;
    const hash::HashRow* hash = nullptr;  // borrowed from the registry; never null after load()
    std::optional<std::pair<char, char>> hash_tag;
    ring::Distribution distribution = ring::Distribution::kKetama;
    uint32_t timeout_ms = 0;  // 0 = none
    uint32_t backlog = 512;
    uint32_t client_connections = 0;  // 0 = no limit
    bool redis = false;
    std::string redis_auth;  // empty = none. Secret: never printed
    // user:password that memcached's clients have to give; empty = none. Secret as well.
    std::string memcached_auth;
    uint32_t redis_db = 0;
    bool redis_db_compat = false;  // database 0 wherever nutcracker failed to select redis_db
    CrossShard cross_shard = CrossShard::kFirst;
    Resp3 resp3 = Resp3::kAuto;
    bool tcpkeepalive = false;
    bool preconnect = false;
    health::Settings eject;
    uint32_t server_connections = 1;
    bool reuseport = false;  // accepted for nutcracker's sake; listeners always share their port
    bool flush_all = false;  // memcached: clients may empty all servers
    // The answer to memcached's `version`. The least that Dalli 5 wants, for its meta commands.
    std::string memcached_version = "1.6.27";
    std::vector<ServerConfig> servers;

    // Clients need no password.
    [[nodiscard]] bool asks_nobody() const noexcept {
        return redis_auth.empty() && memcached_auth.empty();
    }
};

// The database selected on connections to `server`; 0 = none is. twemproxy: there the data is in
// database 0 with a password, or over a Unix socket, and redis_db_compat keeps it so.
inline uint32_t redis_db_of(const PoolConfig& pool, const ServerConfig& server) noexcept {
    const bool stays_in_0 =
        pool.redis_db_compat && (!pool.redis_auth.empty() || server.address.is_unix);
    return stays_in_0 ? 0 : pool.redis_db;
}

// The `ringmaster:` section. Unset optionals mean "the command line or the built-in default
// decides".
struct ProcessConfig {
    std::optional<uint32_t> workers;  // 0 = auto
    bool cpu_affinity = false;        // each worker has one CPU; else any
    std::optional<std::string> log_file;
    std::optional<int> log_level;  // 0..11
    std::optional<std::string> pid_file;
    std::optional<std::string> stats_address;
    std::optional<uint16_t> stats_port;
    std::optional<std::string> control;
    std::optional<std::string> user;   // of the workers; a name or a number
    std::optional<std::string> group;  // only beside user
    uint32_t shutdown_timeout_ms = 10000;
    uint32_t drain_timeout_ms = 60000;
    uint64_t max_memory_bytes = 0;  // over all workers; 0 = a quarter of the machine's memory
};

struct Config {
    ProcessConfig process;
    std::vector<PoolConfig> pools;
};

}  // namespace ringmaster::config
