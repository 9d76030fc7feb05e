// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>

#include <doctest/doctest.h>

#include "common/hash/md5.h"
#include "common/ring/ring.h"
#include "tests/golden/pool.h"
#include "tests/golden/tsv.h"

namespace ringmaster::golden {
namespace {

enum Column : size_t {
    kConfigId,
    kEjected,
    kIndex,
    kEntry,
    kLabel,
    kPoints,
    kTotal,
    kFirst,
    kLast,
    kMd5
};

// The servers of one config, one row each, in the order they are written.
using Group = std::vector<Row>;

std::map<std::pair<std::string, std::string>, Group> read_groups() {
    std::map<std::pair<std::string, std::string>, Group> groups;
    for (const Row& row :
         read_tsv("ketama_points.tsv",
                  {"config_id", "ejected_index", "server_index", "entry", "label_name", "points",
                   "total_points", "first_ring_value", "last_ring_value", "ring_md5"})) {
        Group& group = groups[{row[kConfigId], row[kEjected]}];
        REQUIRE(number(row[kIndex]) == group.size());
        group.push_back(row);
    }
    return groups;
}

void append_little_endian(uint32_t value, std::string& bytes) {
    for (int shift = 0; shift < 32; shift += 8) {
        bytes += static_cast<char>(value >> shift);
    }
}

// MD5 over (point value, index as written) pairs.
std::string ring_md5(const ring::Ring& ring, const Pool& pool) {
    std::string bytes;
    for (const ring::RingPoint& point : ring.points()) {
        append_little_endian(point.value, bytes);
        append_little_endian(pool.written_index[point.shard], bytes);
    }
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const uint8_t byte : hash::md5(bytes)) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

void check_group(const Group& group) {
    std::vector<std::string> entries;
    for (const Row& row : group) {
        entries.push_back(row[kEntry]);
    }
    const Pool pool = make_pool(entries, group.front()[kEjected]);
    const ring::Ring ring = ring::Ring::build(ring::Distribution::kKetama, pool.servers);
    const auto points = ring.points();
    const std::string md5 = ring_md5(ring, pool);
    for (uint32_t shard = 0; shard < pool.servers.size(); ++shard) {
        const Row& row = group[pool.written_index[shard]];
        CAPTURE(to_line(row));
        CHECK(pool.servers[shard].name == row[kLabel]);
        const auto count =
            std::count_if(points.begin(), points.end(),
                          [shard](const ring::RingPoint& point) { return point.shard == shard; });
        CHECK(count == number(row[kPoints]));
        REQUIRE(points.size() == number(row[kTotal]));
        CHECK(points.front().value == number(row[kFirst]));
        CHECK(points.back().value == number(row[kLast]));
        CHECK(md5 == row[kMd5]);
    }
}

TEST_CASE("golden ketama: every ring has the recorded points") {
    size_t rows = 0;
    for (const auto& [id, group] : read_groups()) {
        rows += group.size();
        check_group(group);
    }
    CHECK(rows == 123);
}

}  // namespace
}  // namespace ringmaster::golden
