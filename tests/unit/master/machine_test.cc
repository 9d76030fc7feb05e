// SPDX-License-Identifier: Apache-2.0
#include "master/machine.h"

#include <doctest/doctest.h>

namespace ringmaster::master {
namespace {

TEST_CASE("cpu.max: quota over period, rounded up") {
    CHECK(parse_cpu_max("100000 100000\n") == 1U);
    CHECK(parse_cpu_max("150000 100000\n") == 2U);
    CHECK(parse_cpu_max("200000 100000") == 2U);
    CHECK(parse_cpu_max("200001 100000") == 3U);
    CHECK(parse_cpu_max("1000 100000\n") == 1U);
    CHECK(parse_cpu_max("0 100000\n") == 1U);
}

TEST_CASE("cpu.max: no limit, or nothing that makes sense, is no limit") {
    for (const char* text : {"max 100000\n", "", "\n", "100000", "100000 0", "x y", "-1 100000",
                             "99999999999999999999 1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_cpu_max(text).has_value());
    }
    CHECK(parse_cpu_max("18446744073709551615 1") == UINT32_MAX);
}

TEST_CASE("cpus: slots take turns with what there is") {
    const std::vector<uint32_t> cpus = {2, 3, 7};
    CHECK(cpu_of_slot(cpus, 0) == 2U);
    CHECK(cpu_of_slot(cpus, 2) == 7U);
    CHECK(cpu_of_slot(cpus, 3) == 2U);
    CHECK(cpu_of_slot(cpus, 1023) == 2U);
    CHECK_FALSE(cpu_of_slot({}, 0).has_value());
    CHECK_FALSE(cpus_by_affinity().empty());
}

TEST_CASE("cgroup: the v2 line is found among others") {
    CHECK(parse_cgroup_path("0::/\n") == "/");
    CHECK(parse_cgroup_path("1:cpu:/x\n0::/a/b.service\n") == "/a/b.service");
    CHECK(parse_cgroup_path("0::/a") == "/a");
    CHECK_FALSE(parse_cgroup_path("").has_value());
    CHECK_FALSE(parse_cgroup_path("1:cpu:/x\n").has_value());
    CHECK_FALSE(parse_cgroup_path("0::x\n").has_value());
}

TEST_CASE("cpu count: this machine has at least one") {
    CHECK(usable_cpu_count() >= 1);
}

}  // namespace
TEST_CASE("machine: a memory limit of the cgroup") {
    CHECK(parse_memory_max("1073741824\n") == uint64_t{1} << 30);
    CHECK_FALSE(parse_memory_max("max\n").has_value());
    CHECK_FALSE(parse_memory_max("").has_value());
    CHECK_FALSE(parse_memory_max("12x").has_value());
    CHECK(usable_memory_bytes() > 0);
}

}  // namespace ringmaster::master
