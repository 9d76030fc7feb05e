// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/reply_parser.h"

#include <string>

#include "common/proto/limits.h"
#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

// Every level holds an integer and the next level.
std::string nested(size_t depth) {
    std::string reply;
    for (size_t i = 0; i < depth; ++i) {
        reply += "*2\r\n:1\r\n";
    }
    return reply + "*0\r\n";
}

TEST_CASE("redis reply: the quick way knows the common replies and no more than has come") {
    const std::string quick[] = {"+OK\r\n",
                                 "$-1\r\n",
                                 ":0\r\n123",
                                 ":999\r\n12",
                                 "$0\r\n\r\n1",
                                 "$3\r\nabc\r\n",
                                 "$999\r\n" + std::string(999, '\r') + "\r\n"};
    const size_t sizes[] = {5, 5, 4, 6, 6, 9, 1007};
    const std::string slow[] = {
        "-ERR no\r\n",    ":-1\r\n123",     ":1000\r\n1",
        "$03\r\nabc\r\n", "$3\r\nabcd\r\n", "$3\nabc\r\n12",
        "+OKAY\r\n12",    "*1\r\n:1\r\n",   "$1000\r\n" + std::string(1002, 'x'),
        "garbage"};
    for (size_t i = 0; i < std::size(quick); ++i) {
        for (size_t size = 0; size <= quick[i].size(); ++size) {
            CAPTURE(quick[i]);
            CAPTURE(size);
            const ExactCopy copy(std::string_view(quick[i]).substr(0, size));
            const size_t found = ReplyParser::whole_reply_bytes(copy.bytes.get(), copy.size);
            CHECK((found == 0 || (found == sizes[i] && found <= size)));
            if (size == quick[i].size()) {
                CHECK(found == sizes[i]);
            }
        }
    }
    for (const std::string& input : slow) {
        CAPTURE(input);
        const ExactCopy copy(input);
        CHECK(ReplyParser::whole_reply_bytes(copy.bytes.get(), copy.size) == 0);
    }
}

TEST_CASE("redis reply: a line that was cut is not the start of a reply") {
    ReplyParser parser;
    CHECK(parser.at_start());
    CHECK(parser.parse("$", 1) == ParseStatus::kNeedMore);
    CHECK(parser.at_start());  // a header is read again from its first byte
    CHECK(parser.parse("+O", 2) == ParseStatus::kNeedMore);
    CHECK_FALSE(parser.at_start());  // its first bytes are not looked at again
    CHECK(parser.parse("+OK\r\n", 5) == ParseStatus::kDone);
    CHECK_FALSE(parser.at_start());
    parser.reset();
    CHECK(parser.at_start());
}

TEST_CASE("redis reply: whole replies are found at every feed size, bytes behind them left") {
    const std::string cases[] = {
        "+OK\r\n",
        "+\r\n",
        "-ERR no\r\n",
        "+a\rb\r\n",
        ":0\r\n",
        ":-12\r\n",
        ":+12\r\n",
        ":9223372036854775807\r\n",
        ":-9223372036854775808\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "$3\r\n\r\n$\r\n",
        "$3000\r\n" + std::string(3000, '\n') + "\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*3\r\n$1\r\na\r\n$-1\r\n:1\r\n",
        "*2\r\n*2\r\n+a\r\n-b\r\n*-1\r\n",
        "*1\r\n*1\r\n*0\r\n",
        "+" + std::string(200000, 'x') + "\r\n",
        nested(1000),
    };
    for (const std::string& reply : cases) {
        for (const std::string behind : {"", "+OK\r\n", "\r\n", "junk"}) {
            for (const size_t feed_size : kFeedSizes) {
                if (reply.size() > 100000 && feed_size < 10000) {
                    continue;  // copies its bytes at every feed
                }
                CAPTURE(reply.substr(0, 40));
                const std::string input = reply + behind;
                ReplyParser parser;
                REQUIRE(feed(parser, input, feed_size) == ParseStatus::kDone);
                REQUIRE(parser.position() == reply.size());
            }
        }
    }
}

TEST_CASE("redis reply: bytes that are no RESP2 reply are refused at every feed size") {
    const std::string cases[] = {
        "\r\n",
        "OK\r\n",
        "_\r\n",
        "#t\r\n",
        "%1\r\n",
        "~1\r\n",
        ",1.5\r\n",
        "(1\r\n",
        ">1\r\n",
        "=5\r\n",
        "!5\r\n",
        "+O\nK\r\n",
        "+OK\n",
        "-ERR\n",
        "+\n",
        ":\r\n",
        ":-\r\n",
        ":1x\r\n",
        ": 1\r\n",
        ":1.5\r\n",
        ":1\n",
        ":1\r\r",
        ":--1\r\n",
        "$-2\r\n",
        "$-10\r\n",
        "$-1\n",
        "$-1\r\r",
        "$\r\n",
        "$+1\r\na\r\n",
        "$01\r\na\r\n",
        "$1x\r\n",
        "$1\r\nab\r\n",
        "$2\r\na\r\n\n",
        "$0\r\n\n\r",
        "*-2\r\n",
        "*\r\n",
        "*x\r\n",
        "*1\r\n_\r\n",
        "*2\r\n+a\r\n\r\n",
        "*+1\r\n",
        ":12345678901234567890\r\n",
        "$-1x\r\n",
    };
    for (const std::string& input : cases) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(input);
            ReplyParser parser;
            CHECK(feed(parser, input, feed_size) == ParseStatus::kBad);
        }
    }
}

TEST_CASE("redis reply: RESP3 replies are found at every feed size, bytes behind them left") {
    const std::string cases[] = {
        "_\r\n",
        "#t\r\n",
        "#f\r\n",
        ",1.5\r\n",
        ",-inf\r\n",
        ",nan\r\n",
        "(3492890328409238509324850943850943825024385\r\n",
        "(-1\r\n",
        "=15\r\ntxt:Some string\r\n",
        "!21\r\nSYNTAX invalid syntax\r\n",
        "!0\r\n\r\n",
        "%0\r\n",
        "%2\r\n+a\r\n:1\r\n$1\r\nb\r\n~1\r\n#f\r\n",
        "~3\r\n_\r\n,0\r\n%1\r\n*0\r\n*-1\r\n",
        "*2\r\n$-1\r\n_\r\n",
        // An attribute and what it belongs to, also inside of an aggregate and of an attribute.
        "|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.19\r\n$1\r\nb\r\n,0.0068\r\n*2\r\n:1\r\n:"
        "2\r\n",
        "*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n",
        "|0\r\n|1\r\n|1\r\n+a\r\n+b\r\n+c\r\n+d\r\n+OK\r\n",
        ">3\r\n+message\r\n$2\r\nch\r\n$3\r\nabc\r\n",
        ">0\r\n",
        // All of RESP2.
        "+OK\r\n",
        "-ERR no\r\n",
        ":-12\r\n",
        "$3\r\n\r\n$\r\n",
        nested(1000),
    };
    for (const std::string& reply : cases) {
        for (const std::string behind : {"", "_\r\n", "\r\n", "junk"}) {
            for (const size_t feed_size : kFeedSizes) {
                CAPTURE(reply.substr(0, 40));
                const std::string input = reply + behind;
                ReplyParser parser(Protocol::kResp3);
                REQUIRE(feed(parser, input, feed_size) == ParseStatus::kDone);
                CHECK(parser.position() == reply.size());
                CHECK(parser.is_push() == reply.starts_with('>'));
                parser.reset();
                CHECK_FALSE(parser.is_push());
                CHECK(feed(parser, input, feed_size) == ParseStatus::kDone);  // RESP3 still
            }
        }
    }
}

TEST_CASE("redis reply: bytes that are no RESP3 reply are refused at every feed size") {
    const std::string cases[] = {
        "\r\n",
        "__\r\n",
        "_x\r\n",
        "_\n",
        "_\r\r",
        "#\r\n",
        "#x\r\n",
        "#true\r\n",
        "#t\n",
        ",1.5\n",
        "(1\n",
        "=-1\r\n",
        "!-1\r\n",
        "%-1\r\n",
        "~-1\r\n",
        "|-1\r\n",
        ">-1\r\n",
        "$?\r\n",
        "*?\r\n",
        "%?\r\n",
        ";1\r\n",
        ".\r\n",
        "%1x\r\n",
        "!2\r\na\r\n\n",
        "*1\r\n>0\r\n",
        "%1\r\n+a\r\n>0\r\n",
        "|1\r\n+a\r\n+b\r\n>0\r\n",
        "%1\r\n+a\r\n\r\n",
    };
    for (const std::string& input : cases) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(input);
            ReplyParser parser(Protocol::kResp3);
            CHECK(feed(parser, input, feed_size) == ParseStatus::kBad);
        }
    }
    for (const std::string input : {"%2147483649\r\n", "|2147483649\r\n", "~4294967297\r\n",
                                    "*2\r\n%2147483648\r\n", "|1\r\n|2147483648\r\n"}) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(input);
            ReplyParser parser(Protocol::kResp3);
            CHECK(feed(parser, input, feed_size) == ParseStatus::kTooBig);
        }
    }
    ReplyParser parser(Protocol::kResp3);
    CHECK(feed(parser, "%2147483648\r\n", 1) == ParseStatus::kNeedMore);
}

TEST_CASE("redis reply: a push is known behind its header line, and not before") {
    const std::string push = ">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n";
    ReplyParser parser(Protocol::kResp3);
    for (size_t size = 0; size < push.size(); ++size) {
        CAPTURE(size);
        REQUIRE(parser.parse(push.data(), size) == ParseStatus::kNeedMore);
        CHECK(parser.is_push() == (size >= 4));
        CHECK(parser.is_push() == (parser.position() > 0));
    }
    REQUIRE(parser.parse(push.data(), push.size()) == ParseStatus::kDone);
    CHECK(parser.is_push());
}

TEST_CASE("redis reply: lengths beyond the limits are too big, the limits are legal") {
    for (const std::string input :
         {"$536870913\r\n", "*4294967297\r\n", "*2\r\n*4294967296\r\n",
          "$99999999999999999999999999\r\n", "*99999999999999999999999999\r\n"}) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(input);
            ReplyParser parser;
            CHECK(feed(parser, input, feed_size) == ParseStatus::kTooBig);
        }
    }
    for (const std::string input : {"$536870912\r\n", "*4294967296\r\n", "*1\r\n*4294967296\r\n"}) {
        CAPTURE(input);
        ReplyParser parser;
        CHECK(feed(parser, input, 1) == ParseStatus::kNeedMore);
    }
}

// Passes on what it can at once, as a worker does with a large reply.
void check_streaming(const std::string& reply, size_t feed_size) {
    ReplyParser parser(Protocol::kResp3);
    std::string held;
    std::string passed_on;
    size_t fed = 0;
    while (true) {
        const std::string piece = reply.substr(fed, feed_size);
        fed += piece.size();
        held += piece;
        const ExactCopy copy(held);
        const ParseStatus status = parser.parse(copy.bytes.get(), copy.size);
        REQUIRE((status == ParseStatus::kDone || status == ParseStatus::kNeedMore));
        if (status == ParseStatus::kNeedMore) {
            REQUIRE(parser.bytes_needed() > held.size());
        }
        const size_t taken = std::min(parser.position(), held.size());
        parser.rebase(taken);
        passed_on += held.substr(0, taken);
        held.erase(0, taken);
        if (!passed_on.empty()) {
            REQUIRE_FALSE(parser.at_start());
        }
        if (status == ParseStatus::kDone) {
            break;
        }
        REQUIRE(fed < reply.size());
    }
    CHECK(passed_on == reply);
    CHECK(held.empty());
}

TEST_CASE("redis reply: a line may be of any length, and is passed on as it comes") {
    const std::string line = "-" + std::string(3 << 20, 'x') + "\r\n";
    for (const size_t feed_size : {size_t{100000}, size_t{99991}, line.size()}) {
        ReplyParser parser;
        CHECK(feed(parser, line, feed_size) == ParseStatus::kDone);
        CHECK(parser.position() == line.size());
        check_streaming(line, feed_size);
    }
    ReplyParser parser;
    REQUIRE(parser.parse(line.data(), 100000) == ParseStatus::kNeedMore);
    CHECK(parser.position() == 99999);
    CHECK(parser.bytes_needed() == 100001);
}

TEST_CASE("redis reply: a line ends with CRLF, wherever it is cut") {
    for (const std::string input : {"+\n", "+a\n", "-a b\n\r\n", "(1\n"}) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(input);
            ReplyParser parser(Protocol::kResp3);
            CHECK(feed(parser, input, feed_size) == ParseStatus::kBad);
        }
    }
    for (const std::string input : {"+\r\n", "+\r\r\n", "+a\rb\r\n", "*2\r\n-\r\n(1\r\n"}) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(input);
            ReplyParser parser(Protocol::kResp3);
            CHECK(feed(parser, input, feed_size) == ParseStatus::kDone);
        }
    }
}

TEST_CASE("redis reply: position and bytes_needed are exact while a reply arrives") {
    const std::string input = "*2\r\n$10\r\n0123456789\r\n+OK\r\n";
    struct Step {
        size_t size;
        size_t position;
        size_t needed;
    };
    const Step steps[] = {{0, 0, 1},   {1, 0, 2},    {4, 4, 5},    {6, 4, 7},
                          {9, 19, 21}, {20, 19, 21}, {21, 21, 22}, {25, 24, 26}};
    ReplyParser parser;
    for (const Step& step : steps) {
        CAPTURE(step.size);
        REQUIRE(parser.parse(input.data(), step.size) == ParseStatus::kNeedMore);
        CHECK(parser.position() == step.position);
        CHECK(parser.bytes_needed() == step.needed);
        CHECK(parser.at_start() == (step.position == 0));
    }
    REQUIRE(parser.parse(input.data(), input.size()) == ParseStatus::kDone);
    CHECK(parser.position() == input.size());
}

TEST_CASE("redis reply: bytes in front may be taken away at any point") {
    const std::string replies[] = {
        "$3000\r\n" + std::string(3000, 'v') + "\r\n",
        "*1\r\n$5\r\nabcde\r\n",
        "*3\r\n$2\r\n\r\n\r\n*1\r\n:12\r\n+a longer line, cut somewhere\r\n",
        nested(20),
        "|1\r\n+a\r\n!3\r\nx\r\n\r\n%2\r\n_\r\n#t\r\n,1.25\r\n=6\r\ntxt:ab\r\n",
        ">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n",
    };
    for (const std::string& reply : replies) {
        for (const size_t feed_size : kFeedSizes) {
            CAPTURE(feed_size);
            check_streaming(reply, feed_size);
        }
    }
}

TEST_CASE("redis reply: a line that comes byte by byte is not scanned again and again") {
    // A quadratic scan of a line of 1 MiB would look at 5 * 10^11 bytes and never end.
    const std::string line = "+" + std::string((1 << 20) - 3, 'x') + "\r\n";
    ReplyParser parser;
    for (size_t size = 1; size < line.size(); ++size) {
        REQUIRE(parser.parse(line.data(), size) == ParseStatus::kNeedMore);
    }
    CHECK(parser.parse(line.data(), line.size()) == ParseStatus::kDone);
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
