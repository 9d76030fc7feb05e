// SPDX-License-Identifier: Apache-2.0
#include "worker/out_queue.h"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "worker/memory.h"

namespace ringmaster::worker {
namespace {

std::string content(const OutQueue& queue) {
    iovec pieces[4096];
    const size_t count = queue.gather(pieces, 4096);
    std::string bytes;
    for (size_t i = 0; i < count; ++i) {
        bytes.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    }
    return bytes;
}

TEST_CASE("out queue: small pieces are copied together, nothing is an empty piece") {
    Memory memory;
    OutQueue queue;
    queue.append(memory, "");
    CHECK(queue.empty());
    for (int i = 0; i < 20; ++i) {
        queue.append(memory, "hello ");
        queue.append(memory, "");
    }
    iovec pieces[8];
    CHECK(queue.gather(pieces, 8) == 1);
    CHECK(content(queue).size() == 120);
    queue.clear(memory);
    CHECK(memory.chunks.bytes_in_use() == 0);
}

// Not inlined: g++ 12 would warn of a copy to nowhere, which room_ rules out.
[[gnu::noinline]] void append_from(OutQueue& queue, Memory& memory, const base::ChunkRef& chunk,
                                   const char* data, size_t size) {
    queue.append_from(memory, chunk, data, size);
}

TEST_CASE("out queue: a large piece is referenced where it lies, and its neighbour joins it") {
    Memory memory;
    OutQueue queue;
    base::ChunkRef chunk = memory.chunks.acquire(32768);
    std::fill_n(chunk->data(), 32768, 'z');
    queue.append(memory, "head");
    append_from(queue, memory, chunk, chunk->data(), 8192);
    append_from(queue, memory, chunk, chunk->data() + 8192, 8192);
    queue.append(memory, "tail");
    iovec pieces[8];
    REQUIRE(queue.gather(pieces, 8) == 3);
    CHECK(pieces[1].iov_base == chunk->data());
    CHECK(pieces[1].iov_len == 16384);
    CHECK(chunk->shared());
    CHECK(content(queue) == "head" + std::string(16384, 'z') + "tail");
    queue.clear(memory);
    CHECK_FALSE(chunk->shared());
}

TEST_CASE("out queue: seeded random appends and partial writes keep every byte in order") {
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        CAPTURE(seed);
        base::Rng rng(seed);
        Memory memory;
        OutQueue queue;
        std::string expected;
        for (int step = 0; step < 300; ++step) {
            if (rng.below(3) == 0 && !expected.empty()) {
                const size_t taken = 1 + rng.below(static_cast<uint32_t>(expected.size()));
                queue.consume(memory, taken);
                expected.erase(0, taken);
            } else if (rng.below(4) == 0) {
                const size_t size = 1 + rng.below(20000);
                base::ChunkRef chunk = memory.chunks.acquire(size);
                for (size_t i = 0; i < size; ++i) {
                    chunk->data()[i] = static_cast<char>('a' + rng.below(26));
                }
                queue.append_from(memory, chunk, chunk->data(), size);
                expected.append(chunk->data(), size);
            } else {
                const std::string small(rng.below(3000), static_cast<char>('A' + rng.below(26)));
                queue.append(memory, small);
                expected += small;
            }
            REQUIRE(queue.bytes() == expected.size());
        }
        CHECK(content(queue) == expected);
        queue.clear(memory);
        CHECK(memory.chunks.bytes_in_use() == 0);
        CHECK(memory.segments.live_count() == 0);
    }
}

TEST_CASE("parking: replies that wait keep their bytes, and the place is used again") {
    Memory memory;
    {
        const StoredReply a = memory.park(base::ChunkRef(), "+OK\r\n", 5);
        const StoredReply b = memory.park(base::ChunkRef(), ":1\r\n", 4);
        CHECK(a.view() == "+OK\r\n");
        CHECK(b.view() == ":1\r\n");
        CHECK(a.chunk.get() == b.chunk.get());
    }
    const char* place = memory.park(base::ChunkRef(), "x", 1).data;
    for (int i = 0; i < 100000; ++i) {
        CHECK(memory.park(base::ChunkRef(), "x", 1).data == place);
    }
    memory.parking.reset();
}

}  // namespace
}  // namespace ringmaster::worker
