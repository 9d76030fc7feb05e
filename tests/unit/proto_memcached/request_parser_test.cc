// SPDX-License-Identifier: Apache-2.0
// Requests that are forwarded. Those answered with an error line: request_errors_test.cc.
#include "common/proto/memcached/request_parser.h"

#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/limits.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

struct Good {
    std::string request;
    std::string command;
    std::string key;
    std::string forward;
    bool noreply = false;
};

const std::string kKey250(250, 'k');

const std::vector<Good>& good_requests() {
    static const std::vector<Good> kGood = {
        {"get k\r\n", "get", "k", "get k\r\n"},
        {"gets 0123456789abcdef\r\n", "gets", "0123456789abcdef", "gets 0123456789abcdef\r\n"},
        {"get " + kKey250 + "\r\n", "get", kKey250, "get " + kKey250 + "\r\n"},
        {"  get   k  \r\n", "get", "k", "  get   k  \r\n"},
        {"get k\n", "get", "k", "get k\r\n"},
        {"get noreply\r\n", "get", "noreply", "get noreply\r\n"},
        {"get \xff\xfe\r\n", "get", "\xff\xfe", "get \xff\xfe\r\n"},
        {"set k 0 0 1\r\nv\r\n", "set", "k", "set k 0 0 1\r\nv\r\n"},
        {"set k 0 0 0\r\n\r\n", "set", "k", "set k 0 0 0\r\n\r\n"},
        {"set k 0 0 4\r\na\r\nb\r\n", "set", "k", "set k 0 0 4\r\na\r\nb\r\n"},
        {"set k 0 0 3\nabc\r\n", "set", "k", "set k 0 0 3\nabc\r\n"},
        {"set k 0 -1 1\r\nv\r\n", "set", "k", "set k 0 -1 1\r\nv\r\n"},
        {"set k 4294967296 0 01\r\nv\r\n", "set", "k", "set k 4294967296 0 01\r\nv\r\n"},
        {"  set   k   0  0   1  \r\nv\r\n", "set", "k", "  set   k   0  0   1\r\nv\r\n"},
        {"set k 0 0 1 noreply\r\nv\r\n", "set", "k", "set k 0 0 1\r\nv\r\n", true},
        {"set k 0 0 1  noreply \r\nv\r\n", "set", "k", "set k 0 0 1\r\nv\r\n", true},
        {"set k 0 0 1 foo\r\nv\r\n", "set", "k", "set k 0 0 1\r\nv\r\n"},
        {"set noreply 0 0 1\r\nv\r\n", "set", "noreply", "set noreply 0 0 1\r\nv\r\n"},
        {"add k 1 2 1\r\nv\r\n", "add", "k", "add k 1 2 1\r\nv\r\n"},
        {"replace k 1 2 1\r\nv\r\n", "replace", "k", "replace k 1 2 1\r\nv\r\n"},
        {"append k 1 2 1\r\nv\r\n", "append", "k", "append k 1 2 1\r\nv\r\n"},
        {"prepend k 1 2 1\r\nv\r\n", "prepend", "k", "prepend k 1 2 1\r\nv\r\n"},
        {"cas k 0 0 1 18446744073709551615\r\nv\r\n", "cas", "k",
         "cas k 0 0 1 18446744073709551615\r\nv\r\n"},
        {"cas k 0 0 1 5 noreply\r\nv\r\n", "cas", "k", "cas k 0 0 1 5\r\nv\r\n", true},
        {"delete k\r\n", "delete", "k", "delete k\r\n"},
        {"delete noreply\r\n", "delete", "noreply", "delete noreply\r\n"},
        {"delete k 0\r\n", "delete", "k", "delete k\r\n"},
        {"delete k noreply\r\n", "delete", "k", "delete k\r\n", true},
        {"delete k 0 noreply\r\n", "delete", "k", "delete k\r\n", true},
        {"incr k 1\r\n", "incr", "k", "incr k 1\r\n"},
        {"incr k 18446744073709551615\r\n", "incr", "k", "incr k 18446744073709551615\r\n"},
        {"decr k 1 noreply\r\n", "decr", "k", "decr k 1\r\n", true},
        {"gat 0 k\r\n", "gat", "k", "gat 0 k\r\n"},
        {"gat 0\r\n", "gat", "", "gat 0\r\n"},
        {" gats  -1  k \r\n", "gats", "k", " gats  -1  k \r\n"},
        {"gat 0 noreply\n", "gat", "noreply", "gat 0 noreply\r\n"},
        {"flush_all\r\n", "flush_all", "", "flush_all\r\n"},
        {"flush_all 10\r\n", "flush_all", "", "flush_all 10\r\n"},
        {"flush_all -1 x\r\n", "flush_all", "", "flush_all -1\r\n"},
        {"flush_all noreply\r\n", "flush_all", "", "flush_all\r\n", true},
        {" flush_all  5  noreply \n", "flush_all", "", " flush_all  5\r\n", true},
        {"verbosity 1\r\n", "verbosity", "", "verbosity 1\r\n"},
        {"verbosity 1 x\r\n", "verbosity", "", "verbosity 1\r\n"},
        {"verbosity 1 noreply\r\n", "verbosity", "", "verbosity 1\r\n", true},
        {"stats\r\n", "stats", "", "stats\r\n"},
        {"stats items\r\n", "stats", "", "stats\r\n"},
        {"touch k 5\r\n", "touch", "k", "touch k 5\r\n"},
        {"touch k -1 noreply\r\n", "touch", "k", "touch k -1\r\n", true},
        {"version\r\n", "version", "", "version\r\n"},
        {"  version  x\r\n", "version", "", "  version\r\n"},
        {"quit\r\n", "quit", "", "quit\r\n"},
        {"quit now\r\n", "quit", "", "quit\r\n"},
    };
    return kGood;
}

}  // namespace

TEST_CASE("memcached request: the quick way sees what the parser sees, or leaves it to it") {
    struct Case {
        std::string input;
        bool taken;
    };
    const std::string longest(250, 'k');
    const Case cases[] = {
        {"get k\r\n", true},
        {"get " + longest + "\r\n", true},
        {"get " + longest + "k\r\n", false},
        {"get a b\r\n", false},
        {"get  k\r\n", false},
        {"get k\n", false},
        {"get \r\n", false},
        {"gets k\r\n", false},
        {"set key 0 0 5\r\n12345\r\n", true},
        {"set key 123456 999999 0\r\n\r\nget", true},
        {"set " + longest + " 0 0 6\r\n\r\n\r\n\r\n\r\n", true},
        {"set " + longest + "k 0 0 5\r\n12345\r\n", false},
        {"set key 0 -1 5\r\n12345\r\n", false},
        {"set key 0 0 5 noreply\r\n12345\r\n", false},
        {"set key 0  0 5\r\n12345\r\n", false},
        {"set key 1234567 0 5\r\n12345\r\n", false},
        {"set key 0 0 5\r\n123456\r\n", false},
        {"set key 0 0\r\n12345678\r\n", false},
        {"add key 0 0 5\r\n12345\r\n", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.input);
        for (size_t size = 0; size <= c.input.size(); ++size) {
            const std::vector<char> copy(c.input.begin(),
                                         c.input.begin() + static_cast<std::ptrdiff_t>(size));
            std::string_view key;
            const size_t bytes = RequestParser::whole_request_bytes(copy.data(), size, key);
            if (size == c.input.size()) {
                CHECK((bytes > 0) == c.taken);
            }
            if (bytes == 0) {
                continue;
            }
            RequestParser parser;
            REQUIRE(parser.parse(copy.data(), size) == ParseStatus::kDone);
            CHECK(parser.position() == bytes);
            CHECK(parser.view(copy.data()).key == key);
        }
    }
}

TEST_CASE("memcached request: what is forwarded does not depend on how the bytes arrive") {
    for (const Good& good : good_requests()) {
        CAPTURE(good.request);
        for_each_feed_size([&](size_t feed_bytes) {
            // What follows belongs to the next request.
            const Parsed parsed = parse_request(good.request + "get next\r\n", feed_bytes);
            CHECK(parsed.status == ParseStatus::kDone);
            CHECK(parsed.bytes == good.request.size());
            CHECK(parsed.command == good.command);
            CHECK(parsed.key == good.key);
            CHECK(parsed.key_count == (good.key.empty() ? 0 : 1));
            CHECK(parsed.error == "");
            CHECK(parsed.forward == good.forward);
            CHECK(parsed.noreply == good.noreply);
        });
    }
}

TEST_CASE("memcached request: every proper beginning needs more, and never more than there is") {
    for (const Good& good : good_requests()) {
        CAPTURE(good.request);
        for (size_t size = 0; size < good.request.size(); ++size) {
            CAPTURE(size);
            RequestParser parser;
            const auto buffer = exact_copy(std::string_view(good.request).substr(0, size));
            CHECK(parser.parse(buffer.get(), size) == ParseStatus::kNeedMore);
            CHECK(parser.bytes_needed() > size);
            CHECK(parser.bytes_needed() <= good.request.size());
        }
    }
}

TEST_CASE("memcached request: the bytes needed for a data block are exact") {
    RequestParser parser;
    const std::string head = "set k 0 0 1000000\r\nabc";
    CHECK(parser.parse(head.data(), head.size()) == ParseStatus::kNeedMore);
    CHECK(parser.bytes_needed() == 19 + 1000000 + 2);
    CHECK_FALSE(parser.at_start());
}

TEST_CASE("memcached request: what is forwarded is itself a good request without noreply") {
    for (const Good& good : good_requests()) {
        CAPTURE(good.request);
        const Parsed again = parse_request(good.forward, 100000);
        CHECK(again.status == ParseStatus::kDone);
        CHECK(again.bytes == good.forward.size());
        CHECK(again.error == "");
        CHECK_FALSE(again.noreply);
        CHECK(again.forward == good.forward);
    }
}

TEST_CASE("memcached request: the cursor walks all keys of a get, duplicates included") {
    for_each_feed_size([](size_t feed_bytes) {
        RequestParser parser;
        std::unique_ptr<char[]> buffer;
        const std::string request = " get a  bb a \r\nrest";
        CHECK(feed(parser, request, feed_bytes, buffer) == ParseStatus::kDone);
        const RequestView view = parser.view(buffer.get());
        CHECK(view.key_count == 3);
        KeyCursor cursor(view);
        std::vector<std::string> keys;
        for (std::string_view key; cursor.next(key);) {
            keys.emplace_back(key);
        }
        CHECK(keys == std::vector<std::string>{"a", "bb", "a"});
        std::string_view none;
        CHECK_FALSE(cursor.next(none));
    });
}

TEST_CASE("memcached request: the argument is gat's exptime, or what stats are asked for") {
    for_each_feed_size([](size_t feed_bytes) {
        CHECK(parse_request(" gat  100  k1 k2\r\n", feed_bytes).argument == "100");
        CHECK(parse_request(" gat  100  k1 k2\r\n", feed_bytes).key == "k1");
        CHECK(parse_request(" gat  100  k1 k2\r\n", feed_bytes).key_count == 2);
        CHECK(parse_request("stats reset\r\n", feed_bytes).argument == "reset");
        CHECK(parse_request("stats\r\n", feed_bytes).argument == "");
        CHECK(parse_request("get 100 k\r\n", feed_bytes).argument == "");
    });
}

TEST_CASE("memcached request: a key's end is found at any length and offset") {
    for (size_t bytes = 1; bytes <= kMaxMemcachedKeyBytes + 1; ++bytes) {
        CAPTURE(bytes);
        for (const std::string& behind : {std::string(), std::string("get next\r\n")}) {
            const std::string key(bytes, 'k');
            const Parsed parsed = parse_request("get " + key + "\r\n" + behind, 100000);
            CHECK(parsed.status == ParseStatus::kDone);
            CHECK(parsed.bytes == bytes + 6);
            CHECK(parsed.key == (bytes <= kMaxMemcachedKeyBytes ? key : ""));
        }
    }
    for (const char* wrong : {"get ab\rcd", "get ab\r", "get abcdefgh\r"}) {
        RequestParser parser;
        CHECK(parser.parse(wrong, std::strlen(wrong)) == ParseStatus::kNeedMore);
    }
}

TEST_CASE("memcached request: a get of 100,000 long keys is one request") {
    std::string request = "gets";
    for (uint32_t i = 0; i < 100000; ++i) {
        std::string key = std::to_string(i);
        request += " " + key + std::string(kMaxMemcachedKeyBytes - key.size(), 'x');
    }
    request += "\r\n";
    RequestParser parser;
    for (size_t arrived = 0; arrived < request.size(); arrived += 16384) {
        CHECK(parser.parse(request.data(), arrived) == ParseStatus::kNeedMore);
    }
    CHECK(parser.parse(request.data(), request.size()) == ParseStatus::kDone);
    CHECK(parser.view(request.data()).key_count == 100000);
    CHECK(parser.position() == request.size());
}

TEST_CASE("memcached request: a parser that was reset takes the next request") {
    RequestParser parser;
    const std::string first = "set k 0 0 1 noreply\r\nvv\r\n";
    CHECK(parser.parse(first.data(), first.size()) == ParseStatus::kDone);
    parser.reset();
    CHECK(parser.at_start());
    const std::string second = "get k\r\n";
    CHECK(parser.parse(second.data(), second.size()) == ParseStatus::kDone);
    CHECK(parser.view(second.data()).error_reply.empty());
    CHECK_FALSE(parser.view(second.data()).noreply);
}

TEST_CASE("memcached commands: each row is found by its name, no other spelling is") {
    for (const Command& command : all_commands()) {
        CHECK(find_command_or_null(command.name) == &command);
        CHECK(find_command_or_null(std::string(command.name) + "x") == nullptr);
    }
    CHECK(find_command_or_null("GET") == nullptr);
    CHECK(find_command_or_null("") == nullptr);
}
