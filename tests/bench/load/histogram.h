// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace bench {

// Counts durations in buckets that are at most 1/128 of their value wide, from 1 ns to hours, like
// HdrHistogram: a percentile is right to 0.8 % however long the tail is.
class Histogram {
  public:
    void add(std::uint64_t ns);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t max() const { return max_; }
    [[nodiscard]] double mean() const;
    // The upper end of the bucket below which `share` (0 to 1) of all durations lie.
    [[nodiscard]] std::uint64_t percentile(double share) const;

  private:
    static constexpr unsigned kBits = 7;
    static constexpr std::size_t kBuckets = std::size_t{64 - kBits + 1} << kBits;

    static std::size_t bucket_of(std::uint64_t ns);
    static std::uint64_t end_of(std::size_t bucket);

    std::array<std::uint64_t, kBuckets> buckets_ = {};
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace bench
