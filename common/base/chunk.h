// SPDX-License-Identifier: Apache-2.0
// Reference-counted byte buffers in size classes: what requests and replies travel in.
//
// One thread. A ChunkRef shares a chunk; the last one gives it back to its pool's free list.
// Chunks of the classes are kept for reuse and given back by decay(), called about once a second;
// larger ones are allocated to size and freed at once. bytes_in_use() is what max_memory is held
// against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "common/base/assert.h"
#include "common/base/inline.h"

namespace ringmaster::base {

class ChunkPool;

class Chunk {
  public:
    [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
    [[nodiscard]] size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool shared() const noexcept { return references_ > 1; }

  private:
    friend class ChunkPool;
    friend class ChunkRef;

    ChunkPool* pool_;
    Chunk* next_free_;
    size_t capacity_;
    uint32_t references_;
    uint32_t size_class_;
};

class ChunkRef {
  public:
    ChunkRef() = default;
    ChunkRef(const ChunkRef& other) noexcept : chunk_(other.chunk_) {
        if (chunk_ != nullptr) {
            ++chunk_->references_;
        }
    }
    ChunkRef(ChunkRef&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
    ChunkRef& operator=(ChunkRef other) noexcept {
        std::swap(chunk_, other.chunk_);
        return *this;
    }
    RM_INLINE ~ChunkRef();

    [[nodiscard]] explicit operator bool() const noexcept { return chunk_ != nullptr; }
    Chunk* operator->() const noexcept { return chunk_; }
    [[nodiscard]] Chunk* get() const noexcept { return chunk_; }
    inline void reset() noexcept;

  private:
    friend class ChunkPool;
    explicit ChunkRef(Chunk* chunk) noexcept : chunk_(chunk) {}

    Chunk* chunk_ = nullptr;
};

class ChunkPool {
  public:
    // Capacities of the classes. The largest is the size of one read.
    static constexpr size_t kClassBytes[] = {512, 1024, 4096, 16384, 65536};
    static constexpr uint32_t kClasses = 5;

    ChunkPool() = default;
    ChunkPool(const ChunkPool&) = delete;
    ChunkPool& operator=(const ChunkPool&) = delete;
    ~ChunkPool();

    // capacity() >= bytes; the content is undefined.
    ChunkRef acquire(size_t bytes);
    // One of exactly kClassBytes[size_class] into `empty`: the quick way.
    void acquire_class(uint32_t size_class, ChunkRef& empty) {
        RM_DEBUG_ASSERT(size_class < kClasses);
        RM_DEBUG_ASSERT(empty.chunk_ == nullptr);
        FreeList& list = free_[size_class];
        Chunk* chunk = list.head;
        if (chunk == nullptr) [[unlikely]] {
            empty = acquire(kClassBytes[size_class]);
            return;
        }
        list.head = chunk->next_free_;
        --list.count;
        list.low = list.count < list.low ? list.count : list.low;
        chunk->references_ = 1;
        bytes_in_use_ += chunk->capacity_;
        empty.chunk_ = chunk;
    }
    // The same content in a larger chunk, without a copy where the system can move pages.
    // Requires: nobody else refers to it.
    ChunkRef grow(ChunkRef chunk, size_t bytes);
    // Gives back half of what was not used since the last call; returns the bytes freed since then,
    // those of chunks larger than any class included.
    size_t decay() noexcept;

    [[nodiscard]] size_t bytes_in_use() const noexcept { return bytes_in_use_; }

  private:
    friend class ChunkRef;
    inline void release(Chunk* chunk) noexcept;
    // The same, for places that seldom are the last to let go.
    void release_apart(Chunk* chunk) noexcept;
    void free_large(Chunk* chunk) noexcept;

    struct FreeList {
        Chunk* head = nullptr;
        size_t count = 0;
        size_t low = 0;  // least count since the last decay()
    };
    FreeList free_[kClasses];
    size_t bytes_in_use_ = 0;
    size_t large_freed_ = 0;  // since the last decay()
};

inline void ChunkPool::release(Chunk* chunk) noexcept {
    RM_DEBUG_ASSERT(bytes_in_use_ >= chunk->capacity_);
    bytes_in_use_ -= chunk->capacity_;
    if (chunk->size_class_ >= kClasses) [[unlikely]] {
        free_large(chunk);
        return;
    }
    FreeList& list = free_[chunk->size_class_];
    chunk->next_free_ = list.head;
    list.head = chunk;
    ++list.count;
}

RM_INLINE inline ChunkRef::~ChunkRef() {
    if (chunk_ != nullptr && --chunk_->references_ == 0) [[unlikely]] {
        chunk_->pool_->release_apart(chunk_);
    }
}

inline void ChunkRef::reset() noexcept {
    Chunk* chunk = std::exchange(chunk_, nullptr);
    if (chunk != nullptr && --chunk->references_ == 0) {
        chunk->pool_->release(chunk);
    }
}

}  // namespace ringmaster::base
