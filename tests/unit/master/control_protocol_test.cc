// SPDX-License-Identifier: Apache-2.0
#include "master/control_protocol.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

const std::vector<std::string> kWords = {"where", "pool", std::string("a\0b\n:{} \xff", 9), ""};

TEST_CASE("control protocol: words of any bytes come back, and every beginning needs more") {
    const std::string bytes = write_request(kWords);
    std::vector<std::string> words;
    std::string problem;
    for (size_t size = 0; size < bytes.size(); ++size) {
        CHECK(parse_request(std::string_view(bytes).substr(0, size), words, problem) ==
              ControlParse::kNeedMore);
    }
    REQUIRE(parse_request(bytes, words, problem) == ControlParse::kDone);
    CHECK(words == kWords);
    CHECK(parse_request(bytes + "x", words, problem) == ControlParse::kBad);
}

TEST_CASE("control protocol: an answer comes back, and every beginning needs more") {
    const ControlAnswer answer{.code = 1, .out = "out\n", .err = std::string("e\0r\n", 4)};
    const std::string bytes = write_answer(answer);
    ControlAnswer read;
    for (size_t size = 0; size < bytes.size(); ++size) {
        CHECK(parse_answer(std::string_view(bytes).substr(0, size), read) ==
              ControlParse::kNeedMore);
    }
    REQUIRE(parse_answer(bytes, read) == ControlParse::kDone);
    CHECK(read == answer);
    CHECK(parse_answer(bytes + "x", read) == ControlParse::kBad);
}

TEST_CASE("control protocol: what is no request is bad at its first odd byte") {
    std::vector<std::string> words;
    std::string problem;
    for (const char* bytes :
         {"x", "GET / HTTP/1.1\r\n", "ringmaster/1 0\n", "ringmaster/1 17\n", "ringmaster/1 -1\n",
          "ringmaster/1 \n", "ringmaster/1 999999999999", "ringmaster/1 1\nx",
          "ringmaster/1 1\n99999999:", "ringmaster/1 1\n:"}) {
        CAPTURE(bytes);
        CHECK(parse_request(bytes, words, problem) == ControlParse::kBad);
        CHECK_FALSE(problem.empty());
    }
    CHECK(parse_request("ringmaster/2 1\n", words, problem) == ControlParse::kBad);
    CHECK(problem.find("version") != std::string::npos);
}

TEST_CASE("control protocol: an answer's numbers are looked at") {
    ControlAnswer answer;
    for (const char* bytes : {"ringmaster/1 2 0 0\n", "ringmaster/1 0 99999999 0\n", "hello",
                              "ringmaster/1 0 0\n", "ringmaster/1 0 1 1\nabc"}) {
        CAPTURE(bytes);
        CHECK(parse_answer(bytes, answer) == ControlParse::kBad);
    }
}

TEST_CASE("control protocol: a problem is one line with the program's name") {
    CHECK(control_failure("it rains").err == "ringmaster: it rains\n");
    CHECK(control_failure("it rains").code == 1);
    CHECK(printable("a\nb\x7f", 10) == "a?b?");
    CHECK(printable("abc", 2) == "ab");
}

}  // namespace
}  // namespace ringmaster::master
