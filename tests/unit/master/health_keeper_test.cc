// SPDX-License-Identifier: Apache-2.0
// HealthKeeper between messages and the reconciler. Servers have no address here: probes end
// without saying anything, and no socket is opened.
#include "master/health_keeper.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

config::Config two_servers(const std::string& first = "one") {
    config::Config config;
    config::PoolConfig& pool = config.pools.emplace_back();
    pool.name = "p";
    pool.eject.auto_eject = true;
    pool.servers.resize(2);
    pool.servers[0].name = first;
    pool.servers[1].name = "two";
    return config;
}

struct Fixture {
    io::Loop loop;
    size_t rings_to_all = 0;
    std::vector<std::pair<size_t, size_t>> rings;  // slot, pool
    size_t addresses_asked = 0;
    HealthKeeper keeper{
        loop,
        two_servers(),
        1,
        {.ring_to_all = [this](size_t) { ++rings_to_all; },
         .ring_to = [this](size_t slot, size_t pool) { rings.emplace_back(slot, pool); },
         .reconnect = [](size_t, const control::Reconnect&) {},
         .address =
             [this](size_t, size_t) {
                 ++addresses_asked;
                 return io::SocketAddress();
             }}};

    control::Suspect suspect() {
        return {.generation = 1,
                .pool = 0,
                .server = "one",
                .epoch = keeper.ring(0).epoch,
                .cause = 111,
                .first_failure_ms = loop.now_ms(),
                .sent_ms = loop.now_ms()};
    }
};

TEST_CASE("health keeper: a RING names every server, with its generation and pool") {
    Fixture f;
    const control::RingState ring = f.keeper.ring(0);
    CHECK(ring.generation == 1);
    CHECK(ring.pool == 0);
    CHECK(ring.epoch > 0);
    REQUIRE(ring.servers.size() == 2);
    CHECK(ring.servers[0].verdict == 0);
}

TEST_CASE("health keeper: an accusation is looked at before it is believed") {
    Fixture f;
    f.keeper.on_worker_up(0);
    control::Suspect message = f.suspect();
    message.pool = 1;
    CHECK_FALSE(f.keeper.on_suspect(0, message));
    message = f.suspect();
    message.cause = 0x80000000U;
    CHECK_FALSE(f.keeper.on_suspect(0, message));
    message = f.suspect();
    message.server = "three";
    CHECK_FALSE(f.keeper.on_suspect(0, message));
    CHECK(f.addresses_asked == 0);
    message = f.suspect();
    message.generation = 2;  // of another config: neither good nor bad
    message.pool = 99;
    CHECK(f.keeper.on_suspect(0, message));
    CHECK(f.addresses_asked == 0);

    CHECK(f.keeper.on_suspect(0, f.suspect()));
    CHECK(f.addresses_asked == 1);  // a probe
}

TEST_CASE("health keeper: a beat has a part for every pool and server") {
    Fixture f;
    f.keeper.on_worker_up(0);
    control::Beat beat{.generation = 1, .pools = {}};
    CHECK_FALSE(f.keeper.on_beat(0, beat));
    const uint64_t epoch = f.keeper.ring(0).epoch;
    beat.pools = {{.epoch = epoch, .last_success_ms = {0, 0, 0}}};
    CHECK_FALSE(f.keeper.on_beat(0, beat));
    beat.pools = {{.epoch = epoch, .last_success_ms = {0, 0}}};
    CHECK(f.keeper.on_beat(0, beat));
    beat.generation = 7;
    beat.pools.clear();
    CHECK(f.keeper.on_beat(0, beat));
}

TEST_CASE("health keeper: over a reload a server that is out stays out, by its name") {
    Fixture f;
    f.keeper.on_worker_up(0);
    REQUIRE(f.keeper.eject_by_hand(0, 1) == health::HandOutcome::kDone);
    CHECK(f.rings_to_all == 1);
    const uint64_t epoch = f.keeper.ring(0).epoch;
    f.keeper.reload(two_servers("new"), 2);
    CHECK(f.keeper.ring(0).generation == 2);
    CHECK(f.keeper.ring(0).epoch >= epoch);
    CHECK(f.keeper.reconciler(0).is_out_by_hand(1));
    CHECK_FALSE(f.keeper.reconciler(0).is_out_by_hand(0));
    const size_t shape[] = {2};
    stats::Snapshot snapshot = stats::make_snapshot(shape);
    f.keeper.add_to(snapshot);
    CHECK(snapshot.pools[0].servers[1].get(stats::ServerStat::kServerEjectedAt) > 0);
    CHECK(snapshot.pools[0].servers[0].get(stats::ServerStat::kServerEjectedAt) == 0);
    CHECK(snapshot.pools[0].pool.get(stats::PoolStat::kServersOut) == 1);
}

TEST_CASE("health keeper: a probe that is under way during a reload is dropped") {
    Fixture f;
    f.keeper.on_worker_up(0);
    REQUIRE(f.keeper.on_suspect(0, f.suspect()));
    REQUIRE(f.addresses_asked == 1);
    config::Config other = two_servers();
    other.pools[0].name = "q";
    other.pools[0].servers.resize(1);
    f.keeper.reload(other, 2);
    f.keeper.after_poll();
    CHECK(f.keeper.ring(0).servers.size() == 1);
    CHECK(f.keeper.on_suspect(0, f.suspect()));  // of generation 1
    CHECK(f.addresses_asked == 1);
}

}  // namespace
}  // namespace ringmaster::master
