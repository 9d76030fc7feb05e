// SPDX-License-Identifier: Apache-2.0
// ClientSession: back-pressure. When reading from a client stops, when it starts again, and when a
// client that takes nothing is given up.
#include <algorithm>

#include "common/base/log.h"
#include "worker/client_session.h"
#include "worker/pool.h"

namespace ringmaster::worker {

void ClientSession::maybe_pause() {
    if (paused_ || lingering_ || !is_open()) {
        return;
    }
    const Memory& memory = path_.memory;
    const bool tight = memory.tight();
    const size_t reply_limit =
        tight ? kTightReplyBytes : std::max(kRelaxedReplyBytes, memory.budget_bytes / 8);
    const size_t unsent = out_.bytes() + stream_.bytes_queued();
    const bool too_many = tight && request_count_ > kTightRequests;
    const bool memory_short =
        request_count_ > 0 && memory.bytes_in_use() > memory.budget_bytes / 5 * 4;
    // One that will send no more has only to take its replies: watched from the first it leaves.
    const bool over = parsing_ended_ || eof_;
    if (!over && unsent <= reply_limit && !too_many && !memory_short) {
        return;
    }
    if (!over) {
        stream_.stop_reading();
    }
    paused_ = true;
    last_moved_ms_ = path_.loop.active_ms();
    last_out_bytes_ = unsent;
    path_.paused.push_back(*this);
}

void ClientSession::resume_if_possible(uint64_t now_ms) {
    (void)now_ms;
    if (!is_open()) {
        return;
    }
    const uint64_t active_ms = path_.loop.active_ms();
    if (lingering_) {
        if (active_ms - last_moved_ms_ >= kLingerMs || (path_.stopping && close_loses_nothing())) {
            close(clean_end_);
        }
        return;
    }
    const Memory& memory = path_.memory;
    const size_t unsent = out_.bytes() + stream_.bytes_queued();
    if (unsent != last_out_bytes_) {
        last_moved_ms_ = active_ms;
        last_out_bytes_ = unsent;
    }
    const size_t reply_limit =
        memory.tight() ? kTightReplyBytes : std::max(kRelaxedReplyBytes, memory.budget_bytes / 8);
    const bool memory_short =
        request_count_ > 0 && memory.bytes_in_use() > memory.budget_bytes / 5 * 4;
    const bool too_many = memory.tight() && request_count_ > kTightRequests / 4;
    const bool over = parsing_ended_ || eof_;
    if (!over && unsent <= reply_limit / 4 && !memory_short && !too_many) {
        paused_ = false;
        static_cast<base::ListLink<PausedTag>*>(this)->unlink();
        if (!eof_) {
            stream_.start_reading();
        }
        return;
    }
    if (unsent > 0 && active_ms - last_moved_ms_ >= kStuckClientMs) {
        RM_LOG(kNotice, "pool '{}': a client has read none of its {} reply bytes for {} s, closing",
               pool_->config().name, unsent, kStuckClientMs / 1000);
        close(false);
    }
}

}  // namespace ringmaster::worker
