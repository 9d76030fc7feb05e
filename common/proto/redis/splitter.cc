// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/splitter.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/base/assert.h"

namespace ringmaster::proto::redis {
namespace {

constexpr size_t kMaxHeaderBytes = 96;  // what write() offers

char* append(char* to, std::string_view text) noexcept {
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
}

}  // namespace

uint32_t& Splitter::slot_of(uint32_t shard) {
    RM_ASSERT(shard < shard_count_ || shard == kNoShard);
    return fragment_of_shard_[std::min(shard, shard_count_)];
}

void Splitter::begin(const RequestView& request, uint32_t shard_count) {
    RM_ASSERT(request.command != nullptr);
    RM_ASSERT(request.command->split == SplitPolicy::kMultiShard);
    command_ = request.command;
    shard_count_ = shard_count;
    keys_.clear();
    fragments_.clear();
    fragment_of_key_.clear();
    if (fragment_of_shard_.size() <= shard_count) {
        fragment_of_shard_.resize(size_t{shard_count} + 1, kNone);
    }
    cursor_ = ArgumentCursor(request.bytes);
    std::string_view name;
    std::string_view raw;
    cursor_.next(name, raw);
}

bool Splitter::next_key(std::string_view& key) {
    std::string_view raw;
    if (!cursor_.next(key, raw)) {
        return false;
    }
    if (command_->pairs) {
        std::string_view value;
        std::string_view raw_value;
        if (!cursor_.next(value, raw_value)) {
            return false;
        }
        raw = std::string_view(raw.data(), raw.size() + raw_value.size());
    }
    keys_.push_back({raw, 0, kNone});
    return true;
}

void Splitter::assign(uint32_t shard) {
    const auto key = static_cast<uint32_t>(keys_.size() - 1);
    keys_[key].shard = shard;
    uint32_t& index = slot_of(shard);
    if (index == kNone) {
        index = static_cast<uint32_t>(fragments_.size());
        fragments_.push_back({shard, 0, 0, key, key});
    } else {
        FragmentPlan& fragment = fragments_[index];
        keys_[fragment.last_key].next = key;
        fragment.last_key = key;
    }
    FragmentPlan& fragment = fragments_[index];
    ++fragment.key_count;
    fragment.size_bytes += keys_[key].raw.size();
}

void Splitter::finish() {
    std::sort(fragments_.begin(), fragments_.end(),
              [](const FragmentPlan& a, const FragmentPlan& b) { return a.shard < b.shard; });
    for (size_t i = 0; i < fragments_.size(); ++i) {
        char header[kMaxHeaderBytes];
        fragments_[i].size_bytes += write_header(i, header);
        slot_of(fragments_[i].shard) = static_cast<uint32_t>(i);
    }
    for (const Key& key : keys_) {
        fragment_of_key_.push_back(slot_of(key.shard));
    }
    for (const FragmentPlan& fragment : fragments_) {
        slot_of(fragment.shard) = kNone;
    }
}

size_t Splitter::write_header(size_t index, char* header) const {
    const uint32_t per_key = command_->pairs ? 2 : 1;
    char* const end = header + kMaxHeaderBytes;
    char* at = append(header, "*");
    at = std::to_chars(at, end, 1 + fragments_[index].key_count * per_key).ptr;
    at = append(at, "\r\n$");
    at = std::to_chars(at, end, command_->name.size()).ptr;
    at = append(at, "\r\n");
    at = append(at, command_->name);
    at = append(at, "\r\n");
    return static_cast<size_t>(at - header);
}

}  // namespace ringmaster::proto::redis
