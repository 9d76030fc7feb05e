// SPDX-License-Identifier: Apache-2.0
#include "master/machine.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <vector>

#include <sched.h>
#include <unistd.h>

namespace ringmaster::master {

namespace {

std::string_view next_word(std::string_view& text) noexcept {
    const size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) {
        text = {};
        return {};
    }
    const size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    text.remove_prefix(end);
    return word;
}

std::optional<uint64_t> parse_whole(std::string_view word) noexcept {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (word.empty() || error != std::errc{} || end != word.data() + word.size()) {
        return std::nullopt;
    }
    return value;
}

std::string read_small_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

std::optional<uint32_t> parse_cpu_max(std::string_view text) noexcept {
    const std::optional<uint64_t> quota = parse_whole(next_word(text));
    const std::optional<uint64_t> period = parse_whole(next_word(text));
    if (!quota || !period || *period == 0) {
        return std::nullopt;
    }
    const uint64_t cpus = *quota / *period + (*quota % *period != 0 ? 1 : 0);
    return static_cast<uint32_t>(std::clamp<uint64_t>(cpus, 1, UINT32_MAX));
}

std::optional<std::string> parse_cgroup_path(std::string_view text) {
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with("0::/")) {
            return std::string(line.substr(3));
        }
    }
    return std::nullopt;
}

namespace {

// Calls with the text of this file in our cgroup and in every ancestor: a limit of any of them
// holds.
template <class Use>
void for_each_cgroup_file(const std::string& name, Use&& use) {
    std::optional<std::string> path = parse_cgroup_path(read_small_file("/proc/self/cgroup"));
    while (path) {
        use(read_small_file("/sys/fs/cgroup" + (*path == "/" ? std::string() : *path) + "/" +
                            name));
        if (path->size() <= 1) {
            return;
        }
        path->resize(std::max<size_t>(path->rfind('/'), 1));
    }
}

}  // namespace

std::optional<uint64_t> parse_memory_max(std::string_view text) noexcept {
    return parse_whole(next_word(text));
}

std::vector<uint32_t> cpus_by_affinity() {
    std::vector<uint32_t> cpus;
    // Grows until the kernel's mask fits: machines with over 1024 CPUs.
    for (size_t sets = 1; sets <= 64; sets *= 2) {
        std::vector<cpu_set_t> mask(sets);
        const size_t size_bytes = sets * sizeof(cpu_set_t);
        if (::sched_getaffinity(0, size_bytes, mask.data()) == 0) {
            for (uint32_t cpu = 0; cpu < size_bytes * 8; ++cpu) {
                if (CPU_ISSET_S(cpu, size_bytes, mask.data())) {
                    cpus.push_back(cpu);
                }
            }
            break;
        }
    }
    return cpus;
}

std::optional<uint32_t> cpu_of_slot(const std::vector<uint32_t>& cpus, size_t slot) noexcept {
    return cpus.empty() ? std::nullopt : std::optional(cpus[slot % cpus.size()]);
}

uint32_t usable_cpu_count() {
    auto count = static_cast<uint32_t>(std::max<size_t>(cpus_by_affinity().size(), 1));
    for_each_cgroup_file("cpu.max", [&count](const std::string& text) {
        count = std::min(count, parse_cpu_max(text).value_or(count));
    });
    return count;
}

uint64_t usable_memory_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    uint64_t bytes = pages > 0 && page_bytes > 0
                         ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes)
                         : uint64_t{4} << 30;
    for_each_cgroup_file("memory.max", [&bytes](const std::string& text) {
        bytes = std::min(bytes, parse_memory_max(text).value_or(bytes));
    });
    return bytes;
}

}  // namespace ringmaster::master
