// SPDX-License-Identifier: Apache-2.0
#include "common/ring/ring.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>

#include "common/hash/md5.h"

namespace ringmaster::ring {
namespace {

// Ketama's point counts depend on rounding to single precision after every step.
static_assert(FLT_EVAL_METHOD == 0, "float arithmetic must not carry excess precision");

constexpr DistributionRow kRows[] = {
    {.name = "ketama", .distribution = Distribution::kKetama},
    {.name = "modula", .distribution = Distribution::kModula},
    {.name = "random", .distribution = Distribution::kRandom},
};

constexpr uint32_t kPointsPerServer = 160;
constexpr uint32_t kPointsPerDigest = 4;
constexpr size_t kLabelLimitBytes = 272;
constexpr uint32_t kMaxValue = std::numeric_limits<uint32_t>::max();

struct LiveTotals {
    uint64_t weight = 0;
    uint32_t count = 0;
};

LiveTotals total_live(std::span<const RingServer> servers) noexcept {
    LiveTotals totals;
    for (const RingServer& server : servers) {
        if (server.live) {
            totals.weight += server.weight;
            ++totals.count;
        }
    }
    return totals;
}

// How many digests a server's share is worth. Compat: nutcracker computes in single precision, and
// the rounding shows: 25 equal servers get 39 digests (156 points) each, not 40.
uint32_t digest_count(uint32_t weight, const LiveTotals& totals) noexcept {
    if (weight == 0) {
        return 0;
    }
    const float share = static_cast<float>(weight) / static_cast<float>(totals.weight);
    const float points = share * static_cast<float>(kPointsPerServer);
    const float digests = points / static_cast<float>(kPointsPerDigest);
    const float scaled = digests * static_cast<float>(totals.count);
    const float nudged = static_cast<float>(static_cast<double>(scaled) + 1e-10);
    return static_cast<uint32_t>(std::floor(nudged));
}

void append_ketama_points(const RingServer& server, uint32_t shard, uint32_t digests,
                          std::vector<RingPoint>& points) {
    std::string label;
    for (uint32_t i = 0; i < digests; ++i) {
        label.assign(server.name).append("-").append(std::to_string(i));
        const std::string_view hashed = std::string_view(label).substr(0, kLabelLimitBytes);
        const std::array<uint8_t, 16> digest = hash::md5(hashed);
        for (size_t byte = 0; byte < digest.size(); byte += 4) {
            const uint32_t value = digest[byte] | uint32_t{digest[byte + 1]} << 8 |
                                   uint32_t{digest[byte + 2]} << 16 |
                                   uint32_t{digest[byte + 3]} << 24;
            points.push_back({value, shard});
        }
    }
}

std::vector<RingPoint> ketama_points(std::span<const RingServer> servers) {
    const LiveTotals totals = total_live(servers);
    std::vector<RingPoint> points;
    points.reserve(size_t{totals.count} * kPointsPerServer + 1);
    for (uint32_t shard = 0; shard < servers.size(); ++shard) {
        const RingServer& server = servers[shard];
        if (server.live) {
            append_ketama_points(server, shard, digest_count(server.weight, totals), points);
        }
    }
    // Stable: of equal values the earlier server wins, on every machine. (nutcracker leaves such
    // ties to qsort.)
    std::stable_sort(points.begin(), points.end(),
                     [](const RingPoint& a, const RingPoint& b) { return a.value < b.value; });
    if (!points.empty()) {
        points.push_back({kMaxValue, points.front().shard});
    }
    return points;
}

// Why not one entry per slot, as nutcracker has it: a weight may be two thousand million. The last
// slot of each server says the same. Servers behind slot 2^32 - 1 can never be reached.
std::vector<RingPoint> modula_points(std::span<const RingServer> servers) {
    std::vector<RingPoint> points;
    uint64_t slots = 0;
    for (uint32_t shard = 0; shard < servers.size() && slots <= kMaxValue; ++shard) {
        const RingServer& server = servers[shard];
        if (server.live && server.weight > 0) {
            slots += server.weight;
            points.push_back(
                {static_cast<uint32_t>(std::min<uint64_t>(slots - 1, kMaxValue)), shard});
        }
    }
    return points;
}

std::vector<RingPoint> random_points(std::span<const RingServer> servers) {
    std::vector<RingPoint> points;
    for (uint32_t shard = 0; shard < servers.size(); ++shard) {
        if (servers[shard].live) {
            points.push_back({static_cast<uint32_t>(points.size()), shard});
        }
    }
    return points;
}

}  // namespace

std::span<const DistributionRow> all_distributions() noexcept {
    return kRows;
}

const DistributionRow* find_distribution_or_null(std::string_view name) noexcept {
    for (const DistributionRow& row : kRows) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

Ring Ring::build(Distribution distribution, std::span<const RingServer> servers) {
    Ring ring;
    ring.distribution_ = distribution;
    switch (distribution) {
        case Distribution::kKetama:
            ring.points_ = ketama_points(servers);
            break;
        case Distribution::kModula:
            ring.points_ = modula_points(servers);
            // Wraps to 0 at 2^32 slots, which is what slot_count_ means by 0.
            ring.slot_count_ = ring.points_.empty() ? 0 : ring.points_.back().value + 1;
            break;
        case Distribution::kRandom:
            ring.points_ = random_points(servers);
            return ring;  // picked by position, so needs no buckets
    }
    if (!ring.points_.empty()) {
        ring.fill_buckets();
    }
    return ring;
}

// At least two buckets per point, so that a lookup looks at about one point and a half.
void Ring::fill_buckets() {
    const uint32_t last_value = points_.back().value;
    const auto value_bits = static_cast<uint32_t>(std::bit_width(last_value));
    const auto bucket_bits = static_cast<uint32_t>(std::bit_width(2 * points_.size() - 1));
    bucket_shift_ = value_bits > bucket_bits ? value_bits - bucket_bits : 0;
    buckets_.resize(size_t{last_value >> bucket_shift_} + 1);
    uint32_t point = 0;
    for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        while (points_[point].value < bucket << bucket_shift_) {
            ++point;
        }
        buckets_[bucket] = point;
    }
}

uint32_t Ring::only_shard() const noexcept {
    if (points_.empty()) {
        return kNoShard;
    }
    const uint32_t first = points_.front().shard;
    const bool same = std::all_of(points_.begin(), points_.end(),
                                  [first](const RingPoint& point) { return point.shard == first; });
    return same ? first : kNoShard;
}

}  // namespace ringmaster::ring
