// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/splitter.h"

#include <algorithm>

#include "common/base/assert.h"

namespace ringmaster::proto::memcached {
namespace {

// 0xffffffff (no server) becomes 0.
size_t slot_of(uint32_t shard) noexcept {
    return static_cast<uint32_t>(shard + 1);
}

}  // namespace

void Splitter::begin(const RequestView& request, uint32_t shard_count) {
    RM_ASSERT(request.command != nullptr);
    RM_ASSERT(request.command->shape == Shape::kRetrieval);
    verb_ = request.command->name;
    exptime_ = request.argument;
    keys_.clear();
    keys_.reserve(request.key_count);
    fragments_.clear();
    if (fragment_of_shard_.size() <= shard_count) {
        fragment_of_shard_.resize(size_t{shard_count} + 1, kNone);
    }
}

void Splitter::assign(std::string_view key, uint32_t shard) {
    const size_t slot = slot_of(shard);
    RM_ASSERT(slot < fragment_of_shard_.size());
    const auto key_index = static_cast<uint32_t>(keys_.size());
    keys_.push_back({.text = key, .shard = shard, .next = kNone});
    uint32_t& fragment_index = fragment_of_shard_[slot];
    if (fragment_index == kNone) {
        const size_t head_bytes = verb_.size() + (exptime_.empty() ? 0 : 1 + exptime_.size());
        fragment_index = static_cast<uint32_t>(fragments_.size());
        fragments_.push_back({.shard = shard,
                              .key_count = 0,
                              .size_bytes = head_bytes + 2,
                              .first_key = key_index,
                              .last_key = key_index});
    } else {
        keys_[fragments_[fragment_index].last_key].next = key_index;
    }
    FragmentPlan& fragment = fragments_[fragment_index];
    fragment.last_key = key_index;
    fragment.key_count += 1;
    fragment.size_bytes += 1 + key.size();
}

void Splitter::finish() {
    // "No server" is the highest shard number, so it comes last.
    std::sort(fragments_.begin(), fragments_.end(),
              [](const FragmentPlan& a, const FragmentPlan& b) { return a.shard < b.shard; });
    for (size_t index = 0; index < fragments_.size(); ++index) {
        fragment_of_shard_[slot_of(fragments_[index].shard)] = static_cast<uint32_t>(index);
    }
    fragment_of_key_.resize(keys_.size());
    for (size_t index = 0; index < keys_.size(); ++index) {
        fragment_of_key_[index] = fragment_of_shard_[slot_of(keys_[index].shard)];
    }
    for (const FragmentPlan& fragment : fragments_) {
        fragment_of_shard_[slot_of(fragment.shard)] = kNone;
    }
}

}  // namespace ringmaster::proto::memcached
