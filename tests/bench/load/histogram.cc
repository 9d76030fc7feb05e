// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

std::size_t Histogram::bucket_of(std::uint64_t ns) {
    // Below 2^(kBits+1) a bucket is 1 ns wide; from there each power of two has 2^kBits buckets.
    const unsigned width = static_cast<unsigned>(std::bit_width(ns));
    const unsigned shift = width > kBits + 1 ? width - kBits - 1 : 0;
    return (std::size_t{shift} << kBits) + static_cast<std::size_t>(ns >> shift);
}

std::uint64_t Histogram::end_of(std::size_t bucket) {
    const std::size_t top = bucket >> kBits;
    const std::size_t shift = top > 1 ? top - 1 : 0;
    return ((bucket - (shift << kBits) + 1) << shift) - 1;
}

void Histogram::add(std::uint64_t ns) {
    ++buckets_[bucket_of(ns)];
    ++count_;
    sum_ += ns;
    max_ = std::max(max_, ns);
}

double Histogram::mean() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t Histogram::percentile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
        seen += buckets_[bucket];
        if (seen >= std::max<std::uint64_t>(wanted, 1)) {
            return std::min(end_of(bucket), max_);
        }
    }
    return max_;
}

}  // namespace bench
