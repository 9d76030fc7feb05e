// SPDX-License-Identifier: Apache-2.0
#include "common/hash/registry.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "common/hash/fnv.h"

namespace ringmaster::hash {
namespace {

TEST_CASE("hash registry: twelve hashes with twelve names") {
    std::set<std::string_view> names;
    for (const HashRow& row : all_hashes()) {
        CHECK((row.function != nullptr));
        names.insert(row.name);
    }
    CHECK(all_hashes().size() == 12);
    CHECK(names.size() == 12);
}

TEST_CASE("hash registry: every row is found under its name") {
    for (const HashRow& row : all_hashes()) {
        CHECK(find_hash_or_null(row.name) == &row);
    }
}

TEST_CASE("hash registry: names are exact and case-sensitive") {
    CHECK(find_hash_or_null("") == nullptr);
    CHECK(find_hash_or_null("FNV1A_64") == nullptr);
    CHECK(find_hash_or_null("fnv1a_6") == nullptr);
    CHECK(find_hash_or_null("fnv1a_64 ") == nullptr);
    CHECK(find_hash_or_null("sha1") == nullptr);
}

TEST_CASE("hash registry: the default is registered and is the inline fnv1a_64") {
    const HashRow* row = find_hash_or_null(kDefaultHash);
    REQUIRE(row != nullptr);
    CHECK((row->function == fnv1a_64));
}

}  // namespace
}  // namespace ringmaster::hash
