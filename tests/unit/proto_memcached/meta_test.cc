// SPDX-License-Identifier: Apache-2.0
// Meta commands: what is forwarded of them, and the quick ways.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/memcached/reply_parser.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

struct Meta {
    std::string request;
    std::string key;
    std::string forward;
    Quiet quiet = Quiet::kNo;
    bool key_is_base64 = false;
};

const std::vector<Meta>& requests() {
    static const std::vector<Meta> kRequests = {
        {"mg k\r\n", "k", "mg k\r\n"},
        {"mg k v k f\r\n", "k", "mg k v k f\r\n"},
        {"  mg  k  v \n", "k", "  mg  k  v \r\n"},
        {"mg k q\r\n", "k", "mg k\r\n", Quiet::kMiss},
        {"mg k v q k\r\n", "k", "mg k v k\r\n", Quiet::kMiss},
        {"mg k q5 v\n", "k", "mg k v\n", Quiet::kMiss},
        {"mg k  q  v\r\n", "k", "mg k   v\r\n", Quiet::kMiss},
        {"mg q q\r\n", "q", "mg q\r\n", Quiet::kMiss},
        {"mg b v\r\n", "b", "mg b v\r\n"},
        {"mg k q v q\r\n", "k", "mg k q v q\r\n", Quiet::kFenced},
        {"mg aw== q b\r\n", "aw==", "mg aw== b\r\n", Quiet::kMiss, true},
        {"mg aw== bx v\r\n", "aw==", "mg aw== bx v\r\n", Quiet::kNo, true},
        {"mg k Oq Pb\r\n", "k", "mg k Oq Pb\r\n"},
        {"md k q\r\n", "k", "md k q\r\n", Quiet::kFenced},
        {"md k b I T0\r\n", "k", "md k b I T0\r\n", Quiet::kNo, true},
        {"ma k N0 q v\r\n", "k", "ma k N0 q v\r\n", Quiet::kFenced},
        {"me k\r\n", "k", "me k\r\n"},
        {"me aw== b\r\n", "aw==", "me aw== b\r\n", Quiet::kNo, true},
        {"me aw== v b\r\n", "aw==", "me aw== v b\r\n"},
        {"me aw== bx\r\n", "aw==", "me aw== bx\r\n"},
        {"me k q\r\n", "k", "me k q\r\n", Quiet::kFenced},
        {"ms k 2\r\nab\r\n", "k", "ms k 2\r\nab\r\n"},
        {"ms k 02 T0\nab\r\n", "k", "ms k 02 T0\nab\r\n"},
        {"ms k 0 q c\r\n\r\n", "k", "ms k 0 q c\r\n\r\n", Quiet::kFenced},
        {"ms aw== 4 b\r\n\r\n\r\n\r\n", "aw==", "ms aw== 4 b\r\n\r\n\r\n\r\n", Quiet::kNo, true},
    };
    return kRequests;
}

}  // namespace

TEST_CASE("memcached meta: what is forwarded does not depend on how the bytes arrive") {
    for (const Meta& meta : requests()) {
        CAPTURE(meta.request);
        for_each_feed_size([&](size_t feed_bytes) {
            const Parsed parsed = parse_request(meta.request + "mn\r\n", feed_bytes);
            REQUIRE(parsed.status == ParseStatus::kDone);
            CHECK(parsed.bytes == meta.request.size());
            CHECK(parsed.error == "");
            CHECK(parsed.key == meta.key);
            CHECK(parsed.key_count == 1);
            CHECK(parsed.forward == meta.forward);
            CHECK(parsed.quiet == meta.quiet);
            CHECK(parsed.key_is_base64 == meta.key_is_base64);
            CHECK_FALSE(parsed.noreply);
        });
    }
}

TEST_CASE("memcached meta: the quick way of an mg sees what the parser sees, or leaves it to it") {
    struct Case {
        std::string input;
        bool taken;
    };
    const std::string longest(250, 'k');
    const Case cases[] = {
        {"mg k\r\n", true},
        {"mg k v f k s Oabc q\r\nmg", true},
        {"mg k q v\r\n", true},
        {"mg " + longest + " v\r\n", true},
        {"mg " + longest + "k v\r\n", false},
        {"mg k v" + std::string(2040, 'x') + "\r\n", true},
        {"mg k v" + std::string(2041, 'x') + "\r\n", false},
        {"mg k b\r\n", false},
        {"mg k q q\r\n", false},
        {"mg k  v\r\n", false},
        {"mg k v \r\n", false},
        {"mg k v\n", false},
        {"mg k\tv\r\n", false},
        {"mg \r\n", false},
        {"md k v\r\n", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.input);
        for (size_t size = 0; size <= c.input.size(); ++size) {
            const auto copy = exact_copy(std::string_view(c.input).substr(0, size));
            std::string_view key;
            std::string_view quiet;
            const size_t bytes = RequestParser::whole_meta_get_bytes(copy.get(), size, key, quiet);
            if (size == c.input.size()) {
                CHECK((bytes > 0) == c.taken);
            }
            if (bytes == 0) {
                continue;
            }
            const Parsed parsed = parse_request(c.input, 100000);
            CHECK(parsed.bytes == bytes);
            CHECK(parsed.key == key);
            CHECK((parsed.quiet == Quiet::kMiss) == !quiet.empty());
        }
    }
}

TEST_CASE("memcached meta: the quick way of an ms sees what the parser sees, or leaves it to it") {
    struct Case {
        std::string input;
        bool taken;
    };
    const std::string longest(250, 'k');
    std::string most_flags;
    for (int i = 0; i < 16; ++i) {
        most_flags += " T0";
    }
    const Case cases[] = {
        {"ms k 2\r\nab\r\n", true},
        {"ms k 0 T0\r\n\r\n", true},
        {"ms k 3 T0 c F5 I\r\nab\n\r\nmn\r\n", true},
        {"ms " + longest + " 2\r\nab\r\n", true},
        {"ms " + longest + "k 2\r\nab\r\n", false},
        {"ms k 2" + most_flags + "\r\nab\r\n", true},
        {"ms k 2" + most_flags + " c\r\nab\r\n", false},
        {"ms k 2 O" + std::string(2038, 'x') + "\r\nab\r\n", true},
        {"ms k 2 O" + std::string(2039, 'x') + "\r\nab\r\n", false},
        {"ms k 2 b\r\nab\r\n", false},
        {"ms k 2 q\r\nab\r\n", false},
        {"ms k 2 c q\r\nab\r\n", false},
        {"ms k 2  c\r\nab\r\n", false},
        {"ms k  2\r\nab\r\n", false},
        {"ms k 2 \r\nab\r\n", false},
        {"ms k 2\nab\r\n....", false},
        {"ms k 2\r\nabc\r\n", false},
        {"ms k x\r\nab\r\n", false},
        {"ms k -2\r\nab\r\n", false},
        {"ms k 2x\r\nab\r\n", false},
        {"ms k\t2\r\nab\r\n", false},
        {"ms k 2 c\x7f\r\nab\r\n", false},
        {"ms  2\r\nab\r\n", false},
        {"ma k 2\r\nab\r\n", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.input);
        for (size_t size = 0; size <= c.input.size(); ++size) {
            const auto copy = exact_copy(std::string_view(c.input).substr(0, size));
            std::string_view key;
            const size_t bytes = RequestParser::whole_meta_set_bytes(copy.get(), size, key);
            if (size == c.input.size()) {
                CHECK((bytes > 0) == c.taken);
            }
            if (bytes == 0) {
                continue;
            }
            const Parsed parsed = parse_request(c.input, 100000);
            CHECK(parsed.error == "");
            CHECK(parsed.bytes == bytes);
            CHECK(parsed.key == key);
            CHECK(parsed.forward == c.input.substr(0, bytes));
            CHECK(parsed.quiet == Quiet::kNo);
            CHECK_FALSE(parsed.key_is_base64);
        }
    }
}

TEST_CASE("memcached meta: the quick way of the replies knows no more than has come") {
    const auto quick = [](const std::string& reply) {
        const auto copy = exact_copy(reply);
        return ReplyParser::whole_meta_reply_bytes(copy.get(), reply.size());
    };
    for (const std::string reply : {"HD\r\n", "EN\r\n", "VA 0\r\n\r\n", "VA 2 kk f0 s2\r\nab\r\n",
                                    "VA 14 c1 W\r\n123\r\n56789MN\r\n\r\n"}) {
        CAPTURE(reply);
        if (reply != "VA 0\r\n\r\n") {  // eight bytes are looked at in one go
            CHECK(quick(reply) == reply.size());
        }
        CHECK(quick(reply + "VA 4 x\r\n") == reply.size());
        for (size_t size = 0; size < reply.size(); ++size) {
            CHECK(quick(reply.substr(0, size)) == 0);
        }
    }
    for (const std::string reply :
         {"HD k\r\n", "NF\r\n........", "VA  2\r\nab\r\n", "VA x\r\nab\r\n..", "VA 2\rx\r\nab\r\n",
          "VA 2\nab\r\n....", "VA 2 k\r\nabc\r\n", "VA 1000000 k\r\nab\r\n", "VA 2x\r\nab\r\n"}) {
        CAPTURE(reply);
        CHECK(quick(reply) == 0);
    }
}

TEST_CASE("memcached meta: behind a fenced request its reply, or none, ends with the fence's") {
    const auto parse_fenced = [](const std::string& bytes, size_t feed_bytes, size_t& position) {
        ReplyParser parser;
        parser.expect_fence();
        std::unique_ptr<char[]> buffer;
        const ParseStatus status = feed(parser, bytes, feed_bytes, buffer);
        position = parser.position();
        return status;
    };
    size_t position = 0;
    for_each_feed_size([&](size_t feed_bytes) {
        for (const std::string reply :
             {"MN\r\n", "HD\r\nMN\r\n", "EX kx Oy\r\nMN\r\n", "VA 4 k\r\nMN\r\n\r\nMN\r\n",
              "CLIENT_ERROR no\r\nMN\r\n", "SERVER_ERROR no\r\nMN\r\n", "ERROR\r\n"}) {
            CAPTURE(reply);
            CHECK(parse_fenced(reply + "HD\r\n", feed_bytes, position) == ParseStatus::kDone);
            CHECK(position == reply.size());
        }
        for (const std::string reply :
             {"HD\r\nHD\r\n", "HD\r\nERROR\r\n", "VA 1\r\nx\r\nEND\r\n", "MN x\r\n", "x\r\n"}) {
            CAPTURE(reply);
            CHECK(parse_fenced(reply, feed_bytes, position) == ParseStatus::kBad);
        }
    });
}

TEST_CASE("memcached meta: a key that a reply shows as it is does not end its line") {
    const std::string key = "a\r\nMN\r\nVA 2 k\r\nEND";
    for (const std::string& reply : std::vector<std::string>{
             "HD k" + key + " W\r\n", "VA 2 f0 k" + key + "\r\nab\r\n", "ME " + key + " exp=-1\r\n",
             std::string("VA 3 kYQ0K b\r\n kx\r\n"), std::string("EN\r\n"),
             "VA 28 f1\r\n k" + key + "12345678\r\n", std::string("CLIENT_ERROR bad\r\n")}) {
        CAPTURE(reply);
        for_each_feed_size([&](size_t feed_bytes) {
            ReplyParser parser;
            parser.expect_raw_key(key);
            std::unique_ptr<char[]> buffer;
            CHECK(feed(parser, reply + "HD\r\n", feed_bytes, buffer) == ParseStatus::kDone);
            CHECK(parser.position() == reply.size());
        });
    }
}
