// SPDX-License-Identifier: Apache-2.0
#include "config/values.h"

#include <doctest/doctest.h>

#include "tests/unit/config/support.h"

using namespace ringmaster::config;

TEST_CASE("config values: pool numbers are digits that wrap at 32 bits, the upper half refused") {
    CHECK(parse_wrapping_number("0") == 0U);
    CHECK(parse_wrapping_number("007") == 7U);
    CHECK(parse_wrapping_number("2147483647") == 2147483647U);
    CHECK_FALSE(parse_wrapping_number("2147483648"));
    CHECK_FALSE(parse_wrapping_number("4294967295"));
    CHECK(parse_wrapping_number("4294967296") == 0U);
    CHECK(parse_wrapping_number("99999999999") == 1215752191U);
    for (const char* const bad : {"", "-1", "+1", "1.5", "0x10", "1 ", "1_000"}) {
        CHECK_FALSE(parse_wrapping_number(bad));
    }
}

TEST_CASE("config values: process numbers do not wrap") {
    CHECK(parse_number("1024", 1024) == 1024U);
    CHECK_FALSE(parse_number("1025", 1024));
    CHECK_FALSE(parse_number("99999999999999999999999999", UINT64_MAX));
    CHECK(parse_number("18446744073709551615", UINT64_MAX) == UINT64_MAX);
    CHECK_FALSE(parse_number("18446744073709551616", UINT64_MAX));
    CHECK_FALSE(parse_number("5", 0));
}

TEST_CASE("config values: memory takes units and auto") {
    const auto read = [](std::string_view text) {
        uint64_t bytes = 1;
        return read_memory(text, bytes).none() ? bytes : uint64_t{1};
    };
    CHECK(read("auto") == 0);
    CHECK(read("1048576") == 1 << 20);
    CHECK(read("2048k") == 2 << 20);
    CHECK(read("3m") == 3 << 20);
    CHECK(read("2G") == uint64_t{2} << 30);
    for (const char* const bad : {"0", "512", "m", "1t", "1mb", "-1m", "1.5g", "99999999999999999g",
                                  "18014398509481984k"}) {
        CHECK_MESSAGE(read(bad) == 1, bad);
    }
}

TEST_CASE("config values: workers are auto or 1 to 1024") {
    std::optional<uint32_t> workers;
    CHECK(read_workers("auto", workers).none());
    CHECK(workers == 0U);
    CHECK(read_workers("1024", workers).none());
    CHECK(workers == 1024U);
    CHECK_FALSE(read_workers("0", workers).none());
    CHECK_FALSE(read_workers("1025", workers).none());
    CHECK_FALSE(read_workers("Auto", workers).none());
    CHECK(workers == 1024U);  // a refused value leaves the target alone
}

TEST_CASE("config values: a server entry is parsed from the right") {
    const ServerEntry v6 = parse_server_entry("::1:6379:3 one:1");
    REQUIRE(v6.problem.empty());
    CHECK(v6.server.name == "one:1");
    CHECK(v6.server.weight == 3);
    CHECK(v6.server.address.host == "::1");
    CHECK(v6.server.address.port == 6379);
    CHECK(v6.server.address.text == "::1:6379:3 one:1");

    const ServerEntry path = parse_server_entry("/run/a.sock:2 one");
    REQUIRE(path.problem.empty());
    CHECK(path.server.address.is_unix);
    CHECK(path.server.address.path == "/run/a.sock");
    CHECK(path.server.weight == 2);
}

TEST_CASE("config values: the effective name of a server is nutcracker's") {
    const auto name_of = [](std::string_view text) {
        const ServerEntry entry = parse_server_entry(text);
        return entry.problem.empty() ? entry.server.name : "refused";
    };
    CHECK(name_of("h:6379:1") == "h:6379");
    CHECK(name_of("h:06379:1") == "h:06379");
    CHECK(name_of("h:11211:1") == "h");
    CHECK(name_of("h:011211:1") == "h");
    CHECK(name_of("h:11211:1 n") == "n");
    CHECK(name_of("/s:1") == "/s:");
    CHECK(name_of("h:1:1 ") == "");
    CHECK(name_of(":1:1") == ":1");
    for (const char* const bad :
         {"", " ", ":", "::", "h", "h:1", "h:1:0", "h:1:x", "h:0:1", "h:65536:1", "h::1", "/s",
          "/s:0", "/a:b:1", "h:1:1  n", "h:1:1 a b", "/a b:1", ":1"}) {
        CHECK_MESSAGE(name_of(bad) == "refused", bad);
    }
}

TEST_CASE("config values: a listen address is host:port or a path with an octal mode") {
    Address address;
    REQUIRE(read_listen(":::22121", address).none());
    CHECK(address.host == "::");
    CHECK(address.port == 22121);
    REQUIRE(read_listen("/s 777", address).none());
    CHECK(address.mode == 0777);
    CHECK(address.path == "/s");
    REQUIRE(read_listen("/s abc", address).none());
    CHECK(address.mode == 0);
    REQUIRE(read_listen("/" + std::string(106, 'x'), address).none());
    for (const std::string& bad :
         {std::string("x"), std::string("x:"), std::string("x:0"), std::string("x:65536"),
          std::string("x:1 0666"), std::string("/s 1000"), std::string("/s -1"),
          std::string("/s 777777777777777777777777"), "/" + std::string(107, 'x')}) {
        CHECK_MESSAGE(!read_listen(bad, address).none(), bad);
    }
}
