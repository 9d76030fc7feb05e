// SPDX-License-Identifier: Apache-2.0
// The ring: from a key's hash to a shard, over the live servers of a pool.
//
// Pure. A Ring is immutable once built; building allocates, lookups do not. Shard indexes are
// positions in the `servers` span given to build() (which must be in internal order, see
// server_name.h), ejected servers included, so that an index means the same server in every ring.
// Lookup is O(1) expected: a bucket table over the hash's top bits, then a short scan; the answer
// is that of a binary search. Memory: ketama about 2 x 160 words per server, modula and random a
// few words per server whatever the weights. Source: nutcracker's ketama, modula and random
// distributions; vectors in tests/golden.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/rng.h"

namespace ringmaster::ring {

enum class Distribution { kKetama, kModula, kRandom };

struct DistributionRow {
    std::string_view name;
    Distribution distribution;
};
std::span<const DistributionRow> all_distributions() noexcept;
const DistributionRow* find_distribution_or_null(std::string_view name) noexcept;

// One server as the ring sees it.
struct RingServer {
    std::string name;  // effective name
    uint32_t weight = 1;
    bool live = true;
};

inline constexpr uint32_t kNoShard = 0xffffffff;

struct RingPoint {
    uint32_t value;
    uint32_t shard;
};

class Ring {
  public:
    Ring() = default;
    // No live server gives an empty ring.
    static Ring build(Distribution distribution, std::span<const RingServer> servers);

    // kNoShard when the ring is empty. `rng` is used by kRandom only.
    [[nodiscard]] uint32_t shard_of(uint32_t hash, base::Rng& rng) const noexcept {
        if (points_.empty()) {
            return kNoShard;
        }
        if (distribution_ != Distribution::kKetama) [[unlikely]] {
            if (distribution_ == Distribution::kRandom) {
                return points_[rng.below(static_cast<uint32_t>(points_.size()))].shard;
            }
            hash = slot_count_ != 0 ? hash % slot_count_ : hash;
        }
        return ketama_shard_of(hash);
    }
    // Requires a ketama ring that is not empty.
    [[nodiscard]] uint32_t ketama_shard_of(uint32_t hash) const noexcept {
        const RingPoint* point = points_.data() + buckets_[hash >> bucket_shift_];
        while (point->value < hash) {  // ends: see points_
            ++point;
        }
        return point->shard;
    }

    [[nodiscard]] Distribution distribution() const noexcept { return distribution_; }
    // Sorted by value. Ketama: the points. Modula: one entry per live server, value = its last
    // slot. Random: one entry per live server, value = its position.
    [[nodiscard]] std::span<const RingPoint> points() const noexcept {
        const bool has_end = distribution_ == Distribution::kKetama && !points_.empty();
        return std::span(points_).first(points_.size() - (has_end ? 1 : 0));
    }
    // The shard every key goes to; kNoShard when it depends on the key, or the ring is empty.
    [[nodiscard]] uint32_t only_shard() const noexcept;

  private:
    void fill_buckets();

    Distribution distribution_ = Distribution::kKetama;
    // The last value is never below a hash (modula: slot) looked up. For ketama a copy of the first
    // point with the highest value stands at the end: that is the wrap around, and it ends the
    // scan.
    std::vector<RingPoint> points_;
    std::vector<uint32_t> buckets_;  // first point with a value >= (index << bucket_shift_)
    uint32_t bucket_shift_ = 0;
    uint32_t slot_count_ = 0;  // modula; 0 = 2^32 slots or more, so that every hash is its own slot
};

}  // namespace ringmaster::ring
