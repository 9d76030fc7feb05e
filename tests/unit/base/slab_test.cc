// SPDX-License-Identifier: Apache-2.0
#include "common/base/slab.h"

#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "common/base/rng.h"

namespace ringmaster::base {
namespace {

struct Thing {
    explicit Thing(int n = 0) : number(n) { ++alive; }
    ~Thing() { --alive; }
    Thing(const Thing&) = delete;
    Thing& operator=(const Thing&) = delete;
    int number;
    char filler[90] = {};
    static inline int alive = 0;
};

TEST_CASE("slab: objects are constructed, distinct and destroyed") {
    Slab<Thing> slab;
    std::set<Thing*> things;
    for (int i = 0; i < 5000; ++i) {
        things.insert(slab.make(i));
    }
    CHECK(things.size() == 5000);
    CHECK(Thing::alive == 5000);
    CHECK(slab.live_count() == 5000);
    for (Thing* thing : things) {
        slab.destroy(thing);
    }
    CHECK(Thing::alive == 0);
    CHECK(slab.live_count() == 0);
}

TEST_CASE("slab: in steady use no block is added") {
    Slab<Thing> slab;
    Rng rng(7);
    std::vector<Thing*> things;
    for (int i = 0; i < 1000; ++i) {
        things.push_back(slab.make(i));
    }
    const size_t reserved = slab.reserved_bytes();
    for (int i = 0; i < 100000; ++i) {
        const size_t which = rng.below(1000);
        CHECK(things[which]->number >= 0);
        slab.destroy(things[which]);
        things[which] = slab.make(i);
    }
    CHECK(slab.reserved_bytes() == reserved);
    for (Thing* thing : things) {
        slab.destroy(thing);
    }
}

TEST_CASE("slab: empty blocks go back by halves, all objects stay valid") {
    Slab<Thing> slab;
    std::vector<Thing*> things;
    for (int i = 0; i < 20000; ++i) {
        things.push_back(slab.make(i));
    }
    const size_t peak = slab.reserved_bytes();
    for (size_t i = 10; i < things.size(); ++i) {
        slab.destroy(things[i]);
    }
    for (int i = 0; i < 12; ++i) {
        slab.decay();
    }
    CHECK(slab.reserved_bytes() < peak / 10);
    for (size_t i = 0; i < 10; ++i) {
        CHECK(things[i]->number == static_cast<int>(i));
        slab.destroy(things[i]);
    }
}

}  // namespace
}  // namespace ringmaster::base
