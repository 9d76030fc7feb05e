// SPDX-License-Identifier: Apache-2.0
// Key -> shard for one pool: hash tag, then hash, then ring. The one place this is decided.
//
// Pure; no allocation in shard_of(). Rules: an empty effective key has hash 0; a tag counts only if
// at least one byte stands between the first opening byte and the first closing byte after it; a
// pool whose keys can only go to one shard (one configured, or one live server) hashes nothing.
// Source: nutcracker's server_pool_idx; vectors in tests/golden/placement.tsv.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "common/base/inline.h"
#include "common/base/rng.h"
#include "common/hash/fnv.h"
#include "common/hash/registry.h"
#include "common/ring/ring.h"

namespace ringmaster::ring {

using HashTag = std::optional<std::pair<char, char>>;

// The part of `key` that is hashed.
std::string_view hashed_part(std::string_view key, const HashTag& tag) noexcept;

class Placement {
  public:
    Placement() = default;
    // `hash` is borrowed and never null (rows of the registry live for ever).
    Placement(const hash::HashRow* hash, HashTag tag, Distribution distribution,
              std::span<const RingServer> servers);

    // kNoShard when no server is live.
    [[nodiscard]] RM_INLINE uint32_t shard_of(std::string_view key, base::Rng& rng) const noexcept {
        if (is_default_) [[likely]] {
            return ring_.ketama_shard_of(key.empty() ? 0 : hash::fnv1a_64(key.data(), key.size()));
        }
        return other_shard_of(key, rng);
    }
    [[nodiscard]] const Ring& ring() const noexcept { return ring_; }

  private:
    [[gnu::noinline, nodiscard]] uint32_t other_shard_of(std::string_view key,
                                                         base::Rng& rng) const noexcept {
        if (only_shard_ != kNoShard) {
            return only_shard_;
        }
        if (tag_) {
            key = hashed_part(key, tag_);
        }
        return ring_.shard_of(hash_of(key), rng);
    }
    [[nodiscard]] uint32_t hash_of(std::string_view key) const noexcept {
        if (key.empty()) {
            return 0;
        }
        if (other_hash_ == nullptr) [[likely]] {
            return hash::fnv1a_64(key.data(), key.size());
        }
        return other_hash_(key.data(), key.size());
    }

    hash::HashFunction other_hash_ = nullptr;  // null = fnv1a_64, the default, which is inlined
    HashTag tag_;
    uint32_t only_shard_ = kNoShard;
    // fnv1a_64, ketama, no tag, several live servers: what most pools are.
    bool is_default_ = false;
    Ring ring_;
};

}  // namespace ringmaster::ring
