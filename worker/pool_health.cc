// SPDX-License-Identifier: Apache-2.0
// Pool: what its ejector and the master's RING do to its servers and its placement.
#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/format.h"
#include "common/base/log.h"
#include "worker/pool.h"

namespace ringmaster::worker {

namespace {

// Nothing when some value is not one the master can mean.
bool read_verdict(const control::RingServerState& state, health::ServerVerdict& verdict) {
    if (state.verdict > static_cast<uint32_t>(health::Verdict::kProbing) ||
        state.cause > INT32_MAX) {
        return false;
    }
    verdict = {.verdict = static_cast<health::Verdict>(state.verdict),
               .cause = static_cast<int32_t>(state.cause),
               .probing_until_ms = state.probing_until_ms};
    return true;
}

// False when it does not fit `server_count` servers.
bool read_ring(const control::RingState& state, size_t server_count, health::RingVerdicts& verdicts,
               std::vector<io::SocketAddress>& addresses) {
    if (state.servers.size() != server_count || state.epoch == 0) {
        return false;
    }
    verdicts.epoch = state.epoch;
    addresses.resize(server_count);
    for (size_t i = 0; i < server_count; ++i) {
        if (!read_verdict(state.servers[i], verdicts.servers.emplace_back())) {
            return false;
        }
        if (!state.servers[i].address.empty()) {
            const auto decoded = io::SocketAddress::from_bytes(state.servers[i].address);
            if (!decoded.has_value()) {
                return false;
            }
            addresses[i] = *decoded;
        }
    }
    return true;
}

}  // namespace

bool Pool::ring_fits(const control::RingState& state) const {
    health::RingVerdicts verdicts;
    std::vector<io::SocketAddress> addresses;
    return read_ring(state, servers_.size(), verdicts, addresses);
}

bool Pool::set_ring(const control::RingState& state) {
    health::RingVerdicts verdicts;
    std::vector<io::SocketAddress> addresses;
    if (!read_ring(state, servers_.size(), verdicts, addresses)) {
        return false;
    }
    if (state.epoch < ejector_.epoch()) {
        return true;
    }
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        if (servers_[shard]->set_address(addresses[shard])) {
            ejector_.forget(shard);  // another server, for all that is known
        }
    }
    RM_LOG(kDebug, "pool '{}': placement of epoch {}", config_.name, state.epoch);
    ejector_.on_ring(verdicts, path_.health_now());
    obey_ejector();
    return true;
}

bool Pool::renew_connections(std::string_view server_name) {
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        if (config_.servers[shard].name == server_name) {
            ejector_.forget(shard);
            servers_[shard]->renew_connections();
            return true;
        }
    }
    return false;
}

void Pool::on_server_failure(uint32_t shard, int cause, uint64_t attempt_began_ms) {
    if (!config_.eject.auto_eject) {
        return;
    }
    ejector_.on_failure({.shard = shard, .cause = cause, .attempt_began_ms = attempt_began_ms},
                        path_.health_now());
    obey_ejector();
}

bool Pool::judge_health() {
    if (ejector_.next_due_ms() <= path_.loop.active_ms()) {
        ejector_.tick(path_.health_now());
        obey_ejector();
    }
    return ejector_.next_due_ms() != health::kNever;
}

void Pool::obey_ejector() {
    bool changed = false;
    for (const health::EjectorAction& action : ejector_.take_actions()) {
        switch (action.kind) {
            case health::EjectorAction::Kind::kSuspect:
                path_.suspect(*this, action);
                break;
            case health::EjectorAction::Kind::kRingChanged:
                changed = true;
                break;
        }
    }
    if (changed) {
        place();
    }
    note_ejections();
    path_.health_has_deadline =
        path_.health_has_deadline || ejector_.next_due_ms() != health::kNever;
}

void Pool::place() {
    std::vector<bool> live(servers_.size());
    std::vector<ring::RingServer> members;
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        const config::ServerConfig& server = config_.servers[shard];
        live[shard] = ejector_.is_live(shard);
        members.push_back({server.name, server.weight, live[shard]});
    }
    if (live == placed_live_) {
        return;
    }
    placed_live_ = live;
    placement_ = ring::Placement(config_.hash, config_.hash_tag, config_.distribution, members);
}

// A server that goes takes its connections with it: they may be half dead, and must not be what its
// first requests after its return meet.
void Pool::note_ejections() {
    for (uint32_t shard = 0; shard < servers_.size(); ++shard) {
        Server& server = *servers_[shard];
        const bool is_out = ejector_.is_ejected(shard);
        if (is_out == server.is_out()) {
            continue;
        }
        const bool alone = is_out && ejector_.in_fallback();  // a RING would have ended it
        server.set_out(is_out, alone);
        if (is_out) {
            server.renew_connections();
        }
        if (alone) {
            RM_LOG(kWarn,
                   "pool '{}': the master does not answer, server '{}' is out for {} ms as far as "
                   "this worker goes",
                   config_.name, server.config().name, health::retry_ms(config_.eject));
        } else {
            RM_LOG(kInfo, "pool '{}': server '{}' is {} the ring", config_.name,
                   server.config().name, is_out ? "out of" : "in");
        }
    }
}

control::PoolHealth Pool::health() const {
    health::PoolBeat beat;
    if (config_.eject.auto_eject) {
        ejector_.fill(beat);
    }
    return {.epoch = ejector_.epoch(),
            .in_fallback = ejector_.in_fallback(),
            .last_success_ms = std::move(beat.last_success_ms)};
}

}  // namespace ringmaster::worker
