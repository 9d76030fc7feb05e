// SPDX-License-Identifier: Apache-2.0
#include "common/io/descriptors.h"

#include <charconv>
#include <cstring>
#include <vector>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ringmaster::io {

namespace {

// For kernels before 5.9, and for sandboxes that do not know close_range.
void close_one_by_one(int first) noexcept {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) {
        return;
    }
    std::vector<int> found;
    while (const dirent* entry = ::readdir(folder)) {
        int fd = -1;
        const char* name = static_cast<const char*>(entry->d_name);
        std::from_chars(name, name + std::strlen(name), fd);
        if (fd >= first && fd != ::dirfd(folder)) {
            found.push_back(fd);
        }
    }
    ::closedir(folder);
    for (const int fd : found) {
        ::close(fd);
    }
}

}  // namespace

uint64_t descriptor_limit() noexcept {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

void close_descriptors_from(int first) noexcept {
    if (::close_range(static_cast<unsigned>(first), ~0U, 0) != 0) {
        close_one_by_one(first);
    }
}

}  // namespace ringmaster::io
