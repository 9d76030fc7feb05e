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
    Chunk* chunk = nullptr;
    if (size_class < kClasses && free_[size_class].head != nullptr) {
        FreeList& list = free_[size_class];
        chunk = std::exchange(list.head, list.head->next_free_);
        --list.count;
        list.low = list.count < list.low ? list.count : list.low;
    } else {
        const size_t capacity = size_class < kClasses ? kClassBytes[size_class] : bytes;
        chunk = static_cast<Chunk*>(std::malloc(sizeof(Chunk) + capacity + kSlackBytes));
        if (chunk == nullptr) {
            std::abort();  // out of memory is fatal by design: the worker is respawned
        }
        chunk->pool_ = this;
        chunk->capacity_ = capacity;
        chunk->size_class_ = size_class;
    }
    chunk->next_free_ = nullptr;
    chunk->references_ = 1;
    bytes_in_use_ += chunk->capacity_;
    return ChunkRef(chunk);
}

void ChunkPool::release(Chunk* chunk) noexcept {
    RM_DEBUG_ASSERT(bytes_in_use_ >= chunk->capacity_);
    bytes_in_use_ -= chunk->capacity_;
    if (chunk->size_class_ >= kClasses) {
        std::free(chunk);
        return;
    }
    FreeList& list = free_[chunk->size_class_];
    chunk->next_free_ = list.head;
    list.head = chunk;
    ++list.count;
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
