// SPDX-License-Identifier: Apache-2.0
#include "man/completion_model.h"

#include <CLI/CLI.hpp>

#include "common/base/log.h"

namespace ringmaster::man {

namespace {

Value value_of(const std::string& type_name) {
    Value value;
    value.name = type_name;
    value.files = type_name == "FILE" || type_name == "PATH";
    if (type_name == "LEVEL") {
        for (int level = 0; level <= base::kLogLevelMax; ++level) {
            value.words.push_back(std::to_string(level));
        }
    }
    // "N|auto": what is written small is meant as it stands.
    std::string_view rest = type_name;
    while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find('|'));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') {
            value.words.emplace_back(word);
        }
    }
    return value;
}

Command command_of(const CLI::App& app) {
    Command command;
    command.name = app.get_name();
    command.text = app.get_description();
    for (const CLI::Option* option : app.get_options()) {
        const bool takes_value = option->get_items_expected_max() > 0;
        Value value = takes_value ? value_of(option->get_type_name()) : Value();
        if (option->get_positional()) {
            command.words.push_back({.name = option->get_name(true), .value = std::move(value)});
            continue;
        }
        Flag flag{.names = {},
                  .text = option->get_description(),
                  .takes_value = takes_value,
                  .value = std::move(value)};
        for (const std::string& name : option->get_snames()) {
            flag.names.push_back("-" + name);
        }
        for (const std::string& name : option->get_lnames()) {
            flag.names.push_back("--" + name);
        }
        command.flags.push_back(std::move(flag));
    }
    return command;
}

}  // namespace

Model completion_model(const CLI::App& tree) {
    Model model;
    model.top = command_of(tree);
    for (const CLI::App* command : tree.get_subcommands({})) {
        model.commands.push_back(command_of(*command));
    }
    return model;
}

std::string quote(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : std::string(between)) + word;
    }
    return out;
}

std::string origin() {
    return "# SPDX-License-Identifier: Apache-2.0\n"
           "# Made from the table the program reads its command line with.\n";
}

}  // namespace ringmaster::man
