// SPDX-License-Identifier: Apache-2.0
#include <regex>
#include <sstream>

#include <doctest/doctest.h>

#include "common/stats/stats.h"

namespace ringmaster::stats {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

// Read off nutcracker-0.5.0 -D, and our own from cross_shard to panics; "" stands for the empty
// line.
const std::vector<std::string> kNutcracker = {"pool stats:",
                                              "client_eof",
                                              "client_err",
                                              "client_connections",
                                              "server_ejects",
                                              "forward_error",
                                              "fragments",
                                              "cross_shard",
                                              "accept_paused",
                                              "clients_dropped",
                                              "out_of_memory",
                                              "ring_epoch",
                                              "servers_out",
                                              "suspects",
                                              "fast_fails",
                                              "readmits",
                                              "probes",
                                              "vetoes",
                                              "panics",
                                              "",
                                              "server stats:",
                                              "server_eof",
                                              "server_err",
                                              "server_timedout",
                                              "server_connections",
                                              "server_ejected_at",
                                              "requests",
                                              "request_bytes",
                                              "responses",
                                              "response_bytes",
                                              "in_queue",
                                              "in_queue_bytes",
                                              "out_queue",
                                              "out_queue_bytes"};

TEST_CASE("describe-stats: nutcracker's names, order and layout") {
    const std::string text = describe();
    CHECK(text.back() == '\n');
    const std::vector<std::string> lines = lines_of(text);
    REQUIRE(lines.size() == kNutcracker.size());
    for (size_t i = 0; i < lines.size(); ++i) {
        CAPTURE(lines[i]);
        const std::string& name = kNutcracker[i];
        if (name.empty() || name.back() == ':') {
            CHECK(lines[i] == name);
            continue;
        }
        REQUIRE(lines[i].size() > 22);
        CHECK(lines[i].substr(0, 22) == "  " + name + std::string(20 - name.size(), ' '));
        CHECK(std::regex_match(lines[i].substr(22), std::regex("\"[^\"]+\"")));
    }
}

TEST_CASE("stats table: enumerators index the rows") {
    CHECK(pool_stats().size() == 18);
    CHECK(server_stats().size() == 13);
    CHECK(pool_stats()[static_cast<size_t>(PoolStat::kForwardError)].name == "forward_error");
    CHECK(server_stats()[static_cast<size_t>(ServerStat::kInQueue)].name == "in_queue");
}

TEST_CASE("stats table: the kinds decide what a dashboard may do with a number") {
    const auto kind = [](ServerStat stat) {
        return server_stats()[static_cast<size_t>(stat)].kind;
    };
    CHECK(kind(ServerStat::kServerConnections) == Kind::kGauge);
    CHECK(kind(ServerStat::kServerEjectedAt) == Kind::kTimestamp);
    CHECK(kind(ServerStat::kRequestBytes) == Kind::kCounter);
    CHECK(kind(ServerStat::kOutQueueBytes) == Kind::kGauge);
    CHECK(pool_stats()[static_cast<size_t>(PoolStat::kClientConnections)].kind == Kind::kGauge);
}

}  // namespace
}  // namespace ringmaster::stats
