// SPDX-License-Identifier: Apache-2.0
#include "master/cpu_count.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <vector>

#include <sched.h>

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

uint32_t cpus_by_affinity() {
    // Grows until the kernel's mask fits: machines with over 1024 CPUs.
    for (size_t sets = 1; sets <= 64; sets *= 2) {
        std::vector<cpu_set_t> mask(sets);
        const size_t size_bytes = sets * sizeof(cpu_set_t);
        if (::sched_getaffinity(0, size_bytes, mask.data()) == 0) {
            return static_cast<uint32_t>(std::max(CPU_COUNT_S(size_bytes, mask.data()), 1));
        }
    }
    return 1;
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

uint32_t usable_cpu_count() {
    uint32_t count = cpus_by_affinity();
    std::optional<std::string> path = parse_cgroup_path(read_small_file("/proc/self/cgroup"));
    if (!path) {
        return count;
    }
    // A limit of any ancestor holds too.
    while (true) {
        const std::string folder = "/sys/fs/cgroup" + (*path == "/" ? std::string() : *path);
        if (const auto limit = parse_cpu_max(read_small_file(folder + "/cpu.max"))) {
            count = std::min(count, *limit);
        }
        if (path->size() <= 1) {
            return count;
        }
        path->resize(path->rfind('/'));
        if (path->empty()) {
            *path = "/";
        }
    }
}

}  // namespace ringmaster::master
