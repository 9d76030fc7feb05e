// SPDX-License-Identifier: Apache-2.0
// What COMMAND and its subcommands answer, for the commands that the proxy allows: those it
// forwards or answers itself. A command that it refuses is as if it did not exist.
//
// Layout of Redis 7.0, in RESP2 and RESP3. Left out, as nothing in a proxy depends on it: tips (it
// splits and joins by itself), complexity, history, and the subcommands of a command as commands of
// their own.
#pragma once

#include <span>
#include <string_view>

#include "common/proto/redis/reply_writer.h"
#include "common/proto/redis/request_parser.h"

namespace ringmaster::proto::redis {

using WordList = std::span<const std::string_view>;

size_t count_allowed_commands() noexcept;
// One element a name, null for one that is not allowed. Without names: all there are.
void write_command_info(WordList names, ReplyWriter& writer);
// Those of `names` that are allowed. Without names: all there are.
void write_command_docs(WordList names, ReplyWriter& writer);
// `filter`: what stands behind LIST; empty, or FILTERBY with a kind and a value.
void write_command_list(WordList filter, ReplyWriter& writer);
// `request`: what stands behind GETKEYS, written as a request.
void write_command_keys(const RequestView& request, bool with_flags, ReplyWriter& writer);

}  // namespace ringmaster::proto::redis
