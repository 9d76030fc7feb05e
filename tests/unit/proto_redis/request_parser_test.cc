// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/request_parser.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/proto/limits.h"
#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

using Arguments = std::vector<std::string>;

TEST_CASE("redis request: the quick way sees what the parser sees, or leaves it to it") {
    struct Case {
        std::string input;
        bool taken;
    };
    const Case cases[] = {
        {request_of(Arguments{"GET", "0123456789abcdef"}), true},
        {request_of(Arguments{"SET", "k", ""}) + "x", true},
        {request_of(Arguments{"PING"}), true},
        {request_of(Arguments{"SET", "k", std::string(999, '\n')}), true},
        {request_of(Arguments{"SET", "k", std::string(1000, 'x')}), false},
        {request_of(Arguments(10, "x")), true},
        {request_of(Arguments(999, "x")), true},
        {request_of(Arguments(1000, "x")), false},
        {"*0\r\n0000000", false},
        {"*2\r\n$3\r\nGET\r\n$01\r\nk\r\n", false},
        {"*2\r\n$3\r\nGET\r\n$-1\r\nk\r\n", false},
        {"*2\r\n$3\r\nGET\r\n:1\r\nkkkkk\r\n", false},
        {"*2\r\n$3\r\nGET\r\n$1\rXk\r\nkk\r\n", false},
        {"*2\r\n$3\r\nGET\r\n$1\r\nkkkkkk\r\n", false},
        {"PING 1234567890\r\n", false},
    };
    for (const Case& c : cases) {
        for (size_t size = 0; size <= c.input.size(); ++size) {
            CAPTURE(size);
            const ExactCopy copy(std::string_view(c.input).substr(0, size));
            RequestView quick;
            const bool taken = RequestParser::parse_whole(copy.bytes.get(), copy.size, quick);
            RequestParser parser;
            const bool whole = parser.parse(copy.bytes.get(), copy.size) == ParseStatus::kDone;
            CHECK((!taken || whole));
            if (size == c.input.size()) {
                CHECK(taken == c.taken);
            }
            if (!taken) {
                continue;
            }
            const RequestView view = parser.view(copy.bytes.get());
            CHECK(quick.bytes.data() == view.bytes.data());
            CHECK(quick.bytes.size() == view.bytes.size());
            CHECK(quick.argument_count == view.argument_count);
            CHECK(quick.command == view.command);
            for (size_t i = 0; i < RequestView::kFirstArguments; ++i) {
                CHECK(quick.arguments[i] == view.arguments[i]);
            }
        }
    }
}

TEST_CASE("redis request: whole requests are found at every feed size, bytes behind them left") {
    const Arguments cases[] = {
        {"GET", "0123456789abcdef"},
        {"PING"},
        {""},
        {"SET", "", ""},
        {"SET", "k", std::string(3000, '\n')},
        {"SET", std::string("\0\r\n$1\r\n", 8), "*1\r\n"},
        {"MSET", "a", "1", "b", "2", "c", "3"},
        {"DEL", std::string(7000, 'k'), "b", "c"},
        Arguments(1000, "x"),
    };
    for (const Arguments& arguments : cases) {
        for (const std::string behind : {"", "*1\r\n", "junk"}) {
            for (const size_t feed_size : kFeedSizes) {
                const std::string request = request_of(arguments);
                const std::string input = request + behind;
                RequestParser parser;
                REQUIRE(feed(parser, input, feed_size) == ParseStatus::kDone);
                REQUIRE(parser.position() == request.size());
                const RequestView view = parser.view(input.data());
                CHECK(view.bytes == request);
                REQUIRE(view.argument_count == arguments.size());
                for (size_t i = 0; i < RequestView::kFirstArguments; ++i) {
                    CHECK(view.arguments[i] == (i < arguments.size() ? arguments[i] : ""));
                }
                CHECK(view.command == find_command_or_null(arguments[0]));
            }
        }
    }
}

TEST_CASE("redis request: bytes that are no request are refused with the right words") {
    struct Case {
        std::string input;
        ParseStatus status;
        std::string problem;
    };
    const std::string count = "Protocol error: invalid multibulk length";
    const std::string length = "Protocol error: invalid bulk length";
    const std::string dollar = "Protocol error: expected '$'";
    const std::string crlf = "Protocol error: expected CRLF behind a bulk string";
    constexpr auto kBad = ParseStatus::kBad;
    const Case cases[] = {
        {"*0\r\n", kBad, count},
        {"*-1\r\n", kBad, count},
        {"*+1\r\n", kBad, count},
        {"* 1\r\n", kBad, count},
        {"*01\r\n", kBad, count},
        {"*\r\n", kBad, count},
        {"*1\n", kBad, count},
        {"*1\rx", kBad, count},
        {"*1x\r\n", kBad, count},
        {"*1\r\n+OK\r\n", kBad, dollar},
        {"*1\r\n*1\r\n", kBad, dollar},
        {"*2\r\n$3\r\nGET\r\n:1\r\n", kBad, dollar},
        {"*1\r\n$\r\n", kBad, length},
        {"*1\r\n$-1\r\n", kBad, length},
        {"*1\r\n$+4\r\n", kBad, length},
        {"*1\r\n$04\r\n", kBad, length},
        {"*1\r\n$4 \r\n", kBad, length},
        {"*1\r\n$4\nPING\r\n", kBad, length},
        {"*1\r\n$4\r\rPING\r\n", kBad, length},
        {"*1\r\n$3\r\nPING\r\n", kBad, crlf},
        {"*1\r\n$5\r\nPING\r\n*", kBad, crlf},
        {"*1\r\n$4\r\nPING\r*", kBad, crlf},
        {"*1048577\r\n", ParseStatus::kTooBig, "Protocol error: too many arguments"},
        {"*99999999999999999999999999999999999", ParseStatus::kTooBig,
         "Protocol error: too many arguments"},
        {"*1\r\n$536870913\r\n", ParseStatus::kTooBig, "Protocol error: bulk string is too long"},
        {"*1\r\n$18446744073709551617\r\n", ParseStatus::kTooBig,
         "Protocol error: bulk string is too long"},
    };
    for (const Case& test : cases) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(test.input);
            RequestParser parser;
            REQUIRE(feed(parser, test.input, feed_size) == test.status);
            CHECK(parser.problem() == test.problem);
        }
    }
}

TEST_CASE("redis request: the limits themselves are legal") {
    RequestParser parser;
    const std::string many = "*1048576\r\n";
    CHECK(parser.parse(many.data(), many.size()) == ParseStatus::kNeedMore);
    parser.reset();
    const std::string big = "*1\r\n$536870912\r\n";
    CHECK(parser.parse(big.data(), big.size()) == ParseStatus::kNeedMore);
    CHECK(parser.bytes_needed() == big.size() + kMaxBulkBytes + 2);
    CHECK(parser.position() == big.size() + kMaxBulkBytes);
}

TEST_CASE("redis request: position and bytes_needed are exact while a request arrives") {
    const std::string input = "*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n";
    struct Step {
        size_t size;
        size_t position;
        size_t needed;
    };
    const Step steps[] = {{0, 0, 1},    {1, 0, 2},    {3, 0, 4},    {4, 4, 5},
                          {6, 4, 7},    {8, 11, 13},  {12, 11, 13}, {13, 13, 14},
                          {17, 13, 18}, {18, 28, 30}, {20, 28, 30}, {29, 28, 30}};
    RequestParser parser;
    for (const Step& step : steps) {
        CAPTURE(step.size);
        REQUIRE(parser.parse(input.data(), step.size) == ParseStatus::kNeedMore);
        CHECK(parser.position() == step.position);
        CHECK(parser.bytes_needed() == step.needed);
        CHECK(parser.at_start() == (step.position == 0));
    }
    REQUIRE(parser.parse(input.data(), input.size()) == ParseStatus::kDone);
    CHECK(parser.position() == 30);
}

TEST_CASE("redis request: after reset nothing of the last request is left") {
    RequestParser parser;
    const std::string first = request_of(Arguments{"SET", "key", "value", "EX", "10"});
    const std::string second = request_of(Arguments{"PING"});
    REQUIRE(parser.parse(first.data(), first.size()) == ParseStatus::kDone);
    parser.reset();
    CHECK(parser.at_start());
    CHECK(parser.bytes_needed() == 1);
    REQUIRE(feed(parser, second, 1) == ParseStatus::kDone);
    const RequestView view = parser.view(second.data());
    CHECK(view.argument_count == 1);
    CHECK(view.arguments[0] == "PING");
    CHECK(view.arguments[1].empty());
    parser.reset();
    REQUIRE(parser.parse("*1\r\n$9", 6) == ParseStatus::kNeedMore);
    parser.reset();
    REQUIRE(parser.parse(second.data(), second.size()) == ParseStatus::kDone);
}

TEST_CASE("redis request: an inline line is found at every feed size, bytes behind it left") {
    const std::string longest(kMaxInlineBytes - 1, 'x');
    const std::pair<std::string, std::string> cases[] = {
        {"PING\r\n", "PING"},
        {"PING\n", "PING"},
        {"\r\n", ""},
        {"\n", ""},
        {"a\rb\r\r\n", "a\rb\r"},
        {"$3\r\n", "$3"},
        {std::string("\0\n", 2), std::string(1, '\0')},
        {longest + "\n", longest},
    };
    for (const auto& [input, line] : cases) {
        for (const std::string behind : {"", "*1\r\n$4\r\nPING\r\n", "junk\r\n"}) {
            for (const size_t feed_size : kFeedSizes) {
                if (feed_size < 100 && input.size() > 1000) {
                    continue;
                }
                const std::string all = input + behind;
                RequestParser parser;
                REQUIRE(feed(parser, all, feed_size) == ParseStatus::kDone);
                REQUIRE(parser.is_inline());
                CHECK(parser.position() == input.size());
                CHECK(parser.line(all.data()) == line);
                parser.reset();
                CHECK_FALSE(parser.is_inline());
                CHECK(parser.at_start());
            }
        }
    }
}

TEST_CASE("redis request: an inline line that is too long is refused wherever it is cut") {
    for (const std::string end : {"\n", "\r\n", "xxxx\n", ""}) {
        const std::string input = std::string(kMaxInlineBytes, 'x') + end;
        for (const size_t feed_size : {size_t{100000}, size_t{1000}}) {
            RequestParser parser;
            REQUIRE(feed(parser, input, feed_size) == ParseStatus::kTooBig);
            CHECK(parser.problem() == std::string("Protocol error: too big inline request"));
        }
    }
}

TEST_CASE("redis request: the bytes of an unwanted one can be dropped as they come") {
    const std::string request = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\n0123456789\r\n";
    const std::string behind = "*1\r\n$4\r\nPING\r\n";
    const std::string stream = request + behind;
    for (size_t piece = 1; piece <= stream.size(); ++piece) {
        CAPTURE(piece);
        RequestParser parser;
        std::string buffer;
        size_t most_kept = 0;
        ParseStatus status = ParseStatus::kNeedMore;
        size_t at = 0;
        while (status == ParseStatus::kNeedMore && at < stream.size()) {
            buffer += stream.substr(at, piece);
            at += piece;
            status = parser.parse(buffer.data(), buffer.size());
            if (status == ParseStatus::kNeedMore) {
                const size_t dropped = parser.discardable(buffer.size());
                parser.rebase(dropped);
                buffer.erase(0, dropped);
                most_kept = std::max(most_kept, buffer.size());
            }
        }
        REQUIRE(status == ParseStatus::kDone);
        CHECK(most_kept <= 4);  // the beginning of a header
        const std::string rest = buffer.substr(parser.position()) +
                                 (at < stream.size() ? stream.substr(at) : std::string());
        CHECK(rest == behind);
    }
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
