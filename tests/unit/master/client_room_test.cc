// SPDX-License-Identifier: Apache-2.0
#include "master/client_room.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

config::Config with_connections(uint32_t servers, uint32_t each) {
    config::Config config;
    config::PoolConfig& pool = config.pools.emplace_back();
    pool.servers.resize(servers);
    pool.server_connections = each;
    pool.redis = true;
    pool.resp3 = config::Resp3::kOff;  // one dialect
    return config;
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("client room: nothing is said when there is plenty") {
    const ClientRoom room = client_room(with_connections(4, 1), 1024 + 69, 1);
    CHECK(room.clients == 1024);
    CHECK(room_problem(room).empty());
    CHECK(room_warning(room).empty());
}

TEST_CASE("client room: few is a warning that says how many, and what to raise to") {
    const ClientRoom room = client_room(with_connections(10, 2), 1024, 1);
    CHECK(room.clients == 1024 - 20 - 1 - 64);
    CHECK(room_problem(room).empty());
    const std::string text = room_warning(room);
    CHECK(contains(text, "939 clients"));
    CHECK(contains(text, "1024 open descriptors"));
    CHECK(contains(text, "LimitNOFILE=) to 2048"));
    // What is suggested is enough.
    CHECK(room_warning(client_room(with_connections(10, 2), 2048, 1)).empty());
}

TEST_CASE("client room: none is a problem, not a warning") {
    const ClientRoom room = client_room(with_connections(100, 10), 1024, 1);
    CHECK(room.clients == 0);
    CHECK(contains(room_problem(room), "1000 for its server connections"));
    CHECK(room_warning(room).empty());
    CHECK(room_warning(client_room(with_connections(100, 10), 3072, 1)).empty());
    CHECK(room_problem(client_room(with_connections(1, 1), 67, 1)).empty());
    CHECK_FALSE(room_problem(client_room(with_connections(1, 1), 66, 1)).empty());
}

}  // namespace
}  // namespace ringmaster::master
