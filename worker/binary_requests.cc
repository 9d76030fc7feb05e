// SPDX-License-Identifier: Apache-2.0
// ClientSession: requests of memcached's binary protocol, and the replies that are made here.
//
// A quiet request goes to its server in the loud form, so that every request there has its reply;
// UpstreamConnection::take_binary_reply() drops what the client does not want.
#include <algorithm>
#include <array>

#include "common/base/format.h"
#include "common/proto/memcached/binary_reply.h"
#include "common/proto/memcached/command_line.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/forward.h"
#include "worker/pool.h"
#include "worker/secrets.h"

namespace ringmaster::worker {

using proto::ParseStatus;
using proto::memcached::BinaryRequestView;
using proto::memcached::BinaryShape;
using proto::memcached::BinarySilence;
using proto::memcached::BinaryStatus;
using proto::memcached::kBinaryHeaderBytes;

namespace {

std::string reply_packet(uint8_t opcode, uint32_t opaque, BinaryStatus status,
                         std::string_view text) {
    std::string bytes;
    proto::memcached::append_binary_reply(bytes, opcode, opaque, status, text);
    return bytes;
}

std::string error_packet(const BinaryRequestView& request, BinaryStatus status) {
    return reply_packet(request.opcode, request.opaque, status,
                        proto::memcached::binary_status_text(status));
}

// What a client may ask that has not said who it is, as with a server.
bool needs_no_password(const proto::memcached::BinaryCommand* command) noexcept {
    if (command == nullptr) {
        return false;
    }
    switch (command->shape) {
        case BinaryShape::kSaslMechanisms:
        case BinaryShape::kSaslAuth:
        case BinaryShape::kSaslStep:
        case BinaryShape::kVersion:
            return true;
        case BinaryShape::kKeyed:
        case BinaryShape::kFlush:
        case BinaryShape::kNoop:
        case BinaryShape::kStat:
        case BinaryShape::kQuit:
            break;
    }
    return false;
}

// The line that was made for clients of the text protocol, without its first word.
std::string_view text_of_error(std::string_view line) noexcept {
    constexpr std::string_view kServerError = "SERVER_ERROR ";
    if (line.starts_with(kServerError)) {
        line.remove_prefix(kServerError.size());
    }
    while (line.ends_with('\n') || line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

BinaryStatus status_of_error(std::string_view line) {
    const bool no_memory = line == server_error_line(false, kNoMemoryForRequest) ||
                           line == server_error_line(false, kNoMemoryForReply);
    return no_memory ? BinaryStatus::kOutOfMemory : BinaryStatus::kTemporaryFailure;
}

bool is_packet(std::string_view reply) noexcept {
    return reply.size() >= kBinaryHeaderBytes &&
           static_cast<uint8_t>(reply[0]) == proto::memcached::kBinaryReplyMagic;
}

}  // namespace

// The first byte of a connection tells which protocol its client speaks for good.
[[gnu::noinline]] bool ClientSession::learn_is_binary(const Window& window) {
    if (dialect_known_) {
        return true;
    }
    dialect_known_ = true;
    if (static_cast<uint8_t>(window.begin[0]) == proto::memcached::kBinaryRequestMagic) {
        std::construct_at(&binary_parser_);
        return true;
    }
    dialect_ = Dialect::kPlain;
    if (!authenticated_) {  // the text protocol has no password
        refuse_protocol("CLIENT_ERROR unauthenticated\r\n");
    }
    return false;
}

[[gnu::noinline]] size_t ClientSession::parse_binary(const Window& window) {
    size_t used = 0;
    while (used < window.size && !parsing_ended_) {
        const char* at = window.begin + used;
        const ParseStatus status = binary_parser_.parse(at, window.size - used);
        if (status == ParseStatus::kNeedMore) {
            if (!authenticated_ && binary_parser_.has_header() &&
                !needs_no_password(binary_parser_.command())) {
                refuse_unauthenticated(binary_parser_.view(at));
                break;
            }
            used += drop_refused_binary(window.size - used);
            break;
        }
        if (status != ParseStatus::kDone) {
            refuse_protocol(reply_packet(0, 0, BinaryStatus::kInvalidArguments,
                                         "Not a request of the binary protocol"));
            break;
        }
        const BinaryRequestView request = binary_parser_.view(at);
        used += binary_parser_.position();
        binary_parser_.reset();
        handle_binary(window, request);
    }
    return used;
}

// A body that is refused is never kept.
size_t ClientSession::drop_refused_binary(size_t arrived) {
    const size_t dropped = binary_parser_.discardable(arrived);
    binary_parser_.rebase(dropped);
    return dropped;
}

void ClientSession::refuse_unauthenticated(const BinaryRequestView& request) {
    refuse_protocol(error_packet(request, BinaryStatus::kAuthFailed));
}

void ClientSession::handle_binary(const Window& window, const BinaryRequestView& request) {
    if (request.ends) {
        refuse_protocol(error_packet(request, request.refusal));
        return;
    }
    if (!authenticated_ && !needs_no_password(request.command)) {
        refuse_unauthenticated(request);
        return;
    }
    if (request.refused()) {
        answer(error_packet(request, request.refusal), true);
        return;
    }
    switch (request.command->shape) {
        case BinaryShape::kKeyed:
            forward_binary(window, request);
            return;
        case BinaryShape::kFlush:
            flush_binary(window, request);
            return;
        case BinaryShape::kNoop: {
            const auto packet =
                proto::memcached::empty_binary_reply(request.opcode, request.opaque);
            answer({packet.data(), packet.size()}, false);
            return;
        }
        case BinaryShape::kVersion:
            answer(reply_packet(request.opcode, request.opaque, BinaryStatus::kSuccess,
                                pool_->config().memcached_version),
                   false);
            return;
        case BinaryShape::kStat:
            answer_binary_stats(request);
            return;
        case BinaryShape::kQuit:
            if (request.command->silence == BinarySilence::kNone) {
                answer(error_packet(request, BinaryStatus::kSuccess), false);
            }
            parsing_ended_ = true;
            clean_end_ = true;
            return;
        case BinaryShape::kSaslMechanisms:
        case BinaryShape::kSaslAuth:
        case BinaryShape::kSaslStep:
            handle_sasl(request);
            return;
    }
}

Request& ClientSession::new_binary_request(const Window& window, const BinaryRequestView& request) {
    Request& queued = new_request();
    queued.opcode = request.opcode;
    queued.opaque = request.opaque;
    // Nobody looks at these bytes again: they are what is sent.
    const size_t opcode_at = static_cast<size_t>(request.bytes.data() - window.begin) +
                             proto::memcached::kBinaryOpcodeAt;
    window.begin[opcode_at] = static_cast<char>(request.command->loud);
    return queued;
}

void ClientSession::forward_binary(const Window& window, const BinaryRequestView& request) {
    Request& queued = new_binary_request(window, request);
    queued.unanswered = 1;
    OutQueue* out = forward(queued.fragment, pool_->shard_of(request.key), request.bytes.size());
    if (out != nullptr) {
        out->append_from(path_.memory, window.chunk, request.bytes.data(), request.bytes.size());
    }
}

// To every server; one answer.
void ClientSession::flush_binary(const Window& window, const BinaryRequestView& request) {
    if (!pool_->config().flush_all) {
        // The status of a server that was told not to.
        answer(reply_packet(request.opcode, request.opaque, BinaryStatus::kAuthFailed,
                            "flush is not allowed on this pool"),
               true);
        return;
    }
    Request& queued = new_binary_request(window, request);
    SplitState& split =
        make_split(queued, pool_->server_count(), {}, proto::redis::JoinPolicy::kFirst);
    ++queued.unanswered;  // held until every fragment is on its way
    for (uint32_t shard = 0; shard < pool_->server_count(); ++shard) {
        OutQueue* out = forward(split.fragments[shard], shard, request.bytes.size());
        if (out != nullptr) {
            out->append(path_.memory, request.bytes);
        }
    }
    if (--queued.unanswered == 0) {
        on_answered(queued);
    }
}

void ClientSession::answer_binary_stats(const BinaryRequestView& request) {
    if (!proto::memcached::is_stats_group(request.key)) {
        answer(error_packet(request, BinaryStatus::kNotFound), true);
        return;
    }
    std::string bytes;
    const auto append = [&](std::string_view name, std::string_view value) {
        proto::memcached::append_binary_reply(bytes, request.opcode, request.opaque,
                                              BinaryStatus::kSuccess, value, name);
    };
    if (request.key.empty()) {
        for (const auto& [name, value] : memcached_stats()) {
            append(name, value);
        }
    }
    append("", "");
    answer(bytes, false);
}

void ClientSession::handle_sasl(const BinaryRequestView& request) {
    const std::string& account = pool_->config().memcached_auth;
    if (account.empty()) {  // as a server without SASL
        answer(error_packet(request, BinaryStatus::kUnknownCommand), true);
        return;
    }
    constexpr std::string_view kPlain = "PLAIN";
    if (request.command->shape == BinaryShape::kSaslMechanisms) {
        answer(reply_packet(request.opcode, request.opaque, BinaryStatus::kSuccess, kPlain), false);
        return;
    }
    // PLAIN: whom to act for (nobody cares), NUL, user, NUL, password. It has no second step.
    bool is_good = request.command->shape == BinaryShape::kSaslAuth && request.key == kPlain;
    const size_t first_nul = request.value.find('\0');
    is_good = is_good && first_nul != std::string_view::npos;
    if (is_good) {
        std::string given(request.value.substr(first_nul + 1));
        const size_t second_nul = given.find('\0');
        // The configured user has no colon, so there is one way to read it.
        is_good = second_nul != std::string::npos && given.find(':') >= second_nul;
        if (is_good) {
            given[second_nul] = ':';
            is_good = equal_secrets(given, account);
        }
    }
    set_authenticated(is_good);
    gave_password_ = is_good;
    if (is_good) {
        answer(
            reply_packet(request.opcode, request.opaque, BinaryStatus::kSuccess, "Authenticated"),
            false);
    } else {
        answer(error_packet(request, BinaryStatus::kAuthFailed), true);
    }
}

// ---- replies that are not a server's own ----

void ClientSession::emit_binary_error(const Request& request) {
    std::string_view line = request.fragment.reply.view();
    if (request.split != nullptr) {
        const auto is_failed = [](const Fragment& fragment) {
            return !is_packet(fragment.reply.view());
        };
        line = std::find_if(request.split->fragments.begin(), request.split->fragments.end(),
                            is_failed)
                   ->reply.view();
    }
    out_.append(path_.memory, reply_packet(request.opcode, request.opaque, status_of_error(line),
                                           text_of_error(line)));
}

// A flush that all servers answered: success when it was theirs, too, else the first that differs.
void ClientSession::emit_binary_joined(const Request& request) {
    const proto::memcached::BinaryCommand* command =
        proto::memcached::find_binary_command_or_null(request.opcode);
    RM_ASSERT(command != nullptr);
    for (const Fragment& fragment : request.split->fragments) {
        const std::string_view reply = fragment.reply.view();
        RM_ASSERT(is_packet(reply));
        proto::memcached::BinaryHeader header = proto::memcached::read_binary_header(reply.data());
        if (header.status != 0) {
            header.opcode = request.opcode;
            std::array<char, kBinaryHeaderBytes> head{};
            proto::memcached::write_binary_header(header, head.data());
            out_.append(path_.memory, {head.data(), head.size()});
            out_.append(path_.memory, reply.substr(kBinaryHeaderBytes));
            return;
        }
    }
    if (command->silence == BinarySilence::kNone) {
        out_.append(path_.memory,
                    reply_packet(request.opcode, request.opaque, BinaryStatus::kSuccess, ""));
    }
}

}  // namespace ringmaster::worker
