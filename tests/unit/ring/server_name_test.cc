// SPDX-License-Identifier: Apache-2.0
#include "common/ring/server_name.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

namespace ringmaster::ring {
namespace {

TEST_CASE("server name: host and port as written") {
    CHECK(default_tcp_name("127.0.0.1", 6379, "6379") == "127.0.0.1:6379");
    CHECK(default_tcp_name("h", 6379, "06379") == "h:06379");
    CHECK(default_tcp_name("::1", 6379, "6379") == "::1:6379");
    CHECK(default_tcp_name("", 6379, "6379") == ":6379");
}

TEST_CASE("server name: port 11211 is dropped however it is written") {
    CHECK(default_tcp_name("h", 11211, "11211") == "h");
    CHECK(default_tcp_name("h", 11211, "011211") == "h");
    CHECK(default_tcp_name("h", 11212, "11212") == "h:11212");
    CHECK(default_tcp_name("h", 1121, "1121") == "h:1121");
}

TEST_CASE("server name: a Unix path ends in a colon") {
    CHECK(default_unix_name("/run/redis.sock") == "/run/redis.sock:");
}

TEST_CASE("internal order: by length and then by unsigned bytes") {
    std::vector<std::string> names = {"server10", "server2", "b", "alpha", "\xff", "z", "", "a"};
    std::sort(names.begin(), names.end(), sorts_before);
    CHECK(names ==
          std::vector<std::string>{"", "a", "b", "z", "\xff", "alpha", "server2", "server10"});
}

TEST_CASE("internal order: equal names do not sort before each other") {
    CHECK(!sorts_before("same", "same"));
    CHECK(!sorts_before("", ""));
}

}  // namespace
}  // namespace ringmaster::ring
