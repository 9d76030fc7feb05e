// SPDX-License-Identifier: Apache-2.0
#include "common/ring/placement.h"

namespace ringmaster::ring {

std::string_view hashed_part(std::string_view key, const HashTag& tag) noexcept {
    if (!tag) {
        return key;
    }
    const size_t open = key.find(tag->first);
    if (open == std::string_view::npos) {
        return key;
    }
    // Only the first opening byte counts: "{}{a}" has an empty tag, and so is hashed whole.
    const size_t begin = open + 1;
    const size_t end = key.find(tag->second, begin);
    if (end == std::string_view::npos || end == begin) {
        return key;
    }
    return key.substr(begin, end - begin);
}

Placement::Placement(const hash::HashRow* hash, HashTag tag, Distribution distribution,
                     std::span<const RingServer> servers)
    : other_hash_(hash->function == hash::fnv1a_64 ? nullptr : hash->function),
      tag_(tag),
      ring_(Ring::build(distribution, servers)) {
    only_shard_ = ring_.only_shard();
    is_default_ = other_hash_ == nullptr && !tag_ && distribution == Distribution::kKetama &&
                  only_shard_ == kNoShard && !ring_.points().empty();
}

}  // namespace ringmaster::ring
