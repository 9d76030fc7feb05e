// SPDX-License-Identifier: Apache-2.0
#include "worker/client_ids.h"

#include <algorithm>

namespace ringmaster::worker {

namespace {

constexpr unsigned kTimeBits = 43;
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;
constexpr unsigned kUnitsPerSecondLog2 = 15;
constexpr uint64_t kEpochUs = 1767225600ULL * 1000000;  // 2026-01-01
constexpr uint32_t kSlotMask = (1U << 10) - 1;          // config::kMaxWorkers is 1024

uint64_t units(uint64_t unix_us) {
    const uint64_t us = unix_us > kEpochUs ? unix_us - kEpochUs : 0;
    const uint64_t seconds = us / 1000000;
    const uint64_t rest = us % 1000000;
    return (seconds << kUnitsPerSecondLog2) + (rest << kUnitsPerSecondLog2) / 1000000;
}

}  // namespace

uint64_t ClientIds::next(uint64_t unix_us) noexcept {
    last_ = std::max(last_ + 1, units(unix_us));
    return (uint64_t{slot_ & kSlotMask} << kTimeBits) | (last_ & kTimeMask);
}

std::optional<uint32_t> ClientIds::slot_of(uint64_t id) noexcept {
    constexpr uint64_t kLeastTime = uint64_t{1} << 32;  // 36 hours into 2026
    const uint64_t slot = id >> kTimeBits;
    if (slot > kSlotMask || (id & kTimeMask) < kLeastTime) {
        return std::nullopt;
    }
    return static_cast<uint32_t>(slot);
}

uint64_t ClientIds::age_s(uint64_t id, uint64_t unix_us) noexcept {
    const uint64_t age = (units(unix_us) - id) & kTimeMask;
    return age > kTimeMask / 2 ? 0 : age >> kUnitsPerSecondLog2;
}

}  // namespace ringmaster::worker
