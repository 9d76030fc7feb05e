// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/key_picker.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bench {
namespace {

constexpr std::uint32_t kSteps = 1U << 18;

}  // namespace

KeyPicker::KeyPicker(Key count, double skew) : count_(count) {
    if (skew <= 0) {
        return;
    }
    std::vector<Key> order(count);
    std::iota(order.begin(), order.end(), Key{0});
    Random random(7);
    for (Key left = count; left > 1; --left) {
        std::swap(order[left - 1], order[random.below(left)]);
    }
    double all = 0;
    for (Key rank = 1; rank <= count; ++rank) {
        all += std::pow(rank, -skew);
    }
    inverse_.reserve(kSteps);
    double so_far = 0;
    for (Key rank = 1; rank <= count; ++rank) {
        so_far += std::pow(rank, -skew) / all;
        const auto until = std::min<std::size_t>(
            kSteps, static_cast<std::size_t>(std::lround(so_far * double{kSteps})));
        inverse_.resize(std::max(until, inverse_.size()), order[rank - 1]);
    }
    inverse_.resize(kSteps, order[0]);
}

Key KeyPicker::pick(Random& random) const {
    return inverse_.empty() ? random.below(count_) : inverse_[random.below(kSteps)];
}

}  // namespace bench
