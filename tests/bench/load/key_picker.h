// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tests/bench/load/key_space.h"
#include "tests/bench/load/random.h"

namespace bench {

// Which key comes next: uniform, or by Zipf's law with exponent `skew` > 0 (the k-th most frequent
// key comes with a frequency of 1 / k^skew). Frequent keys are spread over the whole range.
class KeyPicker {
  public:
    KeyPicker(Key count, double skew);

    Key pick(Random& random) const;

  private:
    Key count_;
    // Inverse of the distribution at equal steps: one look-up per pick. Empty when uniform.
    std::vector<Key> inverse_;
};

}  // namespace bench
