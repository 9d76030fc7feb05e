// SPDX-License-Identifier: Apache-2.0
#include "master/adoption.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "common/base/rng.h"

namespace ringmaster::master {
namespace {

constexpr size_t kNobody = Adoption::kNobody;
using Move = Adoption::Move;
using Moves = std::vector<Move>;

Adoption all_serving(size_t slots) {
    Adoption adoption(slots);
    for (size_t i = 0; i < slots; ++i) {
        adoption.on_serving(i);
    }
    REQUIRE(adoption.update(0).empty());
    return adoption;
}

TEST_CASE("adoption: an empty slot is adopted after 100 ms, by the next one") {
    Adoption adoption = all_serving(4);
    adoption.on_gone(1, 1000);
    CHECK(adoption.update(1000).empty());
    CHECK(adoption.next_due_ms(1000) == 1100);
    CHECK(adoption.update(1099).empty());
    CHECK(adoption.update(1100) == Moves{{1, kNobody, 2}});
    CHECK(adoption.update(1200).empty());
    CHECK_FALSE(adoption.next_due_ms(1200).has_value());
    CHECK(adoption.adopter(1) == 2);
    CHECK(adoption.count() == 1);
}

TEST_CASE("adoption: a slot that is filled again within 100 ms is nobody else's") {
    Adoption adoption = all_serving(2);
    adoption.on_gone(0, 1000);
    adoption.on_serving(0);
    CHECK(adoption.update(5000).empty());
    CHECK_FALSE(adoption.next_due_ms(1000).has_value());
}

TEST_CASE("adoption: the own worker comes back and the adopter lets go") {
    Adoption adoption = all_serving(3);
    adoption.on_gone(2, 0);
    CHECK(adoption.update(100) == Moves{{2, kNobody, 0}});
    adoption.on_serving(2);
    CHECK(adoption.update(150) == Moves{{2, 0, kNobody}});
    CHECK(adoption.adopter(2) == kNobody);
}

TEST_CASE("adoption: a silent worker's slot is adopted at once, and stays so when it is killed") {
    Adoption adoption = all_serving(3);
    adoption.on_silent(0, 1000);
    CHECK(adoption.update(1000) == Moves{{0, kNobody, 1}});
    adoption.on_gone(0, 6000);
    CHECK(adoption.update(6000).empty());
    adoption.on_serving(0);
    CHECK(adoption.update(6100) == Moves{{0, 1, kNobody}});
}

TEST_CASE("adoption: what an adopter had goes on to another when it dies or falls silent") {
    Adoption adoption = all_serving(4);
    adoption.on_gone(0, 0);
    CHECK(adoption.update(100) == Moves{{0, kNobody, 1}});
    // Its process is gone, and with it what it had.
    adoption.on_gone(1, 200);
    CHECK(adoption.update(200) == Moves{{0, kNobody, 2}});
    // This one lives: it has to be told.
    adoption.on_silent(2, 300);
    CHECK(adoption.update(300) == Moves{{0, 2, 3}, {1, kNobody, 3}, {2, kNobody, 3}});
}

TEST_CASE("adoption: a process that replaced an adopter has adopted nothing") {
    Adoption adoption = all_serving(2);
    adoption.on_silent(0, 0);
    CHECK(adoption.update(0) == Moves{{0, kNobody, 1}});
    adoption.on_gone(1, 10);
    adoption.on_serving(1);
    CHECK(adoption.update(20) == Moves{{0, kNobody, 1}});
}

TEST_CASE("adoption: nobody serves, nobody accepts, until somebody serves again") {
    Adoption adoption = all_serving(2);
    adoption.on_gone(0, 0);
    adoption.on_gone(1, 0);
    CHECK(adoption.update(1000).empty());
    adoption.on_serving(1);
    CHECK(adoption.update(1000) == Moves{{0, kNobody, 1}});
}

TEST_CASE("adoption: a single slot has nobody to help") {
    Adoption adoption = all_serving(1);
    adoption.on_silent(0, 0);
    CHECK(adoption.update(0).empty());
    CHECK(adoption.update(10000).empty());
}

TEST_CASE("adoption: surplus slots are spread over those that are wanted, at once") {
    Adoption adoption = all_serving(8);
    for (size_t slot = 3; slot < 8; ++slot) {
        adoption.set_wanted(slot, false);
    }
    CHECK(
        adoption.update(0) ==
        Moves{{3, kNobody, 0}, {4, kNobody, 1}, {5, kNobody, 2}, {6, kNobody, 0}, {7, kNobody, 1}});
    // A surplus worker that ends changes nothing.
    adoption.on_gone(7, 50);
    CHECK(adoption.update(1000).empty());
    CHECK_FALSE(adoption.serves(3));
}

TEST_CASE("adoption: a surplus slot that is wanted again") {
    Adoption adoption = all_serving(3);
    adoption.set_wanted(1, false);
    adoption.set_wanted(2, false);
    CHECK(adoption.update(0) == Moves{{1, kNobody, 0}, {2, kNobody, 0}});
    SUBCASE("with its worker still there") {
        adoption.set_wanted(2, true);
        CHECK(adoption.update(10) == Moves{{2, 0, kNobody}});
    }
    SUBCASE("with no worker: adopted until it has one") {
        adoption.on_gone(2, 10);
        adoption.update(500);
        adoption.set_wanted(2, true);
        CHECK(adoption.update(600).empty());
        CHECK(adoption.adopter(2) == 0);
        adoption.on_serving(2);
        CHECK(adoption.update(610) == Moves{{2, 0, kNobody}});
    }
}

TEST_CASE("adoption: a worker that comes back takes its share") {
    Adoption adoption = all_serving(6);
    for (size_t slot = 2; slot < 6; ++slot) {
        adoption.set_wanted(slot, false);
    }
    adoption.on_gone(1, 0);
    CHECK(adoption.update(100).size() == 5);
    for (size_t slot = 1; slot < 6; ++slot) {
        CHECK(adoption.adopter(slot) == 0);
    }
    adoption.on_serving(1);
    adoption.update(200);
    size_t mine = 0;
    for (size_t slot = 2; slot < 6; ++slot) {
        mine += adoption.adopter(slot) == 1 ? 1U : 0U;
    }
    CHECK(mine == 2);
}

// What the worker processes hold, if they do as they are told.
class Model {
  public:
    explicit Model(size_t slots) : held_(slots) {}
    void forget(size_t worker) { held_[worker].clear(); }
    void apply(const Moves& moves) {
        for (const Move& move : moves) {
            if (move.from != kNobody) {
                REQUIRE(std::erase(held_[move.from], move.slot) == 1);
            }
            if (move.to != kNobody) {
                held_[move.to].push_back(move.slot);
            }
        }
    }
    [[nodiscard]] size_t holders(size_t slot) const {
        size_t count = 0;
        for (const auto& slots : held_) {
            count += static_cast<size_t>(std::count(slots.begin(), slots.end(), slot));
        }
        return count;
    }
    [[nodiscard]] bool holds(size_t worker, size_t slot) const {
        return std::count(held_[worker].begin(), held_[worker].end(), slot) == 1;
    }
    [[nodiscard]] size_t load(size_t worker) const { return held_[worker].size(); }

  private:
    std::vector<std::vector<size_t>> held_;
};

TEST_CASE("adoption: whatever happens, each slot in need has one serving adopter, evenly spread") {
    constexpr size_t kSlots = 6;
    for (uint64_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        base::Rng rng(seed);
        Adoption adoption(kSlots);
        Model model(kSlots);
        uint64_t now_ms = 0;
        for (int step = 0; step < 200; ++step) {
            const size_t slot = rng.next() % kSlots;
            switch (rng.next() % 5) {
                case 0:
                    adoption.on_serving(slot);
                    break;
                case 1:
                    adoption.on_silent(slot, now_ms);
                    break;
                case 2:
                    adoption.on_gone(slot, now_ms);
                    model.forget(slot);
                    break;
                default:
                    adoption.set_wanted(slot, rng.next() % 3 != 0);
            }
            now_ms += 100;
            model.apply(adoption.update(now_ms));
            size_t serving = 0;
            size_t least = kSlots;
            size_t most = 0;
            for (size_t i = 0; i < kSlots; ++i) {
                serving += adoption.serves(i) ? 1U : 0U;
                if (adoption.serves(i)) {
                    least = std::min(least, model.load(i));
                    most = std::max(most, model.load(i));
                }
            }
            for (size_t i = 0; i < kSlots; ++i) {
                const bool needs = !adoption.serves(i) && serving > 0;
                REQUIRE(model.holders(i) == (needs ? 1 : 0));
                if (needs) {
                    REQUIRE(adoption.serves(adoption.adopter(i)));
                    REQUIRE(model.holds(adoption.adopter(i), i));
                }
            }
            if (serving > 0) {
                REQUIRE(most - least <= 1);
            }
        }
    }
}

}  // namespace
}  // namespace ringmaster::master
