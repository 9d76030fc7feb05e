// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/base/format.h"
#include "master/control_protocol.h"
#include "master/status_report.h"

namespace ringmaster::master {

namespace {

using base::format;

constexpr size_t kNameBytesMax = 60;

// Columns as wide as their widest cell, two spaces between them.
class Table {
  public:
    explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

    [[nodiscard]] std::string text(std::string_view indent) const {
        std::vector<size_t> widths;
        for (const std::vector<std::string>& row : rows_) {
            widths.resize(std::max(widths.size(), row.size()));
            for (size_t i = 0; i < row.size(); ++i) {
                widths[i] = std::max(widths[i], row[i].size());
            }
        }
        std::string out;
        for (const std::vector<std::string>& row : rows_) {
            std::string line(indent);
            for (size_t i = 0; i < row.size(); ++i) {
                line += format("{:<{}}", row[i], widths[i] + 2);
            }
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + "\n";
        }
        return out;
    }

  private:
    std::vector<std::vector<std::string>> rows_;
};

// "12.3s", "4m05s", "3h04m", "2d03h"
std::string duration(uint64_t ms) {
    const uint64_t s = ms / 1000;
    if (s < 60) {
        return format("{}.{}s", s, ms % 1000 / 100);
    }
    if (s < 3600) {
        return format("{}m{:02}s", s / 60, s % 60);
    }
    if (s < 86400) {
        return format("{}h{:02}m", s / 3600, s % 3600 / 60);
    }
    return format("{}d{:02}h", s / 86400, s % 86400 / 3600);
}

std::string name_text(const std::string& name) {
    return name.empty() ? std::string("''") : printable(name, kNameBytesMax);
}

std::string worker_state(const WorkerStatus& worker) {
    std::string state = worker.silent ? std::string("silent") : worker.state;
    const bool alone = std::any_of(worker.pools.begin(), worker.pools.end(),
                                   [](const WorkerPoolStatus& pool) { return pool.in_fallback; });
    if (worker.surplus) {
        state += ", surplus";
    }
    if (alone) {
        state += ", on its own";
    }
    return worker.adopted_by ? format("{}, {} accepts for it", state, *worker.adopted_by) : state;
}

std::string workers_text(const StatusReport& report) {
    Table table({"WORKER", "PID", "CPU", "STATE", "AGE", "CLIENTS", "BEAT", "LAG", "CRASHES"});
    for (const WorkerStatus& worker : report.workers) {
        const bool beats = worker.beat_age_ms.has_value();
        table.add({format("{}", worker.slot), format("{}", worker.pid),
                   worker.cpu ? format("{}", *worker.cpu) : std::string("any"),
                   worker_state(worker), duration(worker.age_ms), format("{}", worker.clients),
                   beats ? format("{} ms ago", *worker.beat_age_ms) : std::string("none"),
                   format("{} ms", worker.lag_ms), format("{}", worker.crashes)});
    }
    return table.text("");
}

std::string pool_text(const PoolStatus& pool) {
    std::string text = format(
        "pool {}: {} on {}, {} clients, {:.1f} requests/s, epoch {}\n", name_text(pool.name),
        pool.redis ? "Redis" : "memcached", printable(pool.listen, kNameBytesMax),
        pool.counters.get(stats::PoolStat::kClientConnections), pool.requests_per_s, pool.epoch);
    Table table({"SERVER", "ADDRESS", "STATE", "CONNECTIONS", "REQUESTS/S", "ERRORS"});
    for (const ServerStatus& server : pool.servers) {
        table.add({name_text(server.name),
                   server.address.empty() ? std::string("unresolved") : server.address,
                   server_state(server.verdict, server.by_hand),
                   format("{}", server.counters.get(stats::ServerStat::kServerConnections)),
                   format("{:.1f}", server.requests_per_s),
                   format("{}", server_errors(server.counters))});
    }
    return text + table.text("  ");
}

}  // namespace

std::string server_state(health::Verdict verdict, bool by_hand) {
    switch (verdict) {
        case health::Verdict::kIn:
            return "in";
        case health::Verdict::kEjected:
            return by_hand ? "ejected by hand" : "ejected";
        case health::Verdict::kRefused:
            return "refused";
        case health::Verdict::kProbing:
            return "probing";
    }
    return "in";
}

std::string counted(size_t count, std::string_view what) {
    return format("{} {}{}", count, what, count == 1 ? "" : "s");
}

int64_t server_errors(const stats::ServerCounters& counters) noexcept {
    return counters.get(stats::ServerStat::kServerEof) +
           counters.get(stats::ServerStat::kServerErr) +
           counters.get(stats::ServerStat::kServerTimedout);
}

std::string status_text(const StatusReport& report) {
    std::string text = format("ringmaster {} pid {}, up {}, {}\n", report.version, report.pid,
                              duration(report.uptime_ms), report.stopping ? "stopping" : "serving");
    int64_t clients = 0;
    for (const PoolStatus& pool : report.pools) {
        clients += pool.counters.get(stats::PoolStat::kClientConnections);
    }
    text += format("configuration {}, generation {}; {}, {}, {}\n\n",
                   printable(report.config_file, 200), report.generation,
                   counted(report.workers.size(), "worker"), counted(report.pools.size(), "pool"),
                   counted(static_cast<size_t>(std::max<int64_t>(clients, 0)), "client"));
    text += workers_text(report);
    for (const PoolStatus& pool : report.pools) {
        text += "\n" + pool_text(pool);
    }
    return text;
}

}  // namespace ringmaster::master
