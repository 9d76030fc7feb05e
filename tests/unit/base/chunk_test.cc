// SPDX-License-Identifier: Apache-2.0
#include "common/base/chunk.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace ringmaster::base {
namespace {

TEST_CASE("chunk pool: a chunk holds what was asked for, in the smallest class that does") {
    ChunkPool pool;
    CHECK(pool.acquire(0)->capacity() == 512);
    CHECK(pool.acquire(512)->capacity() == 512);
    CHECK(pool.acquire(513)->capacity() == 1024);
    CHECK(pool.acquire(65536)->capacity() == 65536);
    CHECK(pool.acquire(65537)->capacity() == 65537);
    for (const size_t bytes : {size_t{1}, size_t{4096}, size_t{100000}}) {
        ChunkRef chunk = pool.acquire(bytes);
        std::memset(chunk->data(), 'x', chunk->capacity());
    }
}

TEST_CASE("chunk pool: the last reference gives the chunk back, and it is used again") {
    ChunkPool pool;
    char* first = nullptr;
    {
        ChunkRef a = pool.acquire(1000);
        first = a->data();
        CHECK_FALSE(a->shared());
        ChunkRef b = a;
        CHECK(a->shared());
        CHECK(pool.bytes_in_use() == 1024);
        a.reset();
        CHECK_FALSE(b->shared());
        CHECK(pool.bytes_in_use() == 1024);
    }
    CHECK(pool.bytes_in_use() == 0);
    CHECK(pool.acquire(1000)->data() == first);
}

TEST_CASE("chunk pool: what a burst left is given back by halves, what is in use is not") {
    ChunkPool pool;
    const ChunkRef kept = pool.acquire(4096);
    {
        std::vector<ChunkRef> burst;
        for (int i = 0; i < 100; ++i) {
            burst.push_back(pool.acquire(4096));
        }
    }
    CHECK(pool.decay() == 0);  // all of it was in use since the last call
    CHECK(pool.decay() == size_t{50} * 4096);
    CHECK(pool.decay() == size_t{25} * 4096);
    size_t freed = 1;
    for (int i = 0; i < 10 && freed > 0; ++i) {
        freed = pool.decay();
    }
    CHECK(freed == 0);
    CHECK(pool.bytes_in_use() == 4096);
}

TEST_CASE("chunk pool: a chunk grows with its content") {
    ChunkPool pool;
    for (const size_t from : {100UL, 60000UL, 100000UL, 10000000UL}) {
        CAPTURE(from);
        ChunkRef chunk = pool.acquire(from);
        std::memset(chunk->data(), 'x', from);
        chunk = pool.grow(std::move(chunk), 3 * from);
        CHECK(chunk->capacity() >= 3 * from);
        CHECK(pool.bytes_in_use() == chunk->capacity());
        CHECK(std::count(chunk->data(), chunk->data() + from, 'x') == static_cast<long>(from));
        chunk->data()[3 * from - 1] = 'y';
        chunk.reset();
        CHECK(pool.bytes_in_use() == 0);
    }
}

TEST_CASE("chunk pool: decay tells of large chunks that were freed meanwhile") {
    ChunkPool pool;
    pool.acquire(1 << 20).reset();
    CHECK(pool.decay() >= 1 << 20);
    CHECK(pool.decay() == 0);
}

}  // namespace
}  // namespace ringmaster::base
