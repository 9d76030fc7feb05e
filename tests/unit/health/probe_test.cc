// SPDX-License-Identifier: Apache-2.0
#include "common/health/probe.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace ringmaster::health {
namespace {

using Status = Probe::Status;

// Whole, and byte by byte: both must say the same.
Status judge(const ProbeSettings& settings, std::string_view reply) {
    Probe whole(settings);
    const Status at_once = whole.feed(reply);
    Probe pieces(settings);
    Status status = Status::kNeedMore;
    for (size_t i = 0; i < reply.size() && status == Status::kNeedMore; ++i) {
        status = pieces.feed(reply.substr(i, 1));
    }
    if (at_once != Status::kBad) {  // of trailing bytes the pieces know nothing yet
        CHECK(status == at_once);
    }
    return at_once;
}

TEST_CASE("probe: the bytes for each kind of pool") {
    CHECK(Probe({}).bytes_to_send() == "version\r\n");
    CHECK(Probe({.redis = true, .auth = "", .db = 0, .flush = false}).bytes_to_send() ==
          "*1\r\n$4\r\nPING\r\n");
    CHECK(Probe({.redis = true, .auth = "secret", .db = 12, .flush = true}).bytes_to_send() ==
          "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n"
          "*1\r\n$4\r\nPING\r\n");
}

TEST_CASE("probe: a Redis server that answers and would serve is good") {
    const ProbeSettings redis{.redis = true, .auth = "", .db = 0, .flush = false};
    CHECK(judge(redis, "+PONG\r\n") == Status::kGood);
    CHECK(judge(redis, "-NOPERM this user has no permissions\r\n") == Status::kGood);
    CHECK(judge(redis, "-ERR unknown command 'PING'\r\n") == Status::kGood);
    CHECK(judge(redis, "-BUSYGROUP is another word\r\n") == Status::kGood);
    CHECK(judge(redis, "+PON") == Status::kNeedMore);
}

TEST_CASE("probe: a Redis server that would answer nothing but errors is bad") {
    const ProbeSettings redis{.redis = true, .auth = "", .db = 0, .flush = false};
    for (const char* line :
         {"-LOADING Redis is loading the dataset in memory\r\n",
          "-MASTERDOWN Link with MASTER is down\r\n", "-NOAUTH Authentication required.\r\n",
          "-BUSY Redis is busy running a script\r\n", "-CLUSTERDOWN The cluster is down\r\n",
          "-MISCONF Redis is configured to save\r\n", "-LOADING\r\n"}) {
        CAPTURE(std::string(line));
        CHECK(judge(redis, line) == Status::kBad);
    }
}

TEST_CASE("probe: what is no reply to it is bad") {
    const ProbeSettings redis{.redis = true, .auth = "", .db = 0, .flush = false};
    for (const char* line : {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "$4\r\nPONG\r\n", "+PONG\n",
                             "+PO\rNG\r\n", "+PONG\r\n+PONG\r\n", "+PONG\r\nx", ":1\r\n"}) {
        CAPTURE(std::string(line));
        CHECK(judge(redis, line) == Status::kBad);
    }
    CHECK(judge(redis, "+" + std::string(Probe::kLineMax, 'x')) == Status::kBad);
    CHECK(judge(redis, "+" + std::string(Probe::kLineMax - 2, 'x')) == Status::kNeedMore);
}

TEST_CASE("probe: AUTH and SELECT are not judged, the PING behind them is") {
    const ProbeSettings redis{.redis = true, .auth = "x", .db = 3, .flush = false};
    CHECK(judge(redis, "+OK\r\n+OK\r\n+PONG\r\n") == Status::kGood);
    CHECK(judge(redis, "-ERR Client sent AUTH, but no password is set\r\n+OK\r\n+PONG\r\n") ==
          Status::kGood);
    CHECK(judge(redis, "-WRONGPASS invalid\r\n-NOAUTH x\r\n-NOAUTH x\r\n") == Status::kBad);
    CHECK(judge(redis, "+OK\r\n+OK\r\n") == Status::kNeedMore);
    CHECK(judge(redis, "-LOADING x\r\n") == Status::kBad);
}

TEST_CASE("probe: memcached answers version") {
    CHECK(judge({}, "VERSION 1.6.18\r\n") == Status::kGood);
    CHECK(judge({}, "ERROR\r\n") == Status::kGood);
    CHECK(judge({}, "SERVER_ERROR out of memory\r\n") == Status::kBad);
    CHECK(judge({}, "CLIENT_ERROR unauthenticated\r\n") == Status::kBad);
    CHECK(judge({}, "END\r\n") == Status::kBad);
}

TEST_CASE("probe: a flush is sent only after a good answer, and never to the wrong database") {
    Probe redis({.redis = true, .auth = "", .db = 2, .flush = true});
    CHECK(redis.feed("+OK\r\n+PONG\r\n") == Status::kSend);
    CHECK(redis.bytes_to_send() == "*1\r\n$7\r\nFLUSHDB\r\n");
    CHECK(redis.feed("+OK\r\n") == Status::kGood);

    Probe elsewhere({.redis = true, .auth = "", .db = 99, .flush = true});
    CHECK(elsewhere.feed("-ERR DB index is out of range\r\n+PONG\r\n") == Status::kBad);

    Probe forbidden({.redis = true, .auth = "", .db = 0, .flush = true});
    CHECK(forbidden.feed("+PONG\r\n") == Status::kSend);
    CHECK(forbidden.feed("-NOPERM no\r\n") == Status::kBad);
    CHECK(forbidden.reason() == "-NOPERM no");

    Probe memcached({.redis = false, .auth = "", .db = 0, .flush = true});
    CHECK(memcached.feed("VERSION 1\r\n") == Status::kSend);
    CHECK(memcached.bytes_to_send() == "flush_all\r\n");
    CHECK(memcached.feed("OK\r\n") == Status::kGood);
}

}  // namespace
}  // namespace ringmaster::health
