// SPDX-License-Identifier: Apache-2.0
#include "master/respawn_policy.h"

#include <algorithm>

#include "common/base/assert.h"

namespace ringmaster::master {

void RespawnPolicy::on_ready(size_t slot_index, uint64_t now_ms) {
    RM_ASSERT(slot_index < slots_.size());
    Slot& slot = slots_[slot_index];
    RM_ASSERT(!slot.live);
    slot.live = true;
    slot.ever_ready = true;
    slot.ready_at_ms = now_ms;
    ++live_count_;
}

uint64_t RespawnPolicy::on_death(size_t slot_index, uint64_t now_ms) {
    RM_ASSERT(slot_index < slots_.size());
    Slot& slot = slots_[slot_index];
    const bool was_live = slot.live;
    if (was_live) {
        slot.live = false;
        RM_ASSERT(live_count_ > 0);
        --live_count_;
    }
    if (!slot.ever_ready) {
        ++slot.failed_starts;
    }
    if (was_live && now_ms - slot.ready_at_ms > kShortLifeMs) {
        slot.next_delay_ms = kFirstDelayMs;
        return 0;
    }
    const uint64_t delay_ms = slot.next_delay_ms;
    slot.next_delay_ms = std::min(slot.next_delay_ms * 2, kLongestDelayMs);
    const bool was_last_live = was_live && live_count_ == 0;
    return was_last_live ? 0 : delay_ms;
}

}  // namespace ringmaster::master
