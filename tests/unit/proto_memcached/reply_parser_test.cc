// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/reply_parser.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/limits.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

// Of exactly its size, so that a sanitizer sees a read beyond it.
size_t quick(const std::string& input) {
    const std::vector<char> copy(input.begin(), input.end());
    return ReplyParser::whole_reply_bytes(copy.data(), copy.size());
}

TEST_CASE("memcached reply: the quick way knows the common replies and no more than has come") {
    const std::string values[] = {
        "VALUE k 0 0\r\n\r\nEND\r\n",
        "VALUE key 123 5\r\n12345\r\nEND\r\n",
        "VALUE " + std::string(250, 'k') + " 1 12\r\n123456789012\r\nEND\r\n",
        "END\r\n",
        "VALUE k 0 1\r\n1\r\nVALUE key 1 0\r\n\r\nVALUE k 2 3\r\n123\r\nEND\r\n",
        "STORED\r\n"};
    for (const std::string& reply : values) {
        CAPTURE(reply);
        CHECK(quick(reply) == reply.size());
        CHECK(quick(reply + "VALUE x") == reply.size());
        for (size_t size = 0; size < reply.size(); ++size) {
            CHECK(quick(reply.substr(0, size)) == 0);
        }
    }
    for (const std::string reply :
         {"VALUE  k 0 0\r\n\r\nEND\r\n", "VALUE k 0 0 1\r\n\r\nEND\r\n",
          "VALUE k  0\r\n\r\nEND\r\n........", "VALUE k 0 1\r\n12\r\nEND\r\n",
          "VALUE k 0 1\r\n1\r\nVALUE k 0 1\r\n12\r\nEND\r\n", "VALUE k 0 1\r\n1\r\nSTORED\r\n",
          "VALUE k 0 1\n1\r\nEND\r\n....", "VALUE k -1 1\r\n1\r\nEND\r\n", "NOT_FOUND\r\n",
          "ENDS\r\n", "STORED \r\n", "1\r\n"}) {
        CAPTURE(reply);
        CHECK(quick(reply) == 0);
    }
    CHECK(quick("VALUE " + std::string(251, 'k') + " 1 1\r\n1\r\nEND\r\n") == 0);
    CHECK(quick("VALUE k 0 1000000\r\n" + std::string(1000000, 'v') + "\r\nEND\r\n") == 0);
}

const std::vector<std::string>& good_replies() {
    static const std::vector<std::string> kGood = {
        "STORED\r\n",
        "NOT_STORED\r\n",
        "EXISTS\r\n",
        "NOT_FOUND\r\n",
        "DELETED\r\n",
        "TOUCHED\r\n",
        "OK\r\n",
        "END\r\n",
        "ERROR\r\n",
        "ERROR Too many open connections\r\n",
        "CLIENT_ERROR bad\r\n",
        "SERVER_ERROR\r\n",
        "SERVER_ERROR out of memory\r\n",
        "VERSION 1.6.18\r\n",
        "HD\r\n",
        "HD kx O1 c5\r\n",
        "EN\r\n",
        "EN kx b\r\n",
        "NF\r\n",
        "NS Ox\r\n",
        "EX\r\n",
        "ME key exp=-1 la=0 cas=1 fetch=no cls=1 size=62\r\n",
        "VA 0\r\n\r\n",
        "VA 4 kx f0 W\r\n\r\n\r\n\r\n",
        "VA 1500 s1500\r\n" + std::string(1500, 'v') + "\r\n",
        "0\r\n",
        "18446744073709551615\r\n",
        "5  \r\n",
        "VALUE k 0 1\r\nv\r\nEND\r\n",
        "VALUE k 0 0\r\n\r\nEND\r\n",
        "VALUE k 4294967295 5 18446744073709551615\r\nEND\r\n\r\nEND\r\n",
        "VALUE a 0 1\r\n1\r\nVALUE b 0 2\r\n\r\n\r\nVALUE c 0 13\r\nVALUE x 0 9\r\n\r\nEND\r\n",
        "VALUE " + std::string(250, 'k') + " 0 1500\r\n" + std::string(1500, 'v') + "\r\nEND\r\n",
    };
    return kGood;
}

}  // namespace

TEST_CASE("memcached reply: its end is found however the bytes arrive") {
    for (const std::string& reply : good_replies()) {
        CAPTURE(reply);
        for_each_feed_size([&](size_t feed_bytes) {
            ReplyParser parser;
            std::unique_ptr<char[]> buffer;
            CHECK(parser.at_start());
            CHECK(feed(parser, reply + "STORED\r\n", feed_bytes, buffer) == ParseStatus::kDone);
            CHECK(parser.position() == reply.size());
            parser.reset();
            CHECK(parser.at_start());
        });
    }
}

TEST_CASE("memcached reply: every proper beginning needs more, and never more than there is") {
    for (const std::string& reply : good_replies()) {
        CAPTURE(reply);
        for (size_t size = 0; size < reply.size(); ++size) {
            ReplyParser parser;
            const auto buffer = exact_copy(std::string_view(reply).substr(0, size));
            CHECK(parser.parse(buffer.get(), size) == ParseStatus::kNeedMore);
            CHECK(parser.bytes_needed() > size);
            CHECK(parser.bytes_needed() <= reply.size());
        }
    }
}

TEST_CASE("memcached reply: bytes may be taken away in front while the rest arrives") {
    for (const std::string& reply : good_replies()) {
        CAPTURE(reply);
        for_each_feed_size([&](size_t feed_bytes) {
            ReplyParser parser;
            size_t taken = 0;
            size_t arrived = 0;
            ParseStatus status = ParseStatus::kNeedMore;
            while (status == ParseStatus::kNeedMore && arrived < reply.size()) {
                arrived = std::min(arrived + feed_bytes, reply.size());
                const auto buffer =
                    exact_copy(std::string_view(reply).substr(taken, arrived - taken));
                status = parser.parse(buffer.get(), arrived - taken);
                const size_t can_go = std::min(parser.position(), arrived - taken);
                parser.rebase(can_go);
                taken += can_go;
                CHECK((taken == 0 || status == ParseStatus::kDone || !parser.at_start()));
            }
            CHECK(status == ParseStatus::kDone);
            CHECK(taken == reply.size());
        });
    }
}

TEST_CASE("memcached reply: anything a forwarded command cannot cause is bad") {
    for (const std::string& reply : std::vector<std::string>{
             "OK \r\n",
             "RESET\r\n",
             "STAT pid 1\r\nEND\r\n",
             "stored\r\n",
             "STOREDX\r\n",
             "STORED \r\n",
             "STORED\n",
             "\r\n",
             "\n",
             " \r\n",
             "ERRORX\r\n",
             "VERSIONX\r\n",
             "-1\r\n",
             "1a\r\n",
             "1 2\r\n",
             "18446744073709551616\r\n",
             "MN\r\n",
             "HDX\r\n",
             "ENX k\r\n",
             "ME\r\n",
             "HD\n",
             "VA\r\n",
             "VA \r\n",
             "VA -1\r\nv\r\n",
             "VA x\r\n",
             "VA 1\r\nvv\r\n",
             "VA 1073741825\r\n",
             "VALUE k 0 1\r\nv\r\nVA 1\r\nv\r\n",
             "VALUE k 0 1\r\nv\r\nHD\r\n",
             "VALUE\r\n",
             "VALUE k\r\n",
             "VALUE k 0\r\n",
             "VALUE k -1 1\r\nv\r\nEND\r\n",
             "VALUE k 0 -1\r\nEND\r\n",
             "VALUE k 0 x\r\n",
             "VALUE k 0 1 x\r\nv\r\nEND\r\n",
             "VALUE k 0 1 2 3\r\nv\r\nEND\r\n",
             "VALUE k 0 1\nv\r\nEND\r\n",
             "VALUE k 0 1\r\nvv\r\nEND\r\n",
             "VALUE k 0 1\r\nv\n\nEND\r\n",
             "VALUE k 0 1\r\nv\r\nSTORED\r\n",
             "VALUE k 0 1\r\nv\r\nSERVER_ERROR x\r\n",
             "VALUE k 0 1073741825\r\n",
             "VALUE k 0 99999999999999999999\r\n",
             "VALUE " + std::string(251, 'k') + " 0 1\r\nv\r\nEND\r\n",
         }) {
        CAPTURE(reply);
        for_each_feed_size([&](size_t feed_bytes) {
            ReplyParser parser;
            std::unique_ptr<char[]> buffer;
            CHECK(feed(parser, reply, feed_bytes, buffer) == ParseStatus::kBad);
        });
    }
}

TEST_CASE("memcached reply: an endless line is too big") {
    for_each_feed_size([](size_t feed_bytes) {
        ReplyParser parser;
        std::unique_ptr<char[]> buffer;
        const std::string reply = "VALUE k 0 1\r\nv\r\n" + std::string(kMaxMemcachedLineBytes, 'x');
        CHECK(feed(parser, reply, feed_bytes, buffer) == ParseStatus::kTooBig);
    });
}

TEST_CASE("memcached reply: the bytes needed for a value are exact") {
    ReplyParser parser;
    const std::string head = "VALUE k 0 1000000\r\nabc";
    CHECK(parser.parse(head.data(), head.size()) == ParseStatus::kNeedMore);
    CHECK(parser.bytes_needed() == 19 + 1000000 + 2);
    parser.rebase(head.size());
    CHECK(parser.bytes_needed() == 1000000 - 3 + 2);
    CHECK_FALSE(parser.at_start());
}
