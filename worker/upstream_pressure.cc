// SPDX-License-Identifier: Apache-2.0
// UpstreamConnection: back-pressure. It stops for a client that lags, clients wait for its queue,
// and replies that have no room are given up.
#include <algorithm>

#include "common/base/log.h"
#include "worker/client_session.h"
#include "worker/error_lines.h"
#include "worker/pool.h"
#include "worker/server.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

namespace {

// After so many calls of forget_holds() a hold is forgotten: more than the time between two.
constexpr uint8_t kHoldLooks = 2;

}  // namespace

void UpstreamConnection::add_waiting(ClientSession& client) {
    waiting_.push_back(client);
}

// ---- a client that lags ----

void UpstreamConnection::judge_lag() {
    ClientSession& client = *head_->request->client;
    const bool is_large = streaming_ && streamed_bytes_ + parser_needed() > kLargeReplyBytes;
    if (is_held() || head_->expired || !client.lags(is_large)) {
        return;
    }
    if (retiring_ || !group_->may_hold(*this)) {
        client.on_no_hold();
        return;
    }
    stream_.stop_reading();
    held_by_ = &client;
    held_since_ms_ = path_.loop.active_ms();
    path_.held.push_back(*this);
    held_lately_ = kHoldLooks;
    client.on_hold();
    group_->begin_diversion();
}

void UpstreamConnection::forget_holds() noexcept {
    if (is_held()) {
        held_lately_ = kHoldLooks;
    } else if (held_lately_ > 0) {
        --held_lately_;
    }
}

void UpstreamConnection::release() {
    base::ListLink<HeldTag>& link = *this;
    link.unlink();
    last_progress_ms_ = path_.loop.active_ms();
    // Its own requests get back what of the hold they waited for; it may have sent some meanwhile.
    const uint64_t timeout_ms = server_->timeout_ms();
    for (Fragment* f = head_; f != nullptr; f = f->fifo_next) {
        if (f->request->client == held_by_ && f->deadline_ms != kNoDeadline) {
            const uint64_t queued_ms = f->deadline_ms - std::min(f->deadline_ms, timeout_ms);
            const uint64_t waits_since_ms = timeout_ms > 0 ? queued_ms : 0;
            f->deadline_ms +=
                last_progress_ms_ - std::clamp(waits_since_ms, held_since_ms_, last_progress_ms_);
        }
    }
    inherited_timeout_ms_ = health_timeout_ms();  // as it is: but the order of deadlines is gone
    inherited_left_ = fifo_count_;
    held_by_ = nullptr;
    if (connected_) {
        stream_.start_reading();
    }
}

void UpstreamConnection::tie_all() {
    tied_ = true;
    for (const Fragment* f = head_; f != nullptr; f = f->fifo_next) {
        if (f->request->client != nullptr && !f->expired) {
            group_->ties().add(f->request->client, this);
        }
    }
}

// What has been answered with an error already holds its client no longer.
void UpstreamConnection::untie(const Fragment& fragment) {
    if (fragment.request->client != nullptr && !fragment.expired) {
        group_->ties().remove(fragment.request->client, this);
    }
}

// ---- clients that wait for the queue ----

void UpstreamConnection::wake_waiting() {
    // In the order they came, and no more than there is room for: who fills it again waits behind
    // all others.
    size_t room = kUpstreamBytes - std::min(kUpstreamBytes, out_.bytes());
    while (room >= kReadBytes && !waiting_.empty()) {
        room -= kReadBytes;
        waiting_.front()->on_uncrowded();
    }
}

void UpstreamConnection::wake_all_waiting() {
    while (!waiting_.empty()) {
        waiting_.front()->on_uncrowded();
    }
}

bool UpstreamConnection::hangs() const noexcept {
    return head_ != nullptr && !is_held() && path_.event_ms >= last_progress_ms_ + kHangMs;
}

// ---- replies without room ----

// The reply to a split request is the error of the fragment that failed: what others bring would
// only take memory, and keep replies behind it from leaving.
void UpstreamConnection::expire_as_sibling(Fragment& fragment) {
    const Request& request = *fragment.request;
    if (fragment.expired || request.client == nullptr) {
        return;
    }
    for (const Fragment& other : request.split->fragments) {
        if (other.reply.data != nullptr && !other.reply.chunk) {  // an error of the proxy
            expire(fragment, other.reply.view());
            return;
        }
    }
}

// Apart: within on_read() it makes every read dearer.
[[gnu::noinline]] void UpstreamConnection::keep_rest(Window& window, const char* rest,
                                                     size_t size) {
    if (size == 0) {
        return;
    }
    Memory& memory = path_.memory;
    const InputBuffer::Place place = InputBuffer::place_for(window, rest, parser_needed());
    const bool is_large = std::max(place.more, place.total) > kReadBytes;
    if (is_large && head_->request->handshake) {  // no such reply is long
        server_->note_failure("answers the handshake at too great length", EINVAL);
        fail(EINVAL);
        return;
    }
    if (!place.own && is_large && !memory.fits(place.more) && !head_->expired && !streaming_) {
        server_->pool().stats().add(stats::PoolStat::kOutOfMemory);
        expire(*head_, kNoMemoryForReply);  // nobody wants it any more: it goes as it comes
        const size_t taken = stream_part(window, rest, size);
        rest += taken;
        size -= taken;
    }
    input_.keep(memory.chunks, window, rest, size, parser_needed(), memory.spare());
}

}  // namespace ringmaster::worker
