// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "common/proto/redis/request_parser.h"
#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

TEST_CASE("argument cursor: walks every argument, the raw pieces make up the request") {
    const std::vector<std::string> arguments = {"MSET", "", "\r\n", std::string(1234, 'v'),
                                                std::string("\0$1", 3)};
    const std::string bytes = request_of(arguments);
    const ExactCopy copy(bytes);
    ArgumentCursor cursor(std::string_view(copy.bytes.get(), copy.size));
    std::string_view argument;
    std::string_view raw;
    std::string rebuilt = "*5\r\n";
    for (const std::string& expected : arguments) {
        REQUIRE(cursor.next(argument, raw));
        CHECK(argument == expected);
        rebuilt += raw;
    }
    CHECK(rebuilt == bytes);
    CHECK_FALSE(cursor.next(argument, raw));
    CHECK_FALSE(cursor.next(argument, raw));
}

TEST_CASE("argument cursor: nothing in an empty or cut request is read beyond its end") {
    std::string_view argument;
    std::string_view raw;
    ArgumentCursor empty{std::string_view()};
    CHECK_FALSE(empty.next(argument, raw));
    const std::string bytes = request_of(std::vector<std::string>{"GET", "key"});
    for (size_t size = 0; size < bytes.size(); ++size) {
        const ExactCopy copy(std::string_view(bytes).substr(0, size));
        ArgumentCursor cursor(std::string_view(copy.bytes.get(), copy.size));
        size_t count = 0;
        while (cursor.next(argument, raw)) {
            ++count;
        }
        CHECK(count == (size >= 13 ? 1 : 0));
    }
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
