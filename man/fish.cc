// SPDX-License-Identifier: Apache-2.0
#include "common/base/format.h"
#include "man/completion_model.h"

namespace ringmaster::man {

namespace {

using base::format;

std::string value_text(const Value& value) {
    if (value.files) {
        return " -r -F";
    }
    return value.words.empty() ? std::string(" -x")
                               : format(" -x -a {}", quote(joined(value.words, " ")));
}

std::string flag_line(const Flag& flag, std::string_view condition) {
    std::string line = format("complete -c ringmaster -n {}", quote(condition));
    for (const std::string& name : flag.names) {
        const bool is_long = name.starts_with("--");
        line += format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
    }
    line += flag.takes_value ? value_text(flag.value) : std::string();
    return format("{} -d {}\n", line, quote(flag.text));
}

}  // namespace

std::string fish_completion(const Model& model) {
    std::vector<std::string> names;
    for (const Command& command : model.commands) {
        names.push_back(command.name);
    }
    const std::string no_command = format("not __fish_seen_subcommand_from {}", joined(names, " "));
    std::string text = origin() + "\n# No file names but where one is asked for.\n";
    text += "complete -c ringmaster -f\n";
    for (const Flag& flag : model.top.flags) {
        text += flag_line(flag, no_command);
    }
    for (const Command& command : model.commands) {
        text += format("complete -c ringmaster -n '__fish_is_first_token' -a {} -d {}\n",
                       command.name, quote(command.text));
        const std::string condition = format("__fish_seen_subcommand_from {}", command.name);
        for (const Flag& flag : command.flags) {
            text += flag_line(flag, condition);
        }
        for (const Word& word : command.words) {
            if (!word.value.words.empty()) {
                text += format("complete -c ringmaster -n {} -a {}\n", quote(condition),
                               quote(joined(word.value.words, " ")));
            }
        }
    }
    return text;
}

}  // namespace ringmaster::man
