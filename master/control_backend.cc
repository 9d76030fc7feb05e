// SPDX-License-Identifier: Apache-2.0
#include "master/control_backend.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "common/base/rng.h"
#include "common/ring/placement.h"
#include "config/suggest.h"

namespace ringmaster::master {

namespace {

using base::Error;
using base::format;

constexpr size_t kShownBytesMax = 200;

ControlAnswer good(std::string text) {
    return {.code = 0, .out = std::move(text), .err = {}};
}

// Any bytes on one line, so that different keys look different.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, kShownBytesMax)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '\\') {
            out += format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return text.size() > kShownBytesMax ? format("{}... ({} bytes)", out, text.size()) : out;
}

// Names are shown as they are, short of what would make one line two.
std::string named(std::string_view what, const std::string& name) {
    return format("{} '{}'", what, printable(name, kShownBytesMax));
}

Error unknown(std::string_view what, const std::string& name, std::string_view where,
              const std::vector<std::string_view>& candidates, std::string_view label) {
    return {format("there is no {}{}; {}", named(what, name), where,
                   config::suggestion(name, candidates, label))};
}

// The pool's placement: as it is, or as if nothing was ejected.
ring::Placement placement_of(const config::PoolConfig& pool,
                             const health::Reconciler* reconciler_or_null) {
    std::vector<ring::RingServer> servers;
    for (uint32_t shard = 0; shard < pool.servers.size(); ++shard) {
        servers.push_back(
            {.name = pool.servers[shard].name,
             .weight = pool.servers[shard].weight,
             .live = reconciler_or_null == nullptr || reconciler_or_null->is_live(shard)});
    }
    return {pool.hash, pool.hash_tag, pool.distribution, servers};
}

}  // namespace

MasterControl::MasterControl(ControlParts parts)
    : parts_(std::move(parts)), born_ms_(parts_.loop.now_ms()) {}

void MasterControl::take_sample() {
    if (rates_generation_ != parts_.generation()) {
        rates_generation_ = parts_.generation();
        rates_ = RateKeeper();
    }
    rates_.sample(parts_.supervisor.stats(), parts_.loop.now_ms());
}

std::string MasterControl::summary() const {
    const config::Config& config = parts_.config();
    const size_t slots = parts_.supervisor.wanted_count();
    const size_t ready = parts_.supervisor.ready_count();
    size_t out = 0;
    for (size_t pool = 0; pool < config.pools.size(); ++pool) {
        out += parts_.health.reconciler(pool).ejected_count();
    }
    std::string text = ready == slots
                           ? format("serving: {}", counted(slots, "worker"))
                           : format("serving: {} of {}", ready, counted(slots, "worker"));
    text += format(", {}", counted(config.pools.size(), "pool"));
    return out > 0 ? text + format(", {} ejected", counted(out, "server")) : text;
}

// ---- names ----

base::Result<size_t> MasterControl::find_pool(const std::string& name) const {
    std::vector<std::string_view> names;
    for (const config::PoolConfig& pool : parts_.config().pools) {
        if (pool.name == name) {
            return names.size();
        }
        names.push_back(pool.name);
    }
    return unknown("pool", name, "", names, "pools");
}

base::Result<MasterControl::Place> MasterControl::find_server(const std::string& pool_name,
                                                              const std::string& name) const {
    const auto pool = find_pool(pool_name);
    if (!pool) {
        return pool.error();
    }
    std::vector<std::string_view> names;
    for (const config::ServerConfig& server : parts_.config().pools[*pool].servers) {
        if (server.name == name) {
            return Place{.pool = *pool, .shard = names.size()};
        }
        names.push_back(server.name);
    }
    return unknown("server", name, format(" in {}", named("pool", pool_name)), names, "servers");
}

// ---- orders ----

void MasterControl::reload(OnAnswer on_answer) {
    RM_LOG(kNotice, "control socket: reload");
    parts_.reload([on_answer = std::move(on_answer)](const ReloadOutcome& outcome) {
        std::string text;
        for (const std::string& line : outcome.lines) {
            text += line + "\n";
        }
        on_answer(outcome.ok ? good(std::move(text))
                             : ControlAnswer{.code = 1, .out = {}, .err = std::move(text)});
    });
}

ControlAnswer MasterControl::stop(bool drain) {
    if (parts_.stopping()) {
        return control_failure("the proxy is stopping already");
    }
    RM_LOG(kNotice, "control socket: {}", drain ? "stop --drain" : "stop");
    parts_.stop(drain);
    return good(drain ? "draining\n" : "stopping\n");
}

ControlAnswer MasterControl::set_log_level(int level) {
    parts_.set_log_level(level);
    return good(format("log level is {} in all processes\n", level));
}

ControlAnswer MasterControl::eject(const std::string& pool, const std::string& server) {
    const auto place = find_server(pool, server);
    if (!place) {
        return control_failure(place.error().message);
    }
    const std::string what = format("{} of {}", named("server", server), named("pool", pool));
    switch (parts_.health.eject_by_hand(place->pool, place->shard)) {
        case health::HandOutcome::kAlready:
            return good(format("{} is out by hand already\n", what));
        case health::HandOutcome::kLastLive:
            return control_failure(
                format("{} is not ejected: no other server of the pool works", what));
        case health::HandOutcome::kAfterProbe:
        case health::HandOutcome::kDone:
            break;
    }
    return good(format("{} is out until it is readmitted, epoch {}\n", what,
                       parts_.health.reconciler(place->pool).epoch()));
}

ControlAnswer MasterControl::readmit(const std::string& pool, const std::string& server) {
    const auto place = find_server(pool, server);
    if (!place) {
        return control_failure(place.error().message);
    }
    const std::string what = format("{} of {}", named("server", server), named("pool", pool));
    switch (parts_.health.readmit_by_hand(place->pool, place->shard)) {
        case health::HandOutcome::kAlready:
            return good(format("{} is in\n", what));
        case health::HandOutcome::kAfterProbe:
            return good(format("{} comes back once a probe has emptied it\n", what));
        case health::HandOutcome::kLastLive:
        case health::HandOutcome::kDone:
            break;
    }
    return good(
        format("{} is in, epoch {}\n", what, parts_.health.reconciler(place->pool).epoch()));
}

// ---- questions ----

std::string MasterControl::server_line(size_t pool, uint32_t shard) const {
    const health::Reconciler& reconciler = parts_.health.reconciler(pool);
    const io::SocketAddress address = parts_.address(pool, shard);
    return format(
        "{} at {}, {}", printable(parts_.config().pools[pool].servers[shard].name, kShownBytesMax),
        address.empty() ? std::string("an unknown address") : address.text(),
        server_state(reconciler.ring().servers[shard].verdict, reconciler.is_out_by_hand(shard)));
}

ControlAnswer MasterControl::where(const std::string& pool_name, const std::string& key) {
    const auto found = find_pool(pool_name);
    if (!found) {
        return control_failure(found.error().message);
    }
    const config::PoolConfig& pool = parts_.config().pools[*found];
    const std::string_view hashed =
        pool.hash_tag ? ring::hashed_part(key, pool.hash_tag) : std::string_view(key);
    const uint32_t hash = hashed.empty() ? 0 : pool.hash->function(hashed.data(), hashed.size());
    std::string text = format("key     {}\n", escaped(key));
    text += format("hashed  {}\n", escaped(hashed));
    text += format("hash    {} ({})\n", hash, pool.hash->name);
    base::Rng rng(1);
    const uint32_t now = placement_of(pool, &parts_.health.reconciler(*found)).shard_of(key, rng);
    if (pool.distribution == ring::Distribution::kRandom && pool.servers.size() > 1) {
        return good(text + "server  any: the pool's distribution is random\n");
    }
    if (now >= pool.servers.size()) {
        return good(text + "server  none: all are ejected\n");
    }
    text += format("server  {}\n", server_line(*found, now));
    const uint32_t home = placement_of(pool, nullptr).shard_of(key, rng);
    if (home != now && home < pool.servers.size()) {
        text += format("home    {}\n", server_line(*found, home));
    }
    return good(text);
}

void MasterControl::status(bool json, OnAnswer on_answer) {
    parts_.supervisor.gather_stats([this, json, on_answer = std::move(on_answer)] {
        const StatusReport now = report();
        on_answer(good(json ? status_json(now) : status_text(now)));
    });
}

StatusReport MasterControl::report() const {
    const config::Config& config = parts_.config();
    stats::Snapshot counters = parts_.supervisor.stats();
    parts_.health.add_to(counters);
    StatusReport out;
    out.version = RM_VERSION;
    out.pid = ::getpid();
    out.uptime_ms = parts_.loop.now_ms() - born_ms_;
    out.generation = parts_.generation();
    out.config_file = parts_.config_file;
    out.stopping = parts_.stopping();
    out.log_level = base::log_level();
    out.reloads = parts_.reloads_done();
    out.failed_reloads = parts_.reloads_failed();
    out.crashes = parts_.supervisor.crash_count();
    out.adoptions = parts_.supervisor.adoption_count();
    out.total_connections = counters.total_connections;
    out.curr_connections = counters.curr_connections;
    out.workers = parts_.supervisor.worker_statuses();
    for (size_t i = 0; i < std::min(config.pools.size(), counters.pools.size()); ++i) {
        out.pools.push_back(pool_status(i, counters.pools[i]));
    }
    return out;
}

PoolStatus MasterControl::pool_status(size_t index, const stats::PoolSnapshot& counters) const {
    const config::PoolConfig& pool = parts_.config().pools[index];
    const health::Reconciler& reconciler = parts_.health.reconciler(index);
    const health::RingVerdicts verdicts = reconciler.ring();
    PoolStatus out;
    out.name = pool.name;
    out.listen = pool.listen.text;
    out.redis = pool.redis;
    out.auto_eject = pool.eject.auto_eject;
    out.epoch = reconciler.epoch();
    out.ejected = reconciler.ejected_count();
    out.health = reconciler.counters();
    out.requests_per_s = rates_.pool(index);
    out.counters = counters.pool;
    for (uint32_t shard = 0; shard < pool.servers.size(); ++shard) {
        const io::SocketAddress address = parts_.address(index, shard);
        out.servers.push_back({.name = pool.servers[shard].name,
                               .address = address.empty() ? std::string() : address.text(),
                               .verdict = verdicts.servers[shard].verdict,
                               .by_hand = reconciler.is_out_by_hand(shard),
                               .requests_per_s = rates_.server(index, shard),
                               .counters = counters.servers[shard]});
    }
    return out;
}

}  // namespace ringmaster::master
