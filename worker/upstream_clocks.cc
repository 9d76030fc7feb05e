// SPDX-License-Identifier: Apache-2.0
// UpstreamConnection: its two clocks, and what a reload does to them.
#include <algorithm>
#include <cerrno>

#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"
#include "worker/server.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

using stats::ServerStat;

namespace {

// 0 = none, which is the longest.
uint64_t longer_timeout(uint64_t a_ms, uint64_t b_ms) noexcept {
    return a_ms == 0 || b_ms == 0 ? 0 : std::max(a_ms, b_ms);
}

}  // namespace

uint64_t UpstreamConnection::health_timeout_ms() const noexcept {
    const uint64_t timeout_ms = server_->pool().config().timeout_ms;
    return inherited_left_ > 0 ? longer_timeout(inherited_timeout_ms_, timeout_ms) : timeout_ms;
}

void UpstreamConnection::rebind(ConnectionGroup& group, uint64_t grace_ms) {
    RM_ASSERT(group.dialect() == group_->dialect());
    Server& server = group.server();
    uint64_t before_ms = health_timeout_ms();
    const uint64_t after_ms = server.pool().config().timeout_ms;
    if (after_ms > 0 && before_ms == 0) {
        before_ms = std::max(after_ms, grace_ms);
        const uint64_t deadline_ms = path_.loop.active_ms() + before_ms;
        for (Fragment* f = head_; f != nullptr; f = f->fifo_next) {
            f->deadline_ms = std::min(f->deadline_ms, deadline_ms);
        }
    }
    inherited_timeout_ms_ = before_ms;
    inherited_left_ = fifo_count_;
    if (connected_) {
        server_->stats().add(ServerStat::kServerConnections, -1);
        server.stats().add(ServerStat::kServerConnections);
    }
    group_ = &group;
    server_ = &server;
}

uint64_t UpstreamConnection::fragments_of_busy(DataPath& path) noexcept {
    uint64_t count = 0;
    for (UpstreamConnection* connection = path.busy.front_or_null(); connection != nullptr;
         connection = path.busy.next_or_null(*connection)) {
        count += connection->fifo_count_;
    }
    return count;
}

// Also of pools without a timeout: see rebind(). A check may end connections, this one and others,
// and begin requests on any: so no place in a list is remembered here.
void UpstreamConnection::check_all(DataPath& path, uint64_t now_ms) {
    base::IntrusiveList<UpstreamConnection, BusyTag> checked;
    RM_DEBUG_ASSERT(fragments_of_busy(path) == path.fragments_in_flight);  // none is forgotten
    while (!path.busy.empty()) {
        UpstreamConnection& connection = *path.busy.pop_front();
        if (!connection.is_idle()) {
            checked.push_back(connection);
            connection.check_deadlines(now_ms);
        }
    }
    while (!checked.empty()) {
        path.busy.push_back(*checked.pop_front());
    }
}

void UpstreamConnection::check_deadlines(uint64_t now_ms) {
    RM_DEBUG_ASSERT(head_ != nullptr && is_open());
    const size_t queued = stream_.bytes_queued();
    if (queued < last_bytes_queued_) {
        last_progress_ms_ = now_ms;  // the server takes a partly written request
    }
    last_bytes_queued_ = queued;
    if (is_held()) {
        last_progress_ms_ = now_ms;  // it is we who do not read
    }
    const uint64_t timeout_ms = health_timeout_ms();
    if (timeout_ms > 0 && now_ms - last_progress_ms_ >= timeout_ms) {
        server_->note_failure("has made no progress for its timeout", ETIMEDOUT);
        fail(ETIMEDOUT);
        return;
    }
    expire_overdue(now_ms);
}

// Deadlines are in the order of the FIFO, but for those from before a reload or a hold.
void UpstreamConnection::expire_overdue(uint64_t now_ms) {
    for (Fragment* f = first_unexpired_; f != nullptr; f = f->fifo_next) {
        if (now_ms < f->deadline_ms) {
            if (inherited_left_ == 0) {
                return;
            }
            continue;
        }
        if (held_by_ != nullptr && f->request->client == held_by_) {
            continue;  // what it waits for is itself: release() gives it the time back
        }
        const bool is_leaving = f == head_ && streaming_;  // such a reply makes progress
        if (!is_leaving && !f->expired) {
            expire(*f, ETIMEDOUT);
        }
        if (f == first_unexpired_) {
            first_unexpired_ = f->fifo_next;
        }
    }
}

void UpstreamConnection::expire(Fragment& fragment, int error) {
    expire(fragment, server_error_line(server_->pool().config().redis, error));
}

void UpstreamConnection::expire(Fragment& fragment, std::string_view line) {
    RM_DEBUG_ASSERT(!fragment.expired);
    Request& request = *fragment.request;
    if (request.handshake || request.client == nullptr) {
        return;
    }
    if (tied_) {
        untie(fragment);
    }
    fragment.expired = true;
    fragment.reply.data = line.data();
    fragment.reply.size = line.size();
    request.proxy_error = true;
    if (--request.unanswered == 0) {
        request.client->on_answered(request);
    }
}

}  // namespace ringmaster::worker
