// SPDX-License-Identifier: Apache-2.0
#include "worker/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ringmaster::worker {

std::span<char> InputBuffer::prepare_other(base::ChunkPool& chunks, HotChunk& hot) {
    if (in_place_) {
        return {partial_->data() + used_, partial_->capacity() - used_};
    }
    base::ChunkRef& chunk = expected_ > 0 ? hot.get_large(chunks, expected_) : hot.get(chunks);
    if (used_ > 0) {
        // The stash stays until bytes have really come: a read may come back empty-handed.
        std::memcpy(chunk->data(), partial_->data(), used_);
    }
    return {chunk->data() + used_, chunk->capacity() - used_};
}

Window InputBuffer::arrived_other(HotChunk& hot, size_t size) {
    Window window;
    window.own_buffer = in_place_;
    window.large_buffer = !in_place_ && expected_ > 0;
    window.chunk = in_place_ ? partial_ : window.large_buffer ? hot.last_large() : hot.last();
    window.begin = window.chunk->data();
    window.size = used_ + size;
    clear();
    if (window.large_buffer && window.size < kLargeReadBytes &&
        ++small_reads_ == kSmallReadsInARow) {
        expected_ = 0;
    }
    return window;
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
// The shared chunk becomes the connection's, unless most of it would be waste.
bool takes_over(const Window& window, const char* rest, size_t needed) noexcept {
    return window.large_buffer && has_room(window, rest, needed) &&
           needed >= window.chunk->capacity() / 2;
}

}  // namespace

size_t InputBuffer::bytes_to_take(const Window& window, const char* rest, size_t needed) noexcept {
    if (needed <= kStashBytes || goes_on_in_own(window, rest, needed)) {
        return 0;
    }
    if (takes_over(window, rest, needed)) {
        return window.chunk->capacity();  // those who share it get another one
    }
    const bool grows = window.own_buffer && rest == window.chunk->data();
    return needed + kSlackBytes + 1 - (grows ? window.chunk->capacity() : 0);
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
