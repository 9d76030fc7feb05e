// SPDX-License-Identifier: Apache-2.0
#include "master/settings.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

config::ProcessConfig full_section() {
    config::ProcessConfig process;
    process.workers = 3;
    process.cpu_affinity = true;
    process.log_file = "section.log";
    process.log_level = 7;
    process.pid_file = "section.pid";
    process.stats_address = "127.0.0.2";
    process.stats_port = 1000;
    process.shutdown_timeout_ms = 1;
    process.drain_timeout_ms = 2;
    return process;
}

namespace {
constexpr uint64_t kMachineBytes = uint64_t{64} << 30;
}

TEST_CASE("settings: each worker's share of memory") {
    config::ProcessConfig section;
    section.workers = 4;
    const Machine machine{.cpus = 8, .memory_bytes = kMachineBytes};
    CHECK(merge_settings({}, section, machine).memory_per_worker_bytes == uint64_t{4} << 30);
    section.max_memory_bytes = uint64_t{1} << 30;
    CHECK(merge_settings({}, section, machine).memory_per_worker_bytes == uint64_t{256} << 20);
}

TEST_CASE("settings: built-in defaults when nothing is said") {
    const Settings settings = merge_settings({}, {}, {.cpus = 4, .memory_bytes = kMachineBytes});
    CHECK(settings.config_file == "conf/nutcracker.yml");
    CHECK(settings.workers == 4);
    CHECK(settings.cpu_affinity == "off");
    CHECK(settings.log_file.empty());
    CHECK(settings.log_level == 5);
    CHECK(settings.pid_file.empty());
    CHECK(settings.stats_address == "0.0.0.0");
    CHECK(settings.stats_port == 22222);
    CHECK(settings.shutdown_timeout_ms == 10000);
    CHECK(settings.drain_timeout_ms == 60000);
}

TEST_CASE("settings: the config's section wins over the defaults") {
    const Settings settings =
        merge_settings({}, full_section(), {.cpus = 4, .memory_bytes = kMachineBytes});
    CHECK(settings.workers == 3);
    CHECK(settings.cpu_affinity == "auto");
    CHECK(settings.log_file == "section.log");
    CHECK(settings.log_level == 7);
    CHECK(settings.pid_file == "section.pid");
    CHECK(settings.stats_address == "127.0.0.2");
    CHECK(settings.stats_port == 1000);
    CHECK(settings.shutdown_timeout_ms == 1);
    CHECK(settings.drain_timeout_ms == 2);
}

TEST_CASE("settings: the command line wins over both") {
    Options options;
    options.workers = 5;
    options.log_file = "";
    options.log_level = 0;
    options.pid_file = "line.pid";
    options.stats_address = "::1";
    options.stats_port = 2000;
    const Settings settings =
        merge_settings(options, full_section(), {.cpus = 4, .memory_bytes = kMachineBytes});
    CHECK(settings.workers == 5);
    CHECK(settings.log_file.empty());
    CHECK(settings.log_level == 0);
    CHECK(settings.pid_file == "line.pid");
    CHECK(settings.stats_address == "::1");
    CHECK(settings.stats_port == 2000);
}

TEST_CASE("settings: auto on the command line wins over a number in the config") {
    Options options;
    options.workers = 0;
    CHECK(merge_settings(options, full_section(), {.cpus = 2, .memory_bytes = kMachineBytes})
              .workers == 2);
    CHECK(merge_settings(options, full_section(), {.cpus = 100000, .memory_bytes = kMachineBytes})
              .workers == kMaxWorkers);
}

TEST_CASE("settings: server connections are workers x servers x server_connections") {
    config::Config config;
    config.pools.resize(2);
    config.pools[0].name = "small";
    config.pools[0].servers.resize(3);
    config.pools[1].name = "large";
    config.pools[1].servers.resize(1);
    config.pools[1].server_connections = 251;
    const ServerConnections connections = count_server_connections(config, 4);
    CHECK(connections.total == 4 * 3 + 4 * 251);
    CHECK(connections.most_per_server == 1004);
    CHECK(connections_warning(connections).find("'large'") != std::string::npos);
    CHECK(connections_text(connections) ==
          "up to 1016 server connections, 2032 with a second protocol");
    config.pools[0].redis = true;
    config.pools[0].resp3 = config::Resp3::kOff;
    CHECK(count_server_connections(config, 4).in_all_dialects == 4 * 3 + 2 * 4 * 251);
    config.pools.pop_back();
    CHECK(connections_text(count_server_connections(config, 4)) == "up to 12 server connections");
    config.pools.resize(2);
    config.pools[1].servers.resize(1);
    config.pools[1].server_connections = 250;
    CHECK(connections_warning(count_server_connections(config, 4)).empty());
}

TEST_CASE("settings: who the workers are does not change while running") {
    Settings running;
    running.user = "www";
    running.worker_credentials = io::Credentials{.uid = 33, .gid = 33, .groups = {}};
    Settings next;
    next.user = "other";
    next.group = "web";
    const std::vector<std::string> notes = keep_what_cannot_change(running, next);
    REQUIRE(notes.size() == 2);
    CHECK(notes[0].find("'user' cannot change") != std::string::npos);
    CHECK(notes[1].find("'group' cannot change") != std::string::npos);
    CHECK(next.user == "www");
    CHECK(next.group.empty());
    CHECK(next.worker_credentials == running.worker_credentials);
}

TEST_CASE("settings: what cannot change stays, and is named") {
    Settings running;
    running.stats_address = "127.0.0.1";
    running.stats_port = 1;
    running.user = "proxy";
    running.worker_credentials.emplace().uid = 77;
    Settings next = running;
    next.worker_credentials.reset();
    CHECK(keep_what_cannot_change(running, next).empty());
    REQUIRE(next.worker_credentials);
    CHECK(next.worker_credentials->uid == 77);

    next.workers = running.workers + 1;
    next.log_level = running.log_level + 1;
    next.drain_timeout_ms = running.drain_timeout_ms + 1;
    CHECK(keep_what_cannot_change(running, next).empty());
    CHECK(next.workers == running.workers + 1);
    CHECK(next.log_level == running.log_level + 1);
    CHECK(next.drain_timeout_ms == running.drain_timeout_ms + 1);

    next.cpu_affinity = "auto";
    next.stats_address = "0.0.0.0";
    next.stats_port = 2;
    next.log_file = "other.log";
    next.pid_file = "other.pid";
    next.control_path = "/other.sock";
    next.user = "";
    next.group = "others";
    const std::vector<std::string> lines = keep_what_cannot_change(running, next);
    REQUIRE(lines.size() == 8);
    CHECK(lines[2] ==
          "warning: 'stats_port' cannot change while running, it stays '1': restart to use '2'");
    CHECK(next.cpu_affinity == running.cpu_affinity);
    CHECK(next.stats_address == running.stats_address);
    CHECK(next.stats_port == running.stats_port);
    CHECK(next.log_file == running.log_file);
    CHECK(next.pid_file == running.pid_file);
    CHECK(next.control_path == running.control_path);
    CHECK(next.user == running.user);
    CHECK(next.group == running.group);
}

}  // namespace
}  // namespace ringmaster::master
