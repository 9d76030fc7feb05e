// SPDX-License-Identifier: Apache-2.0
#include "common/base/format.h"

#include <cerrno>
#include <string_view>

#include <doctest/doctest.h>

namespace ringmaster::base {
namespace {

TEST_CASE("format: arguments of every common type stand where the braces were") {
    CHECK(format("nothing") == "nothing");
    CHECK(format("{} of {}", 1, 2U) == "1 of 2");
    CHECK(format("'{}' {:>4} {:<4}| {:#x}", std::string("a"), "b", std::string_view("c"), 255) ==
          "'a'    b c   | 0xff");
    CHECK(format("{{}} {:.2f} {}", 1.005, true) == "{} 1.00 true");
}

TEST_CASE("format: bytes of any value pass through") {
    const std::string bytes("\0\n\xff{}", 5);
    CHECK(format("<{}>", bytes) == "<" + bytes + ">");
}

TEST_CASE("errno_text: the C library's words, or the number") {
    CHECK(errno_text(ECONNREFUSED) == "Connection refused");
    CHECK(errno_text(ENOENT) == "No such file or directory");
    CHECK(errno_text(99999) == "error 99999");
    CHECK(errno_text(-1) == "error -1");
}

}  // namespace
}  // namespace ringmaster::base
