// SPDX-License-Identifier: Apache-2.0
// ClientSession: Redis requests. What a command needs is in its row of the command table.
#include <charconv>

#include "common/base/format.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using proto::ParseStatus;
using proto::redis::Command;
using proto::redis::KeySpec;
using proto::redis::LocalCommand;
using proto::redis::RequestView;
using proto::redis::SplitPolicy;

namespace {

// twemproxy: keyless commands go where this key lives.
constexpr std::string_view kPlaceholderKey = "placeholder";

// Redis quotes at most this much of what it did not understand.
constexpr size_t kQuotedBytes = 128;

std::string_view argument_at(const RequestView& request, uint32_t index) {
    if (index < RequestView::kFirstArguments) {
        return request.arguments[index];
    }
    proto::redis::ArgumentCursor cursor(request.bytes);
    std::string_view argument;
    std::string_view raw;
    for (uint32_t i = 0; i <= index; ++i) {
        cursor.next(argument, raw);
    }
    return argument;
}

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

// The first key, or an error line.
std::string_view first_key(const RequestView& request, std::string_view& error) {
    const KeySpec& keys = request.command->keys;
    const auto first = static_cast<uint32_t>(keys.first);
    if (keys.kind == KeySpec::Kind::kNone) {
        return kPlaceholderKey;
    }
    if (keys.kind == KeySpec::Kind::kRange) {
        if (first >= request.argument_count) {
            error = "-ERR wrong number of arguments\r\n";
            return {};
        }
        return argument_at(request, first);
    }
    if (first >= request.argument_count) {
        error = "-ERR wrong number of arguments\r\n";
        return {};
    }
    const std::string_view text = argument_at(request, first);
    uint32_t numkeys = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), numkeys);
    if (failure != std::errc() || end != text.data() + text.size()) {
        error = "-ERR value is not an integer or out of range\r\n";
    } else if (numkeys == 0) {
        error = "-ERR numkeys should be greater than 0\r\n";
    } else if (numkeys > request.argument_count - first - 1) {
        error = "-ERR Number of keys can't be greater than number of args\r\n";
    }
    return error.empty() ? argument_at(request, first + 1) : std::string_view();
}

// Takes as long whatever the difference is.
bool equal_secrets(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0U : 1U;
    for (size_t i = 0; i < a.size(); ++i) {
        const char other = b.empty() ? '\0' : b[i % b.size()];
        difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ other));
    }
    return difference == 0;
}

bool has_several_keys(const RequestView& request) {
    return request.argument_count > (request.command->pairs ? 3U : 2U);
}

}  // namespace

size_t ClientSession::parse_redis(const Window& window) {
    size_t used = 0;
    while (used < window.size && !parsing_ended_) {
        const char* at = window.begin + used;
        const ParseStatus status = redis_parser_.parse(at, window.size - used);
        if (status == ParseStatus::kNeedMore) {
            break;
        }
        if (status != ParseStatus::kDone) {
            refuse_protocol(base::format("-ERR {}\r\n", redis_parser_.problem()));
            break;
        }
        const RequestView request = redis_parser_.view(at);
        used += redis_parser_.position();
        redis_parser_.reset();
        handle_redis(window, request);
    }
    return used;
}

void ClientSession::handle_redis(const Window& window, const RequestView& request) {
    const Command* command = request.command;
    if (!authenticated_ && (command == nullptr || (command->local != LocalCommand::kAuth &&
                                                   command->local != LocalCommand::kQuit))) {
        answer("-NOAUTH Authentication required.\r\n", true);
        return;
    }
    if (command == nullptr) {
        answer(unknown_command_line(request), true);
        return;
    }
    if (!arity_is_right(*command, request.argument_count)) {
        answer(base::format("-ERR wrong number of arguments for '{}' command\r\n", command->name),
               true);
        return;
    }
    if (command->split == SplitPolicy::kLocal) {
        handle_redis_local(request);
        return;
    }
    if (command->split == SplitPolicy::kRefused) {
        answer(base::format("-ERR command '{}' is not supported by this proxy\r\n", command->name),
               true);
        return;
    }
    if (command->split == SplitPolicy::kMultiShard && has_several_keys(request)) {
        split_redis(request);
        return;
    }
    std::string_view error;
    const std::string_view key = first_key(request, error);
    if (!error.empty()) {
        answer(error, true);
        return;
    }
    Request& queued = new_request();
    queued.unanswered = 1;
    OutQueue* out = forward(queued.fragment, pool_.shard_of(key), request.bytes.size());
    if (out != nullptr) {
        out->append_from(path_.memory, window.chunk, request.bytes.data(), request.bytes.size());
    }
}

void ClientSession::split_redis(const RequestView& request) {
    auto& splitter = path_.redis_splitter;
    splitter.plan(request, static_cast<uint32_t>(pool_.server_count()),
                  [this](std::string_view key) { return pool_.shard_of(key); });
    const auto plans = splitter.fragments();
    Request& queued = new_request();
    SplitState& split =
        make_split(queued, plans.size(), splitter.fragment_of_key(), request.command->join);
    ++queued.unanswered;  // held until every fragment is on its way
    for (size_t i = 0; i < plans.size(); ++i) {
        OutQueue* out = forward(split.fragments[i], plans[i].shard, plans[i].size_bytes);
        if (out != nullptr) {
            AppendTo sink{path_.memory, *out};
            splitter.write(i, sink);
        }
    }
    if (--queued.unanswered == 0) {
        on_answered(queued);
    }
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
            if (first == std::to_string(pool_.config().redis_db)) {
                answer("+OK\r\n", false);
            } else {
                answer(base::format("-ERR this pool serves database {} only\r\n",
                                    pool_.config().redis_db),
                       true);
            }
            return;
        case LocalCommand::kNone:
            break;
    }
    answer("-ERR command is not supported by this proxy\r\n", true);
}

void ClientSession::redis_auth(const RequestView& request) {
    const std::string& password = pool_.config().redis_auth;
    if (request.argument_count > 3) {
        answer("-ERR syntax error\r\n", true);
        return;
    }
    if (password.empty()) {
        answer("-ERR Client sent AUTH, but no password is set\r\n", true);
        return;
    }
    const bool with_user = request.argument_count == 3;
    const std::string_view given = request.arguments[with_user ? 2 : 1];
    const bool right_user = !with_user || request.arguments[1] == "default";
    // twemproxy: a wrong password takes the authentication away again.
    authenticated_ = equal_secrets(given, password) && right_user;
    if (authenticated_) {
        answer("+OK\r\n", false);
    } else {
        answer("-WRONGPASS invalid username-password pair or user is disabled.\r\n", true);
    }
}

}  // namespace ringmaster::worker
