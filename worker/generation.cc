// SPDX-License-Identifier: Apache-2.0
#include "worker/generation.h"

#include <algorithm>
#include <utility>

#include "config/load.h"
#include "worker/limits.h"

namespace ringmaster::worker {

std::unique_ptr<Generation> Generation::load(uint64_t number, uint64_t memory_bytes,
                                             std::string_view bytes) {
    config::LoadResult loaded = config::load(bytes, config::LoadOptions{});
    if (!loaded.config.has_value()) {
        return nullptr;
    }
    auto generation = std::make_unique<Generation>();
    generation->number = number;
    generation->memory_bytes = memory_bytes;
    generation->config = std::move(*loaded.config);
    return generation;
}

void Generation::build_next(DataPath& path) {
    RM_ASSERT(!is_built());
    const auto index = static_cast<uint32_t>(pools.size());
    pools.push_back(std::make_unique<Pool>(path, config.pools[index], index, number));
    pools.back()->place_ahead();
}

bool Generation::is_placed() const {
    return std::all_of(pools.begin(), pools.end(),
                       [](const auto& pool) { return pool->epoch() > 0; });
}

uint64_t Generation::check_period_ms() const {
    uint64_t shortest_ms = 0;
    for (const config::PoolConfig& pool : config.pools) {
        if (pool.timeout_ms > 0) {
            const uint64_t period_ms =
                std::clamp<uint64_t>(pool.timeout_ms / 8, kMinCheckMs, kMaxCheckMs);
            shortest_ms = shortest_ms == 0 ? period_ms : std::min(shortest_ms, period_ms);
        }
    }
    return shortest_ms;
}

bool Generation::is_idle() const {
    return std::all_of(pools.begin(), pools.end(),
                       [](const auto& pool) { return pool->is_idle(); });
}

}  // namespace ringmaster::worker
