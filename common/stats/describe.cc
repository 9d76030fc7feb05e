// SPDX-License-Identifier: Apache-2.0
#include "common/base/format.h"
#include "common/stats/stats.h"

namespace ringmaster::stats {

namespace {

std::string lines(std::string_view heading, std::span<const StatInfo> infos) {
    std::string out = base::format("{}:\n", heading);
    for (const StatInfo& info : infos) {
        out += base::format("  {:<20}\"{}\"\n", info.name, info.text);
    }
    return out;
}

}  // namespace

std::string describe() {
    return lines("pool stats", pool_stats()) + "\n" + lines("server stats", server_stats());
}

}  // namespace ringmaster::stats
