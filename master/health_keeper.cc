// SPDX-License-Identifier: Apache-2.0
#include "master/health_keeper.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "common/base/format.h"
#include "common/base/log.h"

namespace ringmaster::master {

using health::ReconcilerAction;

namespace {

int64_t wall_clock_us() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
}

std::string cause_text(int cause) {
    return cause == health::kServerClosed ? "it closed the connection" : base::errno_text(cause);
}

}  // namespace

HealthKeeper::HealthKeeper(io::Loop& loop, const config::Config& config, uint64_t generation,
                           Callbacks callbacks)
    : loop_(loop), generation_(generation), callbacks_(std::move(callbacks)), wake_(loop, [] {}) {
    for (const config::PoolConfig& pool : config.pools) {
        pools_.push_back(make_pool(pool, nullptr, loop.now_ms()));
    }
}

HealthKeeper::Pool HealthKeeper::make_pool(const config::PoolConfig& config,
                                           const Pool* former_or_null, uint64_t now_ms) {
    std::vector<std::string> names;
    std::vector<std::string> addresses;
    std::vector<health::ProbeSettings> probes;
    std::vector<int64_t> ejected_at_us;
    for (const config::ServerConfig& server : config.servers) {
        names.push_back(server.name);
        addresses.push_back(server.address.text);
        probes.push_back({.redis = config.redis,
                          .auth = config.redis_auth,
                          .db = config::redis_db_of(config, server),
                          .flush = false});
        int64_t ejected_at = 0;
        if (former_or_null != nullptr) {
            const uint32_t shard = former_or_null->reconciler.shard_of(server.name);
            ejected_at = shard < former_or_null->ejected_at_us.size()
                             ? former_or_null->ejected_at_us[shard]
                             : 0;
        }
        ejected_at_us.push_back(ejected_at);
    }
    health::Reconciler reconciler(config.eject, names,
                                  former_or_null == nullptr ? nullptr : &former_or_null->reconciler,
                                  now_ms);
    return {.name = config.name,
            .servers = std::move(names),
            .addresses = std::move(addresses),
            .probes = std::move(probes),
            .ejected_at_us = std::move(ejected_at_us),
            .reconciler = std::move(reconciler)};
}

void HealthKeeper::reload(const config::Config& config, uint64_t generation) {
    probing_.clear();  // their answers would be to questions of the former generation
    std::vector<Pool> next;
    for (const config::PoolConfig& pool : config.pools) {
        const auto former = std::find_if(pools_.begin(), pools_.end(),
                                         [&](const Pool& old) { return old.name == pool.name; });
        next.push_back(
            make_pool(pool, former == pools_.end() ? nullptr : &*former, loop_.now_ms()));
        for (uint32_t slot = 0; slot < workers_up_.size(); ++slot) {
            if (workers_up_[slot]) {
                next.back().reconciler.on_worker_up(slot);
            }
        }
        if (former != pools_.end()) {
            note_moved_servers(*former, next.back(), loop_.now_ms());
        }
    }
    pools_ = std::move(next);
    generation_ = generation;
    arm();
}

void HealthKeeper::note_moved_servers(const Pool& former, Pool& pool, uint64_t now_ms) {
    for (uint32_t shard = 0; shard < pool.servers.size(); ++shard) {
        const uint32_t before = former.reconciler.shard_of(pool.servers[shard]);
        if (before < former.addresses.size() && former.addresses[before] != pool.addresses[shard]) {
            pool.reconciler.on_address_change(shard, now_ms);
        }
    }
}

// ---- events ----

void HealthKeeper::on_worker_up(size_t slot) {
    if (slot >= workers_up_.size()) {
        workers_up_.resize(slot + 1);
    }
    workers_up_[slot] = true;
    for (Pool& pool : pools_) {
        pool.reconciler.on_worker_up(static_cast<uint32_t>(slot));
    }
}

void HealthKeeper::on_worker_gone(size_t slot) {
    if (slot < workers_up_.size()) {
        workers_up_[slot] = false;
    }
    for (Pool& pool : pools_) {
        pool.reconciler.on_worker_gone(static_cast<uint32_t>(slot));
    }
}

bool HealthKeeper::on_suspect(size_t slot, const control::Suspect& message) {
    if (message.generation != generation_) {
        return true;  // said before it heard of the reload, whose RING answers it
    }
    if (message.pool >= pools_.size() || message.cause > INT32_MAX) {
        return false;
    }
    health::Reconciler& reconciler = pools_[message.pool].reconciler;
    const bool understood =
        reconciler.on_suspect(static_cast<uint32_t>(slot), reconciler.shard_of(message.server),
                              {.epoch = message.epoch,
                               .cause = static_cast<int>(message.cause),
                               .first_failure_ms = message.first_failure_ms,
                               .sent_ms = message.sent_ms},
                              loop_.now_ms());
    RM_LOG(kInfo, "pool '{}': worker {} accuses server '{}': {}", pools_[message.pool].name, slot,
           message.server, cause_text(static_cast<int>(message.cause)));
    obey(message.pool);
    arm();
    return understood;
}

bool HealthKeeper::on_beat(size_t slot, const control::Beat& message) {
    if (message.generation != generation_) {
        return true;
    }
    if (message.pools.size() != pools_.size()) {
        return false;
    }
    bool understood = true;
    for (size_t i = 0; i < pools_.size(); ++i) {
        understood =
            pools_[i].reconciler.on_beat(static_cast<uint32_t>(slot),
                                         {.epoch = message.pools[i].epoch,
                                          .in_fallback = message.pools[i].in_fallback,
                                          .last_success_ms = message.pools[i].last_success_ms},
                                         loop_.now_ms()) &&
            understood;
        obey(i);
    }
    return understood;
}

void HealthKeeper::on_address_change(size_t pool, size_t shard) {
    pools_[pool].reconciler.on_address_change(static_cast<uint32_t>(shard), loop_.now_ms());
    std::erase_if(probing_, [&](const Probing& probing) {
        return probing.pool == pool && probing.shard == shard;
    });
    obey(pool);
    arm();
}

health::HandOutcome HealthKeeper::eject_by_hand(size_t pool, size_t shard) {
    const auto outcome = pools_[pool].reconciler.eject_by_hand(static_cast<uint32_t>(shard));
    obey(pool);
    arm();
    return outcome;
}

health::HandOutcome HealthKeeper::readmit_by_hand(size_t pool, size_t shard) {
    const auto outcome =
        pools_[pool].reconciler.readmit_by_hand(static_cast<uint32_t>(shard), loop_.now_ms());
    obey(pool);
    arm();
    return outcome;
}

void HealthKeeper::after_poll() {
    bool changed = collect_probes();
    const uint64_t now_ms = loop_.now_ms();
    for (size_t i = 0; i < pools_.size(); ++i) {
        if (pools_[i].reconciler.next_due_ms() <= now_ms) {
            pools_[i].reconciler.tick(now_ms);
            obey(i);
            changed = true;
        }
    }
    if (changed || !wake_.running()) {
        arm();
    }
}

bool HealthKeeper::collect_probes() {
    const size_t before = probing_.size();
    for (size_t i = 0; i < probing_.size();) {
        const auto& outcome = probing_[i].connection->judge(loop_.active_ms());
        if (!outcome) {
            ++i;
            continue;
        }
        const Probing done = std::move(probing_[i]);
        probing_.erase(probing_.begin() + static_cast<std::ptrdiff_t>(i));
        Pool& pool = pools_[done.pool];
        if (outcome->result != health::ProbeResult::kGood) {
            RM_LOG(kInfo, "pool '{}': probe of server '{}' {}: {}", pool.name,
                   pool.servers[done.shard],
                   outcome->result == health::ProbeResult::kBad ? "failed" : "says nothing",
                   outcome->reason);
        }
        pool.reconciler.on_probe(done.shard, done.id, outcome->result, loop_.now_ms());
        obey(done.pool);
    }
    return before > 0 && probing_.size() != before;
}

void HealthKeeper::arm() {
    uint64_t wait_ms = health::kNever;
    for (const Pool& pool : pools_) {
        const uint64_t due_ms = pool.reconciler.next_due_ms();
        if (due_ms != health::kNever) {
            wait_ms = std::min(wait_ms, due_ms - std::min(due_ms, loop_.now_ms()));
        }
    }
    for (const Probing& probing : probing_) {
        const uint64_t due_ms = probing.connection->deadline_ms();
        wait_ms = std::min(wait_ms, due_ms - std::min(due_ms, loop_.active_ms()));
    }
    if (wait_ms == health::kNever) {
        wake_.stop();
    } else {
        wake_.start(wait_ms);
    }
}

// ---- actions ----

void HealthKeeper::obey(size_t index) {
    Pool& pool = pools_[index];
    for (const ReconcilerAction& action : pool.reconciler.take_actions()) {
        switch (action.kind) {
            case ReconcilerAction::Kind::kSendRing:
                if (action.worker == health::kAllWorkers) {
                    callbacks_.ring_to_all(index);
                } else {
                    callbacks_.ring_to(action.worker, index);
                }
                break;
            case ReconcilerAction::Kind::kReconnect:
                callbacks_.reconnect(action.worker, {.generation = generation_,
                                                     .pool = static_cast<uint32_t>(index),
                                                     .server = pool.servers[action.shard]});
                break;
            case ReconcilerAction::Kind::kStartProbe:
                start_probe(index, action);
                break;
            case ReconcilerAction::Kind::kEjected:
                pool.ejected_at_us[action.shard] = wall_clock_us();
                tell(pool, action);
                break;
            case ReconcilerAction::Kind::kReadmitted:
            case ReconcilerAction::Kind::kRefused:
            case ReconcilerAction::Kind::kVetoed:
                tell(pool, action);
                break;
        }
    }
}

void HealthKeeper::start_probe(size_t index, const ReconcilerAction& action) {
    health::ProbeSettings settings = pools_[index].probes[action.shard];
    settings.flush = action.flush;
    probing_.push_back({.pool = index,
                        .shard = action.shard,
                        .id = action.probe_id,
                        .connection = std::make_unique<ProbeConnection>(
                            loop_, callbacks_.address(index, action.shard), std::move(settings),
                            action.timeout_ms)});
    arm();
}

void HealthKeeper::tell(Pool& pool, const ReconcilerAction& action) {
    const std::string& server = pool.servers[action.shard];
    const uint64_t epoch = action.epoch;
    switch (action.kind) {
        case ReconcilerAction::Kind::kEjected:
            RM_LOG(kWarn, "pool '{}': server '{}' ejected, epoch {}: {}", pool.name, server, epoch,
                   action.by_hand ? "by hand" : cause_text(action.cause));
            return;
        case ReconcilerAction::Kind::kReadmitted:
            RM_LOG(kNotice, "pool '{}': server '{}' is back, epoch {}", pool.name, server, epoch);
            return;
        case ReconcilerAction::Kind::kRefused:
            RM_LOG(kWarn,
                   "pool '{}': server '{}' is bad and cannot be spared, its requests fail at once, "
                   "epoch {}: {}",
                   pool.name, server, epoch, cause_text(action.cause));
            return;
        case ReconcilerAction::Kind::kVetoed:
            RM_LOG(kNotice,
                   "pool '{}': veto: server '{}' is accused and well, its accusers reconnect",
                   pool.name, server);
            return;
        case ReconcilerAction::Kind::kSendRing:
        case ReconcilerAction::Kind::kReconnect:
        case ReconcilerAction::Kind::kStartProbe:
            return;
    }
}

// ---- what holds now ----

control::RingState HealthKeeper::ring(size_t index) const {
    const health::RingVerdicts verdicts = pools_[index].reconciler.ring();
    control::RingState ring;
    ring.generation = generation_;
    ring.pool = static_cast<uint32_t>(index);
    ring.epoch = verdicts.epoch;
    for (const health::ServerVerdict& verdict : verdicts.servers) {
        ring.servers.push_back({.verdict = static_cast<uint32_t>(verdict.verdict),
                                .cause = static_cast<uint32_t>(verdict.cause),
                                .probing_until_ms = verdict.probing_until_ms,
                                .address = {}});
    }
    return ring;
}

void HealthKeeper::add_to(stats::Snapshot& snapshot) const {
    using stats::PoolStat;
    for (size_t i = 0; i < pools_.size() && i < snapshot.pools.size(); ++i) {
        const health::ReconcilerCounters& counters = pools_[i].reconciler.counters();
        stats::PoolCounters& pool = snapshot.pools[i].pool;
        pool.add(PoolStat::kServerEjects, counters.ejects);
        pool.add(PoolStat::kReadmits, counters.readmits);
        pool.add(PoolStat::kProbes, counters.probes);
        pool.add(PoolStat::kVetoes, counters.vetoes);
        pool.add(PoolStat::kPanics, counters.panics);
        pool.set(PoolStat::kRingEpoch, static_cast<int64_t>(pools_[i].reconciler.epoch()));
        pool.set(PoolStat::kServersOut, static_cast<int64_t>(pools_[i].reconciler.ejected_count()));
        for (size_t shard = 0; shard < pools_[i].servers.size(); ++shard) {
            stats::ServerCounters& server = snapshot.pools[i].servers[shard];
            server.set(stats::ServerStat::kServerEjectedAt,
                       std::max(server.get(stats::ServerStat::kServerEjectedAt),
                                pools_[i].ejected_at_us[shard]));
        }
    }
}

}  // namespace ringmaster::master
