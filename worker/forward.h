// SPDX-License-Identifier: Apache-2.0
// The way of a request to its server, inline: every request takes it. Included where requests are
// handled; what it does is described where it is declared (client_session.h,
// upstream_connection.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "common/base/inline.h"
#include "worker/answer.h"
#include "worker/client_session.h"
#include "worker/pool.h"

namespace ringmaster::worker {

// It stays on the list until the next check of deadlines finds it idle: a connection whose FIFO
// runs empty with each reply is linked and unlinked by the clock, not by the request.
RM_INLINE inline void UpstreamConnection::note_busy() noexcept {
    base::ListLink<BusyTag>& link = *this;
    if (!link.linked()) [[unlikely]] {
        path_.busy.push_back(*this);
    }
}

RM_INLINE inline void UpstreamConnection::push(Fragment& fragment) noexcept {
    fragment.fifo_next = nullptr;
    if (tail_ != nullptr) {
        tail_->fifo_next = &fragment;
        RM_DEBUG_ASSERT(base::ListLink<BusyTag>::linked());
    } else {
        head_ = &fragment;
        note_busy();
        last_progress_ms_ = path_.event_ms;  // the health clock runs while the FIFO is not empty
    }
    tail_ = &fragment;
    if (first_unexpired_ == nullptr) {
        first_unexpired_ = &fragment;
    }
    ++path_.fragments_in_flight;
    ++fifo_count_;
    ++unsent_count_;
}

RM_INLINE inline void UpstreamConnection::enqueue(Fragment& fragment,
                                                  size_t request_bytes) noexcept {
    RM_DEBUG_ASSERT(is_open());
    fragment.request_bytes = static_cast<uint32_t>(
        std::min<size_t>(request_bytes, std::numeric_limits<uint32_t>::max()));
    const uint64_t timeout_ms = server_->timeout_ms();
    fragment.deadline_ms = timeout_ms > 0 ? path_.event_ms + timeout_ms : kNoDeadline;
    push(fragment);
    ++fragment.request->at_servers;
    path_.flush.mark(*this);
}

RM_INLINE inline Request& ClientSession::new_request() {
    Request* request = path_.memory.requests.make();
    request->client = this;
    request->fragment.request = request;
    if (tail_ != nullptr) {
        tail_->next = request;
    } else {
        head_ = request;
    }
    tail_ = request;
    ++request_count_;
    return *request;
}

RM_INLINE inline OutQueue* ClientSession::forward(Fragment& fragment, uint32_t shard,
                                                  size_t size_bytes) {
    UpstreamConnection* connection = nullptr;
    if (shard != ring::kNoShard &&
        !(path_.memory.may_refuse && refuses_for_memory(shard, size_bytes)) &&
        pool_->may_send(shard)) [[likely]] {
        connection = pool_->server(shard).only_connection_or_null(dialect_);
        if (connection == nullptr) [[unlikely]] {
            connection = connect_or_fail(fragment, shard);
        }
    } else {
        fail_forward(fragment, shard, size_bytes);
    }
    if (connection == nullptr) [[unlikely]] {
        return nullptr;
    }
    stats::ServerCounters& stats = pool_->server(shard).stats();
    stats.add(stats::ServerStat::kRequests);
    stats.add(stats::ServerStat::kRequestBytes, static_cast<int64_t>(size_bytes));
    connection->enqueue(fragment, size_bytes);
    if (connection->is_crowded()) [[unlikely]] {
        wait_for_room(*connection);
    }
    return &connection->out();
}

}  // namespace ringmaster::worker
