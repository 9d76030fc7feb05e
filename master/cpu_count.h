// SPDX-License-Identifier: Apache-2.0
// How many CPUs this process may use: what `--workers auto` means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringmaster::master {

// The text of a cgroup v2 cpu.max ("150000 100000", "max 100000") -> CPUs, rounded up and at least
// 1; nothing when unlimited or not understood. Pure.
std::optional<uint32_t> parse_cpu_max(std::string_view text) noexcept;

// The v2 path in the text of /proc/self/cgroup (the line "0::/a/b"), or nothing. Pure.
std::optional<std::string> parse_cgroup_path(std::string_view text);

// min(CPUs by affinity, the tightest cpu.max of our cgroup and its ancestors), at least 1.
uint32_t usable_cpu_count();

}  // namespace ringmaster::master
