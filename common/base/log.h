// SPDX-License-Identifier: Apache-2.0
// Logging for master and workers. One line is one write(2) to an O_APPEND descriptor, so that all
// processes share a file without tearing. Neither a full disk nor a pipe that nobody reads any more
// blocks or ends anything (log_sink.h); the next line that can be written is preceded by one that
// says how many were lost.
//
// Levels are nutcracker's 0 (EMERG) to 11 (PVERB); the default, `-v 5`, is NOTICE. Arguments are
// evaluated only when the level is on. Line: time, role, level, file:line, text.
// Source: nutcracker's -v/-o flags and TTIN/TTOU signals.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/core.h>

#include "common/base/result.h"

namespace ringmaster::base {

enum class LogLevel : int {
    kEmerg = 0,
    kAlert = 1,
    kCrit = 2,
    kErr = 3,
    kWarn = 4,
    kNotice = 5,
    kInfo = 6,
    kDebug = 7,
    kVerb = 8,
    kVverb = 9,
    kVvverb = 10,
    kPverb = 11,
};

inline constexpr int kLogLevelMax = 11;

// Process-wide: there is one log per process. `path` empty means stderr. `role` stands in every
// line, e.g. "master" or "worker 2".
Status log_open(const std::string& path, int level, const std::string& role);
// If the log is stderr and that is a pipe, it is written through another descriptor from now on,
// which does not wait for its reader (log_sink.h), and leaves alone what stderr shares with whoever
// started us. Where that is not possible all stays as it is.
void log_open_stderr_again() noexcept;
// Closes and opens the file again (HUP, USR1). On failure the old file goes on being used.
Status log_reopen();
// Writes to `fd` from now on and owns it: a file that somebody else has opened and reopens.
void log_use(int fd) noexcept;
// Where the lines go now; stays owned by the log.
int log_fd() noexcept;
void log_set_level(int level) noexcept;
int log_level() noexcept;
// Lines of this process that were lost since its start.
uint64_t log_write_errors() noexcept;

void log_write(LogLevel level, const char* file, int line, fmt::string_view text,
               fmt::format_args args) noexcept;

extern int g_log_level;
inline bool log_enabled(LogLevel level) noexcept {
    return static_cast<int>(level) <= g_log_level;
}

template <class... Args>
void log_line(LogLevel level, const char* file, int line, fmt::format_string<Args...> text,
              Args&&... args) noexcept {
    log_write(level, file, line, text, fmt::make_format_args(args...));
}

}  // namespace ringmaster::base

#define RM_LOG(level, ...)                                                                        \
    do {                                                                                          \
        if (::ringmaster::base::log_enabled(::ringmaster::base::LogLevel::level)) {               \
            ::ringmaster::base::log_line(::ringmaster::base::LogLevel::level, __FILE__, __LINE__, \
                                         __VA_ARGS__);                                            \
        }                                                                                         \
    } while (false)
