// SPDX-License-Identifier: Apache-2.0
// ClientSession: COMMAND GETKEYS and GETKEYSANDFLAGS, whose arguments are a request of their own.
#include <span>
#include <string>

#include "common/base/format.h"
#include "common/proto/redis/command_replies.h"
#include "worker/client_session.h"
#include "worker/redis_local.h"

namespace ringmaster::worker {

void ClientSession::write_command_keys(LocalCall& call, bool with_flags) {
    const auto words = std::span(call.words).subspan(2);
    std::string text = base::format("*{}\r\n", words.size());
    for (const std::string_view word : words) {
        text += base::format("${}\r\n", word.size());
        text += word;
        text += "\r\n";
    }
    proto::redis::RequestParser parser;
    if (parser.parse(text.data(), text.size()) != proto::ParseStatus::kDone) {
        call.reply.error("ERR Invalid arguments specified for command");
        return;
    }
    proto::redis::write_command_keys(parser.view(text.data()), with_flags, call.reply);
}

}  // namespace ringmaster::worker
