// SPDX-License-Identifier: Apache-2.0
#include "common/base/chunk.h"

#include <cstdlib>

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

void ChunkPool::free_large(Chunk* chunk) noexcept {
    std::free(chunk);
}

size_t ChunkPool::decay() noexcept {
    size_t freed = 0;
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
