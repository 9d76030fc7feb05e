// SPDX-License-Identifier: Apache-2.0
// Requests per second of every server: the difference of the last two samples of its counter. Pure.
//
// A sample is taken every kPeriodMs from what the workers report unasked. After a reload has
// changed the shape it begins anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/stats/stats.h"

namespace ringmaster::master {

class RateKeeper {
  public:
    static constexpr uint64_t kPeriodMs = 1000;

    void sample(const stats::Snapshot& snapshot, uint64_t now_ms);
    // 0 while there are no two samples, and for what does not exist.
    [[nodiscard]] double server(size_t pool, size_t shard) const noexcept;
    [[nodiscard]] double pool(size_t pool) const noexcept;

  private:
    struct Sample {
        uint64_t at_ms = 0;
        std::vector<std::vector<int64_t>> requests;  // [pool][shard]
    };
    Sample before_;
    Sample last_;
};

}  // namespace ringmaster::master
