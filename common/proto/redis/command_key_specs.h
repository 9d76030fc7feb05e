// SPDX-License-Identifier: Apache-2.0
// Where COMMAND says that the keys of a command stand, and what it does with them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/proto/redis/command_facts.h"
#include "common/proto/redis/commands.h"
#include "common/proto/redis/reply_writer.h"
#include "common/proto/redis/request_parser.h"

namespace ringmaster::proto::redis {

std::vector<std::string_view> split_text(std::string_view text, char between);
// `words` stand between spaces; each is written behind `prefix`.
void write_word_set(std::string_view words, std::string_view prefix, ReplyWriter& writer);
void write_text_pair(std::string_view name, std::string_view value, ReplyWriter& writer);

// As a server cuts them, without its notes, which are for people.
void write_key_specs(const Command& command, const CommandFacts& facts, ReplyWriter& writer);
// The words for the key of this number in a whole request of that command.
std::string_view key_flags(const RequestView& request, const CommandFacts& facts, size_t number);

}  // namespace ringmaster::proto::redis
