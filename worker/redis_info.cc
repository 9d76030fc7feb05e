// SPDX-License-Identifier: Apache-2.0
// ClientSession: INFO. It is about this worker and this pool; all workers together are in the stats
// document of the proxy.
#include <ctime>

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/proto/redis/info_text.h"
#include "worker/client_session.h"
#include "worker/pool.h"
#include "worker/redis_local.h"

namespace ringmaster::worker {

namespace {

uint64_t us(const timeval& time) {
    return static_cast<uint64_t>(time.tv_sec) * 1000000 + static_cast<uint64_t>(time.tv_usec);
}

std::string operating_system() {
    utsname name{};
    return ::uname(&name) == 0 ? base::format("{} {} {}", name.sysname, name.release, name.machine)
                               : std::string("unknown");
}

}  // namespace

std::string make_run_id(base::Rng& rng) {
    std::string id;
    while (id.size() < 40) {
        id += base::format("{:016x}", rng.next());
    }
    id.resize(40);
    return id;
}

void ClientSession::write_info(LocalCall& call) {
    const config::PoolConfig& config = pool_->config();
    proto::redis::InfoFacts facts;
    facts.redis_version = kRedisVersion;
    facts.os = operating_system();
    facts.process_id = ::getpid();
    facts.run_id = path_.run_id;
    facts.tcp_port = config.listen.port;
    facts.server_time_us = DataPath::unix_us();
    facts.uptime_s = (path_.loop.now_ms() - path_.started_ms) / 1000;
    facts.connected_clients = pool_->stats().get(stats::PoolStat::kClientConnections);
    facts.max_clients = config.client_connections;
    facts.used_memory = path_.memory.bytes_in_use();
    facts.max_memory = path_.memory.budget.share();
    facts.connections_received = path_.total_connections;
    for (uint32_t shard = 0; shard < pool_->server_count(); ++shard) {
        facts.commands_processed += pool_->server(shard).stats().get(stats::ServerStat::kRequests);
        facts.servers_out += pool_->server(shard).is_out() ? 1 : 0;
    }
    facts.requests_failed = pool_->stats().get(stats::PoolStat::kForwardError);
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0) {
        facts.cpu_system_us = us(usage.ru_stime);
        facts.cpu_user_us = us(usage.ru_utime);
    }
    facts.proxy_version = RM_VERSION;
    facts.pool = config.name;
    facts.worker = path_.slot;
    facts.database = config.redis_db;
    facts.servers = pool_->server_count();
    call.reply.verbatim("txt", proto::redis::info_text(facts, std::span(call.words).subspan(1)));
}

}  // namespace ringmaster::worker
