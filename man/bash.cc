// SPDX-License-Identifier: Apache-2.0
#include "common/base/format.h"
#include "man/completion_model.h"

namespace ringmaster::man {

namespace {

using base::format;

// Needs nothing of the bash-completion package. COMP_WORDS is split at '=' by default.
constexpr std::string_view kHead = R"(
_ringmaster() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} place=0 i
    COMPREPLY=()
    if [[ $word == = ]]; then
        word=
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
)";

std::string reply(const Value& value) {
    if (value.files) {
        return "compopt -o filenames 2>/dev/null\n"
               "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
    }
    if (value.words.empty()) {
        return ":";
    }
    return format("mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\")",
                  quote(joined(value.words, " ")));
}

// What follows an option that takes a value.
std::string values(const Command& command) {
    std::string text;
    for (const Flag& flag : command.flags) {
        if (flag.takes_value) {
            text += format("        {})\n            {}\n            return\n            ;;\n",
                           joined(flag.names, " | "), reply(flag.value));
        }
    }
    return text.empty() ? text : format("        case $before in\n{}        esac\n", text);
}

std::string names_of_flags(const Command& command) {
    std::string text;
    for (const Flag& flag : command.flags) {
        text += (text.empty() ? "" : " ") + joined(flag.names, " ");
    }
    return text;
}

// Words that are neither options nor their values have places, from 1.
std::string words(const Command& command) {
    if (command.words.empty()) {
        return {};
    }
    std::string options;
    for (const Flag& flag : command.flags) {
        if (flag.takes_value) {
            options += (options.empty() ? "" : " | ") + joined(flag.names, " | ");
        }
    }
    std::string text = format(
        "        for ((i = 2; i < COMP_CWORD; i++)); do\n"
        "            case ${{COMP_WORDS[i]}} in\n"
        "                {})\n"
        "                    [[ ${{COMP_WORDS[i + 1]}} == = ]] && ((i += 1))\n"
        "                    ((i += 1))\n"
        "                    ;;\n"
        "                -*) ;;\n"
        "                *) ((place += 1)) ;;\n"
        "            esac\n"
        "        done\n"
        "        case $place in\n",
        options);
    for (size_t i = 0; i < command.words.size(); ++i) {
        text += format("            {}) {} ;;\n", i, reply(command.words[i].value));
    }
    return text + "        esac\n";
}

std::string offer(const std::string& flags, const std::string& others) {
    return format(
        "        if [[ $word == -* ]]; then\n"
        "            mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\")\n"
        "            return\n"
        "        fi\n{}",
        quote(flags), others);
}

}  // namespace

std::string bash_completion(const Model& model) {
    std::string text = origin() + std::string(kHead);
    text += "    ((COMP_CWORD > 1)) || command=\n    case $command in\n";
    std::vector<std::string> names;
    for (const Command& command : model.commands) {
        names.push_back(command.name);
        text += format("    {})\n{}        ;;\n", command.name,
                       values(command) + offer(names_of_flags(command), words(command)));
    }
    const std::string commands = format(
        "        if ((COMP_CWORD == 1)); then\n"
        "            mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\")\n"
        "        fi\n",
        quote(joined(names, " ")));
    text += format("    *)\n{}        ;;\n    esac\n}}\n",
                   values(model.top) + offer(names_of_flags(model.top), commands));
    return text + "complete -F _ringmaster ringmaster\n";
}

}  // namespace ringmaster::man
