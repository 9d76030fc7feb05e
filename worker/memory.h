// SPDX-License-Identifier: Apache-2.0
// Where the data path of one worker gets its memory.
#pragma once

#include "common/base/chunk.h"
#include "common/base/slab.h"
#include "worker/limits.h"
#include "worker/memory_budget.h"
#include "worker/out_queue.h"
#include "worker/request.h"

namespace ringmaster::worker {

struct Memory {
    base::ChunkPool chunks;
    base::Slab<Segment> segments;
    base::Slab<Request> requests;
    base::ChunkRef parking;  // small replies that wait for their turn are copied here
    size_t parking_used = 0;
    MemoryBudget budget;  // this worker's share of max_memory
    // How it was when it was last looked at, which is once a turn, at least.
    bool full = false;        // the share was used up
    bool may_refuse = false;  // that, or it is short

    size_t raw_key_bytes = 0;  // of RawKeys
    size_t unreturned = 0;     // freed, but the allocator may still keep it
    unsigned decays = 0;

    [[nodiscard]] size_t bytes_in_use() const noexcept {
        return chunks.bytes_in_use() + segments.reserved_bytes() + requests.reserved_bytes() +
               raw_key_bytes;
    }
    [[nodiscard]] MemoryBudget::Level level() const noexcept {
        return budget.level(bytes_in_use());
    }
    [[nodiscard]] bool is_short() const noexcept { return budget.is_short(bytes_in_use()); }
    // Whether the share has room for so much more.
    [[nodiscard]] bool fits(size_t bytes) const noexcept {
        return budget.fits(bytes_in_use(), bytes);
    }
    // What a buffer of unknown length may have beyond its need.
    [[nodiscard]] size_t spare() const noexcept {
        const size_t in_use = bytes_in_use();
        return in_use < budget.share() ? (budget.share() - in_use) / 4 : 0;
    }
    void look() noexcept {
        full = budget.is_full(bytes_in_use());
        may_refuse = is_short();
    }

    // Keeps `bytes` beyond this turn: by reference when large and in `chunk`, else copied.
    StoredReply park(const base::ChunkRef& chunk, const char* data, size_t size);
    // For the whole process, once, before it allocates anything large.
    static void tune_allocator() noexcept;
    // About once a second.
    void decay() noexcept;
};

}  // namespace ringmaster::worker
