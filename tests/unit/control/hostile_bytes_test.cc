// SPDX-License-Identifier: Apache-2.0
// Damaged streams: no crash, no memory beyond what the bytes justify.
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "common/base/rng.h"
#include "tests/unit/control/samples.h"

namespace {

// The largest single allocation since it was last set to zero.
size_t g_largest_bytes = 0;

}  // namespace

void* operator new(size_t size) {
    g_largest_bytes = size > g_largest_bytes ? size : g_largest_bytes;
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}

namespace ringmaster::control {
namespace {

using Result = FrameDecoder::Result;

// A list of servers takes eight times its wire size in memory; a buffer doubles.
constexpr size_t kMemoryPerWireByte = 16;

std::string sample_stream() {
    std::string bytes;
    for (const Message& message : sample_messages()) {
        bytes += frame_of(message);
    }
    return bytes;
}

// Whatever decodes must be that message's one form in bytes.
void check_damaged(const std::string& bytes) {
    FrameDecoder decoder;
    Message message;
    std::string again;
    g_largest_bytes = 0;
    decoder.append(bytes);
    Result result = Result::kNeedMore;
    while ((result = decoder.next(message)) == Result::kMessage) {
        again += frame_of(message);
    }
    REQUIRE(g_largest_bytes <= kMemoryPerWireByte * bytes.size() + 4096);
    REQUIRE(bytes.compare(0, again.size(), again) == 0);
    if (result == Result::kBad) {
        REQUIRE(!decoder.error().empty());
    }
}

TEST_CASE("control bytes: the test sees allocations at all") {
    g_largest_bytes = 0;
    const std::string large(100000, 'x');
    CHECK(g_largest_bytes >= large.size());
}

TEST_CASE("control bytes: no single wrong byte does harm") {
    const std::string stream = sample_stream();
    for (size_t at = 0; at < stream.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string damaged = stream;
            damaged[at] = static_cast<char>(value);
            CAPTURE(at);
            CAPTURE(value);
            check_damaged(damaged);
        }
    }
}

TEST_CASE("control bytes: a lost or an extra byte does no harm") {
    const std::string stream = sample_stream();
    for (size_t at = 0; at < stream.size(); ++at) {
        CAPTURE(at);
        check_damaged(stream.substr(0, at) + stream.substr(at + 1));
        check_damaged(stream.substr(0, at) + '\xff' + stream.substr(at));
    }
}

TEST_CASE("control bytes: random bytes behind valid headers do no harm") {
    const uint64_t seed = 20240607;
    CAPTURE(seed);
    base::Rng rng(seed);
    const std::vector<Message> samples = sample_messages();
    for (int round = 0; round < 20000; ++round) {
        const size_t pick = rng.below(static_cast<uint32_t>(samples.size()));
        std::string bytes = frame_of(samples[pick]);
        const uint32_t length = rng.below(80);
        bytes.resize(kFrameHeaderBytes);
        bytes[0] = static_cast<char>(length);
        bytes[1] = bytes[2] = bytes[3] = '\0';
        for (uint32_t i = 0; i < length; ++i) {
            bytes.push_back(static_cast<char>(rng.below(4) == 0 ? rng.below(256) : rng.below(3)));
        }
        check_damaged(bytes);
    }
}

}  // namespace
}  // namespace ringmaster::control
