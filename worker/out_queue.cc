// SPDX-License-Identifier: Apache-2.0
#include "worker/out_queue.h"

#include <algorithm>

#include "worker/limits.h"
#include "worker/memory.h"

namespace ringmaster::worker {

namespace {

// Copied output grows in steps, so that an idle-ish connection holds little and a busy one few
// pieces.
size_t copy_chunk_bytes(size_t bytes_queued, size_t size) noexcept {
    const size_t step = bytes_queued == 0 ? 1024 : bytes_queued < 8192 ? 4096 : 16384;
    return std::max(step, size);
}

}  // namespace

OutQueue::~OutQueue() {
    RM_ASSERT(head_ == nullptr);
}

void OutQueue::push(Segment* segment) noexcept {
    if (tail_ != nullptr) {
        tail_->next = segment;
    } else {
        head_ = segment;
    }
    tail_ = segment;
}

void OutQueue::append_slow(Memory& memory, const char* data, size_t size) {
    if (size == 0) {
        return;
    }
    if (room_ > 0) {  // fill what is left, so that no piece is small without need
        const size_t first = room_;
        append(memory, data, first);
        data += first;
        size -= first;
    }
    Segment* segment = memory.segments.make();
    segment->chunk = memory.chunks.acquire(copy_chunk_bytes(bytes_, size));
    segment->data = segment->chunk->data();
    segment->size = size;
    std::memcpy(segment->chunk->data(), data, size);
    write_at_ = segment->chunk->data() + size;
    room_ = segment->chunk->capacity() - size;
    bytes_ += size;
    push(segment);
}

void OutQueue::append_from(Memory& memory, const base::ChunkRef& chunk, const char* data,
                           size_t size) {
    if (size < kReferenceBytes || !chunk) {
        append(memory, data, size);
        return;
    }
    if (tail_ != nullptr && tail_->chunk.get() == chunk.get() &&
        tail_->data + tail_->size == data && room_ == 0) {
        tail_->size += size;  // adjacent ranges are one piece
        bytes_ += size;
        return;
    }
    Segment* segment = memory.segments.make();
    segment->chunk = chunk;
    segment->data = data;
    segment->size = size;
    room_ = 0;
    bytes_ += size;
    push(segment);
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
        memory.segments.destroy(segment);
    }
    if (head_ == nullptr) {
        tail_ = nullptr;
        write_at_ = nullptr;
        room_ = 0;
    }
}

Segment* OutQueue::take() noexcept {
    Segment* chain = head_;
    head_ = nullptr;
    tail_ = nullptr;
    write_at_ = nullptr;
    room_ = 0;
    bytes_ = 0;
    return chain;
}

void OutQueue::clear(Memory& memory) noexcept {
    Segment* chain = take();
    while (chain != nullptr) {
        Segment* next = chain->next;
        memory.segments.destroy(chain);
        chain = next;
    }
}

}  // namespace ringmaster::worker
