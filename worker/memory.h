// SPDX-License-Identifier: Apache-2.0
// Where the data path of one worker gets its memory.
#pragma once

#include "common/base/chunk.h"
#include "common/base/slab.h"
#include "worker/limits.h"
#include "worker/out_queue.h"
#include "worker/request.h"

namespace ringmaster::worker {

struct Memory {
    base::ChunkPool chunks;
    base::Slab<Segment> segments;
    base::Slab<Request> requests;
    base::ChunkRef parking;  // small replies that wait for their turn are copied here
    size_t parking_used = 0;
    size_t budget_bytes = 0;  // this worker's share of max_memory

    [[nodiscard]] size_t bytes_in_use() const noexcept {
        return chunks.bytes_in_use() + segments.reserved_bytes() + requests.reserved_bytes();
    }
    // Above half of the budget the per-client limits become tight.
    [[nodiscard]] bool tight() const noexcept { return bytes_in_use() > budget_bytes / 2; }

    // Keeps `bytes` beyond this turn: by reference when large and in `chunk`, else copied.
    StoredReply park(const base::ChunkRef& chunk, const char* data, size_t size);
    void decay() noexcept;
};

}  // namespace ringmaster::worker
