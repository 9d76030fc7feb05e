// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "common/ring/ring.h"
#include "tests/unit/ring/test_servers.h"

namespace ringmaster::ring {
namespace {

TEST_CASE("ketama: equal servers get 160 points, or 156 where single precision rounds down") {
    for (const size_t count : {1U, 2U, 3U, 4U, 8U, 24U, 26U, 46U, 48U, 101U}) {
        CAPTURE(count);
        const Ring ring = Ring::build(Distribution::kKetama, equal_servers(count));
        CHECK(ring.points().size() == 160 * count);
    }
    for (const size_t count : {25U, 47U, 50U, 55U, 61U, 71U, 94U, 100U, 107U, 109U, 110U, 115U,
                               122U, 142U, 159U, 163U, 188U, 193U, 200U}) {
        CAPTURE(count);
        const Ring ring = Ring::build(Distribution::kKetama, equal_servers(count));
        CHECK(ring.points().size() == 156 * count);
    }
}

TEST_CASE("ketama: unequal weights round down per server") {
    const Ring ring = Ring::build(Distribution::kKetama, servers_with_weights({1, 2, 5, 10, 3}));
    CHECK(points_of(ring, 0) == 36);
    CHECK(points_of(ring, 1) == 76);
    CHECK(points_of(ring, 2) == 188);
    CHECK(points_of(ring, 3) == 380);
    CHECK(points_of(ring, 4) == 112);
}

TEST_CASE("ketama: of weights 100000 and 1 the second never gets a key") {
    const Ring ring = Ring::build(Distribution::kKetama, servers_with_weights({100000, 1}));
    CHECK(points_of(ring, 0) == 316);
    CHECK(points_of(ring, 1) == 0);
    CHECK(ring.only_shard() == 0);
}

TEST_CASE("ketama: an ejected server leaves and the others keep their indexes") {
    auto servers = equal_servers(4);
    servers[1].live = false;
    const Ring ring = Ring::build(Distribution::kKetama, servers);
    CHECK(points_of(ring, 0) == 160);
    CHECK(points_of(ring, 1) == 0);
    CHECK(points_of(ring, 2) == 160);
    CHECK(points_of(ring, 3) == 160);
}

TEST_CASE("ketama: only keys of the ejected server move when weights are equal") {
    auto servers = equal_servers(8);
    const Ring before = Ring::build(Distribution::kKetama, servers);
    servers[5].live = false;
    const Ring after = Ring::build(Distribution::kKetama, servers);
    base::Rng rng(7);
    size_t moved = 0;
    for (int i = 0; i < 10000; ++i) {
        const auto hash = static_cast<uint32_t>(rng.next());
        const uint32_t old_shard = before.shard_of(hash, rng);
        const uint32_t new_shard = after.shard_of(hash, rng);
        if (old_shard != 5) {
            CHECK(new_shard == old_shard);
        } else {
            CHECK(new_shard != 5);
            ++moved;
        }
    }
    CHECK(moved > 500);
}

TEST_CASE("ring: without a live server every distribution is empty") {
    auto dead = equal_servers(3);
    for (RingServer& server : dead) {
        server.live = false;
    }
    base::Rng rng(1);
    for (const DistributionRow& row : all_distributions()) {
        CAPTURE(row.name);
        for (const auto& servers : {std::vector<RingServer>{}, dead}) {
            const Ring ring = Ring::build(row.distribution, servers);
            CHECK(ring.points().empty());
            CHECK(ring.only_shard() == kNoShard);
            CHECK(ring.shard_of(0, rng) == kNoShard);
            CHECK(ring.shard_of(0xffffffff, rng) == kNoShard);
        }
    }
    CHECK(Ring().shard_of(1, rng) == kNoShard);
}

TEST_CASE("ketama: labels are cut to 272 bytes") {
    // With a name of 272 bytes the counter is cut off, so every digest is the same four points.
    std::vector<RingServer> servers = {{std::string(272, 'n'), 1, true}};
    const Ring cut = Ring::build(Distribution::kKetama, servers);
    CHECK(cut.points().size() == 160);
    CHECK(cut.points()[0].value == cut.points()[39].value);
    CHECK(cut.points()[39].value != cut.points()[40].value);
    servers[0].name.pop_back();
    servers[0].name.pop_back();
    const Ring whole = Ring::build(Distribution::kKetama, servers);
    CHECK(whole.points()[0].value != whole.points()[39].value);
}

TEST_CASE("ketama: a thousand servers build") {
    const Ring ring = Ring::build(Distribution::kKetama, equal_servers(1000));
    CHECK(ring.points().size() >= 156000);
    CHECK(ring.points().size() <= 160000);
}

TEST_CASE("distributions: names are exact and case-sensitive") {
    CHECK(all_distributions().size() == 3);
    for (const DistributionRow& row : all_distributions()) {
        CHECK(find_distribution_or_null(row.name) == &row);
    }
    CHECK(find_distribution_or_null("Ketama") == nullptr);
    CHECK(find_distribution_or_null("") == nullptr);
    CHECK(find_distribution_or_null("ketama1") == nullptr);
}

}  // namespace
}  // namespace ringmaster::ring
