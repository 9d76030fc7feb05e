// SPDX-License-Identifier: Apache-2.0
// What this process may use of the machine: CPUs (what `--workers auto` means) and memory (what
// `max_memory: auto` is a quarter of).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringmaster::master {

// The text of a cgroup v2 cpu.max ("150000 100000", "max 100000") -> CPUs, rounded up and at least
// 1; nothing when unlimited or not understood. Pure.
std::optional<uint32_t> parse_cpu_max(std::string_view text) noexcept;

// The v2 path in the text of /proc/self/cgroup (the line "0::/a/b"), or nothing. Pure.
std::optional<std::string> parse_cgroup_path(std::string_view text);

// min(CPUs by affinity, the tightest cpu.max of our cgroup and its ancestors), at least 1.
uint32_t usable_cpu_count();

// The CPUs this process may run on, ascending; empty when the kernel does not tell.
std::vector<uint32_t> cpus_by_affinity();

// Which of `cpus` the worker of this slot has; nothing when there are none. Pure.
std::optional<uint32_t> cpu_of_slot(const std::vector<uint32_t>& cpus, size_t slot) noexcept;

// The text of a cgroup v2 memory.max ("1073741824", "max") -> bytes; nothing when unlimited. Pure.
std::optional<uint64_t> parse_memory_max(std::string_view text) noexcept;

// min(physical memory, the tightest memory.max of our cgroup and its ancestors).
uint64_t usable_memory_bytes();

}  // namespace ringmaster::master
