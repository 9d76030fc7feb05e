// SPDX-License-Identifier: Apache-2.0
#include "master/worker_environment.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

TEST_CASE("worker environment: what is written is read") {
    for (const bool has_log : {false, true}) {
        const auto read =
            parse_worker_environment(write_worker_environment({.slot = 12,
                                                               .log_level = 11,
                                                               .master_pid = 4711,
                                                               .has_log = has_log,
                                                               .cpu = has_log ? 0 : -1,
                                                               .credentials = {}}));
        REQUIRE(read.has_value());
        CHECK(read->slot == 12);
        CHECK(read->log_level == 11);
        CHECK(read->master_pid == 4711);
        CHECK(read->has_log == has_log);
        CHECK(read->cpu == (has_log ? 0 : -1));
        CHECK_FALSE(read->credentials.has_value());
    }
}

TEST_CASE("worker environment: who to become, with any number of groups") {
    for (const io::Credentials& credentials :
         {io::Credentials{.uid = 65534, .gid = 0, .groups = {}},
          io::Credentials{.uid = 0, .gid = 65534, .groups = {65534}},
          io::Credentials{.uid = 4294967294, .gid = 4294967294, .groups = {4294967294, 0, 7}}}) {
        const auto read =
            parse_worker_environment(write_worker_environment({.credentials = credentials}));
        REQUIRE(read.has_value());
        CHECK(read->credentials == credentials);
    }
}

TEST_CASE("worker environment: anything else makes no worker") {
    for (const char* text : {"",
                             ";",
                             ";;;;",
                             "1",
                             "1;",
                             "1;2",
                             "1;2;3",
                             "1;2;3;",
                             "1;2;3;1",
                             "1;2;3;1;",
                             "1;2;3;1;0",
                             "1;2;3;1;-2;",
                             "1;2;3;1;x;",
                             "x;2;3;1;0;",
                             "1;x;3;1;0;",
                             "-1;2;3;1;0;",
                             "1 ;2;3;1;0;",
                             "99999999999;2;3;1;0;",
                             "1;2;3;1;0;5",
                             "1;2;3;1;0;5;",
                             "1;2;3;1;0;5;6",
                             "1;2;3;1;0;x;6;",
                             "1;2;3;1;0;5;6;7",
                             "1;2;3;1;0;5;6;x;",
                             "1;2;3;1;0;5;6;;",
                             "1;2;3;1;0;-5;6;"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_worker_environment(text).has_value());
    }
}

}  // namespace
}  // namespace ringmaster::master
