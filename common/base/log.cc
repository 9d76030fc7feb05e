// SPDX-License-Identifier: Apache-2.0
#define FMT_HEADER_ONLY
#include "common/base/log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include "common/base/format.h"

namespace ringmaster::base {

int g_log_level = static_cast<int>(LogLevel::kNotice);

namespace {

struct LogState {
    std::string path;
    std::string role = "master";
    int fd = STDERR_FILENO;
    uint64_t write_errors = 0;
    // spdlog lays out the time; the sink is ours, because its own throw on a full disk.
    std::unique_ptr<spdlog::pattern_formatter> stamp = std::make_unique<spdlog::pattern_formatter>(
        "[%Y-%m-%d %H:%M:%S.%e]", spdlog::pattern_time_type::local, "");
};

LogState& state() {
    static LogState instance;
    return instance;
}

constexpr const char* kLevelNames[] = {"emerg", "alert", "crit", "err",   "warn",   "notice",
                                       "info",  "debug", "verb", "vverb", "vvverb", "pverb"};

int open_log_file(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

const char* basename_of(const char* file) {
    const char* slash = std::strrchr(file, '/');
    return slash != nullptr ? slash + 1 : file;
}

}  // namespace

Status log_open(const std::string& path, int level, const std::string& role) {
    LogState& log = state();
    log_set_level(level);
    log.role = role;
    if (log.fd != STDERR_FILENO) {
        ::close(std::exchange(log.fd, STDERR_FILENO));
    }
    log.path.clear();
    if (path.empty()) {
        return {};
    }
    const int fd = open_log_file(path);
    if (fd < 0) {
        return Error{format("opening log file '{}' failed: {}", path, errno_text(errno))};
    }
    log.path = path;
    log.fd = fd;
    return {};
}

Status log_reopen() {
    LogState& log = state();
    if (log.path.empty()) {
        return {};
    }
    const int fd = open_log_file(log.path);
    if (fd < 0) {
        return Error{format("reopening log file '{}' failed: {}; going on with the old one",
                            log.path, errno_text(errno))};
    }
    if (log.fd != STDERR_FILENO) {
        ::close(log.fd);
    }
    log.fd = fd;
    return {};
}

void log_use(int fd) noexcept {
    LogState& log = state();
    log.path.clear();
    if (log.fd == STDERR_FILENO) {
        log.fd = fd;
        return;
    }
    // The number stays: whoever looks at the process finds the log where it was.
    ::dup3(fd, log.fd, O_CLOEXEC);
    ::close(fd);
}

int log_fd() noexcept {
    return state().fd;
}

void log_set_level(int level) noexcept {
    g_log_level = std::clamp(level, 0, kLogLevelMax);
}

int log_level() noexcept {
    return g_log_level;
}

uint64_t log_write_errors() noexcept {
    return state().write_errors;
}

void log_write(LogLevel level, const char* file, int line, fmt::string_view text,
               fmt::format_args args) noexcept {
    LogState& log = state();
    spdlog::memory_buf_t buffer;
    spdlog::details::log_msg message(spdlog::string_view_t{}, spdlog::level::info,
                                     spdlog::string_view_t{});
    log.stamp->format(message, buffer);
    fmt::format_to(std::back_inserter(buffer), " {} {} {}:{} ", log.role,
                   kLevelNames[static_cast<int>(level)], basename_of(file), line);
    fmt::vformat_to(std::back_inserter(buffer), text, args);
    // A line is one line: text from outside (names, server errors) must not forge another.
    for (char& c : buffer) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = '?';
        }
    }
    buffer.push_back('\n');
    if (::write(log.fd, buffer.data(), buffer.size()) != static_cast<ssize_t>(buffer.size())) {
        ++log.write_errors;
    }
}

}  // namespace ringmaster::base
