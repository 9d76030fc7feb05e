// SPDX-License-Identifier: Apache-2.0
// Splits a multi-key request (MGET, DEL, UNLINK, TOUCH, EXISTS, MSET) into one fragment per shard.
//
// Pure: the caller says which shard a key belongs to. One Splitter per worker is reused; its
// scratch keeps its capacity, so nothing is allocated once warm. Results are valid until the next
// plan() and as long as the request's bytes are. A key without a live server (shard_of gives
// kNoShard) goes into a fragment of its own, the last one. Shapes:  fragments are in ascending
// shard order; fragment_of_key()[i] is the fragment of key i. Source:  nutcracker's fragment rules:
// keys in request order within a fragment, duplicates kept,
//          command name in lower case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/proto/redis/request_parser.h"

namespace ringmaster::proto::redis {

struct FragmentPlan {
    uint32_t shard = 0;
    uint32_t key_count = 0;
    size_t size_bytes = 0;   // of the written fragment
    uint32_t first_key = 0;  // internal: head of the chain of this fragment's keys
    uint32_t last_key = 0;   // internal
};

class Splitter {
  public:
    // What shard_of answers for a key that no server can serve.
    static constexpr uint32_t kNoShard = 0xffffffff;

    // `shard_of(std::string_view key) -> uint32_t`. Requires a request whose command is kMultiShard
    // and whose arity is right. `shard_count` bounds the shards it may return.
    template <class ShardOf>
    void plan(const RequestView& request, uint32_t shard_count, ShardOf&& shard_of) {
        begin(request, shard_count);
        std::string_view key;
        while (next_key(key)) {
            assign(shard_of(key));
        }
        finish();
    }

    [[nodiscard]] std::span<const FragmentPlan> fragments() const noexcept { return fragments_; }
    [[nodiscard]] std::span<const uint32_t> fragment_of_key() const noexcept {
        return fragment_of_key_;
    }

    // Appends fragment `index` to `out`, any type with append(const char*, size_t).
    template <class Sink>
    void write(size_t index, Sink& out) const {
        char header[96];
        out.append(header, write_header(index, header));
        for (uint32_t key = fragments_[index].first_key; key != kNone; key = keys_[key].next) {
            out.append(keys_[key].raw.data(), keys_[key].raw.size());
        }
    }

  private:
    static constexpr uint32_t kNone = 0xffffffff;
    struct Key {
        std::string_view raw;  // the key, and its value for pairs, with headers: copied verbatim
        uint32_t shard;
        uint32_t next;  // next key of the same fragment
    };

    void begin(const RequestView& request, uint32_t shard_count);
    bool next_key(std::string_view& key);
    void assign(uint32_t shard);
    void finish();
    uint32_t& slot_of(uint32_t shard);
    size_t write_header(size_t index, char* header) const;  // returns its length

    const Command* command_ = nullptr;
    ArgumentCursor cursor_{std::string_view()};
    std::vector<Key> keys_;
    std::vector<FragmentPlan> fragments_;
    std::vector<uint32_t> fragment_of_key_;
    // One slot a shard and one for kNoShard. All kNone between plans: only the slots that a plan
    // touched are undone, so a small request costs nothing in a pool of many shards.
    std::vector<uint32_t> fragment_of_shard_;
    uint32_t shard_count_ = 0;
};

}  // namespace ringmaster::proto::redis
