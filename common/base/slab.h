// SPDX-License-Identifier: Apache-2.0
// Objects of one type from 64 KiB blocks: no malloc per object once warm, and memory that goes
// back.
//
// One thread. make()/destroy() are O(1). A block whose objects are all gone is kept for the next
// burst; decay(), called about once a second, gives back half of the blocks that stayed empty since
// the last call. All objects must be destroyed before the Slab (asserted).
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#include "common/base/assert.h"
#include "common/base/inline.h"
#include "common/base/intrusive_list.h"

namespace ringmaster::base {

template <class T>
class Slab {
  public:
    Slab() = default;
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;
    ~Slab() {
        RM_ASSERT(live_ == 0);
        while (!with_room_.empty()) {
            release_block(with_room_.pop_front());
        }
        while (!empty_.empty()) {
            release_block(empty_.pop_front());
        }
    }

    template <class... Args>
    RM_INLINE T* make(Args&&... args) {
        Block* block = with_room_.front_or_null();
        if (block == nullptr) [[unlikely]] {
            block = fresh_block();
        }
        Cell* cell = block->free;
        block->free = cell->next;
        ++block->live;
        ++live_;
        if (cell->next == nullptr) [[unlikely]] {
            block->unlink();
        }
        return new (static_cast<void*>(cell)) T(std::forward<Args>(args)...);
    }

    void destroy(T* object) noexcept {
        object->~T();
        Block* block = block_of(object);
        Cell* cell = reinterpret_cast<Cell*>(object);
        cell->next = block->free;
        block->free = cell;
        RM_DEBUG_ASSERT(block->live > 0);
        --block->live;
        --live_;
        if (block->live == 0 || cell->next == nullptr) [[unlikely]] {
            refile(block);
        }
    }

    void decay() noexcept {
        for (size_t n = (empty_low_ + 1) / 2; n > 0; --n) {
            release_block(empty_.pop_front());
            --empty_count_;
        }
        empty_low_ = empty_count_;
    }

    [[nodiscard]] size_t live_count() const noexcept { return live_; }
    [[nodiscard]] size_t reserved_bytes() const noexcept { return blocks_ * kBlockBytes; }

  private:
    static constexpr size_t kBlockBytes = 64 << 10;
    struct BlockTag {};
    union Cell {
        Cell* next;
        alignas(T) unsigned char storage[sizeof(T)];
    };
    struct Block : ListLink<BlockTag> {
        Cell* free = nullptr;
        size_t live = 0;
    };
    static constexpr size_t kFirstCell =
        (sizeof(Block) + alignof(Cell) - 1) / alignof(Cell) * alignof(Cell);
    static constexpr size_t kCells = (kBlockBytes - kFirstCell) / sizeof(Cell);
    static_assert(kCells >= 16);

    static Block* block_of(T* object) noexcept {
        return reinterpret_cast<Block*>(reinterpret_cast<size_t>(object) & ~(kBlockBytes - 1));
    }

    Block* fresh_block() {
        Block* block = empty_.front_or_null();
        if (block != nullptr) {
            block->unlink();
            --empty_count_;
            empty_low_ = empty_count_ < empty_low_ ? empty_count_ : empty_low_;
        } else {
            void* memory = std::aligned_alloc(kBlockBytes, kBlockBytes);
            if (memory == nullptr) {
                std::abort();  // out of memory is fatal by design: the worker is respawned
            }
            block = new (memory) Block;
            char* cells = static_cast<char*>(memory) + kFirstCell;
            for (size_t i = kCells; i > 0; --i) {
                Cell* cell = reinterpret_cast<Cell*>(cells + (i - 1) * sizeof(Cell));
                cell->next = block->free;
                block->free = cell;
            }
            ++blocks_;
        }
        with_room_.push_back(*block);
        return block;
    }

    // It was full, or is empty now.
    void refile(Block* block) noexcept {
        if (block->live == 0) {
            block->unlink();
            empty_.push_back(*block);
            ++empty_count_;
        } else {
            with_room_.push_back(*block);
        }
    }

    void release_block(Block* block) noexcept {
        block->unlink();
        block->~Block();
        std::free(block);
        --blocks_;
    }

    IntrusiveList<Block, BlockTag> with_room_;
    IntrusiveList<Block, BlockTag> empty_;
    size_t empty_count_ = 0;
    size_t empty_low_ = 0;
    size_t blocks_ = 0;
    size_t live_ = 0;
};

}  // namespace ringmaster::base
