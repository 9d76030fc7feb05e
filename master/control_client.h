// SPDX-License-Identifier: Apache-2.0
// `ringmaster COMMAND ...`: says the command to the running proxy and prints its answer. Blocks,
// with a limit.
//
// The proxy is found by --control PATH, else by the `control` key of -c FILE, else at the default
// path. Exit code: the answer's, or 1 when there was none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "master/control_protocol.h"

namespace ringmaster::master {

// The first word of the command line is no option: it is meant as a command.
bool is_command_line(const std::vector<std::string>& arguments) noexcept;

// Requires: is_command_line(arguments).
int run_command_line(const std::vector<std::string>& arguments);

// Ends the message that nobody serves there.
inline constexpr std::string_view kElsewhere =
    "--control PATH or -c FILE says where another one is";

// One request, one answer. The error says why there is none.
base::Result<ControlAnswer> ask_proxy(const std::string& path,
                                      const std::vector<std::string>& words, int timeout_s,
                                      std::string_view elsewhere = kElsewhere);

// The part of --help that lists the commands.
std::string commands_help();

}  // namespace ringmaster::master
