// SPDX-License-Identifier: Apache-2.0
#include "worker/order_ties.h"

#include <doctest/doctest.h>

namespace ringmaster::worker {
namespace {

// Only their addresses matter.
template <class T>
T* fake(int& object) {
    return reinterpret_cast<T*>(&object);
}

struct Cast {
    int bytes[5] = {};
    ClientSession* anna = fake<ClientSession>(bytes[0]);
    ClientSession* bert = fake<ClientSession>(bytes[1]);
    UpstreamConnection* usual = fake<UpstreamConnection>(bytes[2]);
    UpstreamConnection* spare = fake<UpstreamConnection>(bytes[3]);
};

TEST_CASE("order ties: a client stays where its requests are until the last is through") {
    const Cast cast;
    OrderTies ties;
    CHECK(ties.lane_or_null(cast.anna) == nullptr);
    ties.add(cast.anna, cast.usual);
    ties.add(cast.anna, cast.usual);
    ties.add(cast.bert, cast.spare);
    CHECK(ties.lane_or_null(cast.anna) == cast.usual);
    CHECK(ties.lane_or_null(cast.bert) == cast.spare);
    ties.remove(cast.anna, cast.usual);
    CHECK(ties.lane_or_null(cast.anna) == cast.usual);
    ties.remove(cast.anna, cast.usual);
    CHECK(ties.lane_or_null(cast.anna) == nullptr);
    ties.add(cast.anna, cast.spare);
    CHECK(ties.lane_or_null(cast.anna) == cast.spare);
    CHECK(ties.client_count() == 2);
}

TEST_CASE("order ties: what another lane brings home changes nothing") {
    const Cast cast;
    OrderTies ties;
    ties.add(cast.anna, cast.spare);
    ties.remove(cast.anna, cast.usual);  // a connection to a former address
    ties.remove(cast.bert, cast.spare);
    CHECK(ties.lane_or_null(cast.anna) == cast.spare);
}

TEST_CASE("order ties: clients and lanes that are gone") {
    const Cast cast;
    OrderTies ties;
    ties.add(cast.anna, cast.usual);
    ties.add(cast.bert, cast.spare);
    ties.forget(cast.anna);
    CHECK(ties.lane_or_null(cast.anna) == nullptr);
    ties.add(cast.anna, cast.spare);
    ties.forget_lane(cast.spare);
    CHECK(ties.client_count() == 0);
    ties.add(cast.anna, cast.usual);
    ties.clear();
    CHECK(ties.lane_or_null(cast.anna) == nullptr);
}

}  // namespace
}  // namespace ringmaster::worker
