// SPDX-License-Identifier: Apache-2.0
#include "worker/accept_gate.h"

#include "common/base/log.h"

namespace ringmaster::worker {

bool AcceptGate::update(uint64_t clients, uint64_t now_ms) {
    const bool has_room = clients < room_;
    if (has_room == open_) {
        return false;
    }
    open_ = has_room;
    if (!open_) {
        log(clients, now_ms);
    }
    set_accepting_(open_);
    return !open_;
}

void AcceptGate::log(uint64_t clients, uint64_t now_ms) {
    ++closed_since_log_;
    if (logged_ms_ && now_ms - *logged_ms_ < kLogEveryMs) {
        return;
    }
    RM_LOG(kWarn,
           "{} clients are all that fit below the limit of open descriptors (RLIMIT_NOFILE): "
           "further ones wait until one leaves ({} times since last told)",
           clients, closed_since_log_);
    closed_since_log_ = 0;
    logged_ms_ = now_ms;
}

}  // namespace ringmaster::worker
