// SPDX-License-Identifier: Apache-2.0
#include "master/control_commands.h"

#include <algorithm>
#include <utility>

#include "common/base/format.h"
#include "common/base/log.h"
#include "config/suggest.h"

namespace ringmaster::master {

namespace {

using base::Error;
using base::format;

constexpr CommandRow kCommands[] = {
    {.name = "reload",
     .kind = CommandKind::kReload,
     .text = "read the configuration file again and use it"},
    {.name = "stop",
     .kind = CommandKind::kStop,
     .flag = "--drain",
     .text = "end the proxy: what is in flight is answered",
     .flag_text = "give clients drain_timeout"},
    {.name = "status",
     .kind = CommandKind::kStatus,
     .flag = "--json",
     .text = "workers, pools and servers as they are now",
     .flag_text = "everything, as one JSON document"},
    {.name = "where",
     .kind = CommandKind::kWhere,
     .arguments = "POOL KEY",
     .text = "the server a key lives on"},
    {.name = "eject",
     .kind = CommandKind::kEject,
     .arguments = "POOL SERVER",
     .text = "take a server out until it is readmitted"},
    {.name = "readmit",
     .kind = CommandKind::kReadmit,
     .arguments = "POOL SERVER",
     .text = "take a server back in"},
    {.name = "log",
     .kind = CommandKind::kLog,
     .arguments = "LEVEL",
     .text = "log level of all processes, 0 (emergencies) to 11 (everything)"},
};

size_t argument_count(const CommandRow& row) {
    if (row.arguments.empty()) {
        return 0;
    }
    return 1 + static_cast<size_t>(std::count(row.arguments.begin(), row.arguments.end(), ' '));
}

std::string usage_of(const CommandRow& row) {
    return format("ringmaster {}{}{}", row.name, row.arguments.empty() ? "" : " ", row.arguments) +
           (row.flag.empty() ? std::string() : format(" [{}]", row.flag));
}

std::optional<int> read_level(const std::string& text) {
    if (text.empty() || text.size() > 2 ||
        !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    const int level = text.size() == 1 ? text[0] - '0' : (text[0] - '0') * 10 + text[1] - '0';
    return level <= base::kLogLevelMax ? std::optional(level) : std::nullopt;
}

}  // namespace

std::span<const CommandRow> command_table() noexcept {
    return kCommands;
}

const CommandRow* find_command_or_null(std::string_view name) noexcept {
    const auto* row = std::find_if(std::begin(kCommands), std::end(kCommands),
                                   [name](const CommandRow& one) { return one.name == name; });
    return row == std::end(kCommands) ? nullptr : row;
}

base::Result<Command> parse_command(const std::vector<std::string>& words) {
    const CommandRow* row = words.empty() ? nullptr : find_command_or_null(words[0]);
    if (row == nullptr) {
        return Error{"the proxy does not know this command"};
    }
    Command command;
    command.kind = row->kind;
    command.arguments.assign(words.begin() + 1, words.end());
    const size_t wanted = argument_count(*row);
    if (!row->flag.empty() && command.arguments.size() == wanted + 1 &&
        command.arguments.back() == row->flag) {
        command.flag = true;
        command.arguments.pop_back();
    }
    if (command.arguments.size() != wanted) {
        return Error{format("{} words for '{}'; usage: {}",
                            command.arguments.size() < wanted ? "too few" : "too many", row->name,
                            usage_of(*row))};
    }
    if (row->kind == CommandKind::kLog) {
        const std::optional<int> level = read_level(command.arguments[0]);
        if (!level) {
            return Error{format("the log level is a number from 0 to {}", base::kLogLevelMax)};
        }
        command.log_level = *level;
    }
    return command;
}

void run_command(ControlBackend& backend, const std::vector<std::string>& words,
                 ControlBackend::OnAnswer on_answer) {
    const auto command = parse_command(words);
    if (!command) {
        on_answer(control_failure(command.error().message));
        return;
    }
    const std::vector<std::string>& arguments = command->arguments;
    switch (command->kind) {
        case CommandKind::kReload:
            backend.reload(std::move(on_answer));
            return;
        case CommandKind::kStatus:
            backend.status(command->flag, std::move(on_answer));
            return;
        case CommandKind::kStop:
            on_answer(backend.stop(command->flag));
            return;
        case CommandKind::kWhere:
            on_answer(backend.where(arguments[0], arguments[1]));
            return;
        case CommandKind::kEject:
            on_answer(backend.eject(arguments[0], arguments[1]));
            return;
        case CommandKind::kReadmit:
            on_answer(backend.readmit(arguments[0], arguments[1]));
            return;
        case CommandKind::kLog:
            on_answer(backend.set_log_level(command->log_level));
            return;
    }
}

}  // namespace ringmaster::master
