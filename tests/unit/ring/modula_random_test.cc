// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <doctest/doctest.h>

#include "common/ring/ring.h"
#include "tests/unit/ring/test_servers.h"

namespace ringmaster::ring {
namespace {

TEST_CASE("modula: a server has as many slots as its weight") {
    const Ring ring = Ring::build(Distribution::kModula, servers_with_weights({1, 3, 2}));
    base::Rng rng(1);
    const std::array<uint32_t, 6> slots = {0, 1, 1, 1, 2, 2};
    for (uint32_t hash = 0; hash < 600; ++hash) {
        CAPTURE(hash);
        CHECK(ring.shard_of(hash, rng) == slots[hash % slots.size()]);
    }
}

TEST_CASE("modula: an ejected server's slots close up") {
    auto servers = servers_with_weights({1, 3, 2});
    servers[1].live = false;
    const Ring ring = Ring::build(Distribution::kModula, servers);
    base::Rng rng(1);
    CHECK(ring.shard_of(0, rng) == 0);
    CHECK(ring.shard_of(1, rng) == 2);
    CHECK(ring.shard_of(2, rng) == 2);
    CHECK(ring.shard_of(3, rng) == 0);
}

TEST_CASE("modula: the largest weights cost no memory and keep their slots") {
    constexpr uint32_t kLargest = 0x7fffffff;
    const Ring two = Ring::build(Distribution::kModula, servers_with_weights({kLargest, kLargest}));
    base::Rng rng(1);
    CHECK(two.points().size() == 2);
    CHECK(two.shard_of(kLargest - 1, rng) == 0);
    CHECK(two.shard_of(kLargest, rng) == 1);
    CHECK(two.shard_of(2 * kLargest - 1, rng) == 1);
    CHECK(two.shard_of(2 * kLargest, rng) == 0);
}

TEST_CASE("modula: at 2^32 slots and beyond every hash is its own slot") {
    constexpr uint32_t kHalf = 0x80000000;
    const Ring exact = Ring::build(Distribution::kModula, servers_with_weights({kHalf, kHalf}));
    const Ring beyond =
        Ring::build(Distribution::kModula, servers_with_weights({kHalf, kHalf, kHalf}));
    base::Rng rng(1);
    for (const Ring* ring : {&exact, &beyond}) {
        CHECK(ring->shard_of(0, rng) == 0);
        CHECK(ring->shard_of(kHalf - 1, rng) == 0);
        CHECK(ring->shard_of(kHalf, rng) == 1);
        CHECK(ring->shard_of(0xffffffff, rng) == 1);
    }
}

TEST_CASE("random: uniform over live servers whatever the weights and the hash") {
    auto servers = servers_with_weights({1, 1000, 7, 1});
    servers[2].live = false;
    const Ring ring = Ring::build(Distribution::kRandom, servers);
    base::Rng rng(42);
    std::array<int, 4> hits = {};
    for (int i = 0; i < 30000; ++i) {
        const uint32_t shard = ring.shard_of(12345, rng);
        REQUIRE(shard < hits.size());
        ++hits[shard];
    }
    CHECK(hits[2] == 0);
    for (const size_t live : {0U, 1U, 3U}) {
        CAPTURE(live);
        CHECK(hits[live] > 9500);  // 10000 expected, standard deviation 82
        CHECK(hits[live] < 10500);
    }
}

}  // namespace
}  // namespace ringmaster::ring
