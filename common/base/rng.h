// SPDX-License-Identifier: Apache-2.0
// A small seeded generator (SplitMix64). Not for secrets. Pure code takes it as an argument.
#pragma once

#include <cstdint>

namespace ringmaster::base {

class Rng {
  public:
    explicit Rng(uint64_t seed) noexcept : state_(seed) {}

    uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15ULL;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    // Uniform in [0, bound); bound > 0.
    uint32_t below(uint32_t bound) noexcept {
        return static_cast<uint32_t>(((next() >> 32) * bound) >> 32);
    }

  private:
    uint64_t state_;
};

}  // namespace ringmaster::base
