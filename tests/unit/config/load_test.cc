// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tests/unit/config/support.h"

using namespace ringmaster::config;

TEST_CASE("config load: every pool key reaches its field") {
    const LoadResult result = load_text(
        "p:\n"
        "  listen: /run/x.sock 0640\n"
        "  hash: md5\n"
        "  hash_tag: \"{}\"\n"
        "  distribution: modula\n"
        "  timeout: 401\n"
        "  backlog: 7\n"
        "  client_connections: 8\n"
        "  redis: true\n"
        "  redis_auth: secret\n"
        "  redis_db: 3\n"
        "  tcpkeepalive: true\n"
        "  preconnect: true\n"
        "  auto_eject_hosts: true\n"
        "  server_connections: 5\n"
        "  server_retry_timeout: 6000\n"
        "  server_failure_limit: 9\n"
        "  reuseport: true\n"
        "  servers:\n"
        "    - h:6379:2 name\n");
    INFO(text_of(result));
    REQUIRE(result.config);
    REQUIRE(result.config->pools.size() == 1);
    const PoolConfig& pool = result.config->pools[0];
    CHECK(pool.name == "p");
    CHECK(pool.listen.is_unix);
    CHECK(pool.listen.path == "/run/x.sock");
    CHECK(pool.listen.mode == 0640);
    CHECK(pool.listen.text == "/run/x.sock 0640");
    CHECK(pool.hash->name == "md5");
    CHECK(pool.hash_tag == std::pair<char, char>('{', '}'));
    CHECK(pool.distribution == ringmaster::ring::Distribution::kModula);
    CHECK(pool.timeout_ms == 401);
    CHECK(pool.backlog == 7);
    CHECK(pool.client_connections == 8);
    CHECK(pool.redis);
    CHECK(pool.redis_auth == "secret");
    CHECK(pool.redis_db == 3);
    CHECK(pool.tcpkeepalive);
    CHECK(pool.preconnect);
    CHECK(pool.eject.auto_eject);
    CHECK(pool.server_connections == 5);
    CHECK(pool.eject.retry_timeout_ms == 6000);
    CHECK(pool.eject.failure_limit == 9);
    CHECK(pool.reuseport);
    REQUIRE(pool.servers.size() == 1);
    CHECK(pool.servers[0].name == "name");
    CHECK(pool.servers[0].weight == 2);
    CHECK(pool.servers[0].address.port == 6379);
}

TEST_CASE("config load: a minimal pool has the defaults") {
    const LoadResult result = load_text(pool_with(""));
    REQUIRE(result.config);
    CHECK(result.diagnostics.empty());
    const PoolConfig& pool = result.config->pools[0];
    CHECK(pool.hash->name == "fnv1a_64");
    CHECK(pool.distribution == ringmaster::ring::Distribution::kKetama);
    CHECK(pool.backlog == 512);
    CHECK(pool.server_connections == 1);
    CHECK_FALSE(pool.hash_tag);
}

TEST_CASE("config load: pools and servers are in the internal order") {
    const std::string servers =
        "  servers:\n    - a:1:1 server10\n    - a:1:1 server2\n    - a:1:1 alpha\n"
        "    - a:1:1 z\n";
    const LoadResult result = load_text("bb:\n  listen: x:1\n" + servers + "c:\n  listen: x:2\n" +
                                        servers + "aa:\n  listen: x:3\n" + servers);
    REQUIRE(result.config);
    const auto& pools = result.config->pools;
    REQUIRE(pools.size() == 3);
    CHECK(pools[0].name == "c");
    CHECK(pools[1].name == "aa");
    CHECK(pools[2].name == "bb");
    std::string order;
    for (const ServerConfig& server : pools[0].servers) {
        order += server.name + " ";
    }
    CHECK(order == "z alpha server2 server10 ");
}

TEST_CASE("config load: the ringmaster section may stand anywhere and is no pool") {
    const std::string section =
        "ringmaster:\n"
        "  workers: 4\n"
        "  log_file: /var/log/r.log\n"
        "  log_level: 11\n"
        "  pid_file: /run/r.pid\n"
        "  stats_address: 127.0.0.1\n"
        "  stats_port: 22222\n"
        "  user: www\n"
        "  group: 33\n"
        "  shutdown_timeout: 1\n"
        "  drain_timeout: 2\n"
        "  max_memory: 64m\n";
    for (const std::string& text : {section + pool_with(""), pool_with("") + section}) {
        const LoadResult result = load_text(text);
        INFO(text_of(result));
        REQUIRE(result.config);
        CHECK(result.config->pools.size() == 1);
        const ProcessConfig& process = result.config->process;
        CHECK(process.workers == 4U);
        CHECK(process.log_file == "/var/log/r.log");
        CHECK(process.log_level == 11);
        CHECK(process.pid_file == "/run/r.pid");
        CHECK(process.stats_address == "127.0.0.1");
        CHECK(process.stats_port == 22222);
        CHECK(process.user == "www");
        CHECK(process.group == "33");
        CHECK(process.shutdown_timeout_ms == 1);
        CHECK(process.drain_timeout_ms == 2);
        CHECK(process.max_memory_bytes == 64 << 20);
    }
}

TEST_CASE("config load: an empty ringmaster section is fine, alone it is not") {
    CHECK(load_text("ringmaster:\n  # workers: 4\n" + pool_with("")).config);
    const LoadResult alone = load_text("ringmaster:\n  workers: 4\n");
    CHECK_FALSE(alone.config);
    CHECK(contains(text_of(alone), "the file contains no pool"));
}

TEST_CASE("config load: a pool named ringmaster is told to take another name") {
    const LoadResult result = load_text("ringmaster:\n  listen: x:1\n  servers:\n    - a:1:1\n");
    CHECK_FALSE(result.config);
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(contains(text_of(result), "a pool cannot be named 'ringmaster'"));
    CHECK(contains(text_of(result), "rename this pool"));
}

TEST_CASE("config load: errors in the ringmaster section") {
    const std::string text =
        text_of(load_text("ringmaster:\n  worker: 4\n  log_level: 12\n  log_level: 1\n  hash: md5\n"
                          "  max_memory: 12x\n  pid_file:\n  stats_port:\n    - 1\n" +
                          pool_with("  workers: 1\n")));
    CHECK(contains(text, "f:2:3: error: unknown key 'worker' (did you mean 'workers'?)"));
    CHECK(contains(text, "f:3:14: error: bad value '12' for 'log_level'"));
    CHECK(contains(text, "f:4:3: error: key 'log_level' is given twice"));
    CHECK(contains(text, "f:5:3: error: unknown key 'hash' (this key belongs into a pool)"));
    CHECK(contains(text, "f:6:15: error: bad value '12x' for 'max_memory'"));
    CHECK(contains(text, "'pid_file' has no value"));
    CHECK(contains(text, "'stats_port' contains a list"));
    CHECK(contains(text, "unknown key 'workers' (this key belongs into the ringmaster: section)"));
    CHECK(contains(text_of(load_text("ringmaster: 1\n" + pool_with(""))),
                   "'ringmaster' must contain process settings"));
    CHECK(contains(text_of(load_text("ringmaster:\nringmaster:\n" + pool_with(""))),
                   "key 'ringmaster' is given twice"));
}

TEST_CASE("config load: a single list under another key applies that key per item") {
    CHECK(load_text("a:\n  listen: x:1\n  hash:\n    - md5\n  servers: h:1:1\n").config);
    CHECK_FALSE(
        load_text("a:\n  listen: x:1\n  hash:\n    - md5\n    - md5\n  servers: h:1:1\n").config);
    CHECK_FALSE(load_text("a:\n  listen: x:1\n  hash:\n    - md5\n").config);
}

TEST_CASE("config load: a wrong redis value does not also blame redis_auth") {
    const LoadResult result = load_text(pool_with("  redis: on\n  redis_auth: x\n"));
    CHECK(count_of(result, Severity::kError) == 1);
}

TEST_CASE("config load: as many pools and servers as control messages have room for, and no more") {
    std::string text = "a:\n  listen: x:1\n  servers:\n";
    for (int i = 0; i < 99999; ++i) {
        text += "    - /" + std::to_string(i) + ":1\n";
    }
    CHECK(load_text(text).config);
    const LoadResult refused = load_text(text + "b:\n  listen: x:2\n  servers:\n    - c:1:1\n");
    CHECK_FALSE(refused.config);
    CHECK(contains(text_of(refused),
                   "f:100003:1: error: more than 100000 pools and servers in one file"));
}
