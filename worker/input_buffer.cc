// SPDX-License-Identifier: Apache-2.0
#include "worker/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ringmaster::worker {

void HotChunk::renew(base::ChunkPool& chunks) {
    chunk_ = chunks.acquire(kReadBytes);
}

std::span<char> InputBuffer::prepare_other(base::ChunkPool& chunks, HotChunk& hot) {
    if (in_place_) {
        return {partial_->data() + used_, partial_->capacity() - used_};
    }
    base::ChunkRef& chunk = reads_large(hot) ? hot.get_large(chunks, expected_) : hot.get(chunks);
    if (used_ > 0) {
        // The stash stays until bytes have really come: a read may come back empty-handed.
        std::memcpy(chunk->data(), partial_->data(), used_);
    }
    return {chunk->data() + used_, chunk->capacity() - used_};
}

Window InputBuffer::arrived_other(HotChunk& hot, size_t size) {
    Window window;
    window.own_buffer = in_place_;
    window.large_buffer = reads_large(hot);
    window.chunk = in_place_ ? partial_ : window.large_buffer ? hot.last_large() : hot.last();
    window.begin = window.chunk->data();
    window.size = used_ + size;
    clear();
    if (window.large_buffer) {
        after_large_read(hot, window);
    }
    return window;
}

void InputBuffer::after_large_read(HotChunk& hot, Window& window) {
    if (window.size >= window.chunk->capacity() / 4) {
        small_reads_ = 0;
        return;
    }
    if (window.size < kReferenceBytes) {  // pins nothing
        if (++small_reads_ == kSmallReadsInARow) {
            expected_ = 0;
        }
        return;
    }
    // A piece of it that is referred to would pin all of the chunk.
    expected_ = 0;
    if (window.chunk->capacity() > kReadBytes) {
        base::ChunkRef& usual = hot.get_instead();
        RM_DEBUG_ASSERT(usual->capacity() >= window.size);
        std::memcpy(usual->data(), window.begin, window.size);
        window.chunk = usual;
        window.begin = usual->data();
        window.large_buffer = false;
    }
}

// The next message may be like this one.
void InputBuffer::expect(size_t needed) noexcept {
    const bool pays = needed >= kLargeReadBytes && needed <= kMostExpectedBytes;
    expected_ = pays ? static_cast<uint32_t>(needed + kSlackBytes + 1) : 0;
    small_reads_ = 0;
}

namespace {

// A message that begins where the window's chunk does, with room for all of it.
bool has_room(const Window& window, const char* rest, size_t needed) noexcept {
    return rest == window.chunk->data() && window.chunk->capacity() > needed;
}
bool goes_on_in_own(const Window& window, const char* rest, size_t needed) noexcept {
    return window.own_buffer && has_room(window, rest, needed);
}
// The shared chunk becomes the connection's, unless a good part of it would be waste. (A buffer of
// its own is not smaller than a usual chunk.)
bool takes_over(const Window& window, const char* rest, size_t needed) noexcept {
    const size_t capacity = window.chunk->capacity();
    return window.large_buffer && has_room(window, rest, needed) &&
           (capacity <= kReadBytes || needed >= capacity / 4 * 3);
}

}  // namespace

InputBuffer::Place InputBuffer::place_for(const Window& window, const char* rest,
                                          size_t needed) noexcept {
    if (needed <= kStashBytes) {
        return {};
    }
    if (goes_on_in_own(window, rest, needed)) {
        return {.more = 0, .total = needed, .own = true};
    }
    if (takes_over(window, rest, needed)) {
        return {.more = 0, .total = window.chunk->capacity(), .own = false};
    }
    const bool grows = window.own_buffer && rest == window.chunk->data();
    const size_t more = needed + kSlackBytes + 1 - (grows ? window.chunk->capacity() : 0);
    return {.more = more, .total = needed, .own = false};
}

void InputBuffer::keep(base::ChunkPool& chunks, Window& window, const char* rest, size_t rest_size,
                       size_t needed, size_t spare) {
    RM_DEBUG_ASSERT(used_ == 0);
    if (rest_size == 0) {
        return;
    }
    used_ = rest_size;
    if (needed <= kStashBytes) {
        partial_ = chunks.acquire(rest_size);
        std::memcpy(partial_->data(), rest, rest_size);
        return;
    }
    in_place_ = true;
    expect(needed);
    if (goes_on_in_own(window, rest, needed) || takes_over(window, rest, needed)) {
        partial_ = window.chunk;
        return;
    }
    // Where the length of the whole is not known yet, growing by a part keeps the copying linear;
    // large ones are mostly moved, not copied, and shall not waste half of themselves.
    const size_t least = needed + kSlackBytes;
    const size_t ahead = rest_size < kLargeReplyBytes ? 2 * rest_size : rest_size / 4 * 5;
    const size_t wanted = std::max(least, ahead);
    const size_t capacity = (wanted - least <= spare ? wanted : least + spare) + 1;
    if (window.own_buffer && rest == window.chunk->data() && !window.chunk->shared()) {
        partial_ = chunks.grow(std::move(window.chunk), capacity);
        return;
    }
    partial_ = chunks.acquire(capacity);
    std::memcpy(partial_->data(), rest, rest_size);
}

void InputBuffer::clear() noexcept {
    partial_.reset();
    used_ = 0;
    in_place_ = false;
}

}  // namespace ringmaster::worker
