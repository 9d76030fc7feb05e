// SPDX-License-Identifier: Apache-2.0
#include "worker/memory.h"

#include <cstring>

#include <malloc.h>

namespace ringmaster::worker {

namespace {
constexpr size_t kParkingBytes = 16 << 10;
constexpr size_t kTrimBytes = 1 << 20;
}  // namespace

StoredReply Memory::park(const base::ChunkRef& chunk, const char* data, size_t size) {
    StoredReply stored;
    stored.size = size;
    if (size >= kReferenceBytes) {
        if (chunk) {
            stored.chunk = chunk;
            stored.data = data;
            return stored;
        }
        stored.chunk = chunks.acquire(size);
        std::memcpy(stored.chunk->data(), data, size);
        stored.data = stored.chunk->data();
        return stored;
    }
    if (parking && !parking->shared()) {
        parking_used = 0;  // nobody waits in it any more
    }
    if (!parking || parking->capacity() - parking_used < size) {
        parking = chunks.acquire(kParkingBytes);
        parking_used = 0;
    }
    stored.chunk = parking;
    stored.data = parking->data() + parking_used;
    std::memcpy(parking->data() + parking_used, data, size);
    parking_used += size;
    return stored;
}

void Memory::decay() noexcept {
    if (parking && !parking->shared()) {
        parking.reset();
        parking_used = 0;
    }
    const size_t freed = chunks.decay();
    segments.decay();
    requests.decay();
    if (freed >= kTrimBytes) {
        // The allocator keeps what is freed below its top; a burst's memory shall go back for good.
        ::malloc_trim(0);
    }
}

}  // namespace ringmaster::worker
