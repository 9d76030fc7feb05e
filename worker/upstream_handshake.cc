// SPDX-License-Identifier: Apache-2.0
// UpstreamConnection: AUTH and SELECT, or HELLO 3 and SELECT, before anything else is sent to a
// Redis server.
#include <string>

#include "common/base/format.h"
#include "common/base/log.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/forward.h"
#include "worker/limits.h"
#include "worker/pool.h"
#include "worker/server.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

using stats::ServerStat;

namespace {

// Redis 6 made users: the password alone is that of `default`, which it also was before.
std::string hello3(const std::string& password) {
    if (password.empty()) {
        return "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n";
    }
    return base::format(
        "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n${}\r\n{}\r\n",
        password.size(), password);
}

// What the answer to HELLO 3 says. A server that answers with a list did not understand the 3.
Resp3Answer resp3_answer(std::string_view reply) {
    if (reply.starts_with('%') || reply.starts_with("-NOAUTH") || reply.starts_with("-WRONGPASS")) {
        return Resp3Answer::kYes;
    }
    const bool is_refused = reply.starts_with("-NOPROTO") ||
                            reply.starts_with("-ERR unknown command") || reply.starts_with('*');
    return is_refused ? Resp3Answer::kNo : Resp3Answer::kUnknown;
}

}  // namespace

void UpstreamConnection::queue_own(const std::string& bytes) {
    Request* request = path_.memory.requests.make();
    request->handshake = true;
    request->fragment.request = request;
    ++handshake_left_;
    enqueue(request->fragment, bytes.size());
    handshake_out_.append(path_.memory, bytes);
}

void UpstreamConnection::queue_handshake() {
    const config::PoolConfig& config = server_->pool().config();
    handshake_left_ = 0;
    if (!config.redis) {
        return;
    }
    if (group_->dialect() == Dialect::kResp3) {
        greeting_ = true;
        queue_own(hello3(config.redis_auth));
    } else if (!config.redis_auth.empty()) {
        queue_own(base::format("*2\r\n$4\r\nAUTH\r\n${}\r\n{}\r\n", config.redis_auth.size(),
                               config.redis_auth));
    }
    if (const uint32_t number = config::redis_db_of(config, server_->config()); number > 0) {
        const std::string db = std::to_string(number);
        queue_own(base::format("*2\r\n$6\r\nSELECT\r\n${}\r\n{}\r\n", db.size(), db));
    }
}

void UpstreamConnection::finish_handshake(Request* request, std::string_view reply) {
    release_request(path_.memory, request);
    --handshake_left_;
    if (greeting_) {
        finish_greeting(reply);
        return;
    }
    if (reply == "+OK\r\n") {
        if (handshake_left_ == 0) {
            path_.flush.mark(*this);
        }
        return;
    }
    const std::string& pool_name = server_->pool().config().name;
    // twemproxy: a password that the server does not ask for is no problem. AUTH comes first, so
    // these cannot be an answer to SELECT.
    if (reply.starts_with("-ERR AUTH <password> called without any password configured") ||
        reply.starts_with("-ERR Client sent AUTH, but no password is set")) {
        if (server_->first_without_password()) {
            RM_LOG(kWarn, "server '{}' of pool '{}' needs no password, 'redis_auth' was sent to it",
                   server_->config().name, pool_name);
        }
        if (handshake_left_ == 0) {
            path_.flush.mark(*this);
        }
        return;
    }
    fail_refused(reply);
}

void UpstreamConnection::tell_resp3(Resp3Answer answer) {
    if (greeting_) {
        greeting_ = false;
        server_->pool().on_resp3_answer(server_->shard(), answer);
    }
}

// The client whose request opened this connection believes that its pool speaks RESP3.
void UpstreamConnection::finish_greeting(std::string_view reply) {
    const Resp3Answer answer = resp3_answer(reply);
    tell_resp3(answer);
    if (reply.starts_with('%')) {
        if (handshake_left_ == 0) {
            path_.flush.mark(*this);
        }
    } else if (answer == Resp3Answer::kNo) {
        server_->stats().add(ServerStat::kServerErr);
        fail_all("-NOPROTO the server of this key does not speak RESP3\r\n");
    } else {
        fail_refused(reply);
    }
}

void UpstreamConnection::fail_refused(std::string_view reply) {
    std::string line(reply.starts_with('-') && reply.size() <= kReferenceBytes
                         ? reply
                         : "-ERR the server's answer to AUTH or SELECT is no answer\r\n");
    // A server may quote what it was sent: the password leaves this process for nobody else.
    const std::string& password = server_->pool().config().redis_auth;
    for (size_t at = 1; !password.empty() && (at = line.find(password, at)) != std::string::npos;
         at += 3) {
        line.replace(at, password.size(), "***");
    }
    if (!line.ends_with("\r\n")) {
        line += "\r\n";  // the password was a part of the line's end
    }
    if (server_->may_log_refusal(path_.loop.now_ms())) {
        RM_LOG(kErr, "server '{}' of pool '{}' refused AUTH or SELECT, nothing is sent to it: {}",
               server_->config().name, server_->pool().config().name,
               printable(std::string_view(line).substr(0, line.size() - 2), 200));
    }
    server_->stats().add(ServerStat::kServerErr);
    fail_all(line);
}

}  // namespace ringmaster::worker
