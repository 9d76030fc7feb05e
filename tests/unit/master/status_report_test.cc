// SPDX-License-Identifier: Apache-2.0
#include "master/status_report.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace ringmaster::master {
namespace {

StatusReport sample_report() {
    StatusReport report;
    report.version = "1.2.3";
    report.pid = 4711;
    report.uptime_ms = 3725900;
    report.generation = 3;
    report.config_file = "my.yml";
    PoolStatus& pool = report.pools.emplace_back();
    pool.name = "alpha";
    pool.listen = "127.0.0.1:22121";
    pool.redis = true;
    pool.epoch = 9;
    pool.ejected = 1;
    pool.health.ejects = 5;
    pool.requests_per_s = 12.34;
    pool.counters.set(stats::PoolStat::kClientConnections, 2);
    pool.counters.set(stats::PoolStat::kCrossShard, 77);
    ServerStatus& good = pool.servers.emplace_back();
    good.name = "one";
    good.address = "127.0.0.1:6379";
    good.requests_per_s = 12.34;
    good.counters.set(stats::ServerStat::kServerConnections, 4);
    good.counters.set(stats::ServerStat::kServerEof, 1);
    good.counters.set(stats::ServerStat::kServerTimedout, 2);
    ServerStatus& out = pool.servers.emplace_back();
    out.name = "odd\xff\n";
    out.verdict = health::Verdict::kEjected;
    out.by_hand = true;
    WorkerStatus& worker = report.workers.emplace_back();
    worker.pid = 4712;
    worker.state = "ready";
    worker.age_ms = 61000;
    worker.crashes = 6;
    worker.beat_age_ms = 42;
    worker.clients = 2;
    worker.pools.push_back({.epoch = 8, .in_fallback = true, .counters = {}});
    worker.pools[0].counters.pool.set(stats::PoolStat::kFragments, 31);
    worker.pools[0].counters.servers.resize(2);
    worker.pools[0].counters.servers[0].set(stats::ServerStat::kRequests, 55);
    report.workers.emplace_back().slot = 1;
    report.workers[1].state = "ready";
    report.workers[1].cpu = 6;
    report.workers[1].silent = true;
    report.workers[1].adopted_by = 0;
    return report;
}

TEST_CASE("status: the text says who is who, in columns") {
    const std::string text = status_text(sample_report());
    CHECK(text.find("ringmaster 1.2.3 pid 4711, up 1h02m, serving\n") == 0);
    StatusReport young = sample_report();
    young.uptime_ms = 3456;  // as exact as a worker's age
    CHECK(status_text(young).find(", up 3.4s, ") != std::string::npos);
    CHECK(text.find("configuration my.yml, generation 3; 2 workers, 1 pool, 2 clients") !=
          std::string::npos);
    CHECK(text.find("pool alpha: Redis on 127.0.0.1:22121, 2 clients, 12.3 requests/s, epoch 9") !=
          std::string::npos);
    CHECK(text.find("ready, on its own") != std::string::npos);
    CHECK(text.find("silent, 0 accepts for it") != std::string::npos);
    CHECK(text.find("42 ms ago") != std::string::npos);
    CHECK(text.find("  SERVER") != std::string::npos);
    CHECK(text.find("unresolved") != std::string::npos);
    CHECK(text.find("ejected by hand") != std::string::npos);
    CHECK(text.find(" \n") == std::string::npos);
}

TEST_CASE("status: the JSON has every row of stats.def, per worker and summed") {
    const nlohmann::json json = nlohmann::json::parse(status_json(sample_report()));
    CHECK(json["pid"] == 4711);
    CHECK(json["uptime_s"] == 3725);
    CHECK(json["state"] == "serving");
    const auto& pool = json["pools"][0];
    CHECK(pool["name"] == "alpha");
    CHECK(pool["protocol"] == "redis");
    CHECK(pool["epoch"] == 9);
    CHECK(pool["ejected"] == 1);
    CHECK(pool["health"]["ejects"] == 5);
    CHECK(pool["requests_per_s"] == 12.3);
    CHECK(pool["stats"]["cross_shard"] == 77);
    CHECK(pool["servers"][0]["errors"] == 3);
    CHECK(pool["servers"][1]["state"] == "ejected");
    CHECK(pool["servers"][1]["by_hand"] == true);
    const auto& worker = json["workers"][0];
    CHECK(worker["beat_age_ms"] == 42);
    CHECK(worker["crashes"] == 6);
    CHECK(worker["pools"][0]["epoch"] == 8);
    CHECK(worker["pools"][0]["in_fallback"] == true);
    CHECK(worker["pools"][0]["stats"]["fragments"] == 31);
    CHECK(worker["pools"][0]["servers"][0]["stats"]["requests"] == 55);
    CHECK(worker["adopted_by"].is_null());
    CHECK(json["workers"][1]["silent"] == true);
    CHECK(json["workers"][0]["cpu"].is_null());
    CHECK(json["workers"][1]["cpu"] == 6);
    CHECK(json["workers"][1]["adopted_by"] == 0);
    CHECK(json["workers"][1]["beat_age_ms"].is_null());
    for (const auto& stats : {pool["stats"], worker["pools"][0]["stats"]}) {
        for (const stats::StatInfo& info : stats::pool_stats()) {
            CHECK(stats.contains(std::string(info.name)));
        }
    }
    for (const stats::StatInfo& info : stats::server_stats()) {
        CHECK(pool["servers"][0]["stats"].contains(std::string(info.name)));
    }
}

}  // namespace
}  // namespace ringmaster::master
