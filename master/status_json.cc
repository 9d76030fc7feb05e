// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <span>

#include <nlohmann/json.hpp>

#include "master/status_report.h"

namespace ringmaster::master {

namespace {

using Json = nlohmann::ordered_json;

// All rows of stats.def, those beyond nutcracker's document too.
template <size_t kCount>
Json values_json(std::span<const stats::StatInfo, kCount> infos,
                 const std::array<int64_t, kCount>& values) {
    Json out = Json::object();
    for (size_t i = 0; i < kCount; ++i) {
        out[std::string(infos[i].name)] = values[i];
    }
    return out;
}

double rounded(double rate) {
    return std::round(rate * 10) / 10;
}

Json server_json(const ServerStatus& server) {
    Json out;
    out["name"] = server.name;
    out["address"] = server.address;
    out["state"] = server_state(server.verdict, false);
    out["by_hand"] = server.by_hand;
    out["requests_per_s"] = rounded(server.requests_per_s);
    out["errors"] = server_errors(server.counters);
    out["stats"] = values_json(stats::server_stats(), server.counters.values);
    return out;
}

Json health_json(const PoolStatus& pool) {
    Json out;
    out["ejects"] = pool.health.ejects;
    out["readmits"] = pool.health.readmits;
    out["probes"] = pool.health.probes;
    out["vetoes"] = pool.health.vetoes;
    out["panics"] = pool.health.panics;
    return out;
}

Json pool_json(const PoolStatus& pool) {
    Json out;
    out["name"] = pool.name;
    out["listen"] = pool.listen;
    out["protocol"] = pool.redis ? "redis" : "memcached";
    out["auto_eject"] = pool.auto_eject;
    out["epoch"] = pool.epoch;
    out["ejected"] = pool.ejected;
    out["health"] = health_json(pool);
    out["requests_per_s"] = rounded(pool.requests_per_s);
    out["stats"] = values_json(stats::pool_stats(), pool.counters.values);
    out["servers"] = Json::array();
    for (const ServerStatus& server : pool.servers) {
        out["servers"].push_back(server_json(server));
    }
    return out;
}

Json worker_pool_json(const WorkerPoolStatus& pool, const PoolStatus& names) {
    Json out;
    out["name"] = names.name;
    out["epoch"] = pool.epoch;
    out["in_fallback"] = pool.in_fallback;
    out["stats"] = values_json(stats::pool_stats(), pool.counters.pool.values);
    out["servers"] = Json::array();
    for (size_t i = 0; i < pool.counters.servers.size() && i < names.servers.size(); ++i) {
        Json server;
        server["name"] = names.servers[i].name;
        server["stats"] = values_json(stats::server_stats(), pool.counters.servers[i].values);
        out["servers"].push_back(std::move(server));
    }
    return out;
}

Json worker_json(const WorkerStatus& worker, const std::vector<PoolStatus>& pools) {
    Json out;
    out["slot"] = worker.slot;
    out["pid"] = worker.pid;
    out["cpu"] = worker.cpu ? Json(*worker.cpu) : Json();
    out["state"] = worker.state;
    out["surplus"] = worker.surplus;
    out["silent"] = worker.silent;
    out["adopted_by"] = worker.adopted_by ? Json(*worker.adopted_by) : Json();
    out["age_ms"] = worker.age_ms;
    out["crashes"] = worker.crashes;
    out["generation"] = worker.generation;
    out["beat_age_ms"] = worker.beat_age_ms ? Json(*worker.beat_age_ms) : Json();
    out["clients"] = worker.clients;
    out["lag_ms"] = worker.lag_ms;
    out["pools"] = Json::array();
    for (size_t i = 0; i < worker.pools.size() && i < pools.size(); ++i) {
        out["pools"].push_back(worker_pool_json(worker.pools[i], pools[i]));
    }
    return out;
}

}  // namespace

std::string status_json(const StatusReport& report) {
    Json out;
    out["version"] = report.version;
    out["pid"] = report.pid;
    out["uptime_s"] = report.uptime_ms / 1000;
    out["state"] = report.stopping ? "stopping" : "serving";
    out["generation"] = report.generation;
    out["config_file"] = report.config_file;
    out["log_level"] = report.log_level;
    out["reloads"] = report.reloads;
    out["failed_reloads"] = report.failed_reloads;
    out["crashes"] = report.crashes;
    out["adoptions"] = report.adoptions;
    out["total_connections"] = report.total_connections;
    out["curr_connections"] = report.curr_connections;
    out["workers"] = Json::array();
    for (const WorkerStatus& worker : report.workers) {
        out["workers"].push_back(worker_json(worker, report.pools));
    }
    out["pools"] = Json::array();
    for (const PoolStatus& pool : report.pools) {
        out["pools"].push_back(pool_json(pool));
    }
    // Names may hold any byte; what is not UTF-8 is replaced.
    return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ringmaster::master
