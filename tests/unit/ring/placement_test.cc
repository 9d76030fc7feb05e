// SPDX-License-Identifier: Apache-2.0
#include "common/ring/placement.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/ring/test_servers.h"

namespace ringmaster::ring {
namespace {

constexpr HashTag kBraces = std::pair('{', '}');
constexpr HashTag kDollars = std::pair('$', '$');

TEST_CASE("hash tag: the bytes between the first pair are hashed") {
    CHECK(hashed_part("user:{1000}:profile", kBraces) == "1000");
    CHECK(hashed_part("a{b}c{d}e", kBraces) == "b");
    CHECK(hashed_part("{{user1}}", kBraces) == "{user1");
    CHECK(hashed_part("}{user1}", kBraces) == "user1");
    CHECK(hashed_part("{x}", kBraces) == "x");
    CHECK(hashed_part("x$user1$y$z$", kDollars) == "user1");
}

TEST_CASE("hash tag: a missing or empty pair hashes the whole key") {
    for (const std::string_view key : {"", "plain", "{", "}", "{}", "}{", "}{user1", "{user1",
                                       "user1}", "{}{user1}", "x{}y{user1}z"}) {
        CAPTURE(key);
        CHECK(hashed_part(key, kBraces) == key);
    }
    CHECK(hashed_part("$$user1$", kDollars) == "$$user1$");
    CHECK(hashed_part("$", kDollars) == "$");
    CHECK(hashed_part("a{b}c", std::nullopt) == "a{b}c");
}

TEST_CASE("hash tag: is found among raw bytes") {
    const std::string key("\0{a\0b}\xff", 7);
    CHECK(hashed_part(key, kBraces) == std::string_view("a\0b", 3));
    CHECK(hashed_part("x\xc3y\xa9z", std::pair('\xc3', '\xa9')) == "y");
}

TEST_CASE("placement: keys with one tag go together and the tag alone decides") {
    const auto servers = equal_servers(8);
    for (const hash::HashRow& row : hash::all_hashes()) {
        CAPTURE(row.name);
        const Placement tagged(&row, kBraces, Distribution::kModula, servers);
        const Placement plain(&row, std::nullopt, Distribution::kModula, servers);
        base::Rng rng(1);
        for (int i = 0; i < 50; ++i) {
            const std::string tag = "tag" + std::to_string(i);
            const uint32_t shard = plain.shard_of(tag, rng);
            CHECK(tagged.shard_of("a{" + tag + "}b", rng) == shard);
            CHECK(tagged.shard_of(tag, rng) == shard);
        }
    }
}

TEST_CASE("placement: every hash is the registry's, the inlined one included") {
    const auto servers = servers_with_weights({3, 1, 2, 5});
    for (const hash::HashRow& row : hash::all_hashes()) {
        CAPTURE(row.name);
        const Placement placement(&row, std::nullopt, Distribution::kKetama, servers);
        base::Rng rng(1);
        for (int i = 0; i < 200; ++i) {
            const std::string key = "key\x80" + std::to_string(rng.next());
            const uint32_t hash = row.function(key.data(), key.size());
            CHECK(placement.shard_of(key, rng) == placement.ring().shard_of(hash, rng));
        }
    }
}

TEST_CASE("placement: the empty key has hash 0 with every hash") {
    const auto servers = equal_servers(5);
    base::Rng rng(1);
    for (const hash::HashRow& row : hash::all_hashes()) {
        CAPTURE(row.name);
        const Placement ketama(&row, std::nullopt, Distribution::kKetama, servers);
        CHECK(ketama.shard_of("", rng) == ketama.ring().points().front().shard);
        CHECK(ketama.shard_of(std::string_view(), rng) == ketama.ring().points().front().shard);
        const Placement modula(&row, kBraces, Distribution::kModula, servers);
        CHECK(modula.shard_of("", rng) == 0);
    }
}

TEST_CASE("placement: a single server takes every key while it is live") {
    const hash::HashRow* hash = hash::find_hash_or_null(hash::kDefaultHash);
    auto servers = servers_with_weights({7});
    base::Rng rng(1);
    for (const DistributionRow& row : all_distributions()) {
        CAPTURE(row.name);
        servers[0].live = true;
        const Placement live(hash, std::nullopt, row.distribution, servers);
        CHECK(live.shard_of("", rng) == 0);
        CHECK(live.shard_of("anything", rng) == 0);
        servers[0].live = false;
        const Placement dead(hash, std::nullopt, row.distribution, servers);
        CHECK(dead.shard_of("anything", rng) == kNoShard);
    }
}

TEST_CASE("placement: the last live server takes every key under its own index") {
    const hash::HashRow* hash = hash::find_hash_or_null(hash::kDefaultHash);
    auto servers = equal_servers(3);
    servers[0].live = false;
    servers[1].live = false;
    base::Rng rng(1);
    for (const DistributionRow& row : all_distributions()) {
        CAPTURE(row.name);
        const Placement placement(hash, std::nullopt, row.distribution, servers);
        for (int i = 0; i < 100; ++i) {
            CHECK(placement.shard_of(std::to_string(i), rng) == 2);
        }
    }
}

TEST_CASE("placement: without servers there is no shard") {
    base::Rng rng(1);
    CHECK(Placement().shard_of("key", rng) == kNoShard);
    CHECK(Placement().shard_of("", rng) == kNoShard);
    const Placement empty(hash::find_hash_or_null("md5"), kBraces, Distribution::kKetama, {});
    CHECK(empty.shard_of("key", rng) == kNoShard);
}

TEST_CASE("placement: rotating the servers in the file moves no key") {
    const hash::HashRow* hash = hash::find_hash_or_null(hash::kDefaultHash);
    std::vector<RingServer> in_file = {
        {"server10", 2, true}, {"server2", 1, true}, {"alpha", 3, true}, {"z", 1, true}};
    const auto by_name = [](const RingServer& a, const RingServer& b) {
        return sorts_before(a.name, b.name);
    };
    for (const Distribution distribution : {Distribution::kKetama, Distribution::kModula}) {
        std::vector<uint32_t> expected;
        for (size_t rotation = 0; rotation < in_file.size(); ++rotation) {
            std::rotate(in_file.begin(), in_file.begin() + 1, in_file.end());
            std::vector<RingServer> sorted = in_file;
            std::sort(sorted.begin(), sorted.end(), by_name);
            const Placement placement(hash, std::nullopt, distribution, sorted);
            base::Rng rng(3);
            std::vector<uint32_t> shards;
            for (int i = 0; i < 500; ++i) {
                shards.push_back(placement.shard_of(std::to_string(rng.next()), rng));
            }
            if (expected.empty()) {
                expected = shards;
            }
            CHECK(shards == expected);
        }
    }
}

}  // namespace
}  // namespace ringmaster::ring
