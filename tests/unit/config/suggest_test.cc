// SPDX-License-Identifier: Apache-2.0
#include "config/suggest.h"

#include <array>

#include <doctest/doctest.h>

using namespace ringmaster::config;

TEST_CASE("config suggest: edit distance counts single changes and swaps of neighbours") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("lisen", "listen") == 1);
    CHECK(edit_distance("lsiten", "listen") == 1);
    CHECK(edit_distance("redis_auht", "redis_auth") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("HASH", "hash") == 0);
}

TEST_CASE("config suggest: only something near is suggested") {
    constexpr auto kWords = std::to_array<std::string_view>({"listen", "hash", "hash_tag"});
    CHECK(nearest("lisen", kWords) == "listen");
    CHECK(nearest("hashtag", kWords) == "hash_tag");
    CHECK(nearest("hsah", kWords) == "hash");
    CHECK(nearest("colour", kWords).empty());
    CHECK(nearest("x", kWords).empty());
    CHECK(nearest("", kWords).empty());
    CHECK(nearest(std::string(100'000, 'h'), kWords).empty());
}

TEST_CASE("config suggest: without a near word the valid ones are listed") {
    constexpr auto kWords = std::to_array<std::string_view>({"one", "two"});
    CHECK(suggestion("onee", kWords, "valid") == "did you mean 'one'?");
    CHECK(suggestion("xyzzy", kWords, "valid") == "valid: one, two");
}
