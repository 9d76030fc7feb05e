// SPDX-License-Identifier: Apache-2.0
#include "common/base/chunk.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ringmaster::base {

namespace {

// Parsers may look at a few bytes behind what they were given; keep that inside the allocation.
constexpr size_t kSlackBytes = 16;

uint32_t class_for(size_t bytes) noexcept {
    uint32_t size_class = 0;
    while (size_class < ChunkPool::kClasses && ChunkPool::kClassBytes[size_class] < bytes) {
        ++size_class;
    }
    return size_class;  // kClasses: larger than any class
}

}  // namespace

ChunkPool::~ChunkPool() {
    RM_ASSERT(bytes_in_use_ == 0);
    for (FreeList& list : free_) {
        while (list.head != nullptr) {
            std::free(std::exchange(list.head, list.head->next_free_));
        }
    }
}

ChunkRef ChunkPool::acquire(size_t bytes) {
    const uint32_t size_class = class_for(bytes);
    if (size_class < kClasses && free_[size_class].head != nullptr) {
        ChunkRef chunk;
        acquire_class(size_class, chunk);
        return chunk;
    }
    const size_t capacity = size_class < kClasses ? kClassBytes[size_class] : bytes;
    auto* chunk = static_cast<Chunk*>(std::malloc(sizeof(Chunk) + capacity + kSlackBytes));
    if (chunk == nullptr) {
        std::abort();  // out of memory is fatal by design: the worker is respawned
    }
    chunk->pool_ = this;
    chunk->next_free_ = nullptr;
    chunk->capacity_ = capacity;
    chunk->references_ = 1;
    chunk->size_class_ = size_class;
    bytes_in_use_ += capacity;
    return ChunkRef(chunk);
}

ChunkRef ChunkPool::grow(ChunkRef chunk, size_t bytes) {
    RM_ASSERT(!chunk->shared());
    if (chunk->size_class_ < kClasses || bytes <= chunk->capacity_) {
        ChunkRef larger = acquire(bytes);
        std::memcpy(larger->data(), chunk->data(), std::min(bytes, chunk->capacity_));
        return larger;
    }
    Chunk* old = std::exchange(chunk.chunk_, nullptr);
    bytes_in_use_ += bytes - old->capacity_;
    auto* grown = static_cast<Chunk*>(std::realloc(old, sizeof(Chunk) + bytes + kSlackBytes));
    if (grown == nullptr) {
        std::abort();  // as in acquire()
    }
    grown->capacity_ = bytes;
    return ChunkRef(grown);
}

[[gnu::noinline]] void ChunkPool::release_apart(Chunk* chunk) noexcept {
    release(chunk);
}

void ChunkPool::free_large(Chunk* chunk) noexcept {
    large_freed_ += chunk->capacity_;
    std::free(chunk);
}

size_t ChunkPool::decay() noexcept {
    size_t freed = std::exchange(large_freed_, 0);
    for (FreeList& list : free_) {
        for (size_t n = (list.low + 1) / 2; n > 0; --n) {
            freed += list.head->capacity_;
            std::free(std::exchange(list.head, list.head->next_free_));
            --list.count;
        }
        list.low = list.count;
    }
    return freed;
}

}  // namespace ringmaster::base
