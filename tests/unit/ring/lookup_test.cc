// SPDX-License-Identifier: Apache-2.0
// The bucket table against the plain definition of each distribution.
#include <algorithm>

#include <doctest/doctest.h>

#include "common/ring/ring.h"
#include "tests/unit/ring/test_servers.h"

namespace ringmaster::ring {
namespace {

uint32_t search_ketama(const Ring& ring, uint32_t hash) {
    const auto points = ring.points();
    const auto found = std::lower_bound(
        points.begin(), points.end(), hash,
        [](const RingPoint& point, uint32_t value) { return point.value < value; });
    return found == points.end() ? points.front().shard : found->shard;
}

// One entry per slot, written out.
std::vector<uint32_t> modula_slots(const std::vector<RingServer>& servers) {
    std::vector<uint32_t> slots;
    for (uint32_t shard = 0; shard < servers.size(); ++shard) {
        if (servers[shard].live) {
            slots.insert(slots.end(), servers[shard].weight, shard);
        }
    }
    return slots;
}

std::vector<RingServer> random_servers(base::Rng& rng, size_t count) {
    std::vector<RingServer> servers;
    for (size_t i = 0; i < count; ++i) {
        const uint32_t weight = rng.below(3) == 0 ? 1 + rng.below(1000) : 1 + rng.below(3);
        servers.push_back({"host" + std::to_string(rng.next()), weight, rng.below(4) != 0});
    }
    servers[rng.below(static_cast<uint32_t>(count))].live = true;
    return servers;
}

void check_ketama(const Ring& ring, uint32_t hash, base::Rng& rng) {
    if (ring.shard_of(hash, rng) != search_ketama(ring, hash)) {
        FAIL_CHECK("hash " << hash << " over " << ring.points().size() << " points");
    }
}

TEST_CASE("ketama: the lookup equals a binary search on many random rings") {
    constexpr uint64_t kSeed = 20130501;
    CAPTURE(kSeed);
    base::Rng rng(kSeed);
    for (size_t round = 0; round < 150; ++round) {
        const auto servers = random_servers(rng, 1 + round % 40);
        const Ring ring = Ring::build(Distribution::kKetama, servers);
        REQUIRE(!ring.points().empty());
        for (size_t i = 0; i < 2000; ++i) {
            check_ketama(ring, static_cast<uint32_t>(rng.next()), rng);
        }
        for (const RingPoint& point : ring.points()) {
            check_ketama(ring, point.value, rng);
            check_ketama(ring, point.value - 1, rng);
            check_ketama(ring, point.value + 1, rng);
        }
        check_ketama(ring, 0, rng);
        check_ketama(ring, 0xffffffff, rng);
    }
}

TEST_CASE("ketama: a hash above the last point wraps to the first") {
    const Ring ring = Ring::build(Distribution::kKetama, equal_servers(3));
    base::Rng rng(1);
    REQUIRE(ring.points().back().value < 0xffffffff);
    CHECK(ring.shard_of(ring.points().back().value + 1, rng) == ring.points().front().shard);
    CHECK(ring.shard_of(0xffffffff, rng) == ring.points().front().shard);
    CHECK(ring.shard_of(0, rng) == ring.points().front().shard);
}

TEST_CASE("modula: the lookup equals a table of one entry per slot on many random rings") {
    constexpr uint64_t kSeed = 20130502;
    CAPTURE(kSeed);
    base::Rng rng(kSeed);
    for (size_t round = 0; round < 150; ++round) {
        const auto servers = random_servers(rng, 1 + round % 40);
        const Ring ring = Ring::build(Distribution::kModula, servers);
        const std::vector<uint32_t> slots = modula_slots(servers);
        const auto count = static_cast<uint32_t>(slots.size());
        for (uint32_t hash = 0; hash < count; ++hash) {
            if (ring.shard_of(hash, rng) != slots[hash]) {
                FAIL_CHECK("slot " << hash << " of " << count);
            }
        }
        for (size_t i = 0; i < 1000; ++i) {
            const auto hash = static_cast<uint32_t>(rng.next());
            if (ring.shard_of(hash, rng) != slots[hash % count]) {
                FAIL_CHECK("hash " << hash << " of " << count << " slots");
            }
        }
    }
}

}  // namespace
}  // namespace ringmaster::ring
