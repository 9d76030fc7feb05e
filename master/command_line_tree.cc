// SPDX-License-Identifier: Apache-2.0
#include "master/command_line_tree.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "common/base/format.h"
#include "master/control_commands.h"
#include "master/option_table.h"

namespace ringmaster::master {

namespace {

std::string cli_name(const OptionRow& row) {
    return row.short_name != '\0' ? base::format("-{},--{}", row.short_name, row.long_name)
                                  : base::format("--{}", row.long_name);
}

// Values stay with CLI11: whoever parses asks the option for its results.
CLI::callback_t keep_results() {
    return [](const CLI::results_t& /*results*/) { return true; };
}

void add_option(CLI::App& app, const OptionRow& row) {
    const std::string text(row.text);  // CLI11 would take an rvalue for a variable
    if (!row.takes_value()) {
        app.add_flag(cli_name(row), text);
        return;
    }
    app.add_option(cli_name(row), keep_results(), text)
        ->expected(1)
        ->type_name(std::string(row.argument))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// The options every command has, and its own flag. control_client reads them.
void add_command(CLI::App& app, const CommandRow& row) {
    CLI::App* command = app.add_subcommand(std::string(row.name), std::string(row.text));
    command->set_help_flag();
    if (!row.flag.empty()) {
        const std::string text(row.flag_text);
        command->add_flag(std::string(row.flag), text);
    }
    std::string_view rest = row.arguments;
    while (!rest.empty()) {
        const std::string word(rest.substr(0, rest.find(' ')));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        command->add_option(word, keep_results())->expected(1)->type_name(word);
    }
    for (const OptionRow& option : option_table()) {
        if (option.long_name == "help" || option.long_name == "conf-file" ||
            option.long_name == "control") {
            add_option(*command, option);
        }
    }
}

}  // namespace

void add_options(CLI::App& app) {
    app.set_help_flag();
    for (const OptionRow& row : option_table()) {
        add_option(app, row);
    }
}

std::unique_ptr<CLI::App> command_line_tree() {
    auto app = std::make_unique<CLI::App>();
    add_options(*app);
    for (const CommandRow& row : command_table()) {
        add_command(*app, row);
    }
    return app;
}

}  // namespace ringmaster::master
