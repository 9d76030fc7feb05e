// SPDX-License-Identifier: Apache-2.0
#include <cctype>
#include <string>

#include "common/proto/redis/commands.h"
#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

const Command* find_exactly(const std::string& name) {
    const ExactCopy copy(name);  // a read beyond the name is seen
    return find_command_or_null(std::string_view(copy.bytes.get(), copy.size));
}

TEST_CASE("find command: every row is found in lower, upper and mixed case") {
    for (const Command& command : all_commands()) {
        const std::string lower(command.name);
        std::string upper = lower;
        std::string mixed = lower;
        for (size_t i = 0; i < lower.size(); ++i) {
            upper[i] = static_cast<char>(std::toupper(lower[i]));
            mixed[i] = i % 2 == 0 ? upper[i] : lower[i];
        }
        CAPTURE(lower);
        CHECK(find_exactly(lower) == &command);
        CHECK(find_exactly(upper) == &command);
        CHECK(find_exactly(mixed) == &command);
    }
}

TEST_CASE("find command: short names have a quick way that finds the same") {
    std::string names[] = {"",
                           "g",
                           "ge",
                           "get ",
                           "get\1",
                           "getx",
                           std::string("get\0", 4),
                           "nope",
                           "zzzzzzzz",
                           "G\\ET",
                           "xxxx_ro",
                           "SORT\x7f"
                           "RO"};
    const auto check = [](std::string name) {
        const Command* expected = find_exactly(name);
        const size_t size = name.size();
        for (const char behind : {'\0', '\r', 'x'}) {
            std::string padded = name;
            padded.resize(size + 8, behind);
            CAPTURE(padded);
            CHECK(find_short_command_or_null(padded.data(), size) == expected);
        }
    };
    for (const std::string& name : names) {
        check(name);
    }
    for (const Command& command : all_commands()) {
        std::string name(command.name);
        if (name.size() > 8) {
            continue;
        }
        check(name);
        name[0] = static_cast<char>(std::toupper(name[0]));
        check(name);
        name.back() = static_cast<char>(name.back() ^ 0x40);
        check(name);
    }
}

TEST_CASE("find command: any other byte at any place makes it another name") {
    for (const Command& command : all_commands()) {
        for (size_t i = 0; i < command.name.size(); ++i) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string name(command.name);
                name[i] = static_cast<char>(byte);
                if (byte < 128 && std::tolower(byte) == command.name[i]) {
                    continue;
                }
                // It may be another command (hget, lget), never this one.
                REQUIRE(find_exactly(name) != &command);
            }
        }
    }
}

TEST_CASE("find command: unknown, cut and lengthened names are not found") {
    for (const std::string name : {"", "g", "ge", "gett", "get ", "get\r\n", "xreads", "nosuchcmd",
                                   "hellos", "georadiusbymember_rox", "georadiusbymember\x7fro",
                                   "a name of far more than twenty-four bytes"}) {
        CAPTURE(name);
        CHECK(find_exactly(name) == nullptr);
    }
    CHECK(find_exactly(std::string("get\0", 4)) == nullptr);
    CHECK(find_exactly(std::string("\0get", 4)) == nullptr);
    CHECK(find_exactly(std::string(100000, 'x')) == nullptr);
    // Bytes that only look like letters when a bit is masked away.
    CHECK(find_exactly("\xc7\xc5\xd4") == nullptr);
    CHECK(find_exactly(std::string(3, '\0')) == nullptr);
    CHECK(find_exactly(std::string(3, ' ')) == nullptr);
}

TEST_CASE("find command: arity counts the name, has bounds, and pairs are odd") {
    const auto right = [](const char* name, uint32_t argc) {
        const Command* command = find_command_or_null(name);
        REQUIRE(command != nullptr);
        return arity_is_right(*command, argc);
    };
    CHECK(right("get", 2));
    CHECK_FALSE(right("get", 1));
    CHECK_FALSE(right("get", 3));
    CHECK(right("del", 1000000));
    CHECK_FALSE(right("del", 1));
    CHECK(right("mset", 3));
    CHECK(right("mset", 5));
    CHECK_FALSE(right("mset", 1));
    CHECK_FALSE(right("mset", 4));
    CHECK_FALSE(right("msetnx", 4));
    CHECK(right("ping", 1));
    CHECK(right("ping", 2));
    CHECK_FALSE(right("ping", 3));
    CHECK(right("auth", 4));  // Redis has another error for it than the wrong arity
    CHECK_FALSE(right("get", 0xffffffff));
    CHECK_FALSE(right("get", 0xfffffffe));
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
