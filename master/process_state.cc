// SPDX-License-Identifier: Apache-2.0
#include "master/process_state.h"

#include <array>
#include <cstdio>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace ringmaster::master {

bool is_stopped(pid_t pid) noexcept {
    std::array<char, 512> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "/proc/%d/stat", static_cast<int>(pid));
    const int fd = ::open(buffer.data(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    ::close(fd);
    const std::string_view text(buffer.data(), size > 0 ? static_cast<size_t>(size) : 0);
    // "PID (NAME) STATE ..."; the name may hold anything, parentheses as well.
    const size_t name_end = text.rfind(") ");
    if (name_end == std::string_view::npos || name_end + 2 >= text.size()) {
        return false;
    }
    const char state = text[name_end + 2];
    return state == 'T' || state == 't';
}

}  // namespace ringmaster::master
