// SPDX-License-Identifier: Apache-2.0
// ClientSession: COMMAND. Whole tables are written once in each protocol and kept; the arguments of
// GETKEYS are a request of their own.
#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "common/base/format.h"
#include "common/proto/redis/command_replies.h"
#include "worker/client_session.h"
#include "worker/redis_local.h"

namespace ringmaster::worker {

namespace {

// A name may come again and again, and is answered with a hundred times its bytes.
constexpr size_t kMostNames = 1000;

}  // namespace

void ClientSession::write_command_table(LocalCall& call, CommandTable table) {
    const auto names = std::span(call.words).subspan(std::min<size_t>(call.words.size(), 2));
    const auto write = table == CommandTable::kDocs ? proto::redis::write_command_docs
                                                    : proto::redis::write_command_info;
    if (names.size() > kMostNames) {
        call.reply.error(base::format("ERR more than {} commands asked for at once", kMostNames));
        return;
    }
    if (!names.empty()) {
        write(names, call.reply);
        return;
    }
    const bool resp3 = protocol() == proto::redis::Protocol::kResp3;
    static std::array<std::string, 4> whole;
    std::string& text = whole[(table == CommandTable::kDocs ? 2U : 0U) + (resp3 ? 1U : 0U)];
    if (text.empty()) {
        proto::redis::ReplyWriter writer(protocol(), text);
        write({}, writer);
    }
    call.text += text;
}

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
