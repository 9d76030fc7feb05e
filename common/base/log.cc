// SPDX-License-Identifier: Apache-2.0
#define FMT_HEADER_ONLY
#include "common/base/log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log_sink.h"

namespace ringmaster::base {

int g_log_level = static_cast<int>(LogLevel::kNotice);

namespace {

struct LogState {
    LogState() { sink.set(fd); }

    std::string path;
    std::string role = "master";
    int fd = STDERR_FILENO;
    LogSink sink;
    uint64_t write_errors = 0;
    uint64_t lost = 0;  // of those, since the last line that was written
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

// A pipe is made not to wait for its reader. Only of a description that is ours alone.
void prepare_log_file(int fd) {
    struct stat what {};
    const int flags = ::fcntl(fd, F_GETFL);
    const bool is_pipe = ::fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode);
    ::fcntl(fd, F_SETFL, is_pipe ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

// A named pipe that nobody reads is waited for, or (`O_NONBLOCK`) is an error.
int open_log_file(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd >= 0) {
        prepare_log_file(fd);
    }
    return fd;
}

void use(LogState& log, int fd) {
    log.fd = fd;
    log.sink.set(fd);
}

const char* basename_of(const char* file) {
    const char* slash = std::strrchr(file, '/');
    return slash != nullptr ? slash + 1 : file;
}

void append_line(LogState& log, spdlog::memory_buf_t& buffer, LogLevel level, const char* file,
                 int line, fmt::string_view text, fmt::format_args args) {
    const size_t begin = buffer.size();
    spdlog::details::log_msg message(spdlog::string_view_t{}, spdlog::level::info,
                                     spdlog::string_view_t{});
    log.stamp->format(message, buffer);
    fmt::format_to(std::back_inserter(buffer), " {} {} {}:{} ", log.role,
                   kLevelNames[static_cast<int>(level)], basename_of(file), line);
    fmt::vformat_to(std::back_inserter(buffer), text, args);
    // A line is one line: text from outside (names, server errors) must not forge another.
    for (size_t i = begin; i < buffer.size(); ++i) {
        const auto c = static_cast<unsigned char>(buffer[i]);
        if (c < 0x20 || c == 0x7f) {
            buffer[i] = '?';
        }
    }
    buffer.push_back('\n');
}

}  // namespace

Status log_open(const std::string& path, int level, const std::string& role) {
    LogState& log = state();
    log_set_level(level);
    log.role = role;
    log.lost = 0;
    if (log.fd != STDERR_FILENO) {
        ::close(log.fd);
    }
    use(log, STDERR_FILENO);
    log.path.clear();
    if (path.empty()) {
        return {};
    }
    const int fd = open_log_file(path, 0);
    if (fd < 0) {
        return Error{format("opening log file '{}' failed: {}", path, errno_text(errno))};
    }
    log.path = path;
    use(log, fd);
    return {};
}

void log_open_stderr_again() noexcept {
    LogState& log = state();
    struct stat what {};
    if (log.fd != STDERR_FILENO || ::fstat(log.fd, &what) != 0 || !S_ISFIFO(what.st_mode)) {
        return;
    }
    const int fd = ::open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        use(log, fd);
    }
}

Status log_reopen() {
    LogState& log = state();
    if (log.path.empty()) {
        return {};
    }
    // Clients are served by now: a named pipe that nobody reads must not be waited for.
    const int fd = open_log_file(log.path, O_NONBLOCK);
    if (fd < 0) {
        return Error{format("reopening log file '{}' failed: {}; going on with the old one",
                            log.path, errno_text(errno))};
    }
    if (log.fd != STDERR_FILENO) {
        ::close(log.fd);
    }
    use(log, fd);
    return {};
}

void log_use(int fd) noexcept {
    LogState& log = state();
    log.path.clear();
    if (log.fd == STDERR_FILENO) {
        use(log, fd);
        return;
    }
    // The number stays: whoever looks at the process finds the log where it was.
    ::dup3(fd, log.fd, O_CLOEXEC);
    ::close(fd);
    log.sink.set(log.fd);
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
    if (log.lost > 0) {
        if (log.sink.torn()) {
            buffer.push_back('\n');
        }
        append_line(log, buffer, LogLevel::kWarn, __FILE__, __LINE__,
                    "{} lines before the next could not be written and are lost",
                    fmt::make_format_args(log.lost));
    }
    append_line(log, buffer, level, file, line, text, args);
    if (log.sink.write(buffer.data(), buffer.size())) {
        log.lost = 0;
    } else {
        ++log.lost;
        ++log.write_errors;
    }
}

}  // namespace ringmaster::base
