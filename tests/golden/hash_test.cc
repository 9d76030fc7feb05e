// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <doctest/doctest.h>

#include "common/hash/registry.h"
#include "tests/golden/tsv.h"

namespace ringmaster::golden {
namespace {

std::vector<Row> hash_rows() {
    return read_tsv("hash.tsv", {"key_hex", "algorithm", "value"});
}

TEST_CASE("golden hashes: every key has nutcracker's value") {
    const std::vector<Row> rows = hash_rows();
    CHECK(rows.size() == 852);
    for (const Row& row : rows) {
        const hash::HashRow* hash = hash::find_hash_or_null(row[1]);
        REQUIRE_MESSAGE(hash != nullptr, row[1]);
        const std::string key = bytes_from_hex(row[0]);
        CAPTURE(row[0]);
        CAPTURE(row[1]);
        CHECK(hash->function(key.data(), key.size()) == number(row[2]));
    }
}

TEST_CASE("golden hashes: every registered hash has vectors") {
    std::set<std::string> covered;
    for (const Row& row : hash_rows()) {
        covered.insert(row[1]);
    }
    for (const hash::HashRow& hash : hash::all_hashes()) {
        CAPTURE(hash.name);
        CHECK(covered.count(std::string(hash.name)) == 1);
    }
}

}  // namespace
}  // namespace ringmaster::golden
