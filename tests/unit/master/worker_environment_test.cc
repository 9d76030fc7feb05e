// SPDX-License-Identifier: Apache-2.0
#include "master/worker_environment.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

TEST_CASE("worker environment: what is written is read, whatever the file is called") {
    for (const char* file : {"", "log", "/var/log/a;b;c", "1;2;3"}) {
        const auto read = parse_worker_environment(
            write_worker_environment({.slot = 12, .log_level = 11, .log_file = file}));
        REQUIRE(read.has_value());
        CHECK(read->slot == 12);
        CHECK(read->log_level == 11);
        CHECK(read->log_file == file);
    }
}

TEST_CASE("worker environment: anything else makes no worker") {
    for (const char* text : {"", ";", ";;", "1", "1;", "1;2", "x;2;f", "1;x;f", "-1;2;f", "1 ;2;f",
                             "99999999999;2;f"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_worker_environment(text).has_value());
    }
}

}  // namespace
}  // namespace ringmaster::master
