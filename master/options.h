// SPDX-License-Identifier: Apache-2.0
// The command line: nutcracker's flags with their meaning, `--workers` and `--control`.
//
// Long names may be shortened as far as they stay unambiguous, short flags may be bundled ("-tc
// F"), the last of a repeated flag wins; all as getopt_long does it for nutcracker. Errors: one
// line, without "ringmaster: " in front. Source: nutcracker's option table; README.md, Decisions,
// has the differences.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace ringmaster::master {

inline constexpr uint32_t kMaxWorkers = 1024;

// What was said. An unset optional was not said: the config or a built-in default decides.
struct Options {
    bool help = false;
    bool version = false;
    bool describe_stats = false;
    bool test_config = false;
    bool daemonize = false;
    std::string config_file = "conf/nutcracker.yml";
    std::optional<int> log_level;         // 0..11
    std::optional<std::string> log_file;  // empty = stderr
    std::optional<std::string> pid_file;
    std::optional<std::string> stats_address;
    std::optional<uint16_t> stats_port;
    std::optional<uint32_t> workers;     // 0 = auto
    std::optional<std::string> control;  // path of the control socket
};

// `arguments` without the program's name.
base::Result<Options> parse_options(const std::vector<std::string>& arguments);

std::string version_text();  // the version block, ends with an empty line
std::string help_text();     // version block and usage

}  // namespace ringmaster::master
