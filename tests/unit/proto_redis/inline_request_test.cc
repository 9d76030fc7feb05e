// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/inline_request.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

using Arguments = std::vector<std::string>;

TEST_CASE("inline request: words, quotes and escapes become the same request in RESP") {
    const std::pair<std::string, Arguments> cases[] = {
        {"PING", {"PING"}},
        {"  SET\t a \v b  ", {"SET", "a", "b"}},
        {R"(SET a "b c")", {"SET", "a", "b c"}},
        {R"(SET a "")", {"SET", "a", ""}},
        {R"(SET a '')", {"SET", "a", ""}},
        {R"(SET a "\n\r\t\b\a\\\"\q")", {"SET", "a", "\n\r\t\b\a\\\"q"}},
        {R"(SET a "\x41\xfF\x0")", {"SET", "a", "A\xffx0"}},
        {R"(SET a '\n\'"')", {"SET", "a", "\\n'\""}},
        {R"(SET a"b c")", {"SET", "ab c"}},
        {R"(a\nb)", {"a\\nb"}},
        {std::string("a\0b", 3), {std::string("a\0b", 3)}},
    };
    for (const auto& one : cases) {
        const auto& line = one.first;  // clang 14 cannot capture a structured binding
        const auto& arguments = one.second;
        CAPTURE(line);
        std::string resp = "before";
        const ExactCopy copy(line);
        REQUIRE(translate_inline({copy.bytes.get(), copy.size}, resp) == InlineStatus::kRequest);
        CHECK(resp == "before" + request_of(arguments));
    }
}

TEST_CASE("inline request: a line without words is empty") {
    for (const std::string line : {"", " ", "\t \r", "\v\f"}) {
        std::string resp;
        CHECK(translate_inline(line, resp) == InlineStatus::kEmpty);
        CHECK(resp.empty());
    }
}

TEST_CASE("inline request: quotes that do not close, or close inside a word, are unbalanced") {
    for (const std::string line :
         {R"(SET a "b)", R"(SET a 'b)", R"(")", R"(')", R"(SET "a"b c)", R"(SET 'a'b c)",
          R"("a""b")", R"(SET a "b\")", R"(SET a 'b\')", R"(SET a "\)"}) {
        CAPTURE(line);
        std::string resp;
        const ExactCopy copy(line);
        CHECK(translate_inline({copy.bytes.get(), copy.size}, resp) == InlineStatus::kUnbalanced);
        CHECK(resp.empty());
    }
}

TEST_CASE("inline request: the lines of HTTP that could be commands are told apart") {
    for (const std::string line : {"POST / HTTP/1.1", "post", "Host: localhost:6379", "HOST:"}) {
        std::string resp;
        CHECK(translate_inline(line, resp) == InlineStatus::kCrossProtocol);
        CHECK(resp.empty());
    }
    std::string resp;
    CHECK(translate_inline("GET / HTTP/1.1", resp) == InlineStatus::kRequest);
    CHECK(translate_inline("GET post", resp) == InlineStatus::kRequest);
    CHECK(translate_inline("hosts: a", resp) == InlineStatus::kRequest);
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
