// SPDX-License-Identifier: Apache-2.0
#include "master/reload_vote.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

using Step = ReloadVote::Step;

ReloadVote three() {
    ReloadVote vote;
    vote.begin(7, {0, 1, 2});
    return vote;
}

TEST_CASE("reload vote: one is asked first, the others after its yes, all must agree") {
    ReloadVote vote = three();
    CHECK(vote.asked() == std::vector<size_t>{0});
    CHECK(vote.on_prepared(0, 7, "") == Step::kAskOthers);
    CHECK(vote.asked() == std::vector<size_t>{0, 1, 2});
    CHECK(vote.on_prepared(2, 7, "") == Step::kWait);
    CHECK(vote.on_prepared(2, 7, "") == Step::kWait);
    CHECK(vote.on_prepared(1, 7, "") == Step::kCommit);
}

TEST_CASE("reload vote: a single worker is enough") {
    ReloadVote vote;
    vote.begin(2, {4});
    CHECK(vote.asked() == std::vector<size_t>{4});
    CHECK(vote.on_prepared(4, 2, "") == Step::kCommit);
}

TEST_CASE("reload vote: who was not asked, and other generations, are not heard") {
    ReloadVote vote = three();
    CHECK(vote.on_prepared(1, 7, "") == Step::kWait);
    CHECK(vote.on_prepared(0, 6, "bad") == Step::kWait);
    CHECK(vote.on_prepared(9, 7, "bad") == Step::kWait);
    CHECK(vote.on_gone(9, "signal 9") == Step::kWait);
    CHECK(vote.on_prepared(0, 7, "") == Step::kAskOthers);
}

TEST_CASE("reload vote: a no, a death and silence end it, and say why") {
    ReloadVote no = three();
    CHECK(no.on_prepared(0, 7, "no memory") == Step::kAbort);
    CHECK(no.reason() == "worker 0 cannot serve it: no memory");
    ReloadVote death = three();
    CHECK(death.on_gone(2, "signal 11 (Segmentation fault)") == Step::kAbort);
    CHECK(death.reason() == "worker 2 ended while preparing it: signal 11 (Segmentation fault)");
    ReloadVote silence = three();
    CHECK(silence.on_prepared(0, 7, "") == Step::kAskOthers);
    CHECK(silence.on_prepared(1, 7, "") == Step::kWait);
    CHECK(silence.on_timeout() == Step::kAbort);
    CHECK(silence.reason() == "no answer from worker 2");
}

TEST_CASE("reload vote: who leaves as it should takes its say along") {
    ReloadVote first = three();
    CHECK(first.on_left(0) == Step::kAskOthers);
    CHECK(first.asked() == std::vector<size_t>{1});
    CHECK(first.on_prepared(1, 7, "") == Step::kAskOthers);
    CHECK(first.on_left(5) == Step::kWait);
    CHECK(first.on_prepared(2, 7, "") == Step::kCommit);

    ReloadVote last = three();
    CHECK(last.on_prepared(0, 7, "") == Step::kAskOthers);
    CHECK(last.on_prepared(1, 7, "") == Step::kWait);
    CHECK(last.on_left(2) == Step::kCommit);

    ReloadVote nobody;
    nobody.begin(1, {0});
    CHECK(nobody.on_left(0) == Step::kAbort);
}

}  // namespace
}  // namespace ringmaster::master
