// SPDX-License-Identifier: Apache-2.0
#include "config/report.h"

#include <doctest/doctest.h>

#include "tests/unit/config/support.h"

using namespace ringmaster::config;

TEST_CASE("config report: quoting keeps a terminal and a log line safe") {
    CHECK(quoted("a b") == "'a b'");
    CHECK(quoted("a\nb\x1b[1m") == "'a\\x0ab\\x1b[1m'");
    CHECK(quoted(std::string_view("a\0b", 3)) == "'a\\x00b'");
    CHECK(quoted("\xc3\xa9") == "'\xc3\xa9'");
    CHECK(quoted("\xc2\x9b") == "'\xc2\\x9b'");  // U+009B, which some terminals obey
}

TEST_CASE("config report: a long text is cut between characters") {
    CHECK(quoted(std::string(60, 'x')) == "'" + std::string(60, 'x') + "'");
    CHECK(quoted(std::string(61, 'x')) == "'" + std::string(60, 'x') + "...'");
    CHECK(quoted(std::string(59, 'x') + "\xc3\xa9") == "'" + std::string(59, 'x') + "...'");
}

TEST_CASE("config report: an unknown key is shown up to its first odd byte") {
    CHECK(quoted_key("lisen") == "'lisen'");
    CHECK(quoted_key("redis_auth=secret") == "'redis_auth...'");
    CHECK(quoted_key(" x") == "'...'");
}

TEST_CASE("config report: diagnostics come out in the file's order, whole-file ones first") {
    Report report;
    report.error({3, 1}, "c");
    report.warning({1, 5}, "b");
    report.error({}, "a");
    CHECK(report.has_errors());
    std::string order;
    for (const Diagnostic& diagnostic : report.take()) {
        order += diagnostic.message;
    }
    CHECK(order == "abc");
    CHECK_FALSE(report.has_errors());
}

TEST_CASE("config report: warnings never fill it") {
    Report report;
    for (int i = 0; i < 500; ++i) {
        report.warning({1, 1}, "w");
    }
    CHECK_FALSE(report.full());
    CHECK_FALSE(report.has_errors());
    CHECK(report.take().size() == Report::kMaxOfEach + 1);
}

TEST_CASE("config report: the printed line has file, place, severity, message and hint") {
    CHECK(format_diagnostic("a.yml", {Severity::kError, 3, 7, "bad", "do better"}) ==
          "a.yml:3:7: error: bad (do better)");
    CHECK(format_diagnostic("a.yml", {Severity::kWarning, 0, 0, "odd", ""}) ==
          "a.yml: warning: odd");
}
