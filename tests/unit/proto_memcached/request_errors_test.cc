// SPDX-License-Identifier: Apache-2.0
// Requests answered with an error line, and where the next request begins behind them.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/proto/limits.h"
#include "feed.h"

using namespace ringmaster::proto;
using namespace ringmaster::proto::memcached;

namespace {

const std::string kError = "ERROR\r\n";
const std::string kFormat = "CLIENT_ERROR bad command line format\r\n";
const std::string kDelete =
    "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
const std::string kDelta = "CLIENT_ERROR invalid numeric delta argument\r\n";
const std::string kExptime = "CLIENT_ERROR invalid exptime argument\r\n";
const std::string kChunk = "CLIENT_ERROR bad data chunk\r\n";
const std::string kNoStats = "CLIENT_ERROR stats not supported by the proxy\r\n";
constexpr const char* kTooBig = "SERVER_ERROR out of memory storing object\r\n";
const std::string kTooManyFlags = "CLIENT_ERROR options flags too long\r\n";
const std::string kLong(251, 'k');

struct Wrong {
    std::string request;  // all of it is taken
    std::string error;
    bool noreply = false;
};

void check_all(const std::vector<Wrong>& cases) {
    for (const Wrong& wrong : cases) {
        CAPTURE(wrong.request);
        for_each_feed_size([&](size_t feed_bytes) {
            const Parsed parsed = parse_request(wrong.request + "get next\r\n", feed_bytes);
            CHECK(parsed.status == ParseStatus::kDone);
            CHECK(parsed.bytes == wrong.request.size());
            CHECK(parsed.error == wrong.error);
            CHECK(parsed.noreply == wrong.noreply);
            CHECK(parsed.forward == "");
        });
    }
}

}  // namespace

TEST_CASE("memcached request: a wrong line is answered with memcached's text") {
    check_all({
        {"\r\n", kError},
        {"\n", kError},
        {"   \r\n", kError},
        {"foo\r\n", kError},
        {"VERSION\r\n", kError},
        {"get\r\n", kError},
        {"get \r\n", kError},
        {"get\tk\r\n", kError},
        {"quitx\r\n", kError},
        {"get " + kLong + "\r\n", kFormat},
        {"get a " + kLong + " b\r\n", kFormat},
        {"set\r\n", kError},
        {"set k 0 0\r\n", kError},
        {"set k 0 0 x\r\n", kFormat},
        {"set k 0 0 -1\r\n", kFormat},
        {"set k 0 0 1a\r\n", kFormat},
        {"incr\r\n", kError},
        {"incr k\r\n", kError},
        {"incr k 1 2 3\r\n", kError},
        {"incr k x\r\n", kDelta},
        {"incr k -1\r\n", kDelta},
        {"decr k 18446744073709551616\r\n", kDelta},
        {"incr " + kLong + " 1\r\n", kFormat},
        {"delete\r\n", kError},
        {"delete k 0 0 noreply\r\n", kError},
        {"delete k 1\r\n", kDelete},
        {"delete k 0 foo\r\n", kDelete},
        {"delete k noreplyx\r\n", kDelete},
        {"delete " + kLong + "\r\n", kFormat},
        {"touch k\r\n", kError},
        {"touch k x\r\n", kExptime},
        {"touch k -\r\n", kExptime},
        {"touch " + kLong + " 1\r\n", kFormat},
        {"gat\r\n", kError},
        {"gats x k\r\n", kExptime},
        {"gat 9223372036854775808 k\r\n", kExptime},
        {"gat 0 " + kLong + "\r\n", kFormat},
        {"gat 0 a " + kLong + "\r\n", kFormat},
        {"flush_all x\r\n", kExptime},
        {"flush_all noreply 0\r\n", kExptime},
        {"flush_all 0 1 2\r\n", kError},
        {"flush_all 0 noreply x\r\n", kError},
        {"verbosity\r\n", kError},
        {"verbosity foo bar my\r\n", kError},
        {"verbosity x\r\n", kFormat},
        {"verbosity -1\r\n", kFormat},
        {"stats noreply\r\n", kError},
        {"stats foo\r\n", kError},
        {"stats detail on\r\n", kNoStats},
        {"stats cachedump 1 0\r\n", kNoStats},
    });
}

TEST_CASE(
    "memcached request: an error to a noreply request is marked for dropping, as memcached does") {
    check_all({
        {"set k 0 0 -5 noreply\r\n", kFormat, true},
        {"set " + kLong + " 0 0 3 noreply\r\nget\r\n", kFormat, true},
        {"set k 0 0 3 noreply\r\nabcd\r\n", kChunk, true},
        {"cas k 0 0 3 noreply\r\nabc\r\n", kFormat, true},
        {"incr k x noreply\r\n", kDelta, true},
        {"incr k noreply\r\n", kDelta, true},
        {"touch k noreply\r\n", kExptime, true},
        {"delete k 1 noreply\r\n", kDelete, true},
        {"flush_all x noreply\r\n", kExptime, true},
        {"cache_memlimit 1 noreply\r\n", kError, true},
        {"lru mode flat noreply\r\n", kError, true},
        // With a wrong number of words memcached does not look for noreply.
        {"set k 0 0 1 noreply extra\r\nv\r\n", kError},
        {"incr k 1 noreply foo\r\n", kError},
    });
}

TEST_CASE("memcached request: the data block of a wrong storage line is not run as commands") {
    check_all({
        {"set " + kLong + " 0 0 3\r\nget\r\n", kFormat},
        {"set k x 0 3\r\nget\r\n", kFormat},
        {"set k -1 0 9\r\nflush_all\r\n", kFormat},
        {"set k 0 x 3\r\nget\r\n", kFormat},
        {"set k 0 99999999999999999999 1\r\nx\r\n", kFormat},
        {"set k 99999999999999999999 0 1\r\nx\r\n", kFormat},
        {"cas k 0 0 1\r\nx\r\n", kError},
        {"cas k 0 0 1 x\r\nx\r\n", kFormat},
        {"cas k 0 0 1 18446744073709551616\r\nx\r\n", kFormat},
        {"set k 0 0 7 noreply noreply\r\nget k\r\n\r\n", kError},
        {"set k 0 0 1 a b c d e f g\r\nx\r\n", kError},
        {std::string("set a\0b 0 0 3\r\nget\r\n", 20), kFormat},
        {"ms " + kLong + " 9\r\nflush_all\r\n", kFormat},
        {"ms " + kLong + " 2 q\r\nab\r\n", kFormat},
        {"ms k 2 a b c d e f g h i j k l m n o p q\r\nab\r\n", kTooManyFlags},
        {std::string("ms a\0b 2\r\nab\r\n", 14), kFormat},
        {"ms k 2 O\x01\r\nab\r\n", kFormat},
        {"ms k S2\r\n", kFormat},
        {"ms k -1\r\n", kFormat},
        {"ms k 1\r\nabcdef\r\n", kChunk},
        {"ms k 1 q\r\nabcdef\r\n", kChunk},
    });
}

TEST_CASE("memcached request: a data block without its CRLF is taken up to the next line end") {
    check_all({
        {"set k 0 0 3\r\nabcd\r\n", kChunk},
        {"set k 0 0 3\r\nabcdefghijk\r\n", kChunk},
        {"set k 0 0 3\r\nabc\n", kChunk},
        {"set k 0 0 3\r\nabcX\n", kChunk},
        {"set k 0 0 3\r\nabc\rXget z\r\n", kChunk},
        {"set k 0 0 3\r\na\r\nget z\r\n", kChunk},
        {"set k x 0 3\r\nabcd\r\n", kFormat},
    });
}

TEST_CASE("memcached request: control bytes are refused anywhere in a line") {
    for (int byte = 1; byte < 256; ++byte) {
        if (byte == '\n' || byte == ' ') {
            continue;
        }
        CAPTURE(byte);
        const bool refused = byte < 0x20 || byte == 0x7f;
        const std::string key = std::string("a") + static_cast<char>(byte) + "b";
        for (const std::string& padding : {std::string(), std::string(20, 'p')}) {
            const Parsed get = parse_request("get " + key + padding + "\r\n", 100000);
            CHECK(get.error == (refused ? kFormat : ""));
            const Parsed set = parse_request("set " + padding + key + " 0 0 1\r\nv\r\n", 100000);
            CHECK(set.error == (refused ? kFormat : ""));
        }
    }
    check_all({
        {std::string("get a\0b\r\n", 9), kFormat},
        {"get a\rb\r\n", kFormat},
        {"get a\r\r\n", kFormat},
        {"set k 0 0 1 x\ry\r\nv\r\n", kFormat},
        {"version\r\r\n", kError},
    });
}

TEST_CASE("memcached request: a command for the server as a machine is as good as unknown") {
    const std::string no_shutdown = "ERROR: shutdown not enabled\r\n";
    for (const Command& command : all_commands()) {
        if (command.shape == Shape::kRefused) {
            const std::string& answer = command.name == "shutdown" ? no_shutdown : kError;
            check_all({{std::string(command.name) + "\r\n", answer},
                       {std::string(command.name) + " k\r\n", answer}});
        }
    }
    check_all({{"watch\r\n", kError}, {"extstore free_memchunks 1 2\r\n", kError}});
}

TEST_CASE("memcached request: an endless line is too big, wherever it is cut") {
    for_each_feed_size([](size_t feed_bytes) {
        for (const std::string& start :
             {std::string("x"), std::string("delete k "), std::string("getx "),
              std::string("gat 0 "), std::string(101, ' ') + "get ",
              std::string(2047, ' ') + "get "}) {
            const std::string line = start + std::string(kMaxMemcachedLineBytes, 'x');
            const Parsed parsed = parse_request(line + "\r\nversion\r\n", feed_bytes);
            CHECK(parsed.status == ParseStatus::kTooBig);
            CHECK(parsed.error == "CLIENT_ERROR line too long\r\n");
        }
    });
    const std::string fits = "version" + std::string(kMaxMemcachedLineBytes - 9, ' ') + "\r\n";
    CHECK(parse_request(fits, 1).status == ParseStatus::kDone);
    const std::string endless = "get " + std::string(kMaxMemcachedGetLineBytes - 4, 'x');
    CHECK(parse_request(endless, endless.size()).status == ParseStatus::kTooBig);
}

TEST_CASE("memcached request: a data block that never ends its line is too big") {
    for_each_feed_size([](size_t feed_bytes) {
        const Parsed parsed = parse_request(
            "set k 0 0 3\r\nabc" + std::string(kMaxMemcachedLineBytes, 'x') + "\r\n", feed_bytes);
        CHECK(parsed.status == ParseStatus::kTooBig);
        CHECK(parsed.error == kChunk);
    });
}

TEST_CASE("memcached request: an oversized value is waited for to its end, an absurd one is not") {
    const std::string large = "set k 0 0 1073741825\r\n";
    RequestParser parser;
    CHECK(parser.parse(large.data(), large.size()) == ParseStatus::kNeedMore);
    CHECK(parser.bytes_needed() == large.size() + 1073741825 + 2);
    for (const char* count : {"2147483646", "4294967297", "99999999999999999999999"}) {
        const Parsed parsed = parse_request("set k 0 0 " + std::string(count) + "\r\nx\r\n", 5);
        CHECK(parsed.status == ParseStatus::kTooBig);
        CHECK(parsed.error == "SERVER_ERROR object too large for cache\r\n");
    }
}

namespace {

// Feeds `request` in pieces, dropping what may be dropped at once. Returns the most bytes that had
// to be kept between two pieces; the parser must end in kDone behind the whole of `request`.
size_t swallow(RequestParser& parser, const std::string& request, size_t feed_bytes,
               const char* refusal, RequestView& view) {
    std::string kept;
    size_t most_kept = 0;
    for (size_t fed = 0; fed < request.size();) {
        const size_t piece = std::min(feed_bytes, request.size() - fed);
        kept.append(request, fed, piece);
        fed += piece;
        const auto buffer = exact_copy(kept);
        const ParseStatus status = parser.parse(buffer.get(), kept.size());
        if (status == ParseStatus::kDone) {
            CHECK(fed == request.size());
            CHECK(parser.position() == kept.size());
            view = parser.view(buffer.get());
            view.bytes = {};
            return most_kept;
        }
        REQUIRE(status == ParseStatus::kNeedMore);
        CHECK(parser.bytes_needed() > kept.size());
        if (refusal != nullptr) {
            parser.refuse_block(refusal);
        }
        const size_t gone = parser.discardable(kept.size());
        parser.rebase(gone);
        kept.erase(0, gone);
        CHECK_FALSE(parser.at_start());
        CHECK(parser.bytes_needed() > kept.size());
        most_kept = std::max(most_kept, kept.size());
    }
    FAIL("the request was not taken");
    return 0;
}

}  // namespace

TEST_CASE("memcached request: the data block of a refused request need not be kept") {
    const std::string value(5000, 'v');
    for_each_feed_size([&](size_t feed_bytes) {
        for (const Wrong& wrong : std::vector<Wrong>{
                 {"set " + kLong + " 0 0 5000\r\n" + value + "\r\n", kFormat},
                 {"cas k 0 0 5000 x noreply\r\n" + value + "\r\n", kFormat, true},
                 {"ms " + kLong + " 5000\r\n" + value + "\r\n", kFormat},
                 {"set k 0 x 5000\r\n" + value + "bad\r\n", kFormat},
                 {"set k 0 x 0\r\n\r\n", kFormat},
             }) {
            CAPTURE(wrong.request);
            RequestParser parser;
            RequestView view;
            CHECK(swallow(parser, wrong.request, feed_bytes, nullptr, view) < 300);
            CHECK(view.error_reply == wrong.error);
            CHECK(view.noreply == wrong.noreply);
            parser.reset();
            CHECK(parser.parse("version\r\n", 9) == ParseStatus::kDone);
        }
    });
}

TEST_CASE("memcached request: the caller may refuse a good request's data block") {
    const std::string value(5000, 'v');
    for_each_feed_size([&](size_t feed_bytes) {
        for (const bool noreply : {false, true}) {
            const std::string head = noreply ? "set k 0 0 5000 noreply\r\n" : "set k 0 0 5000\r\n";
            if (feed_bytes > 5000) {
                continue;  // whole at once: nothing to refuse
            }
            RequestParser parser;
            RequestView view;
            CHECK(swallow(parser, head + value + "\r\n", feed_bytes, kTooBig, view) < 100);
            CHECK(view.error_reply == kTooBig);
            CHECK(view.noreply == noreply);
        }
    });
    RequestParser parser;
    CHECK(parser.parse("get k", 5) == ParseStatus::kNeedMore);
    parser.refuse_block(kTooBig);  // no block: nothing happens
    CHECK(parser.discardable(5) == 0);
    CHECK(parser.parse("get k\r\n", 7) == ParseStatus::kDone);
    CHECK(parser.view("get k\r\n").error_reply.empty());
}

TEST_CASE("memcached request: nothing of a good request may be dropped") {
    const std::string request = "set k 0 0 5000\r\n" + std::string(100, 'v');
    RequestParser parser;
    CHECK(parser.discardable(0) == 0);
    CHECK(parser.parse(request.data(), request.size()) == ParseStatus::kNeedMore);
    CHECK(parser.discardable(request.size()) == 0);
}

TEST_CASE("memcached request: the binary protocol is refused at its first byte") {
    const Parsed parsed = parse_request("\x80\x0b", 1);
    CHECK(parsed.status == ParseStatus::kBad);
    CHECK(parsed.error == "CLIENT_ERROR binary request on a connection that speaks text\r\n");
}
