// SPDX-License-Identifier: Apache-2.0
// ClientSession: Redis requests. What a command needs is in its row of the command table.
#include "common/base/format.h"
#include "common/base/inline.h"
#include "common/base/log.h"
#include "common/proto/redis/inline_request.h"
#include "common/proto/redis/keys.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/forward.h"
#include "worker/pool.h"
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

// Redis quotes at most this much of what it did not understand.
constexpr size_t kQuotedBytes = 128;

std::string unknown_command_line(const RequestView& request) {
    std::string line = base::format("-ERR unknown command '{}', with args beginning with: ",
                                    printable(request.arguments[0], kQuotedBytes));
    proto::redis::ArgumentCursor cursor(request.bytes);
    std::string_view argument;
    std::string_view raw;
    cursor.next(argument, raw);
    for (size_t quoted = 0; quoted < kQuotedBytes && cursor.next(argument, raw);) {
        const std::string text = printable(argument, kQuotedBytes - quoted);
        quoted += text.size() + 1;
        line += base::format("'{}' ", text);
    }
    return line + "\r\n";
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
}

// Empty when the subcommand is one we pass on; else the error line, in Redis' words.
std::string subcommand_problem(const RequestView& request, bool& keyless) {
    const Command& command = *request.command;
    const std::string_view word = request.arguments[1];
    const Subcommand kind = classify_subcommand(command, word);
    keyless = kind == Subcommand::kHelp;
    if (kind == Subcommand::kUnknown) {
        return base::format("-ERR unknown subcommand '{}'. Try {} HELP.\r\n",
                            printable(word, kQuotedBytes), upper(command.name));
    }
    if (kind == Subcommand::kKnown && request.argument_count < 3) {
        std::string lower = printable(word, kQuotedBytes);
        for (char& c : lower) {
            c = static_cast<char>(c | 0x20);  // a known word: letters only
        }
        return base::format("-ERR wrong number of arguments for '{}|{}' command\r\n", command.name,
                            lower);
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

// Answers the request when the table says that it goes to no server.
bool ClientSession::handled_here(const RequestView& request) {
    const Command* command = request.command;
    if (!authenticated_ && (command == nullptr || !may_precede_auth(command->local))) {
        answer("-NOAUTH Authentication required.\r\n", true);
        return true;
    }
    if (command == nullptr) {
        answer(unknown_command_line(request), true);
        return true;
    }
    if (!arity_is_right(*command, request.argument_count)) {
        answer(base::format("-ERR wrong number of arguments for '{}' command\r\n", command->name),
               true);
        return true;
    }
    if (command->split == SplitPolicy::kLocal) {
        handle_redis_local(request);
        return true;
    }
    if (command->split == SplitPolicy::kRefused) {
        answer(base::format("-ERR '{}' is not supported through a proxy: {}\r\n", command->name,
                            command->why),
               true);
        return true;
    }
    return false;
}

[[gnu::noinline]] void ClientSession::handle_other_redis(const Window& window,
                                                         const RequestView& request) {
    if (changes_connection(request) && wait_for_replies()) {
        return;
    }
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
            answer(problem, true);
            return;
        }
    }
    std::string_view key = kPlaceholderKey;
    std::string_view error;
    if (!keyless && !find_first_key(request, key, error) && !error.empty()) {
        answer(base::format("-{}\r\n", error), true);
        return;
    }
    const uint32_t shard = pool_->shard_of(key);
    if (command.keys.may_be_several() && command.split == SplitPolicy::kSingle &&
        !may_cross_shards(request, shard)) {
        answer("-CROSSSLOT Keys in request don't hash to the same server\r\n", true);
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

void ClientSession::handle_redis_local(const RequestView& request) {
    const std::string_view first =
        request.argument_count > 1 ? request.arguments[1] : std::string_view();
    switch (request.command->local) {
        case LocalCommand::kPing:
            if (request.argument_count == 1) {
                answer("+PONG\r\n", false);
                return;
            }
            [[fallthrough]];
        case LocalCommand::kEcho:
            answer(base::format("${}\r\n{}\r\n", first.size(), first), false);
            return;
        case LocalCommand::kQuit:
            answer("+OK\r\n", false);
            parsing_ended_ = true;
            clean_end_ = true;
            return;
        case LocalCommand::kAuth:
            redis_auth(request);
            return;
        case LocalCommand::kSelect:
            if (first == std::to_string(pool_->config().redis_db)) {
                answer("+OK\r\n", false);
            } else {
                answer(base::format("-ERR this pool serves database {} only\r\n",
                                    pool_->config().redis_db),
                       true);
            }
            return;
        case LocalCommand::kHello:
            redis_hello(request);
            return;
        case LocalCommand::kReset:
            redis_reset();
            return;
        case LocalCommand::kNone:
            break;
    }
    answer("-ERR command is not supported through a proxy\r\n", true);
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

void ClientSession::redis_auth(const RequestView& request) {
    if (request.argument_count > 3) {
        answer("-ERR syntax error\r\n", true);
        return;
    }
    const bool with_user = request.argument_count == 3;
    const bool is_needed = !pool_->config().redis_auth.empty();
    if (!is_needed && !with_user) {
        answer(
            "-ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?\r\n",
            true);
        return;
    }
    const bool is_right = is_right_password(with_user ? request.arguments[1] : "default",
                                            request.arguments[with_user ? 2 : 1]);
    if (is_needed) {
        // twemproxy: a wrong password takes the authentication away again.
        set_authenticated(is_right);
        gave_password_ = is_right;
    }
    if (is_right) {
        answer("+OK\r\n", false);
    } else {
        answer(kWrongPassword, true);
    }
}

}  // namespace ringmaster::worker
