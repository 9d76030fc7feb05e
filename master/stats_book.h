// SPDX-License-Identifier: Apache-2.0
// The latest stats of every slot's worker and the totals of all that are gone. Pure.
//
// A dead worker's last report moves into the totals, so no counter ever goes down.
#pragma once

#include <cstddef>
#include <vector>

#include "common/control/messages.h"
#include "common/stats/stats.h"
#include "config/model.h"

namespace ringmaster::master {

// What a config's numbers are called, in its order.
std::vector<stats::PoolNames> names_of(const config::Config& config);

class StatsBook {
  public:
    StatsBook(const config::Config& config, size_t slots);

    // Another config, or more slots. What keeps its name keeps its numbers.
    void reload(const config::Config& config, size_t slots);

    // Replaces the slot's numbers. False, changing nothing, when the report does not fit the config
    // or holds a number no worker can have counted. Untrusted input.
    [[nodiscard]] bool store(size_t slot, const control::StatsReport& report);
    // The slot's worker is gone.
    void fold(size_t slot);
    [[nodiscard]] stats::Snapshot merged() const;
    [[nodiscard]] const stats::Snapshot& latest(size_t slot) const { return latest_[slot]; }
    // Some worker, living or dead, had a reply from this server.
    [[nodiscard]] bool ever_answered(size_t pool, size_t shard) const;

  private:
    std::vector<stats::PoolNames> names_;
    stats::Snapshot empty_;
    stats::Snapshot gone_;
    std::vector<stats::Snapshot> latest_;
};

}  // namespace ringmaster::master
