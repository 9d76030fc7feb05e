// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/memcached/joiner.h"
#include "common/proto/memcached/reply_parser.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

std::string value(const std::string& key, const std::string& bytes) {
    return "VALUE " + key + " 0 " + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
}

// The joined reply; a Joiner that has served another request before must not remember it.
std::string join(const std::vector<std::string>& replies,
                 const std::vector<uint32_t>& fragment_of_key) {
    static Joiner joiner;
    std::vector<std::unique_ptr<char[]>> copies;
    std::vector<std::string_view> views;
    for (const std::string& reply : replies) {
        copies.push_back(exact_copy(reply));
        views.emplace_back(copies.back().get(), reply.size());
    }
    std::vector<size_t> cursors(replies.size(), 12345);
    std::string joined;
    if (joiner.begin(views, fragment_of_key, cursors)) {
        CHECK(joiner.error().empty());
        for (std::string_view piece; joiner.next_piece(piece);) {
            joined += piece;
        }
    } else {
        joined = joiner.error();
    }
    std::string_view none;
    CHECK_FALSE(joiner.next_piece(none));
    ReplyParser parser;
    CHECK(parser.parse(joined.data(), joined.size()) == ParseStatus::kDone);
    CHECK(parser.position() == joined.size());
    return joined;
}

const std::string kEnd = "END\r\n";
const std::string kInvalid = "SERVER_ERROR Invalid argument\r\n";

}  // namespace

TEST_CASE("memcached join: values come in the order of the keys") {
    CHECK(join({value("a", "1") + value("c", "3") + kEnd, value("b", "END\r\n") + kEnd},
               {0, 1, 0}) == value("a", "1") + value("b", "END\r\n") + value("c", "3") + kEnd);
}

TEST_CASE(
    "memcached join: a missing key's place is taken by its shard's next value, as nutcracker "
    "does") {
    // m0 k1 k0, with m0 missing: k0 comes first.
    CHECK(join({value("k0", "x") + kEnd, value("k1", "y") + kEnd}, {0, 1, 0}) ==
          value("k0", "x") + value("k1", "y") + kEnd);
    CHECK(join({kEnd, kEnd}, {0, 1, 0}) == kEnd);
}

TEST_CASE("memcached join: duplicates are answered as often as they were asked") {
    CHECK(join({value("a", "") + value("a", "") + kEnd}, {0, 0}) ==
          value("a", "") + value("a", "") + kEnd);
}

TEST_CASE("memcached join: values beyond the keys asked do not leak") {
    CHECK(join({value("a", "1") + value("b", "2") + value("c", "3") + kEnd, kEnd}, {0, 1}) ==
          value("a", "1") + kEnd);
}

TEST_CASE("memcached join: the first error is the whole answer") {
    const std::string text = "SERVER_ERROR out of memory\r\n";
    const std::string client = "CLIENT_ERROR no\r\n";
    CHECK(join({value("a", "1") + kEnd, text}, {0, 1}) == text);
    CHECK(join({client, text}, {0, 1}) == client);
    CHECK(join({kEnd, "SERVER_ERROR\r\n"}, {0, 1}) == "SERVER_ERROR\r\n");
    CHECK(join({kEnd, "ERROR\r\n"}, {0, 1}) == kInvalid);
}

TEST_CASE("memcached join: a reply of another kind is Invalid argument and nothing of it leaks") {
    for (const std::string& reply : std::vector<std::string>{
             "STORED\r\n", "5\r\n", "", "END", "END\r\nEND\r\n", "VALUE a 0 1\r\n1\r\n",
             " VALUE a 0 1\r\n1\r\nEND\r\n", "VALUE a 0 9\r\n1\r\nEND\r\n",
             "VALUE a 0 1\r\n1\r\nSERVER_ERROR x\r\n", "SERVER_ERROR x", "SERVER_ERRORS x\r\n",
             "SERVER_ERROR x\n", "SERVER_ERROR x\r\nSTORED\r\n", "VALUE ",
             "VALUE a 0 18446744073709551615\r\n1\r\nEND\r\n"}) {
        CAPTURE(reply);
        CHECK(join({value("b", "2") + kEnd, reply}, {0, 1}) == kInvalid);
    }
}

TEST_CASE("memcached join: a flush_all is OK when every server said so, else the first error") {
    const std::string ok = "OK\r\n";
    const std::string refused = "SERVER_ERROR Connection refused\r\n";
    const std::string client = "CLIENT_ERROR no\r\n";
    CHECK(join({ok}, {}) == ok);
    CHECK(join({ok, ok, ok}, {}) == ok);
    CHECK(join({ok, refused, client}, {}) == refused);
    CHECK(join({ok, kEnd}, {}) == kInvalid);
    CHECK(join({ok, ok + ok}, {}) == kInvalid);
    CHECK(join({ok, ok}, {0, 1}) == kInvalid);
}
