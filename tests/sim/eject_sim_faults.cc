// SPDX-License-Identifier: Apache-2.0
// What goes wrong in a seed, and when. Everything ends at faults_end_ms_; then comes the quiet in
// which the world has to become whole again.
#include <algorithm>

#include "tests/sim/eject_sim_world.h"

namespace ringmaster::sim {

using Kind = Event::Kind;

namespace {

constexpr uint64_t kFlapMs = 350;
constexpr uint64_t kQuietMs = 1500;

}  // namespace

void World::choose_settings() {
    static constexpr std::array<uint32_t, 3> kPercents = {100, 50, 34};
    const bool flaps = scenario_ == Scenario::kFlap;
    settings_.auto_eject = true;
    settings_.mode = rng_.below(6) == 0 ? health::EjectMode::kHold : health::EjectMode::kRehash;
    settings_.failure_limit = between(1, 3);
    settings_.retry_timeout_ms = flaps ? 2000 : between(300, 800);
    settings_.max_ejection_percent = kPercents[rng_.below(3)];
    settings_.probe_timeout_ms = 300;
    servers_.assign(between(1, 5), Health::kUp);
    workers_.resize(between(1, 5));
    if (scenario_ == Scenario::kPath) {
        workers_.resize(std::max<size_t>(workers_.size(), 2));
    }
    const bool channel_faults =
        scenario_ == Scenario::kChannel || scenario_ == Scenario::kEverything;
    swaps_ = channel_faults && rng_.below(2) == 0;
    merges_ = !channel_faults || rng_.below(2) == 0;
    faults_end_ms_ = kStartMs + (flaps ? 12000 : 5000);
    // The longest ejection, the probe after it, and time for the word to spread.
    end_ms_ = faults_end_ms_ + uint64_t{settings_.retry_timeout_ms} * 9 + 2 * kQuietMs;
}

void World::plan_faults() {
    const auto servers = static_cast<uint32_t>(servers_.size());
    switch (scenario_) {
        case Scenario::kDown:
            plan_deaths(Health::kRefusing, between(1, servers));
            return;
        case Scenario::kSilent:
            plan_deaths(Health::kSilent, between(1, servers));
            return;
        case Scenario::kSlow:
            plan_deaths(Health::kSlow, between(1, servers));
            return;
        case Scenario::kFlap:
            plan_flapping();
            return;
        case Scenario::kPath:
            plan_path_trouble();
            return;
        case Scenario::kWorkerCrash:
            plan_deaths(Health::kRefusing, 1);
            plan_process_faults(Kind::kCrash, between(1, 6), 0, 0);
            return;
        case Scenario::kWorkerStall:
            plan_deaths(rng_.below(2) == 0 ? Health::kRefusing : Health::kSilent, 1);
            plan_process_faults(Kind::kStall, between(1, 6), 60, 1500);
            return;
        case Scenario::kMasterStall:
            plan_deaths(Health::kRefusing, between(1, 2));
            plan_process_faults(Kind::kMasterStall, between(1, 3), 60, 1500);
            return;
        case Scenario::kChannel:
            plan_deaths(Health::kRefusing, between(1, 2));
            plan_full_channels();
            return;
        case Scenario::kEverything:
            plan_deaths(Health::kRefusing, between(1, 2));
            plan_deaths(Health::kSilent, 1);
            plan_path_trouble();
            plan_process_faults(Kind::kCrash, 2, 0, 0);
            plan_process_faults(Kind::kStall, 2, 60, 1000);
            plan_process_faults(Kind::kMasterStall, 1, 60, 1000);
            plan_full_channels();
            return;
    }
}

// Each of `count` servers is ill once or twice; often several at a time, at times all.
void World::plan_deaths(Health how, uint32_t count) {
    const bool together = rng_.below(3) == 0;
    const uint32_t from_ms = between(500, 2000);
    const auto first = rng_.below(static_cast<uint32_t>(servers_.size()));
    for (uint32_t i = 0; i < count; ++i) {
        const auto shard = (first + i) % static_cast<uint32_t>(servers_.size());
        const uint64_t at_ms = kStartMs + (together ? from_ms : between(500, 2500));
        const uint64_t lasts_ms = between(300, 2400);
        push({.at_ms = at_ms,
              .kind = Kind::kServer,
              .shard = shard,
              .extra = static_cast<uint32_t>(how)});
        push({.at_ms = at_ms + lasts_ms,
              .kind = Kind::kServer,
              .shard = shard,
              .extra = static_cast<uint32_t>(Health::kUp)});
    }
}

void World::plan_flapping() {
    const auto count = std::min<uint32_t>(between(1, 2), static_cast<uint32_t>(servers_.size()));
    for (uint32_t shard = 0; shard < count; ++shard) {
        const uint32_t down =
            static_cast<uint32_t>(rng_.below(3) == 0 ? Health::kSilent : Health::kRefusing);
        uint64_t at_ms = kStartMs + between(400, 800);
        while (at_ms + 2 * kFlapMs < faults_end_ms_) {
            push({.at_ms = at_ms, .kind = Kind::kServer, .shard = shard, .extra = down});
            push({.at_ms = at_ms + kFlapMs,
                  .kind = Kind::kServer,
                  .shard = shard,
                  .extra = static_cast<uint32_t>(Health::kUp)});
            at_ms += 2 * kFlapMs;
        }
    }
}

// One worker alone: its path to one or two servers resets, swallows, or its own process is short of
// descriptors.
void World::plan_path_trouble() {
    static constexpr std::array<Health, 3> kTroubles = {Health::kRefusing, Health::kSilent,
                                                        Health::kLocalTrouble};
    const uint32_t worker = rng_.below(static_cast<uint32_t>(workers_.size()));
    const uint32_t count = between(1, 2);
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t shard = rng_.below(static_cast<uint32_t>(servers_.size()));
        const uint64_t at_ms = kStartMs + between(500, 2000);
        push({.at_ms = at_ms,
              .kind = Kind::kPath,
              .worker = worker,
              .shard = shard,
              .extra = static_cast<uint32_t>(kTroubles[rng_.below(3)])});
        push({.at_ms = at_ms + between(200, 2800),
              .kind = Kind::kPath,
              .worker = worker,
              .shard = shard,
              .extra = static_cast<uint32_t>(Health::kUp)});
    }
}

void World::plan_process_faults(Event::Kind kind, uint32_t count, uint32_t min_ms,
                                uint32_t max_ms) {
    for (uint32_t i = 0; i < count; ++i) {
        push({.at_ms = kStartMs + between(0, 3400),
              .kind = kind,
              .worker = rng_.below(static_cast<uint32_t>(workers_.size())),
              .value = max_ms == 0 ? 0 : between(min_ms, max_ms)});
    }
}

void World::plan_full_channels() {
    const uint32_t count = between(2, 8);
    for (uint32_t i = 0; i < count; ++i) {
        push({.at_ms = kStartMs + between(0, 3800),
              .kind = Kind::kFull,
              .worker = rng_.below(static_cast<uint32_t>(workers_.size())),
              .value = between(20, 900),
              .extra = rng_.below(3) == 0 ? 1U : 0U});
    }
}

}  // namespace ringmaster::sim
