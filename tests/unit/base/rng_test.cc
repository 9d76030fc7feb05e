// SPDX-License-Identifier: Apache-2.0
#include "common/base/rng.h"

#include <array>

#include <doctest/doctest.h>

namespace ringmaster::base {
namespace {

TEST_CASE("rng: the sequence of SplitMix64 from a given seed") {
    // The first outputs its author's test program prints for seed 1234567.
    Rng rng(1234567);
    CHECK(rng.next() == 6457827717110365317ULL);
    CHECK(rng.next() == 3203168211198807973ULL);
    CHECK(rng.next() == 9817491932198370423ULL);
}

TEST_CASE("rng: equal seeds give equal sequences, other seeds others") {
    Rng a(7);
    Rng b(7);
    Rng c(8);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
        const uint64_t value = a.next();
        CHECK(value == b.next());
        differs = differs || value != c.next();
    }
    CHECK(differs);
}

TEST_CASE("rng: below stays below, reaches every value and is even") {
    Rng rng(1);
    std::array<int, 7> seen{};
    for (int i = 0; i < 70000; ++i) {
        const uint32_t value = rng.below(7);
        REQUIRE(value < 7);
        ++seen[value];
    }
    for (const int count : seen) {
        // 10,000 expected, standard deviation 93.
        CHECK(count > 9500);
        CHECK(count < 10500);
    }
    for (int i = 0; i < 100; ++i) {
        CHECK(rng.below(1) == 0);
    }
}

TEST_CASE("rng: below reaches the top of a large range") {
    Rng rng(3);
    uint32_t most = 0;
    for (int i = 0; i < 1000; ++i) {
        const uint32_t value = rng.below(UINT32_MAX);
        most = value > most ? value : most;
    }
    CHECK(most > UINT32_MAX - UINT32_MAX / 50);
}

}  // namespace
}  // namespace ringmaster::base
