// SPDX-License-Identifier: Apache-2.0
// Checks between the keys of one pool.
#include <algorithm>
#include <numeric>

#include "common/base/format.h"
#include "common/ring/server_name.h"
#include "config/sections.h"
#include "config/value_forms.h"

namespace ringmaster::config {

namespace {

// Above this the ring is not built just to look for servers without points.
constexpr size_t kMaxServersForPointCheck = 1000;

void check_listen(const PoolSection& section, const LoadOptions& options, Report& report) {
    if (!section.has(kKey_listen)) {
        report.error(section.mark,
                     base::format("pool {} has no 'listen'", quoted(section.pool.name)),
                     "add e.g. listen: 127.0.0.1:22121");
        return;
    }
    const Address& listen = section.pool.listen;
    if (section.key_bad[kKey_listen] || listen.is_unix || !options.resolve_listen) {
        return;
    }
    const std::string problem = options.resolve_listen(listen.host, std::to_string(listen.port));
    if (!problem.empty()) {
        report.error(
            section.key_marks[kKey_listen],
            base::format("cannot resolve the listen address {}: {}", quoted(listen.host), problem),
            "for all addresses use 0.0.0.0 or ::, and IPv6 without brackets");
    }
}

// Names decide the ring and the statistics, so they are unique in a pool.
void check_server_names(const PoolSection& section, Report& report) {
    const std::vector<ServerConfig>& servers = section.pool.servers;
    std::vector<size_t> order(servers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&servers](size_t a, size_t b) {
        const int compared = servers[a].name.compare(servers[b].name);
        return compared != 0 ? compared < 0 : a < b;
    });
    size_t first = 0;
    for (size_t i = 1; i < order.size() && !report.full(); ++i) {
        const ServerConfig& server = servers[order[i]];
        if (server.name != servers[order[first]].name) {
            first = i;
            continue;
        }
        report.error(section.server_marks[order[i]],
                     base::format("a server named {} is already on line {}", quoted(server.name),
                                  section.server_marks[order[first]].line),
                     "append a space and a name of its own");
    }
}

// Taken, as nutcracker takes them; it cannot reach them either.
void warn_about_server_paths(const PoolSection& section, Report& report) {
    for (size_t i = 0; i < section.pool.servers.size(); ++i) {
        const Address& address = section.pool.servers[i].address;
        const Problem problem = address.is_unix ? check_socket_path(address.path) : Problem();
        if (!problem.none()) {
            report.warning(section.server_marks[i],
                           base::format("server {} cannot be reached: {}",
                                        quoted(section.pool.servers[i].name), problem.message));
        }
    }
}

void warn_about_redis(const PoolSection& section, Report& report) {
    const PoolConfig& pool = section.pool;
    if (!pool.redis || pool.redis_db == 0 || pool.redis_db_compat) {
        return;
    }
    if (!pool.redis_auth.empty()) {
        report.warning(section.key_marks[kKey_redis_db],
                       "nutcracker ignored 'redis_db' beside 'redis_auth' and left the data in "
                       "database 0; here it takes effect",
                       "to keep using that data, add redis_db_compat: true");
        return;
    }
    const bool has_unix_server =
        std::any_of(pool.servers.begin(), pool.servers.end(),
                    [](const ServerConfig& server) { return server.address.is_unix; });
    if (has_unix_server) {
        report.warning(section.key_marks[kKey_redis_db],
                       "nutcracker ignored 'redis_db' for servers on Unix sockets and left the "
                       "data in database 0; here it takes effect",
                       "to keep using that data, add redis_db_compat: true");
    }
}

void warn_about_ring(const PoolSection& section, Report& report) {
    const PoolConfig& pool = section.pool;
    const size_t server_count = pool.servers.size();
    if (pool.distribution != ring::Distribution::kKetama || server_count < 2) {
        return;
    }
    if (pool.hash->name == "crc32") {
        report.warning(section.key_marks[kKey_hash],
                       "crc32 with ketama puts nearly all keys on one server",
                       "its values have 15 bits only; crc32a or fnv1a_64 spread, but move keys");
    }
    if (report.has_errors() || server_count > kMaxServersForPointCheck) {
        return;
    }
    std::vector<ring::RingServer> servers;
    for (const ServerConfig& server : pool.servers) {
        servers.push_back({server.name, server.weight, true});
    }
    std::vector<bool> has_points(server_count);
    const ring::Ring ring = ring::Ring::build(pool.distribution, servers);
    for (const ring::RingPoint& point : ring.points()) {
        has_points[point.shard] = true;
    }
    for (size_t i = 0; i < server_count; ++i) {
        if (!has_points[i]) {
            report.warning(section.key_marks[kKey_servers],
                           base::format("server {} of pool {} gets no keys",
                                        quoted(pool.servers[i].name), quoted(pool.name)),
                           "its weight is too small beside the others'");
        }
    }
}

// The keys of ejection against each other.
void check_eject(const PoolSection& section, Report& report) {
    const health::Settings& eject = section.pool.eject;
    if (eject.flush_on_return && !eject.probe) {
        report.error(section.key_marks[kKey_readmit],
                     "'readmit: flush' needs probes, and 'eject_probe' is off",
                     "a server is emptied by its probe: remove one of the two lines");
    }
    if (!eject.auto_eject) {
        // The others say what an ejection by hand does.
        for (const PoolKey key : {kKey_max_ejection_percent, kKey_eject_probe}) {
            if (section.has(key)) {
                report.warning(section.key_marks[key],
                               base::format("'{}' has no effect: servers are ejected by hand only",
                                            pool_keys()[key].name),
                               "add auto_eject_hosts: true, or remove the line");
            }
        }
        return;
    }
    if (eject.flush_on_return && eject.mode == health::EjectMode::kHold) {
        report.warning(section.key_marks[kKey_readmit],
                       "'readmit: flush' throws away what nothing has overwritten: with "
                       "'eject_mode: hold' the keys of an ejected server stay its own",
                       "remove one of the two lines");
    }
    if (section.pool.servers.size() == 1 && eject.mode == health::EjectMode::kRehash) {
        report.warning(section.key_marks[kKey_auto_eject_hosts],
                       "a pool's only server is never ejected: its requests fail at once instead",
                       "nutcracker ejected it, and every request failed as well");
    }
    if (section.pool.timeout_ms == 0) {
        report.warning(section.key_marks[kKey_auto_eject_hosts],
                       "without 'timeout' a server that hangs is never noticed",
                       "add e.g. timeout: 400");
    }
}

void warn_about_differences(const PoolSection& section, Report& report) {
    if (section.pool.client_connections > 0) {
        report.warning(section.key_marks[kKey_client_connections],
                       "nutcracker ignored 'client_connections'; here the limit is enforced",
                       "0 sets no limit");
    }
    if (section.pool.flush_all && section.pool.redis) {
        report.warning(section.key_marks[kKey_flush_all],
                       "'flush_all' has no effect in a redis pool", "remove the line");
    }
    if (section.has(kKey_memcached_version) && section.pool.redis) {
        report.warning(section.key_marks[kKey_memcached_version],
                       "'memcached_version' has no effect in a redis pool", "remove the line");
    }
    if (section.has(kKey_reuseport)) {
        report.warning(section.key_marks[kKey_reuseport], "'reuseport' has no effect",
                       "listeners always share their port; remove the line");
    }
}

}  // namespace

void check_pool_section(PoolSection& section, const LoadOptions& options, Report& report) {
    PoolConfig& pool = section.pool;
    check_listen(section, options, report);
    if (section.has(kKey_redis_auth) && !pool.redis && !section.key_bad[kKey_redis]) {
        report.error(section.key_marks[kKey_redis_auth],
                     "'redis_auth' is only possible in a redis pool", "add redis: true");
    }
    if (section.has(kKey_memcached_auth) && pool.redis) {
        report.error(section.key_marks[kKey_memcached_auth],
                     "'memcached_auth' is only possible in a memcached pool", "use redis_auth");
    } else if (!pool.memcached_auth.empty() &&
               pool.memcached_auth.find(':', 1) == std::string::npos) {
        report.error(section.key_marks[kKey_memcached_auth],
                     "'memcached_auth' takes a user, a colon and a password", "");
    } else if (pool.memcached_auth.size() > kMaxMemcachedAuthBytes) {
        report.error(section.key_marks[kKey_memcached_auth], "'memcached_auth' is too long",
                     base::format("up to {} bytes", kMaxMemcachedAuthBytes));
    }
    if (!section.has(kKey_servers)) {
        report.error(section.mark, base::format("pool {} has no 'servers'", quoted(pool.name)),
                     "add a list: servers:, then one '- host:port:weight' per line");
    }
    check_server_names(section, report);
    warn_about_server_paths(section, report);

    std::sort(pool.servers.begin(), pool.servers.end(),
              [](const ServerConfig& a, const ServerConfig& b) {
                  return ring::sorts_before(a.name, b.name);
              });
    section.server_marks.clear();  // no longer parallel

    check_eject(section, report);
    warn_about_redis(section, report);
    warn_about_ring(section, report);
    warn_about_differences(section, report);
}

}  // namespace ringmaster::config
