// SPDX-License-Identifier: Apache-2.0
#include "worker/memory_budget.h"

#include <doctest/doctest.h>

namespace ringmaster::worker {
namespace {

using Level = MemoryBudget::Level;

constexpr size_t kMegabyte = 1 << 20;

MemoryBudget budget_of(size_t megabytes) {
    MemoryBudget budget;
    budget.set_share(megabytes * kMegabyte);
    return budget;
}

TEST_CASE("memory budget: small requests are fewer bytes a turn, whatever their number") {
    CHECK(turn_bytes_for(65536, 1) == kReadBytesPerTurn);
    CHECK(turn_bytes_for(65536, 0) == kReadBytesPerTurn);
    CHECK(turn_bytes_for(65536, kRequestsPerTurn) == 65536);
    CHECK(turn_bytes_for(65536, 4 * kRequestsPerTurn) == 16384);
    CHECK(turn_bytes_for(16384, kRequestsPerTurn) == 16384);  // and no more after such a turn
    CHECK(turn_bytes_for(16384, 2 * kRequestsPerTurn) == 8192);
    CHECK(turn_bytes_for(65536, 65536 / 7) == kLeastTurnBytes);
}

TEST_CASE("memory budget: the four levels") {
    const MemoryBudget budget = budget_of(1000);
    CHECK(budget.level(0) == Level::kRelaxed);
    CHECK(budget.level(500 * kMegabyte) == Level::kRelaxed);
    CHECK(budget.level(500 * kMegabyte + 1) == Level::kTight);
    CHECK(budget.level(800 * kMegabyte) == Level::kTight);
    CHECK(budget.level(800 * kMegabyte + 1) == Level::kShort);
    CHECK(budget.level(1000 * kMegabyte) == Level::kShort);
    CHECK(budget.level(1000 * kMegabyte + 1) == Level::kFull);
    CHECK_FALSE(budget.is_short(800 * kMegabyte));
    CHECK(budget.is_short(800 * kMegabyte + 1));
    CHECK_FALSE(budget.is_full(1000 * kMegabyte));
    CHECK(budget.is_full(1000 * kMegabyte + 1));
}

TEST_CASE("memory budget: bodies are admitted until their part is given away") {
    MemoryBudget budget = budget_of(160);
    size_t in_use = 0;
    for (int i = 0; i < 3; ++i) {
        REQUIRE(budget.admits_body(in_use, 50 * kMegabyte, 50 * kMegabyte));
        budget.add_body(50 * kMegabyte);
        in_use += 50 * kMegabyte;
    }
    // 10 MB are left, and a sixteenth of the share is never a body's.
    CHECK_FALSE(budget.admits_body(in_use, 1, 1));
    budget.remove_body(50 * kMegabyte);
    in_use -= 50 * kMegabyte;
    CHECK(budget.admits_body(in_use, 50 * kMegabyte, 50 * kMegabyte));
    CHECK_FALSE(budget.admits_body(in_use, 51 * kMegabyte, 51 * kMegabyte));
}

TEST_CASE("memory budget: stashes have a part of their own, whatever else is in use") {
    MemoryBudget budget;
    budget.set_share(kMegabyte);
    const size_t upload = kMegabyte / 16 * 15;
    budget.add_body(upload);
    const size_t part = kMegabyte / kStashesShare;
    for (size_t used = 0; used < part; used += kStashBytes) {
        REQUIRE(budget.admits_stash(upload + used, kStashBytes));
        budget.add_body(kStashBytes);
    }
    CHECK_FALSE(budget.admits_stash(upload + part, 1));
    CHECK_FALSE(budget.has_many_stashes());
    budget.remove_body(kStashBytes);
    CHECK(budget.admits_stash(upload + part - kStashBytes, kStashBytes));
    CHECK_FALSE(budget.admits_stash(upload + part - kStashBytes, kStashBytes + 1));
}

TEST_CASE("memory budget: idle stashes refuse nobody while half of the share is free") {
    MemoryBudget budget;
    budget.set_share(kMegabyte);
    size_t in_use = 0;
    while (budget.admits_stash(in_use, kStashBytes)) {
        budget.add_body(kStashBytes);
        in_use += kStashBytes;
    }
    CHECK(in_use == kMegabyte / 2);
    CHECK(budget.has_many_stashes());
}

TEST_CASE("memory budget: what others use is not given to bodies") {
    const MemoryBudget budget = budget_of(160);
    CHECK(budget.admits_body(100 * kMegabyte, 60 * kMegabyte, 60 * kMegabyte));
    CHECK_FALSE(budget.admits_body(100 * kMegabyte, 60 * kMegabyte + 1, 60 * kMegabyte + 1));
    // One that grows needs only the difference.
    CHECK(budget.admits_body(100 * kMegabyte, 40 * kMegabyte, 90 * kMegabyte));
    CHECK_FALSE(budget.admits_body(200 * kMegabyte, 0, 1));
    CHECK_FALSE(budget.admits_body(0, SIZE_MAX, SIZE_MAX));
}

TEST_CASE("memory budget: a body of unknown length gets a part of what is left") {
    MemoryBudget budget = budget_of(160);
    CHECK(budget.spare_for_body(0, 50 * kMegabyte, 50 * kMegabyte) == 50 * kMegabyte);
    budget.add_body(100 * kMegabyte);
    CHECK(budget.spare_for_body(100 * kMegabyte, 50 * kMegabyte, 50 * kMegabyte) == 0);
}

TEST_CASE("memory budget: bodies make nobody else wait") {
    MemoryBudget budget = budget_of(160);
    budget.add_body(150 * kMegabyte);  // announced, whether it has come or not
    CHECK(budget.level(150 * kMegabyte) == Level::kRelaxed);
    CHECK(budget.level(155 * kMegabyte) == Level::kRelaxed);
    CHECK(budget.level(155 * kMegabyte + 1) == Level::kTight);
    CHECK(budget.level(158 * kMegabyte + 1) == Level::kShort);
    CHECK(budget.level(160 * kMegabyte + 1) == Level::kFull);
    budget.remove_body(150 * kMegabyte);
    CHECK(budget.level(80 * kMegabyte + 1) == Level::kTight);
}

TEST_CASE("memory budget: a smaller share than bodies hold already") {
    MemoryBudget budget = budget_of(160);
    budget.add_body(100 * kMegabyte);
    budget.set_share(50 * kMegabyte);
    CHECK_FALSE(budget.admits_body(100 * kMegabyte, 1, 1));
    CHECK(budget.level(100 * kMegabyte) >= Level::kShort);
    CHECK_FALSE(budget.fits(100 * kMegabyte, 0));
}

TEST_CASE("memory budget: when a client is read no more") {
    const MemoryBudget budget = budget_of(1000);
    const size_t relaxed = 125 * kMegabyte;
    CHECK_FALSE(budget.must_stop(Level::kRelaxed, {relaxed, kFairRequests}));
    CHECK(budget.must_stop(Level::kRelaxed, {relaxed + 1, 0}));
    CHECK(budget.must_stop(Level::kRelaxed, {0, kFairRequests + 1}));
    CHECK_FALSE(budget.must_stop(Level::kRelaxed, {0, kLoneRequests, true}));
    CHECK(budget.must_stop(Level::kRelaxed, {0, kLoneRequests + 1, true}));
    CHECK(budget.must_stop(Level::kTight, {0, kFairRequests + 1, true}));
    CHECK(budget.must_stop(Level::kShort, {0, 1, true}));
    CHECK(budget_of(10).must_stop(Level::kRelaxed, {8 * kMegabyte + 1, 0}));
    CHECK_FALSE(budget_of(10).must_stop(Level::kRelaxed, {8 * kMegabyte, 0}));
    CHECK_FALSE(budget.must_stop(Level::kTight, {kTightReplyBytes, kFairRequests}));
    CHECK(budget.must_stop(Level::kTight, {kTightReplyBytes + 1, 0}));
    CHECK(budget.must_stop(Level::kTight, {0, kFairRequests + 1}));
    CHECK_FALSE(budget.must_stop(Level::kShort, {0, 0}));
    CHECK(budget.must_stop(Level::kShort, {0, 1}));
    CHECK(budget.must_stop(Level::kFull, {0, 1}));
}

TEST_CASE("memory budget: what has stopped starts again well below") {
    const MemoryBudget budget = budget_of(1000);
    for (const Level level : {Level::kRelaxed, Level::kTight, Level::kShort, Level::kFull}) {
        CAPTURE(static_cast<int>(level));
        const size_t limit = budget.reply_limit(level);
        CHECK(budget.may_start(level, {limit / 4, 0}, true));
        CHECK_FALSE(budget.may_start(level, {limit / 4 + 1, 0}, true));
        CHECK_FALSE(budget.must_stop(level, {limit / 4, 0}));
    }
    for (const Level level : {Level::kRelaxed, Level::kTight}) {
        CHECK(budget.may_start(level, {0, kFairRequests / 2}, false));
        CHECK_FALSE(budget.may_start(level, {0, kFairRequests / 2 + 1}, false));
    }
    CHECK(budget.may_start(Level::kRelaxed, {0, kLoneRequests / 2, true}, false));
    CHECK_FALSE(budget.may_start(Level::kRelaxed, {0, kLoneRequests / 2 + 1, true}, false));
    CHECK_FALSE(budget.may_start(Level::kShort, {0, 1}, false));
}

TEST_CASE("memory budget: what stopped for its requests has to take no replies first") {
    const MemoryBudget budget = budget_of(1000);
    const size_t limit = budget.reply_limit(Level::kRelaxed);
    CHECK(budget.may_start(Level::kRelaxed, {limit, 0}, false));
    CHECK_FALSE(budget.may_start(Level::kRelaxed, {limit + 1, 0}, false));
    CHECK_FALSE(budget.may_start(Level::kRelaxed, {limit, 0}, true));
}

TEST_CASE("memory budget: large replies stop their connection earlier than others") {
    const MemoryBudget budget = budget_of(1000);
    CHECK(budget.hold_limit(Level::kRelaxed, true) == 8 * kMegabyte);
    CHECK(budget.hold_limit(Level::kRelaxed, false) == 125 * kMegabyte);
    CHECK(budget.hold_limit(Level::kTight, true) == kTightReplyBytes);
    CHECK(budget.hold_limit(Level::kTight, false) == kTightReplyBytes);
}

TEST_CASE("memory budget: the fuller, the less may wait and the less patience there is") {
    const MemoryBudget budget = budget_of(1000);
    CHECK(budget.parked_limit(Level::kRelaxed) == SIZE_MAX);
    CHECK(budget.parked_limit(Level::kTight) == 250 * kMegabyte);
    CHECK(budget.parked_limit(Level::kShort) == kTightReplyBytes);
    CHECK(budget.parked_limit(Level::kFull) == 0);
    CHECK(MemoryBudget::patience_ms(Level::kTight, SIZE_MAX) == kStuckClientMs);
    CHECK(MemoryBudget::patience_ms(Level::kShort, kTightReplyBytes) == kStuckClientMs);
    CHECK(MemoryBudget::patience_ms(Level::kShort, kTightReplyBytes + 1) == kShortPatienceMs);
    CHECK(MemoryBudget::patience_ms(Level::kFull, kTightReplyBytes + 1) == kShortPatienceMs);
}

}  // namespace
}  // namespace ringmaster::worker
