// SPDX-License-Identifier: Apache-2.0
// Error replies that quote the request, in the server's own words, without '-' and CRLF. Line
// breaks in what they quote become spaces when they are written (ReplyWriter::error).
//
// Source: answers of redis-server 7.0.15, compared byte for byte by the system tests.
#pragma once

#include <string>
#include <string_view>

#include "common/proto/redis/request_parser.h"

namespace ringmaster::proto::redis {

// What these quote ends at a zero byte, as in a server.
//
// At most 128 bytes of the name, and arguments until 128 bytes of them are quoted.
std::string unknown_command_text(const RequestView& request);
std::string unknown_subcommand_text(std::string_view command, std::string_view word);
std::string hello_option_text(std::string_view option);
std::string unknown_client_type_text(std::string_view type);
std::string no_such_user_text(std::string_view user);
// `subcommand` is empty, or in lower case.
std::string wrong_arity_text(std::string_view command, std::string_view subcommand);

}  // namespace ringmaster::proto::redis
