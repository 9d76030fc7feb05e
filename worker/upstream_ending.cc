// SPDX-License-Identifier: Apache-2.0
// UpstreamConnection: how it ends, and what becomes of the requests it carries.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/log.h"
#include "worker/answer.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"
#include "worker/server.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

using stats::ServerStat;

void UpstreamConnection::fail_since(int error, uint64_t attempt_began_ms) {
    if ((!connected_ || head_ != nullptr) && !retiring_) {
        server_->pool().on_server_failure(server_->shard(), error,
                                          std::max(attempt_began_ms, attempt_floor_ms_));
    }
    if (error == ETIMEDOUT) {
        server_->stats().add(ServerStat::kServerTimedout);
    } else {
        server_->stats().add(error == kServerClosed ? ServerStat::kServerEof
                                                    : ServerStat::kServerErr);
    }
    fail_all(server_error_line(server_->pool().config().redis, error));
}

void UpstreamConnection::end(int error) {
    fail_all(server_error_line(server_->pool().config().redis, error));
}

// `line` lives as long as this call.
void UpstreamConnection::fail_all(std::string_view line) {
    close_stream();
    group_->ties().forget_lane(this);
    // Detached first: answering a client must not find this half-failed FIFO.
    Fragment* fragment = std::exchange(head_, nullptr);
    tail_ = nullptr;
    first_unexpired_ = nullptr;
    fifo_count_ = 0;
    unsent_count_ = 0;
    while (fragment != nullptr) {
        Fragment* next = fragment->fifo_next;
        Request* request = fragment->request;
        fragment->fifo_next = nullptr;
        --path_.fragments_in_flight;
        --request->at_servers;
        if (request->raw_key) {
            path_.raw_keys.remove(*request);
        }
        if (request->client == nullptr) {
            if (request->at_servers == 0) {
                release_request(path_.memory, request);
            }
        } else if (request->streaming) {
            request->client->cut();
        } else if (!fragment->expired) {
            fragment->reply = path_.memory.park(base::ChunkRef(), line.data(), line.size());
            request->proxy_error = true;
            if (--request->unanswered == 0) {
                request->client->on_answered(*request);
            }
        }
        fragment = next;
    }
}

void UpstreamConnection::retire() {
    if (head_ == nullptr) {
        close_stream();
    } else {
        retiring_ = true;
    }
}

void UpstreamConnection::close_stream() {
    if (!stream_.is_open()) {
        return;
    }
    if (connected_) {
        server_->stats().add(ServerStat::kServerConnections, -1);
    }
    --path_.curr_connections;
    connected_ = false;
    streaming_ = false;
    inherited_left_ = 0;
    stream_.close();
    tell_resp3(Resp3Answer::kUnknown);
    out_.clear(path_.memory);
    handshake_out_.clear(path_.memory);
    handshake_left_ = 0;
    input_.clear();
    parser_reset();
    last_bytes_queued_ = 0;
    FlushLink::unlink();
    base::ListLink<HeldTag>& held = *this;
    held.unlink();
    if (ClientSession* client = std::exchange(held_by_, nullptr); client != nullptr) {
        client->on_unheld();
    }
    held_lately_ = 0;
    wake_all_waiting();
}

void UpstreamConnection::on_eof() noexcept {
    if (head_ != nullptr) {
        server_->note_failure("left requests unanswered", kServerClosed);
    } else {
        RM_LOG(kInfo, "server '{}' of pool '{}' closed an idle connection", server_->config().name,
               server_->pool().config().name);
    }
    fail(kServerClosed);
}

void UpstreamConnection::on_error(int error) noexcept {
    server_->note_failure("broke the connection", error);
    fail(error);
}

}  // namespace ringmaster::worker
