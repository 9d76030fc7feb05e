// SPDX-License-Identifier: Apache-2.0
// Counters over a reload: none ever goes down, and levels are where the counted things are. Pure.
#pragma once

#include "common/stats/stats.h"

namespace ringmaster::worker {

// `shown` is what the former pool or server has reported, `base` what it keeps of that itself: its
// counters go on in `to`, and it would show zero from now on. Levels stay. Of times, the latest.
void move_counters(stats::PoolCounters& to, stats::PoolCounters& base,
                   const stats::PoolCounters& shown);
void move_counters(stats::ServerCounters& to, stats::ServerCounters& base,
                   const stats::ServerCounters& shown);

// For a report: what the former pool or server of the same name has counted since, and its levels.
void add_former(stats::PoolCounters& into, const stats::PoolCounters& former);
void add_former(stats::ServerCounters& into, const stats::ServerCounters& former);

}  // namespace ringmaster::worker
