// SPDX-License-Identifier: Apache-2.0
#include "common/health/probe.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace ringmaster::health {
namespace {

using Status = Probe::Status;

const ProbeSettings kBinary{.redis = false, .auth = "", .db = 0, .flush = false, .binary = true};

// Without extras and key.
std::string packet(char magic, char opcode, char status, std::string_view body = "") {
    std::string bytes(24, '\0');
    bytes[0] = magic;
    bytes[1] = opcode;
    bytes[7] = status;
    bytes[10] = static_cast<char>(body.size() >> 8);
    bytes[11] = static_cast<char>(body.size() & 0xff);
    return bytes + std::string(body);
}

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
    // As long as the header of a binary request: a server that speaks nothing else closes then.
    CHECK(Probe({}).bytes_to_send() == "version               \r\n");
    CHECK(Probe({}).bytes_to_send().size() == 24);
    CHECK(Probe(kBinary).bytes_to_send() == packet('\x80', '\x0a', 0));
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

TEST_CASE("probe: a binary server answers noop") {
    const auto reply = [](char status, std::string_view body = "") {
        return packet('\x81', '\x0a', status, body);
    };
    CHECK(judge(kBinary, reply(0)) == Status::kGood);
    CHECK(judge(kBinary, reply('\x81', "Unknown command")) == Status::kGood);
    CHECK(judge(kBinary, reply('\x20', "Auth failure")) == Status::kBad);
    CHECK(judge(kBinary, reply(0).substr(0, 23)) == Status::kNeedMore);
    CHECK(judge(kBinary, reply('\x81', "Unknown").substr(0, 30)) == Status::kNeedMore);
    CHECK(judge(kBinary, reply(0) + "x") == Status::kBad);
    CHECK(judge(kBinary, reply(0, std::string(Probe::kLineMax + 1, 'x'))) == Status::kBad);
    CHECK(judge(kBinary, packet('\x80', '\x0a', 0)) == Status::kBad);
    CHECK(judge(kBinary, packet('\x81', '\x0b', 0)) == Status::kBad);
    CHECK(judge(kBinary, "ERROR\r\n") == Status::kBad);

    Probe flush({.redis = false, .auth = "", .db = 0, .flush = true, .binary = true});
    CHECK(flush.feed(reply(0)) == Status::kSend);
    CHECK(flush.bytes_to_send() == packet('\x80', '\x08', 0));
    CHECK(flush.feed(packet('\x81', '\x08', 0)) == Status::kGood);
    CHECK(flush.feed("x") == Status::kBad);

    Probe forbidden({.redis = false, .auth = "", .db = 0, .flush = true, .binary = true});
    CHECK(forbidden.feed(reply(0)) == Status::kSend);
    CHECK(forbidden.feed(packet('\x81', '\x08', '\x20', "Auth failure")) == Status::kBad);
    CHECK(forbidden.reason() == "status 32");
}

TEST_CASE("probe: who has said nothing to text may speak binary") {
    CHECK(Probe({}).may_be_binary());
    CHECK_FALSE(Probe(kBinary).may_be_binary());
    CHECK_FALSE(Probe({.redis = true, .auth = "", .db = 0, .flush = false, .binary = false})
                    .may_be_binary());
    for (const char* said : {"V", "VERSION 1\r\n", "VERSION 1\r\nx"}) {
        Probe probe({});
        probe.feed(said);
        CHECK_FALSE(probe.may_be_binary());
    }
    Probe flush({.redis = false, .auth = "", .db = 0, .flush = true, .binary = false});
    CHECK(flush.feed("VERSION 1\r\n") == Status::kSend);
    CHECK_FALSE(flush.may_be_binary());
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
