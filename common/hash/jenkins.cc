// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>

#include "common/hash/functions.h"

namespace ringmaster::hash {
namespace {

struct State {
    uint32_t a;
    uint32_t b;
    uint32_t c;

    void add(const char* block) noexcept {
        a += little_endian_32(block);
        b += little_endian_32(block + 4);
        c += little_endian_32(block + 8);
    }
};

constexpr size_t kBlockBytes = 12;

// One step of lookup3's mix: the three words take the three roles in turn.
void mix_step(uint32_t& x, uint32_t& y, uint32_t z, int rotation) noexcept {
    x -= y;
    x ^= std::rotl(y, rotation);
    y += z;
}

void mix(State& s) noexcept {
    mix_step(s.a, s.c, s.b, 4);
    mix_step(s.b, s.a, s.c, 6);
    mix_step(s.c, s.b, s.a, 8);
    mix_step(s.a, s.c, s.b, 16);
    mix_step(s.b, s.a, s.c, 19);
    mix_step(s.c, s.b, s.a, 4);
}

void finish_step(uint32_t& x, uint32_t y, int rotation) noexcept {
    x ^= y;
    x -= std::rotl(y, rotation);
}

void finish(State& s) noexcept {
    finish_step(s.c, s.b, 14);
    finish_step(s.a, s.c, 11);
    finish_step(s.b, s.a, 25);
    finish_step(s.c, s.b, 16);
    finish_step(s.a, s.c, 4);
    finish_step(s.b, s.a, 14);
    finish_step(s.c, s.b, 24);
}

}  // namespace

// lookup3's hashlittle with the initial value 13, read byte by byte in little-endian order.
uint32_t jenkins(const char* data, size_t size_bytes) noexcept {
    const uint32_t start = 0xdeadbeefU + static_cast<uint32_t>(size_bytes) + 13U;
    State state{start, start, start};
    if (size_bytes == 0) {
        return state.c;
    }
    for (; size_bytes > kBlockBytes; size_bytes -= kBlockBytes, data += kBlockBytes) {
        state.add(data);
        mix(state);
    }
    char last[kBlockBytes] = {};
    std::memcpy(last, data, size_bytes);
    state.add(last);
    finish(state);
    return state.c;
}

}  // namespace ringmaster::hash
