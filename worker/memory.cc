// SPDX-License-Identifier: Apache-2.0
#include "worker/memory.h"

#include <cstring>

#include <malloc.h>

namespace ringmaster::worker {

namespace {
constexpr size_t kParkingBytes = 16 << 10;
constexpr size_t kTrimBytes = 1 << 20;
constexpr unsigned kDecaysPerTrim = 4;
// From here on an allocation is pages of its own: they go back when it is freed, and move without a
// copy when it grows. Left alone, the allocator raises this to 32 MB after the first large ones.
constexpr int kMappedBytes = 256 << 10;
// So much free memory at its top the allocator may keep until it is told to trim.
constexpr int kTopBytes = 8 << 20;
}  // namespace

void Memory::tune_allocator() noexcept {
    ::mallopt(M_MMAP_THRESHOLD, kMappedBytes);
    ::mallopt(M_TRIM_THRESHOLD, kTopBytes);
}

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
    const size_t slabs_before = segments.reserved_bytes() + requests.reserved_bytes();
    unreturned += chunks.decay();
    segments.decay();
    requests.decay();
    unreturned += slabs_before - segments.reserved_bytes() - requests.reserved_bytes();
    // The allocator keeps what is freed below its top; a burst's memory shall go back for good. Not
    // each time: with large values there is always something, and what goes back has to come again.
    if (++decays % kDecaysPerTrim == 0 && unreturned >= kTrimBytes) {
        unreturned = 0;
        ::malloc_trim(0);
    }
}

}  // namespace ringmaster::worker
