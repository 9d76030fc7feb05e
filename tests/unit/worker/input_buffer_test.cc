// SPDX-License-Identifier: Apache-2.0
#include "worker/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "worker/limits.h"

namespace ringmaster::worker {
namespace {

// Messages of a length byte-pair and that many bytes, cut anywhere: what comes out is what went in.
struct Feeder {
    base::ChunkPool chunks;
    HotChunk hot;
    InputBuffer input;
    std::string parsed;

    static size_t length_of(const char* at) {
        return static_cast<size_t>(static_cast<unsigned char>(at[0])) << 16 |
               static_cast<size_t>(static_cast<unsigned char>(at[1])) << 8 |
               static_cast<size_t>(static_cast<unsigned char>(at[2]));
    }

    void feed(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::span<char> room = input.prepare(chunks, hot);
            REQUIRE_FALSE(room.empty());
            const size_t taken = std::min(room.size(), bytes.size());
            std::memcpy(room.data(), bytes.data(), taken);
            bytes.remove_prefix(taken);
            Window window = input.arrived(hot, taken);
            size_t at = 0;
            size_t needed = 3;
            while (window.size - at >= 3) {
                needed = 3 + length_of(window.begin + at);
                if (window.size - at < needed) {
                    break;
                }
                parsed.append(window.begin + at, needed);
                at += needed;
                needed = 3;
            }
            input.keep(chunks, window, window.begin + at, window.size - at, needed);
        }
    }
};

std::string message(size_t size, char fill) {
    std::string bytes{static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                      static_cast<char>(size)};
    return bytes + std::string(size, fill);
}

TEST_CASE("input buffer: messages of every size survive every cut") {
    std::string stream;
    char fill = 'a';
    for (const size_t size :
         {0UL,     1UL,      100UL,   4000UL, 4093UL,   4094UL,  5000UL,  65535UL, 65536UL,
          70000UL, 300000UL, 3UL,     0UL,    20000UL,  20000UL, 70000UL, 70000UL, 20000UL,
          5000UL,  4000UL,   70000UL, 0UL,    300000UL, 16384UL, 12UL}) {
        stream += message(size, fill++);
    }
    for (const size_t piece : {1UL, 2UL, 5UL, 100UL, 4096UL, 65536UL, 1000000UL}) {
        CAPTURE(piece);
        Feeder feeder;
        for (size_t at = 0; at < stream.size(); at += piece) {
            feeder.feed(std::string_view(stream).substr(at, piece));
        }
        CHECK(feeder.parsed == stream);
        CHECK(feeder.input.size() == 0);
        feeder.hot = HotChunk();
        CHECK(feeder.chunks.bytes_in_use() == 0);
    }
}

TEST_CASE("input buffer: a read that brings nothing loses nothing") {
    Feeder feeder;
    const std::string bytes = message(50, 'q');
    feeder.feed(std::string_view(bytes).substr(0, 20));
    feeder.input.prepare(feeder.chunks, feeder.hot);  // and nothing came
    feeder.input.prepare(feeder.chunks, feeder.hot);
    feeder.feed(std::string_view(bytes).substr(20));
    CHECK(feeder.parsed == bytes);
    feeder.hot = HotChunk();
}

TEST_CASE("input buffer: the rest of a large message is read straight to its place") {
    base::ChunkPool chunks;
    HotChunk hot;
    InputBuffer input;
    std::memset(input.prepare(chunks, hot).data(), 'x', 1000);
    Window window = input.arrived(hot, 1000);
    input.keep(chunks, window, window.begin, 1000, 1000000);
    const std::span<char> room = input.prepare(chunks, hot);
    CHECK(room.size() >= 999000);
    CHECK(room.size() <= 999000 + kSlackBytes + 16);
    input.clear();
}

// A connection after a message of `size` bytes that did not come at once.
struct AfterLarge {
    base::ChunkPool chunks;
    HotChunk hot;
    InputBuffer input;

    explicit AfterLarge(size_t size) {
        read(1000);
        Window window = input.arrived(hot, 1000);
        input.keep(chunks, window, window.begin, 1000, size);
        read(size - 1000);
        window = input.arrived(hot, size - 1000);
    }
    std::span<char> read(size_t size) {
        const std::span<char> room = input.prepare(chunks, hot);
        REQUIRE(room.size() >= size);
        std::memset(room.data(), 'x', size);
        return room;
    }
};

TEST_CASE("input buffer: the next large message stays where it was read") {
    AfterLarge after(100000);
    const char* const place = after.read(60000).data();
    Window window = after.input.arrived(after.hot, 60000);
    const size_t in_use = after.chunks.bytes_in_use();
    const InputBuffer::Place taken = InputBuffer::place_for(window, window.begin, 100000);
    CHECK_FALSE(taken.own);
    CHECK(taken.more == 0);
    after.input.keep(after.chunks, window, window.begin, 60000, 100000);
    CHECK(after.input.own_bytes() == taken.total);
    CHECK(after.chunks.bytes_in_use() == in_use);
    CHECK(after.input.prepare(after.chunks, after.hot).data() == place + 60000);
    // Another connection does not read into it.
    CHECK(after.hot.get_large(after.chunks, 100000)->data() != place);
    after.input.clear();
}

TEST_CASE("input buffer: a message far smaller than the last takes no large chunk with it") {
    AfterLarge after(100000);
    after.read(5000);
    Window window = after.input.arrived(after.hot, 5000);
    CHECK(InputBuffer::place_for(window, window.begin, 6000).more == 6000 + kSlackBytes + 1);
    after.input.keep(after.chunks, window, window.begin, 5000, 6000, 0);
    CHECK(after.input.own_bytes() < 20000);
    after.input.clear();
}

TEST_CASE("input buffer: a message behind another one is moved to a buffer of its own") {
    AfterLarge after(100000);
    after.read(90000);
    Window window = after.input.arrived(after.hot, 90000);
    after.input.keep(after.chunks, window, window.begin + 70000, 20000, 100000);
    const std::span<char> room = after.input.prepare(after.chunks, after.hot);
    CHECK(room.size() >= 80000);
    CHECK(room.data()[-20000] == 'x');
    after.input.clear();
}

TEST_CASE("input buffer: a smaller message does not pin the large chunk") {
    AfterLarge after(200000);
    const char* const large = after.read(20000).data();
    Window window = after.input.arrived(after.hot, 20000);
    CHECK(window.chunk->capacity() <= kReadBytes);
    CHECK(window.begin != large);
    CHECK(window.size == 20000);
    CHECK(window.begin[19999] == 'x');
    CHECK(after.read(50).size() == kReadBytes);
}

TEST_CASE("input buffer: a stash stands in front of what a large chunk brings") {
    AfterLarge after(200000);
    after.read(100);
    Window window = after.input.arrived(after.hot, 100);
    std::memset(window.begin, 'a', 100);
    after.input.keep(after.chunks, window, window.begin, 100, 200);
    after.read(20000);
    window = after.input.arrived(after.hot, 20000);
    CHECK(window.size == 20100);
    CHECK(window.begin[99] == 'a');
    CHECK(window.begin[100] == 'x');
}

TEST_CASE("input buffer: a small share of memory has no large chunk") {
    AfterLarge after(100000);
    after.hot.set_most_large(50000);
    CHECK(after.read(50).size() == kReadBytes);
    CHECK_FALSE(after.input.arrived(after.hot, 50).large_buffer);
}

TEST_CASE("input buffer: small reads go to the usual chunk again") {
    AfterLarge after(100000);
    for (int i = 0; i < kSmallReadsInARow; ++i) {
        CHECK(after.read(50).size() > kReadBytes);
        CHECK(after.input.arrived(after.hot, 50).large_buffer);
    }
    CHECK(after.read(50).size() == kReadBytes);
    CHECK_FALSE(after.input.arrived(after.hot, 50).large_buffer);
}

TEST_CASE("input buffer: a message too large for that changes nothing") {
    AfterLarge after(kMostExpectedBytes + 1);
    CHECK(after.read(50).size() == kReadBytes);
}

TEST_CASE("hot chunk: a large one that nobody needs is given back") {
    base::ChunkPool chunks;
    HotChunk hot;
    hot.get_large(chunks, 300000);
    CHECK(chunks.bytes_in_use() >= 300000);
    CHECK(hot.get_large(chunks, 20000)->capacity() <= kReadBytes);  // nor a far larger one
    hot.decay();
    CHECK(chunks.bytes_in_use() == 0);
}

TEST_CASE("input buffer: what a message takes is known before it is taken") {
    base::ChunkPool chunks;
    HotChunk hot;
    InputBuffer input;
    std::memset(input.prepare(chunks, hot).data(), 'x', 1000);
    Window window = input.arrived(hot, 1000);
    CHECK(InputBuffer::place_for(window, window.begin, kStashBytes).own);
    const size_t more = InputBuffer::place_for(window, window.begin, 1000000).more;
    const size_t before = chunks.bytes_in_use();
    input.keep(chunks, window, window.begin, 1000, 1000000, 0);
    CHECK(chunks.bytes_in_use() - before == more);
    CHECK(input.own_bytes() == more);
    // It grows: only the difference is new.
    window = Window();
    std::memset(input.prepare(chunks, hot).data(), 'y', 999000);
    window = input.arrived(hot, 999000);
    CHECK(InputBuffer::place_for(window, window.begin, 1000000).own);
    const size_t grown = InputBuffer::place_for(window, window.begin, 3000000).more;
    CHECK(grown == 2000000);
    input.keep(chunks, window, window.begin, 1000000, 3000000, 0);
    CHECK(chunks.bytes_in_use() - before == more + grown);
    const std::span<char> room = input.prepare(chunks, hot);
    CHECK(room.data()[-1] == 'y');
    CHECK(room.data()[-999001] == 'x');
    input.clear();
    CHECK(input.own_bytes() == 0);
    CHECK(chunks.bytes_in_use() == before);
}

TEST_CASE("input buffer: a buffer of unknown length gets no more to spare than is allowed") {
    base::ChunkPool chunks;
    HotChunk hot;
    for (const size_t spare : {size_t{0}, size_t{1000}, SIZE_MAX}) {
        CAPTURE(spare);
        InputBuffer input;
        std::memset(input.prepare(chunks, hot).data(), 'x', 50000);
        Window window = input.arrived(hot, 50000);
        input.keep(chunks, window, window.begin, 50000, 50001, spare);
        const size_t least = 50001 + kSlackBytes;
        CHECK(input.own_bytes() >= std::min(least + spare, size_t{100000}));
        CHECK(input.own_bytes() <=
              std::max<size_t>(least + std::min(spare, size_t{50000}) + 1, 65536));
        input.clear();
    }
}

TEST_CASE("hot chunk: one that somebody still refers to is not written again") {
    base::ChunkPool chunks;
    HotChunk hot;
    const base::ChunkRef kept = hot.get(chunks);
    const base::ChunkRef& next = hot.get(chunks);
    CHECK(kept.get() != next.get());
}

}  // namespace
}  // namespace ringmaster::worker
