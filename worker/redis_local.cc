// SPDX-License-Identifier: Apache-2.0
// ClientSession: Redis commands that are answered here.
#include "worker/redis_local.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <span>

#include "common/base/format.h"
#include "common/proto/redis/command_replies.h"
#include "common/proto/redis/config_get.h"
#include "common/proto/redis/error_texts.h"
#include "common/proto/redis/keys.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using proto::redis::equal_ignoring_case;
using proto::redis::LocalCommand;
using proto::redis::Protocol;
using proto::redis::RequestView;
using proto::redis::Sub;
using proto::redis::SubcommandRow;

LocalCall::LocalCall(const RequestView& the_request, Protocol protocol)
    : request(the_request), reply(protocol, text) {
    words.reserve(request.argument_count);
    proto::redis::ArgumentCursor cursor(request.bytes);
    std::string_view argument;
    std::string_view raw;
    while (cursor.next(argument, raw)) {
        words.push_back(argument);
    }
}

bool read_integer(std::string_view text, int64_t& value) noexcept {
    const std::string_view digits = text.substr(text.substr(0, 1) == "-" ? 1 : 0);
    if (digits.empty() || (digits[0] == '0' && text.size() > 1)) {
        return false;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

namespace {

constexpr std::string_view kNoCluster = "ERR This instance has cluster support disabled";

// Most clients' databases go from 0 to 15.
constexpr uint32_t kUsualDatabases = 16;

void write_time(LocalCall& call) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    call.reply.array(2);
    call.reply.bulk(std::to_string(now.tv_sec));
    call.reply.bulk(std::to_string(now.tv_nsec / 1000));
}

void write_role(LocalCall& call) {
    call.reply.array(3);
    call.reply.bulk("master");
    call.reply.integer(0);
    call.reply.array(0);
}

void write_select(LocalCall& call, uint32_t database) {
    int64_t wanted = 0;
    if (!read_integer(call.words[1], wanted)) {
        call.reply.error(kNoInteger);
    } else if (wanted < std::numeric_limits<int32_t>::min() ||
               wanted > std::numeric_limits<int32_t>::max()) {
        call.reply.error(
            "ERR value is out of range, value must between -2147483648 and 2147483647");
    } else if (wanted != int64_t{database}) {
        call.reply.error("ERR DB index is out of range");
    } else {
        call.reply.simple("OK");
    }
}

// The proxy knows of no replicas: none has acknowledged anything, and none is waited for.
void write_wait(LocalCall& call) {
    int64_t replicas = 0;
    int64_t timeout_ms = 0;
    if (!read_integer(call.words[1], replicas)) {
        call.reply.error(kNoInteger);
    } else if (!read_integer(call.words[2], timeout_ms)) {
        call.reply.error("ERR timeout is not an integer or out of range");
    } else if (timeout_ms < 0) {
        call.reply.error("ERR timeout is negative");
    } else {
        call.reply.integer(0);
    }
}

void write_lolwut(LocalCall& call) {
    int64_t version = 0;
    if (call.words.size() > 2 && equal_ignoring_case(call.words[1], "version") &&
        !read_integer(call.words[2], version)) {
        call.reply.error(kNoInteger);
        return;
    }
    call.reply.verbatim("txt", base::format("Redis ver. {}\n", kRedisVersion));
}

void write_help(LocalCall& call) {
    const auto lines = proto::redis::help_of(call.request.command->local);
    call.reply.array(lines.size());
    for (const std::string_view line : lines) {
        call.reply.simple(line);
    }
}

void write_refusal(LocalCall& call) {
    call.reply.error(base::format(
        "ERR '{} {}' is not supported through a proxy: administration goes to a server directly",
        call.request.command->name, call.sub->name));
}

}  // namespace

// The error for its subcommand, in the server's words; empty when it is well. Where there are no
// subcommands `sub` stays null.
std::string ClientSession::local_subcommand_problem(const RequestView& request,
                                                    const SubcommandRow*& sub) {
    const LocalCommand local = request.command->local;
    if (request.argument_count < 2 || proto::redis::subcommands_of(local).empty()) {
        return {};
    }
    const std::string_view command = request.command->name;
    const std::string_view word = request.arguments[1];
    sub = proto::redis::find_subcommand_or_null(local, word);
    if (sub == nullptr) {
        return proto::redis::unknown_subcommand_text(command, word);
    }
    if (!arity_is_right(*sub, request.argument_count)) {
        return proto::redis::wrong_arity_text(command, sub->name);
    }
    return {};
}

void ClientSession::answer_error(std::string_view text) {
    std::string line;
    proto::redis::ReplyWriter(protocol(), line).error(text);
    answer(line, true);
}

// A reply may be a thousand times as long as its request: what is over the share is refused.
void ClientSession::answer_local(const LocalCall& call) {
    if (call.text.size() > kReferenceBytes && !path_.memory.fits(call.text.size())) {
        pool_->stats().add(stats::PoolStat::kOutOfMemory);
        answer(server_error_line(true, kNoMemoryForReply), true);
    } else if (!call.text.empty()) {
        answer(call.text, call.text[0] == '-');
    }
}

void ClientSession::handle_redis_local(const RequestView& request, const SubcommandRow* sub) {
    LocalCall call(request, protocol());
    call.sub = sub;
    write_local(call);
    answer_local(call);
}

void ClientSession::write_local(LocalCall& call) {
    switch (call.request.command->local) {
        case LocalCommand::kPing:
            if (call.words.size() == 1) {
                call.reply.simple("PONG");
                return;
            }
            [[fallthrough]];
        case LocalCommand::kEcho:
            call.reply.bulk(call.words[1]);
            return;
        case LocalCommand::kQuit:
            call.reply.simple("OK");
            end_in_order();
            return;
        case LocalCommand::kAuth:
            redis_auth(call);
            return;
        case LocalCommand::kHello:
            redis_hello(call.request);  // answers by itself, or waits
            return;
        case LocalCommand::kReset:
            redis_reset();
            return;
        case LocalCommand::kSelect:
            write_select(call, pool_->config().redis_db);
            return;
        case LocalCommand::kTime:
            write_time(call);
            return;
        case LocalCommand::kRole:
            write_role(call);
            return;
        case LocalCommand::kWait:
            write_wait(call);
            return;
        case LocalCommand::kLolwut:
            write_lolwut(call);
            return;
        case LocalCommand::kReadonly:
            call.reply.simple("OK");
            return;
        case LocalCommand::kAsking:
            call.reply.error(kNoCluster);
            return;
        case LocalCommand::kInfo:
            write_info(call);
            return;
        case LocalCommand::kCommand:
        case LocalCommand::kAcl:
        case LocalCommand::kClient:
        case LocalCommand::kCluster:
        case LocalCommand::kConfig:
        case LocalCommand::kModule:
            write_subcommand(call);
            return;
        case LocalCommand::kNone:
            break;
    }
    call.reply.error("ERR command is not supported through a proxy");
}

void ClientSession::write_subcommand(LocalCall& call) {
    const auto rest = std::span(call.words).subspan(std::min<size_t>(call.words.size(), 2));
    switch (call.sub == nullptr ? Sub::kCommandInfo : call.sub->sub) {  // just COMMAND: all of them
        case Sub::kAclWhoami:
            call.reply.bulk("default");
            return;
        case Sub::kClusterAny:
            call.reply.error(kNoCluster);
            return;
        case Sub::kConfigGet:
            proto::redis::write_config(
                rest, std::max(kUsualDatabases, pool_->config().redis_db + 1), call.reply);
            return;
        case Sub::kModuleList:
            call.reply.array(0);
            return;
        case Sub::kHelp:
            write_help(call);
            return;
        case Sub::kRefused:
            write_refusal(call);
            return;
        case Sub::kCommandCount:
            call.reply.integer(static_cast<int64_t>(proto::redis::count_allowed_commands()));
            return;
        case Sub::kCommandDocs:
            write_command_table(call, CommandTable::kDocs);
            return;
        case Sub::kCommandGetkeys:
            write_command_keys(call, false);
            return;
        case Sub::kCommandGetkeysandflags:
            write_command_keys(call, true);
            return;
        case Sub::kCommandInfo:
            write_command_table(call, CommandTable::kInfo);
            return;
        case Sub::kCommandList:
            proto::redis::write_command_list(rest, call.reply);
            return;
        case Sub::kClientGetname:
            write_client_getname(call);
            return;
        case Sub::kClientId:
            call.reply.integer(static_cast<int64_t>(id_));
            return;
        case Sub::kClientInfo:
            call.reply.verbatim("txt", proto::redis::client_line(describe("client|info")));
            return;
        case Sub::kClientKill:
            write_client_kill(call);
            return;
        case Sub::kClientList:
            write_client_list(call);
            return;
        case Sub::kClientNoEvict:
            write_client_switch(call, &RedisClient::no_evict);
            return;
        case Sub::kClientNoTouch:
            write_client_switch(call, &RedisClient::no_touch);
            return;
        case Sub::kClientReply:
            write_client_reply(call);
            return;
        case Sub::kClientSetinfo:
            write_client_setinfo(call);
            return;
        case Sub::kClientSetname:
            write_client_setname(call);
            return;
    }
}

// Nothing behind it is parsed; the connection ends when its replies are out.
void ClientSession::end_in_order() noexcept {
    parsing_ended_ = true;
    clean_end_ = true;
}

}  // namespace ringmaster::worker
