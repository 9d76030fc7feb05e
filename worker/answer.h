// SPDX-License-Identifier: Apache-2.0
// The way of a reply to its client and the end of a request, inline: every request takes it.
// Described where it is declared (client_session.h).
#pragma once

#include "common/base/inline.h"
#include "worker/client_session.h"

namespace ringmaster::worker {

RM_INLINE inline void release_request(Memory& memory, Request* request) noexcept {
    RM_DEBUG_ASSERT(request->client == nullptr);
    RM_DEBUG_ASSERT(request->at_servers == 0);
    if (request->split != nullptr) [[unlikely]] {
        release_split(*request);
    }
    memory.requests.destroy(request);
}

RM_INLINE inline void ClientSession::pop_head() noexcept {
    Request* request = head_;
    head_ = request->next;
    if (head_ == nullptr) {
        tail_ = nullptr;
    }
    --request_count_;
    request->client = nullptr;
    if (request->at_servers == 0) {
        release_request(path_.memory, request);
    }
}

RM_INLINE inline void ClientSession::on_reply(Request& request, const Window& window,
                                              const char* data, size_t size) {
    if (&request != head_) {
        if (!request.silent) {
            store_reply(request.fragment, window, data, size);
        }
        request.unanswered = 0;
        return;
    }
    if (!request.silent) {
        out_.append_from(path_.memory, window.chunk, data, size);
    }
    pop_head();
    if (head_ != nullptr && head_->unanswered == 0) {
        send_answered();
    }
    mark_dirty();
}

}  // namespace ringmaster::worker
