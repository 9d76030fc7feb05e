// SPDX-License-Identifier: Apache-2.0
// Once warm, a request costs no allocation.
//
// What counts is the way of a request through a worker: from the client's bytes to the servers and
// back, with all that each turn of the loop does. What is done by the clock may allocate and is not
// run here (data_path_run.h). Before it counts, every client goes through deeper pipelines of the
// same requests, so that scratch is as large as it will be, and the free lists are stocked up.
//
// Exceptions by design, and so not among the requests: messages over 256 KB get memory of their
// size, and a connection that blocks while written to gets some for what is left.
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/worker/allocations/data_path_run.h"
#include "worker/limits.h"

namespace ringmaster::allocations {
namespace {

// Written to, so that no allocation is optimised away.
void* volatile sink;

template <class F>
uint64_t allocations_of(F&& f) {
    start_counting(Explain::kNo);
    f();
    return stop_counting();
}

uint64_t requests_of(const std::vector<ClientPlan>& clients) {
    uint64_t sum = 0;
    for (const ClientPlan& client : clients) {
        sum += client.requests;
    }
    return sum;
}

TEST_CASE("allocations: the counter sees every kind") {
    CHECK(allocations_of([] {}) == 0);
    CHECK(allocations_of([] {
              sink = std::malloc(10);
              std::free(sink);
          }) == 1);
    CHECK(allocations_of([] {
              sink = std::calloc(2, 5);
              std::free(sink);
          }) == 1);
    CHECK(allocations_of([] {
              sink = std::malloc(10);
              sink = std::realloc(sink, 100000);
              std::free(sink);
          }) == 2);
    CHECK(allocations_of([] {
              sink = std::aligned_alloc(64, 128);
              std::free(sink);
          }) == 1);
    CHECK(allocations_of([] {
              int* number = new int(1);
              sink = number;
              delete number;
          }) == 1);
    CHECK(allocations_of([] {
              // In libstdc++'s shared library.
              std::string text(100, 'x');
              sink = text.data();
          }) == 1);
}

TEST_CASE("allocations: none in 100,000 requests once warm") {
    const std::vector<ClientPlan> clients = {
        {.speech = Speech::kRedisSingle, .pipeline = 32, .requests = 16000},
        {.speech = Speech::kRedisSingle, .pipeline = 32, .requests = 16000},
        {.speech = Speech::kRedisSingle, .pipeline = 100, .requests = 16000},
        {.speech = Speech::kRedisSingle, .pipeline = 1, .requests = 2000},
        {.speech = Speech::kRedisMulti, .pipeline = 4, .requests = 7000},
        {.speech = Speech::kMemcachedSingle, .pipeline = 32, .requests = 18000},
        {.speech = Speech::kMemcachedSingle, .pipeline = 100, .requests = 18000},
        {.speech = Speech::kMemcachedMulti, .pipeline = 4, .requests = 7000},
    };
    REQUIRE(requests_of(clients) == 100000);
    const Outcome outcome = run_data_path(clients, Explain::kYes);
    CHECK(outcome.content);
    CHECK(outcome.requests - outcome.fragments == 86000);
    CHECK(outcome.fragments > 14000);
    CHECK(outcome.parked);
    CHECK(outcome.allocations == 0);
}

// How many requests of `plan` the proxy answers by itself: every mn and noop. The warm-up is a
// whole number of turns.
uint64_t answered_here(const ClientPlan& plan) {
    const bool has_turn = plan.speech == Speech::kMeta || plan.speech == Speech::kBinary;
    return has_turn ? plan.requests / kMemcachedTurn : 0;
}

TEST_CASE("allocations: none in 100,000 requests of RESP3, meta and binary once warm") {
    const std::vector<ClientPlan> clients = {
        {.speech = Speech::kResp3Single, .pipeline = 32, .requests = 16000},
        {.speech = Speech::kResp3Single, .pipeline = 100, .requests = 14000},
        {.speech = Speech::kResp3Single, .pipeline = 1, .requests = 2000},
        {.speech = Speech::kResp3Multi, .pipeline = 4, .requests = 8000},
        {.speech = Speech::kMeta, .pipeline = 32, .requests = 13998},
        {.speech = Speech::kMeta, .pipeline = 100, .requests = 14004},
        {.speech = Speech::kMeta, .pipeline = 1, .requests = 1998},
        {.speech = Speech::kBinary, .pipeline = 32, .requests = 13998},
        {.speech = Speech::kBinary, .pipeline = 100, .requests = 14004},
        {.speech = Speech::kBinary, .pipeline = 1, .requests = 1998},
    };
    REQUIRE(requests_of(clients) == 100000);
    uint64_t forwarded = 0;
    for (const ClientPlan& client : clients) {
        const bool is_multi = client.speech == Speech::kResp3Multi;
        forwarded += is_multi ? 0 : client.requests - answered_here(client);
    }
    const Outcome outcome = run_data_path(clients, Explain::kYes);
    CHECK(outcome.content);
    CHECK(outcome.requests - outcome.fragments == forwarded);
    CHECK(outcome.fragments > 16000);
    CHECK(outcome.parked);
    CHECK(outcome.allocations == 0);
}

// Not a matter of allocations, but it takes the same run: what leaves no request behind is work,
// too, and others have their turn after so many.
TEST_CASE("turns: a client whose requests are answered here gets no more of each than another") {
    const ClientPlan plan = {.speech = Speech::kRedisLocal, .pipeline = 20000, .requests = 100000};
    const Outcome outcome = run_data_path({plan}, Explain::kNo);
    CHECK(outcome.content);
    CHECK(outcome.requests == 0);
    // By the warm-up it is known that its requests are small.
    CHECK(outcome.turns >= plan.requests * kPing.size() / worker::kLeastTurnBytes);
}

TEST_CASE("allocations: a value larger than any pooled buffer is counted") {
    const Outcome outcome = run_data_path(
        {{.speech = Speech::kRedisSingle, .pipeline = 1, .requests = 50, .large = true}},
        Explain::kNo);
    CHECK(outcome.content);
    CHECK(outcome.requests == 50);
    CHECK(outcome.allocations >= 50);
}

}  // namespace
}  // namespace ringmaster::allocations
