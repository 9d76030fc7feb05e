// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/joiner.h"

#include <string>
#include <vector>

#include "common/proto/redis/reply_parser.h"
#include "tests/unit/proto_redis/feed.h"

namespace ringmaster::proto::redis::test {
namespace {

constexpr std::string_view kInvalid = "-ERR Invalid argument\r\n";

struct Joined {
    bool good;
    std::string bytes;
};

Joined join(JoinPolicy policy, const std::vector<std::string>& replies,
            const std::vector<uint32_t>& fragment_of_key = {}) {
    std::vector<ExactCopy> copies;
    std::vector<std::string_view> views;
    for (const std::string& reply : replies) {
        copies.emplace_back(reply);
        views.emplace_back(copies.back().bytes.get(), reply.size());
    }
    std::vector<size_t> cursors(replies.size(), 12345);
    Joiner joiner;
    Joined joined;
    joined.good = joiner.begin(policy, views, fragment_of_key, cursors);
    joined.bytes = joiner.head();
    std::string_view piece;
    while (joiner.next_piece(piece)) {
        joined.bytes += piece;
    }
    ReplyParser parser(Protocol::kResp3);
    CHECK(parser.parse(joined.bytes.data(), joined.bytes.size()) == ParseStatus::kDone);
    CHECK(parser.position() == joined.bytes.size());
    return joined;
}

void check_fails(const Joined& joined, std::string_view error) {
    CHECK_FALSE(joined.good);
    CHECK(joined.bytes == error);
}

TEST_CASE("joiner: MGET's elements come in key order, missing and repeated keys included") {
    const Joined joined =
        join(JoinPolicy::kArray,
             {"*3\r\n$1\r\na\r\n$-1\r\n$1\r\na\r\n", "*2\r\n$0\r\n\r\n$4\r\n\r\n$1\r\n"},
             {1, 0, 0, 1, 0});
    CHECK(joined.good);
    CHECK(joined.bytes == "*5\r\n$0\r\n\r\n$1\r\na\r\n$-1\r\n$4\r\n\r\n$1\r\n$1\r\na\r\n");
}

TEST_CASE("joiner: elements of other types are passed on whole") {
    const Joined joined =
        join(JoinPolicy::kArray, {"*2\r\n*2\r\n:1\r\n*1\r\n+x\r\n-ERR in it\r\n", "*1\r\n:7\r\n"},
             {0, 1, 0});
    CHECK(joined.good);
    CHECK(joined.bytes == "*3\r\n*2\r\n:1\r\n*1\r\n+x\r\n:7\r\n-ERR in it\r\n");
}

TEST_CASE("joiner: an array of another kind or count fails the whole reply") {
    const std::string good = "*1\r\n$1\r\na\r\n";
    for (const std::string lie :
         {"*-1\r\n", "*0\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", ":1\r\n", "+OK\r\n", "$1\r\na\r\n",
          "$-1\r\n", "*4294967296\r\n", "*", ""}) {
        CAPTURE(lie);
        check_fails(join(JoinPolicy::kArray, {good, lie}, {0, 1}), kInvalid);
        check_fails(join(JoinPolicy::kArray, {lie, good}, {0, 1}), kInvalid);
    }
}

TEST_CASE("joiner: a server's error is the reply, in its own words, the first in fragment order") {
    const std::string wrong_type = "-WRONGTYPE Operation against a key\r\n";
    const std::string oom = "-OOM command not allowed\r\n";
    check_fails(join(JoinPolicy::kArray, {"*1\r\n$1\r\na\r\n", wrong_type, oom}, {0, 1, 2}),
                wrong_type);
    check_fails(join(JoinPolicy::kArray, {"*9\r\n", oom}, {0, 1}), oom);
    check_fails(join(JoinPolicy::kSum, {":1\r\n", oom, wrong_type}), oom);
    check_fails(join(JoinPolicy::kAllSucceeded, {"+OK\r\n", wrong_type}), wrong_type);
    check_fails(join(JoinPolicy::kFirst, {oom}), oom);
}

TEST_CASE("joiner: integers are added up, and what is no integer fails the whole reply") {
    CHECK(join(JoinPolicy::kSum, {":1\r\n", ":0\r\n", ":41\r\n"}).bytes == ":42\r\n");
    CHECK(join(JoinPolicy::kSum, {":+1\r\n", ":-3\r\n"}).bytes == ":-2\r\n");
    CHECK(join(JoinPolicy::kSum, {":9223372036854775806\r\n", ":1\r\n"}).bytes ==
          ":9223372036854775807\r\n");
    check_fails(join(JoinPolicy::kSum, {":9223372036854775807\r\n", ":1\r\n"}), kInvalid);
    check_fails(join(JoinPolicy::kSum, {":-9223372036854775808\r\n", ":-1\r\n"}), kInvalid);
    for (const std::string lie : {"+1\r\n", "$1\r\n1\r\n", "*1\r\n:1\r\n",
                                  ":9223372036854775808\r\n", ":\r\n", ":+-1\r\n", ":1", ""}) {
        CAPTURE(lie);
        check_fails(join(JoinPolicy::kSum, {":1\r\n", lie}), kInvalid);
    }
}

TEST_CASE("joiner: all must have said OK") {
    const Joined joined = join(JoinPolicy::kAllSucceeded, {"+OK\r\n", "+OK\r\n"});
    CHECK(joined.good);
    CHECK(joined.bytes == "+OK\r\n");
    for (const std::string lie :
         {"+QUEUED\r\n", ":1\r\n", "$2\r\nOK\r\n", "+OK\r", "+OKAY\r\n", ""}) {
        CAPTURE(lie);
        check_fails(join(JoinPolicy::kAllSucceeded, {"+OK\r\n", lie}), kInvalid);
    }
}

TEST_CASE("joiner: elements of RESP3 keep their types") {
    const Joined joined = join(JoinPolicy::kArray,
                               {"*3\r\n_\r\n%1\r\n+a\r\n#t\r\n=5\r\ntxt:x\r\n",
                                "*2\r\n$1\r\nb\r\n|1\r\n+k\r\n+v\r\n,1.5\r\n"},
                               {1, 0, 0, 1, 0});
    CHECK(joined.good);
    CHECK(joined.bytes ==
          "*5\r\n$1\r\nb\r\n_\r\n%1\r\n+a\r\n#t\r\n|1\r\n+k\r\n+v\r\n,1.5\r\n"
          "=5\r\ntxt:x\r\n");
    check_fails(join(JoinPolicy::kArray, {"~1\r\n+a\r\n"}, {0}), kInvalid);
    check_fails(join(JoinPolicy::kArray, {"_\r\n"}, {0}), kInvalid);
    check_fails(join(JoinPolicy::kSum, {":1\r\n", ",1\r\n"}), kInvalid);
}

TEST_CASE("joiner: a bulk error is an error, and attributes of the fragments are dropped") {
    const std::string attribute = "|1\r\n+ttl\r\n*2\r\n:1\r\n_\r\n";
    const std::string error = "!9\r\nERR a\r\nb!\r\n";
    check_fails(join(JoinPolicy::kArray, {"*1\r\n+a\r\n", error}, {0, 1}), error);
    check_fails(join(JoinPolicy::kSum, {attribute + error, ":1\r\n"}), error);
    check_fails(join(JoinPolicy::kSum, {attribute + "-ERR no\r\n", ":1\r\n"}), "-ERR no\r\n");
    CHECK(join(JoinPolicy::kSum, {attribute + ":1\r\n", ":2\r\n"}).bytes == ":3\r\n");
    CHECK(join(JoinPolicy::kAllSucceeded, {"+OK\r\n", "|0\r\n" + attribute + "+OK\r\n"}).bytes ==
          "+OK\r\n");
    CHECK(join(JoinPolicy::kArray,
               {attribute + "*2\r\n+a\r\n+b\r\n", attribute + attribute + "*1\r\n_\r\n"}, {0, 1, 0})
              .bytes == "*3\r\n+a\r\n_\r\n+b\r\n");
}

TEST_CASE("joiner: one joiner serves many replies and leaves nothing behind") {
    Joiner joiner;
    const std::vector<std::string_view> array = {"*2\r\n$1\r\na\r\n$1\r\nb\r\n"};
    const std::vector<std::string_view> number = {":1\r\n"};
    const std::vector<uint32_t> plan = {0, 0};
    std::vector<size_t> cursors(1);
    std::string_view piece;
    REQUIRE(joiner.begin(JoinPolicy::kArray, array, plan, cursors));
    REQUIRE(joiner.next_piece(piece));  // and abandoned half way
    REQUIRE(joiner.begin(JoinPolicy::kSum, number, plan, cursors));
    CHECK(joiner.head() == ":1\r\n");
    CHECK_FALSE(joiner.next_piece(piece));
    REQUIRE(joiner.begin(JoinPolicy::kArray, array, plan, cursors));
    REQUIRE(joiner.next_piece(piece));
    CHECK(piece == "$1\r\na\r\n");
    REQUIRE(joiner.next_piece(piece));
    CHECK(piece == "$1\r\nb\r\n");
    CHECK_FALSE(joiner.next_piece(piece));
}

}  // namespace
}  // namespace ringmaster::proto::redis::test
