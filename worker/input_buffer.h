// SPDX-License-Identifier: Apache-2.0
// What a connection has received of a message that is not complete yet.
//
// Reads go into the worker's one hot chunk, where whole messages are parsed in place and nothing is
// kept. The beginning of an unfinished message is stashed and copied in front of the next read when
// small; otherwise it gets a buffer of its own, long enough for all of it, and the kernel writes
// the rest straight to its place. A parser thus always sees a message in one piece.
//
// A connection that had a large message reads into a chunk with room for another one like it, also
// shared: the next message that begins there stays there, and is not copied at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/chunk.h"
#include "worker/limits.h"

namespace ringmaster::worker {

// The read buffers all connections of a worker share.
class HotChunk {
  public:
    // A chunk that nobody refers to.
    base::ChunkRef& get(base::ChunkPool& chunks) {
        if (!chunk_ || chunk_->shared()) [[unlikely]] {
            renew(chunks);
        }
        return chunk_;
    }
    // What get() last returned.
    [[nodiscard]] const base::ChunkRef& last() const noexcept { return chunk_; }

    // The same with room for so much, and not for far more.
    base::ChunkRef& get_large(base::ChunkPool& chunks, size_t bytes) {
        if (!large_ || large_->shared() || large_->capacity() < bytes ||
            (large_->capacity() > kReadBytes && large_->capacity() / 5 * 4 > bytes)) {
            large_.reset();
            large_ = chunks.acquire(bytes);
            chunks_ = &chunks;
        }
        return large_;
    }
    // As get(), for one who has read into the large one. Requires: get_large() before.
    base::ChunkRef& get_instead() { return get(*chunks_); }
    // get_large() is for no more than this: a small share of memory has no room to spare.
    [[nodiscard]] size_t most_large() const noexcept { return most_large_; }
    void set_most_large(size_t bytes) noexcept { most_large_ = bytes; }
    // What get_large() last returned.
    [[nodiscard]] const base::ChunkRef& last_large() const noexcept { return large_; }
    // About once a second: whoever needs one makes one.
    void decay() noexcept { large_.reset(); }

  private:
    [[gnu::noinline]] void renew(base::ChunkPool& chunks);

    base::ChunkRef chunk_;
    base::ChunkRef large_;
    base::ChunkPool* chunks_ = nullptr;
    size_t most_large_ = SIZE_MAX;
};

// Bytes to parse: from the first byte of a message on. `chunk` holds them.
struct Window {
    char* begin = nullptr;
    size_t size = 0;
    base::ChunkRef chunk;
    bool own_buffer = false;    // `chunk` is the connection's, not a shared one
    bool large_buffer = false;  // it is the large shared one
};

class InputBuffer {
  public:
    // Where the next read goes. Never empty.
    std::span<char> prepare(base::ChunkPool& chunks, HotChunk& hot) {
        if ((used_ | expected_) != 0) [[unlikely]] {
            return prepare_other(chunks, hot);
        }
        base::ChunkRef& chunk = hot.get(chunks);
        return {chunk->data(), chunk->capacity()};
    }
    // `size` bytes came: everything there is of the message(s).
    Window arrived(HotChunk& hot, size_t size) {
        if ((used_ | expected_) != 0) [[unlikely]] {
            return arrived_other(hot, size);
        }
        return {hot.last()->data(), size, hot.last()};
    }
    // Keeps the unparsed end of a window, the beginning of a message that needs `needed` bytes at
    // least. Where the length of the whole is not known a buffer of its own is given up to `spare`
    // bytes more than it needs now. The window's chunk may be taken over.
    void keep(base::ChunkPool& chunks, Window& window, const char* rest, size_t rest_size,
              size_t needed, size_t spare = SIZE_MAX);
    // What keep() would take, without any to spare; nothing for a small message.
    struct Place {
        size_t more = 0;   // bytes beyond those of the window, which are in use
        size_t total = 0;  // of the message's buffer; at least
        bool own = true;   // it has that already
    };
    [[nodiscard]] static Place place_for(const Window& window, const char* rest,
                                         size_t needed) noexcept;
    // Of the buffer of its own; 0 when there is none.
    [[nodiscard]] size_t own_bytes() const noexcept { return in_place_ ? partial_->capacity() : 0; }
    void clear() noexcept;
    [[nodiscard]] size_t size() const noexcept { return used_; }

  private:
    // Apart: within a connection's on_read() they make every read dearer.
    [[gnu::noinline]] std::span<char> prepare_other(base::ChunkPool& chunks, HotChunk& hot);
    [[gnu::noinline]] Window arrived_other(HotChunk& hot, size_t size);
    void after_large_read(HotChunk& hot, Window& window);
    [[nodiscard]] bool reads_large(const HotChunk& hot) const noexcept {
        return !in_place_ && expected_ > 0 && expected_ <= hot.most_large();
    }
    void expect(size_t needed) noexcept;

    base::ChunkRef partial_;
    size_t used_ = 0;
    uint32_t expected_ = 0;    // 0 = to read into the usual chunk, else into one of so many bytes
    uint8_t small_reads_ = 0;  // in a row
    bool in_place_ = false;    // partial_ is a buffer of its own, not a stash
};

}  // namespace ringmaster::worker
