// SPDX-License-Identifier: Apache-2.0
// ClientSession: Redis requests. What a command needs is in its row of the command table.
#include <utility>

#include "common/base/format.h"
#include "common/base/inline.h"
#include "common/base/log.h"
#include "common/proto/redis/error_texts.h"
#include "common/proto/redis/inline_request.h"
#include "common/proto/redis/keys.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/forward.h"
#include "worker/pool.h"
#include "worker/redis_local.h"
#include "worker/secrets.h"
#include "worker/split_request.h"

namespace ringmaster::worker {

using proto::ParseStatus;
using proto::redis::Command;
using proto::redis::InlineStatus;
using proto::redis::LocalCommand;
using proto::redis::RequestView;
using proto::redis::SplitPolicy;
using proto::redis::Subcommand;

namespace {

// twemproxy: keyless commands go where this key lives.
constexpr std::string_view kPlaceholderKey = "placeholder";

// A request of a client that has not authenticated itself.
constexpr size_t kUnauthenticatedBytes = 64 << 10;

// Empty when the subcommand is one we pass on; else the error, in Redis' words.
std::string subcommand_problem(const RequestView& request, bool& keyless) {
    const Command& command = *request.command;
    const std::string_view word = request.arguments[1];
    const Subcommand kind = classify_subcommand(command, word);
    keyless = kind == Subcommand::kHelp;
    if (kind == Subcommand::kUnknown) {
        return proto::redis::unknown_subcommand_text(command.name, word);
    }
    if (kind == Subcommand::kKnown && request.argument_count < 3) {
        std::string lower(word);
        for (char& c : lower) {
            c = static_cast<char>(c | 0x20);  // a known word: letters only
        }
        return proto::redis::wrong_arity_text(command.name, lower);
    }
    return {};
}

// Later requests may go by other connections than earlier ones.
bool changes_connection(const RequestView& request) {
    const LocalCommand local =
        request.command != nullptr ? request.command->local : LocalCommand::kNone;
    return local == LocalCommand::kReset ||
           (local == LocalCommand::kHello && request.argument_count > 1);
}

bool has_several_keys(const RequestView& request) {
    return request.argument_count > (request.command->pairs ? 3U : 2U);
}

}  // namespace

RM_INLINE inline void ClientSession::forward_redis(const Window& window, const RequestView& request,
                                                   uint32_t shard, bool silent) {
    Request& queued = new_request();
    queued.unanswered = 1;
    if (silent) {
        queued.silent = true;
    }
    OutQueue* out = forward(queued.fragment, shard, request.bytes.size());
    if (out != nullptr) {
        out->append_from(path_.memory, window.chunk, request.bytes.data(), request.bytes.size());
    }
}

RM_INLINE inline bool ClientSession::handle_redis(const Window& window,
                                                  const RequestView& request) {
    const Command* known = request.command;
    if (known != nullptr && known->plain && quick_ &&
        arity_is_right(*known, request.argument_count)) [[likely]] {
        forward_redis(window, request, pool_->shard_of(request.arguments[1]), false);
        return true;
    }
    handle_other_redis(window, request);
    return !is_waiting();
}

size_t ClientSession::parse_redis(const Window& window) {
    size_t used = 0;
    RequestView& request = path_.redis_request;
    while (used < window.size && !parsing_ended_) {
        if (redis_parser_.at_start() && proto::redis::RequestParser::parse_whole(
                                            window.begin + used, window.size - used, request))
            [[likely]] {
            used += request.bytes.size();
            if (!handle_redis(window, request)) [[unlikely]] {
                used -= request.bytes.size();
                break;
            }
        } else if (!parse_other_redis(window, used)) {
            break;
        }
    }
    return used;
}

// One request that is large, unusual, not whole or none at all. False: nothing more can be done
// with what is there.
[[gnu::noinline]] bool ClientSession::parse_other_redis(const Window& window, size_t& used) {
    const char* at = window.begin + used;
    const ParseStatus status = redis_parser_.parse(at, window.size - used);
    if (status == ParseStatus::kNeedMore) {
        if (!authenticated_ && redis_parser_.bytes_needed() > kUnauthenticatedBytes) {
            refuse_protocol("-ERR Protocol error: unauthenticated request is too long\r\n");
        }
        return false;
    }
    if (status != ParseStatus::kDone) {
        refuse_protocol(base::format("-ERR {}\r\n", redis_parser_.problem()));
        return false;
    }
    const size_t size = redis_parser_.position();
    if (redis_parser_.is_inline()) {
        const std::string_view line = redis_parser_.line(at);
        redis_parser_.reset();
        handle_inline(line);
    } else {
        const RequestView request = redis_parser_.view(at);
        redis_parser_.reset();
        handle_redis(window, request);
    }
    if (is_waiting()) {
        return false;
    }
    used += size;
    return true;
}

// From here on it is a request like any other, in a chunk of its own.
void ClientSession::handle_inline(std::string_view line) {
    std::string resp;
    switch (proto::redis::translate_inline(line, resp)) {
        case InlineStatus::kEmpty:
            return;
        case InlineStatus::kUnbalanced:
            refuse_protocol("-ERR Protocol error: unbalanced quotes in request\r\n");
            return;
        case InlineStatus::kCrossProtocol:
            RM_LOG(kWarn,
                   "pool '{}': a client sends HTTP, its connection is closed: somebody may be "
                   "making a browser speak to it (cross protocol scripting)",
                   pool_->config().name);
            parsing_ended_ = true;
            clean_end_ = false;
            return;
        case InlineStatus::kRequest:
            break;
    }
    Window window;
    window.chunk = path_.memory.chunks.acquire(resp.size());
    window.begin = window.chunk->data();
    window.size = resp.size();
    resp.copy(window.begin, resp.size());
    proto::redis::RequestParser parser;
    if (parser.parse(window.begin, window.size) == ParseStatus::kDone) {
        handle_redis(window, parser.view(window.begin));
    }
}

// Answers the request when the table says that it goes to no server. What a request is comes before
// who may send it, as in a server.
bool ClientSession::handled_here(const RequestView& request) {
    const Command* command = request.command;
    if (command == nullptr) {
        answer_error(proto::redis::unknown_command_text(request));
        return true;
    }
    if (!arity_is_right(*command, request.argument_count)) {
        answer_error(proto::redis::wrong_arity_text(command->name, {}));
        return true;
    }
    const proto::redis::SubcommandRow* sub = nullptr;
    if (command->split == SplitPolicy::kLocal) {
        const std::string problem = local_subcommand_problem(request, sub);
        if (!problem.empty()) {
            answer_error(problem);
            return true;
        }
    }
    if (!authenticated_ && !may_precede_auth(command->local)) {
        answer_error("NOAUTH Authentication required.");
        return true;
    }
    if (command->split == SplitPolicy::kLocal) {
        handle_redis_local(request, sub);
        return true;
    }
    if (command->split == SplitPolicy::kRefused) {
        answer_error(base::format("ERR '{}' is not supported through a proxy: {}", command->name,
                                  command->why));
        return true;
    }
    return false;
}

[[gnu::noinline]] void ClientSession::handle_other_redis(const Window& window,
                                                         const RequestView& request) {
    if (changes_connection(request) && wait_for_replies()) {
        return;
    }
    if (redis_client_ == nullptr || redis_client_->answers_all()) {
        handle_unusual_redis(window, request);
        return;
    }
    redis_client_->skipping = std::exchange(redis_client_->skip_next, false);
    handle_unusual_redis(window, request);
    if (is_waiting()) {
        redis_client_->skip_next = redis_client_->skipping;  // it is handled again
    }
    redis_client_->skipping = false;
    judge_quick();
}

void ClientSession::handle_unusual_redis(const Window& window, const RequestView& request) {
    if (handled_here(request)) {
        return;
    }
    const Command& command = *request.command;
    if (command.split == SplitPolicy::kMultiShard && has_several_keys(request)) {
        split_request(path_.redis_splitter, window, request, request.command->join);
        return;
    }
    bool keyless = false;
    if (!command.subcommands.empty()) {
        const std::string problem = subcommand_problem(request, keyless);
        if (!problem.empty()) {
            answer_error(problem);
            return;
        }
    }
    std::string_view key = kPlaceholderKey;
    std::string_view error;
    if (!keyless && !find_first_key(request, key, error) && !error.empty()) {
        answer_error(error);
        return;
    }
    const uint32_t shard = pool_->shard_of(key);
    if (command.keys.may_be_several() && command.split == SplitPolicy::kSingle &&
        !may_cross_shards(request, shard)) {
        answer_error("CROSSSLOT Keys in request don't hash to the same server");
        return;
    }
    forward_redis(window, request, shard, is_mute());
}

// True when all keys are on `shard`, or when the first one decides as in nutcracker. Keys of a
// random pool have no place that could differ.
bool ClientSession::may_cross_shards(const RequestView& request, uint32_t shard) {
    const config::PoolConfig& config = pool_->config();
    if (pool_->server_count() < 2 || config.distribution == ring::Distribution::kRandom) {
        return true;
    }
    proto::redis::KeyWalker walker(request);
    std::string_view key;
    bool together = true;
    while (together && walker.next(key)) {
        together = pool_->shard_of(key) == shard;
    }
    if (together) {
        return true;
    }
    const Command& command = *request.command;
    if (command.one_shard || config.cross_shard == config::CrossShard::kError) {
        return false;
    }
    pool_->stats().add(stats::PoolStat::kCrossShard);
    if (pool_->first_across_shards(command)) {
        RM_LOG(
            kWarn,
            "pool '{}': a '{}' has keys on several servers and goes to the one of its first key, "
            "as nutcracker's; 'cross_shard: error' refuses such requests (said once)",
            config.name, command.name);
    }
    return true;
}

void ClientSession::set_authenticated(bool authenticated) noexcept {
    authenticated_ = authenticated;
    judge_quick();
}

RedisClient& ClientSession::redis_client() {
    if (redis_client_ == nullptr) {
        redis_client_ = std::make_unique<RedisClient>();
    }
    return *redis_client_;
}

void ClientSession::judge_quick() noexcept {
    quick_ = redis_ && authenticated_ && (redis_client_ == nullptr || redis_client_->answers_all());
}

// As Redis: without a password in the configuration any will do for the user `default`.
bool ClientSession::is_right_password(std::string_view user, std::string_view given) const {
    const std::string& password = pool_->config().redis_auth;
    const bool is_equal = password.empty() || equal_secrets(given, password);
    return is_equal && user == "default";
}

void ClientSession::redis_auth(LocalCall& call) {
    if (call.words.size() > 3) {
        call.reply.error(kSyntaxError);
        return;
    }
    const bool with_user = call.words.size() == 3;
    const bool is_needed = !pool_->config().redis_auth.empty();
    if (!is_needed && !with_user) {
        call.reply.error(
            "ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?");
        return;
    }
    const bool is_right =
        is_right_password(with_user ? call.words[1] : "default", call.words[with_user ? 2 : 1]);
    if (is_needed) {
        // twemproxy: a wrong password takes the authentication away again.
        set_authenticated(is_right);
        gave_password_ = is_right;
    }
    if (is_right) {
        call.reply.simple("OK");
    } else {
        call.text += kWrongPassword;
    }
}

}  // namespace ringmaster::worker
