// SPDX-License-Identifier: Apache-2.0
#include "common/base/format.h"
#include "man/completion_model.h"

namespace ringmaster::man {

namespace {

using base::format;

// Inside the brackets of an option's description, and in front of a colon's message.
std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out;
}

std::string action(const Value& value) {
    const std::string what = value.files           ? "_files"
                             : value.words.empty() ? " "
                                                   : format("({})", joined(value.words, " "));
    return format(":{}:{}", escape(value.name), what);
}

std::string flag_specs(const Flag& flag) {
    std::string text;
    for (const std::string& name : flag.names) {
        const bool is_long = name.starts_with("--");
        const std::string_view binding = !flag.takes_value ? "" : is_long ? "=" : "+";
        text += format("            {} \\\n",
                       quote(format("({}){}{}[{}]{}", joined(flag.names, " "), name, binding,
                                    escape(flag.text),
                                    flag.takes_value ? action(flag.value) : std::string())));
    }
    return text;
}

std::string arguments(const Command& command, std::string_view last) {
    std::string text = "        _arguments -s \\\n";
    for (const Flag& flag : command.flags) {
        text += flag_specs(flag);
    }
    size_t place = 0;
    for (const Word& word : command.words) {
        text += format("            {} \\\n", quote(format("{}{}", ++place, action(word.value))));
    }
    if (!last.empty()) {
        return text + format("            {}\n", last);
    }
    text.resize(text.size() - std::string_view(" \\\n").size());
    return text + "\n";
}

}  // namespace

std::string zsh_completion(const Model& model) {
    std::string text = "#compdef ringmaster\n" + origin() + "\n_ringmaster() {\n";
    text += "    local -a commands\n    commands=(\n";
    for (const Command& command : model.commands) {
        text += format("        {}\n", quote(format("{}:{}", command.name, command.text)));
    }
    text += "    )\n    local word=${words[2]}\n    ((CURRENT > 2)) || word=\n";
    text += "    case $word in\n";
    for (const Command& command : model.commands) {
        text += format("    {})\n        shift words\n        ((CURRENT -= 1))\n{}        ;;\n",
                       command.name, arguments(command, ""));
    }
    text += format("    *)\n{}        ;;\n    esac\n}}\n",
                   arguments(model.top, quote("1:command:{_describe command commands}")));
    return text + "\n_ringmaster \"$@\"\n";
}

}  // namespace ringmaster::man
