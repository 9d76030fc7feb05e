// SPDX-License-Identifier: Apache-2.0
#include "worker/error_lines.h"

#include <cerrno>

#include <doctest/doctest.h>

namespace ringmaster::worker {
namespace {

TEST_CASE("error lines: nutcracker's texts, in each protocol's form") {
    CHECK(server_error_line(true, ECONNREFUSED) == "-ERR Connection refused\r\n");
    CHECK(server_error_line(false, ECONNREFUSED) == "SERVER_ERROR Connection refused\r\n");
    CHECK(server_error_line(true, ETIMEDOUT) == "-ERR Connection timed out\r\n");
    CHECK(server_error_line(true, ECONNRESET) == "-ERR Connection reset by peer\r\n");
    CHECK(server_error_line(true, EHOSTDOWN) == "-ERR Host is down\r\n");
    CHECK(server_error_line(true, EINVAL) == "-ERR Invalid argument\r\n");
    CHECK(server_error_line(false, kServerClosed) == "SERVER_ERROR unknown\r\n");
    CHECK(server_error_line(true, kNoMemoryForRequest).starts_with("-OOM "));
    CHECK(server_error_line(true, kNoMemoryForReply).starts_with("-OOM "));
    CHECK(server_error_line(false, kNoMemoryForRequest) ==
          "SERVER_ERROR out of memory storing object\r\n");
}

TEST_CASE("error lines: a client's bytes cannot end the line they are quoted in") {
    CHECK(printable("a\r\nb\tc", 100) == "a  b c");
    CHECK(printable("abcdef", 3) == "abc");
    CHECK(printable(std::string_view("\0x", 2), 10) == " x");
}

}  // namespace
}  // namespace ringmaster::worker
