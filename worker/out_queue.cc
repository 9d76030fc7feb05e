// SPDX-License-Identifier: Apache-2.0
#include "worker/out_queue.h"

#include <algorithm>
#include <utility>

#include "worker/limits.h"
#include "worker/memory.h"

namespace ringmaster::worker {

namespace {

// Copied output grows in steps, so that an idle-ish connection holds little and a busy one few
// pieces.
size_t copy_chunk_bytes(size_t bytes_queued, size_t size) noexcept {
    const size_t step = bytes_queued == 0     ? OutQueue::kFirstCopyBytes
                        : bytes_queued < 8192 ? 4096
                                              : 16384;
    return std::max(step, size);
}

}  // namespace

OutQueue::~OutQueue() {
    RM_ASSERT(head_ == nullptr);
}

Segment* OutQueue::push(Memory& memory) {
    Segment* segment = &own_;
    if (tail_ != nullptr) {
        segment = memory.segments.make();
        tail_->next = segment;
    } else {
        own_.next = nullptr;
        head_ = segment;
    }
    tail_ = segment;
    return segment;
}

void OutQueue::drop(Memory& memory, Segment* segment) noexcept {
    if (segment == &own_) {
        own_.chunk.reset();
    } else {
        memory.segments.destroy(segment);
    }
}

void OutQueue::append_slow(Memory& memory, const char* data, size_t size) {
    if (head_ != nullptr || size - 1 >= kFirstCopyBytes) [[unlikely]] {
        append_more(memory, data, size);
        return;
    }
    // A small piece in an empty queue: what most turns of the loop write.
    memory.chunks.acquire_class(kFirstCopyClass, own_.chunk);
    char* const to = own_.chunk->data();
    own_.next = nullptr;
    own_.data = to;
    own_.size = size;
    head_ = &own_;
    tail_ = &own_;
    write_at_ = to + size;
    room_ = kFirstCopyBytes - size;
    bytes_ = size;
    std::memcpy(to, data, size);
}

void OutQueue::append_more(Memory& memory, const char* data, size_t size) {
    if (size == 0) {
        return;
    }
    if (room_ > 0) {  // fill what is left, so that no piece is small without need
        const size_t first = room_;
        append(memory, data, first);
        data += first;
        size -= first;
    }
    base::ChunkRef chunk = memory.chunks.acquire(copy_chunk_bytes(bytes_, size));
    char* const to = chunk->data();
    std::memcpy(to, data, size);
    write_at_ = to + size;
    room_ = chunk->capacity() - size;
    bytes_ += size;
    Segment* segment = push(memory);
    segment->chunk = std::move(chunk);
    segment->data = to;
    segment->size = size;
}

void OutQueue::append_reference(Memory& memory, const base::ChunkRef& chunk, const char* data,
                                size_t size) {
    if (tail_ != nullptr && tail_->chunk.get() == chunk.get() &&
        tail_->data + tail_->size == data && room_ == 0) {
        tail_->size += size;  // adjacent ranges are one piece
        bytes_ += size;
        return;
    }
    Segment* segment = push(memory);
    segment->chunk = chunk;
    segment->data = data;
    segment->size = size;
    room_ = 0;
    bytes_ += size;
}

size_t OutQueue::gather(iovec* pieces, size_t max_pieces) const noexcept {
    size_t count = 0;
    for (const Segment* s = head_; s != nullptr && count < max_pieces; s = s->next) {
        pieces[count].iov_base = const_cast<char*>(s->data);
        pieces[count].iov_len = s->size;
        ++count;
    }
    return count;
}

void OutQueue::forget() noexcept {
    head_ = nullptr;
    tail_ = nullptr;
    write_at_ = nullptr;
    room_ = 0;
    bytes_ = 0;
}

void OutQueue::drop_one_piece(Memory& memory) noexcept {
    RM_DEBUG_ASSERT(is_one_piece());
    drop(memory, head_);
    forget();
}

void OutQueue::consume(Memory& memory, size_t size) noexcept {
    RM_DEBUG_ASSERT(size <= bytes_);
    bytes_ -= size;
    while (size > 0) {
        Segment* segment = head_;
        if (segment->size > size) {
            segment->data += size;
            segment->size -= size;
            return;
        }
        size -= segment->size;
        head_ = segment->next;
        drop(memory, segment);
    }
    if (head_ == nullptr) {
        forget();
    }
}

Segment* OutQueue::take(Memory& memory) {
    Segment* chain = head_;
    if (chain == &own_) {
        chain = memory.segments.make();
        chain->next = own_.next;
        chain->chunk = std::move(own_.chunk);
        chain->data = own_.data;
        chain->size = own_.size;
    }
    forget();
    return chain;
}

void OutQueue::clear(Memory& memory) noexcept {
    Segment* segment = head_;
    forget();
    while (segment != nullptr) {
        Segment* next = segment->next;
        drop(memory, segment);
        segment = next;
    }
}

}  // namespace ringmaster::worker
