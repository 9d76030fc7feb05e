// SPDX-License-Identifier: Apache-2.0
// The subcommands of commands that the proxy answers itself, with their arity in the server's
// words.
//
// A word without a row is an unknown subcommand: an error that clients expect and live with.
// Source: Redis 7.0's command specifications; SETINFO and NO-TOUCH are of 7.2.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/proto/redis/commands.h"

namespace ringmaster::proto::redis {

enum class Sub : uint8_t {
    kAclWhoami,
    kClientGetname,
    kClientId,
    kClientInfo,
    kClientKill,
    kClientList,
    kClientNoEvict,
    kClientNoTouch,
    kClientReply,
    kClientSetinfo,
    kClientSetname,
    kClusterAny,  // refused as by a server that is no part of a cluster
    kCommandCount,
    kCommandDocs,
    kCommandGetkeys,
    kCommandGetkeysandflags,
    kCommandInfo,
    kCommandList,
    kConfigGet,
    kHelp,
    kModuleList,
    kRefused,  // known to a server, and nothing that can be done through a proxy
};

struct SubcommandRow {
    std::string_view name;  // lower case
    int16_t arity = 0;      // with both names; negative: at least
    Sub sub = Sub::kRefused;
};

// Empty for a command that has none here.
std::span<const SubcommandRow> subcommands_of(LocalCommand command) noexcept;
// Any case; null when unknown.
const SubcommandRow* find_subcommand_or_null(LocalCommand command, std::string_view word) noexcept;

inline bool arity_is_right(const SubcommandRow& row, uint32_t argc) noexcept {
    const int arity = row.arity;
    return arity < 0 ? argc >= static_cast<uint32_t>(-arity) : argc == static_cast<uint32_t>(arity);
}

// What HELP answers, a line each.
std::span<const std::string_view> help_of(LocalCommand command) noexcept;

}  // namespace ringmaster::proto::redis
