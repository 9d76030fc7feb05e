// SPDX-License-Identifier: Apache-2.0
// The commands of `ringmaster COMMAND ...` as rows; words to a checked command, a command to a call
// of the proxy. Pure: the client checks by the same code before it connects.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "master/control_protocol.h"

namespace ringmaster::master {

enum class CommandKind : uint8_t { kReload, kStop, kStatus, kWhere, kEject, kReadmit, kLog };

struct CommandRow {
    std::string_view name;
    CommandKind kind;
    std::string_view arguments = {};  // what help shows; as many words are needed
    std::string_view flag = {};       // the one flag it knows
    std::string_view text = {};
    std::string_view flag_text = {};
};

// In the order of the help text.
std::span<const CommandRow> command_table() noexcept;
const CommandRow* find_command_or_null(std::string_view name) noexcept;

// A command that was understood.
struct Command {
    CommandKind kind = CommandKind::kStatus;
    bool flag = false;                   // what the row's flag says
    std::vector<std::string> arguments;  // as many as the row names
    int log_level = 0;                   // kLog
};

// `words`: the command's name, its arguments and its flag, the flag as the last word. Errors: one
// line.
base::Result<Command> parse_command(const std::vector<std::string>& words);

// What the running proxy does. Answers come once, possibly from inside the call.
class ControlBackend {
  public:
    using OnAnswer = std::function<void(ControlAnswer)>;

    virtual ~ControlBackend() = default;
    virtual void reload(OnAnswer on_answer) = 0;
    virtual ControlAnswer stop(bool drain) = 0;
    virtual void status(bool json, OnAnswer on_answer) = 0;
    virtual ControlAnswer where(const std::string& pool, const std::string& key) = 0;
    virtual ControlAnswer eject(const std::string& pool, const std::string& server) = 0;
    virtual ControlAnswer readmit(const std::string& pool, const std::string& server) = 0;
    virtual ControlAnswer set_log_level(int level) = 0;
};

// Untrusted words; what is wrong with them is the answer.
void run_command(ControlBackend& backend, const std::vector<std::string>& words,
                 ControlBackend::OnAnswer on_answer);

}  // namespace ringmaster::master
