// SPDX-License-Identifier: Apache-2.0
// The command line as CLI11's tree, made from the rows of option_table and control_commands.
//
// Options and completions of the shells follow from it: what the parser takes is what a shell
// offers.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

namespace ringmaster::master {

// The options without a command, on an application without any of its own. Of a repeated one the
// last wins. The type name of an option with a value is the row's `argument`.
void add_options(CLI::App& app);

// Options and, as subcommands, the commands with their words and options.
std::unique_ptr<CLI::App> command_line_tree();

}  // namespace ringmaster::master
