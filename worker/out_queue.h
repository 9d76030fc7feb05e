// SPDX-License-Identifier: Apache-2.0
// Bytes on their way out of one connection: small pieces copied together, large ones by reference.
//
// An empty queue owns no memory. Memory is passed in rather than kept, a connection has two of
// these.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include <sys/uio.h>

#include "common/base/chunk.h"
#include "common/base/inline.h"
#include "worker/limits.h"

namespace ringmaster::worker {

struct Memory;

struct Segment {
    Segment* next = nullptr;
    base::ChunkRef chunk;  // null: static storage
    const char* data = nullptr;
    size_t size = 0;
};

class OutQueue {
  public:
    // The first piece that is copied gets a chunk of this class.
    static constexpr uint32_t kFirstCopyClass = 1;
    static constexpr size_t kFirstCopyBytes = base::ChunkPool::kClassBytes[kFirstCopyClass];

    OutQueue() = default;
    OutQueue(const OutQueue&) = delete;
    OutQueue& operator=(const OutQueue&) = delete;
    ~OutQueue();  // must be empty: see clear()

    RM_INLINE void append(Memory& memory, const char* data, size_t size) {
        if (size - 1 < room_) {  // false for 0 bytes, too
            std::memcpy(write_at_, data, size);
            write_at_ += size;
            room_ -= size;
            tail_->size += size;
            bytes_ += size;
            return;
        }
        append_slow(memory, data, size);
    }
    void append(Memory& memory, std::string_view bytes) {
        append(memory, bytes.data(), bytes.size());
    }
    // By reference when that is cheaper: `data` lies in `chunk` (which may be null: then it is
    // copied).
    RM_INLINE void append_from(Memory& memory, const base::ChunkRef& chunk, const char* data,
                               size_t size) {
        if (size < kReferenceBytes || !chunk) [[likely]] {
            append(memory, data, size);
        } else {
            append_reference(memory, chunk, data, size);
        }
    }

    // The first pieces; returns how many.
    size_t gather(iovec* pieces, size_t max_pieces) const noexcept;
    // Drops bytes from the front.
    void consume(Memory& memory, size_t size) noexcept;
    void clear(Memory& memory) noexcept;
    // Takes everything out as a chain of segments, which the caller destroys.
    Segment* take(Memory& memory);
    // All of it in one piece: [data, size). Most often there is no second.
    [[nodiscard]] bool is_one_piece() const noexcept {
        return head_ != nullptr && head_->next == nullptr;
    }
    [[nodiscard]] std::string_view first_piece() const noexcept {
        return {head_->data, head_->size};
    }
    // Everything has gone.
    void drop_one_piece(Memory& memory) noexcept;

    [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
    [[nodiscard]] size_t bytes() const noexcept { return bytes_; }

  private:
    void append_slow(Memory& memory, const char* data, size_t size);
    void append_more(Memory& memory, const char* data, size_t size);
    void append_reference(Memory& memory, const base::ChunkRef& chunk, const char* data,
                          size_t size);
    // An empty segment at the end.
    Segment* push(Memory& memory);
    void drop(Memory& memory, Segment* segment) noexcept;
    void forget() noexcept;

    // The first segment of an empty queue: most queues never have two.
    Segment own_;
    Segment* head_ = nullptr;
    Segment* tail_ = nullptr;
    char* write_at_ = nullptr;  // in the tail's chunk, when that is ours alone
    size_t room_ = 0;
    size_t bytes_ = 0;
};

// An OutQueue as the splitters' sink. Large pieces lie in `chunk` and are referenced there.
struct AppendFrom {
    Memory& memory;
    OutQueue& out;
    const base::ChunkRef& chunk;
    void append(const char* data, size_t size) { out.append_from(memory, chunk, data, size); }
};

}  // namespace ringmaster::worker
