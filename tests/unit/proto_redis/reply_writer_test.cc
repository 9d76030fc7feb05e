// SPDX-License-Identifier: Apache-2.0
// What a reply looks like in RESP2 and in RESP3.
#include "common/proto/redis/reply_writer.h"

#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "common/proto/redis/reply_parser.h"

namespace ringmaster::proto::redis::test {
namespace {

template <class Write>
std::string written(Protocol protocol, Write&& write) {
    std::string out;
    ReplyWriter writer(protocol, out);
    write(writer);
    return out;
}

template <class Write>
void check(Write&& write, const std::string& resp2, const std::string& resp3) {
    CHECK(written(Protocol::kResp2, write) == resp2);
    CHECK(written(Protocol::kResp3, write) == resp3);
}

TEST_CASE("reply writer: what both protocols write alike") {
    const auto same = [](auto&& write, const std::string& text) { check(write, text, text); };
    same([](ReplyWriter& w) { w.simple("OK"); }, "+OK\r\n");
    same([](ReplyWriter& w) { w.error("ERR no"); }, "-ERR no\r\n");
    same([](ReplyWriter& w) { w.integer(0); }, ":0\r\n");
    same([](ReplyWriter& w) { w.integer(std::numeric_limits<int64_t>::min()); },
         ":-9223372036854775808\r\n");
    same([](ReplyWriter& w) { w.bulk(""); }, "$0\r\n\r\n");
    same([](ReplyWriter& w) { w.bulk(std::string_view("a\r\n\0b", 5)); },
         std::string("$5\r\na\r\n\0b\r\n", 11));
    same([](ReplyWriter& w) { w.array(3); }, "*3\r\n");
    same([](ReplyWriter& w) { w.array(0); }, "*0\r\n");
}

TEST_CASE("reply writer: RESP2 gets what a server sends where it has no such kind") {
    check([](ReplyWriter& w) { w.map(2); }, "*4\r\n", "%2\r\n");
    check([](ReplyWriter& w) { w.set(2); }, "*2\r\n", "~2\r\n");
    check([](ReplyWriter& w) { w.null(); }, "$-1\r\n", "_\r\n");
    check([](ReplyWriter& w) { w.null_array(); }, "*-1\r\n", "_\r\n");
    check([](ReplyWriter& w) { w.boolean(true); }, ":1\r\n", "#t\r\n");
    check([](ReplyWriter& w) { w.boolean(false); }, ":0\r\n", "#f\r\n");
    check([](ReplyWriter& w) { w.number(1.5); }, "$3\r\n1.5\r\n", ",1.5\r\n");
    check([](ReplyWriter& w) { w.number(-3); }, "$2\r\n-3\r\n", ",-3\r\n");
    check([](ReplyWriter& w) { w.number(std::numeric_limits<double>::infinity()); },
          "$3\r\ninf\r\n", ",inf\r\n");
    check([](ReplyWriter& w) { w.number(-std::numeric_limits<double>::infinity()); },
          "$4\r\n-inf\r\n", ",-inf\r\n");
    check([](ReplyWriter& w) { w.number(std::numeric_limits<double>::quiet_NaN()); },
          "$3\r\nnan\r\n", ",nan\r\n");
    check([](ReplyWriter& w) { w.big_number("-12345678901234567890"); },
          "$21\r\n-12345678901234567890\r\n", "(-12345678901234567890\r\n");
    check([](ReplyWriter& w) { w.verbatim("txt", "a\nb"); }, "$3\r\na\nb\r\n",
          "=7\r\ntxt:a\nb\r\n");
}

TEST_CASE("reply writer: a line break in a line becomes a space, so that it stays one reply") {
    const auto write = [](ReplyWriter& w) {
        w.error("ERR unknown 'a\r\n+OK\r\n'");
        w.simple("a\nb");
    };
    const std::string text = "-ERR unknown 'a  +OK  '\r\n+a b\r\n";
    check(write, text, text);
}

TEST_CASE("reply writer: a nested RESP2 reply is one whole reply for the parser") {
    const std::string text = written(Protocol::kResp2, [](ReplyWriter& w) {
        w.map(2);
        w.bulk("a");
        w.array(2);
        w.integer(1);
        w.null();
        w.bulk("b");
        w.set(1);
        w.number(2.25);
    });
    ReplyParser parser;
    CHECK(parser.parse(text.data(), text.size()) == ParseStatus::kDone);
    CHECK(parser.position() == text.size());
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
