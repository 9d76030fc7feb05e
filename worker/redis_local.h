// SPDX-License-Identifier: Apache-2.0
// Redis commands that the proxy answers itself: what their files share.
//
// The answers are members of ClientSession: redis_local.cc (the small ones, and which is which),
// redis_client_command.cc (CLIENT), redis_info.cc (INFO), redis_command_command.cc (COMMAND). Text
// without a session is made in common/proto/redis.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/proto/redis/reply_writer.h"
#include "common/proto/redis/request_parser.h"
#include "common/proto/redis/subcommands.h"

namespace ringmaster::worker {

// What INFO and HELLO say as the server's version. Clients look at it for what they may use: all of
// it goes through this proxy to servers that may be older or newer.
inline constexpr std::string_view kRedisVersion = "7.0.15";

// One such request and the reply that is being written to it.
struct LocalCall {
    LocalCall(const proto::redis::RequestView& the_request, proto::redis::Protocol protocol);

    const proto::redis::RequestView& request;
    std::vector<std::string_view> words;  // all arguments, with the command's name
    const proto::redis::SubcommandRow* sub = nullptr;
    std::string text;
    proto::redis::ReplyWriter reply;
};

// A whole decimal number without spaces, '+' or leading zeros, as a server reads it.
bool read_integer(std::string_view text, int64_t& value) noexcept;

// What is wrong with a client's name, without '-' and CRLF; empty when it is well.
std::string client_name_problem(std::string_view name);

// Those replies of more than one file.
inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNoInteger = "ERR value is not an integer or out of range";

}  // namespace ringmaster::worker
