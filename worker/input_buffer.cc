// SPDX-License-Identifier: Apache-2.0
#include "worker/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace ringmaster::worker {

std::span<char> InputBuffer::prepare_behind(base::ChunkPool& chunks, HotChunk& hot) {
    if (in_place_) {
        return {partial_->data() + used_, partial_->capacity() - used_};
    }
    // The stash stays until bytes have really come: a read may come back empty-handed.
    base::ChunkRef& chunk = hot.get(chunks);
    std::memcpy(chunk->data(), partial_->data(), used_);
    return {chunk->data() + used_, chunk->capacity() - used_};
}

Window InputBuffer::arrived_behind(HotChunk& hot, size_t size) {
    Window window;
    window.chunk = in_place_ ? partial_ : hot.last();
    window.begin = window.chunk->data();
    window.size = used_ + size;
    window.own_buffer = in_place_;
    clear();
    return window;
}

void InputBuffer::keep(base::ChunkPool& chunks, const Window& window, const char* rest,
                       size_t rest_size, size_t needed) {
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
    if (window.own_buffer && rest == window.chunk->data() && window.chunk->capacity() > needed) {
        partial_ = window.chunk;
        return;
    }
    // Where the length of the whole is not known yet, doubling keeps the copying linear.
    partial_ = chunks.acquire(std::max(needed + kSlackBytes, 2 * rest_size) + 1);
    std::memcpy(partial_->data(), rest, rest_size);
}

void InputBuffer::clear() noexcept {
    partial_.reset();
    used_ = 0;
    in_place_ = false;
}

}  // namespace ringmaster::worker
