// SPDX-License-Identifier: Apache-2.0
// Splits a multi-key get, gets, gat or gats into one line per shard.
//
// Pure: the caller says which shard a key belongs to. One Splitter per worker is reused; its
// scratch keeps its capacity. Results are valid until the next plan() and as long as the request's
// bytes are. Shapes:  fragments in ascending shard order; fragment_of_key()[i] is the fragment of
// key i.
//          Keys without a server (shard_of gave 0xffffffff) are one fragment of their own, the
//          last.
// Cost:    linear in the keys, plus sorting the touched shards; not dependent on shard_count.
// Source:  nutcracker's rules: keys in request order within a fragment, duplicates kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/proto/memcached/request_parser.h"

namespace ringmaster::proto::memcached {

struct FragmentPlan {
    uint32_t shard = 0;
    uint32_t key_count = 0;
    size_t size_bytes = 0;
    uint32_t first_key = 0;  // internal: head of the chain of this fragment's keys
    uint32_t last_key = 0;   // internal
};

class Splitter {
  public:
    // `shard_of(std::string_view key) -> uint32_t`: below `shard_count`, or 0xffffffff.
    // Requires: a retrieval request without error_reply.
    template <class ShardOf>
    void plan(const RequestView& request, uint32_t shard_count, ShardOf&& shard_of) {
        begin(request, shard_count);
        KeyCursor cursor(request);
        std::string_view key;
        while (cursor.next(key)) {
            assign(key, shard_of(key));
        }
        finish();
    }

    [[nodiscard]] std::span<const FragmentPlan> fragments() const noexcept { return fragments_; }
    [[nodiscard]] std::span<const uint32_t> fragment_of_key() const noexcept {
        return fragment_of_key_;
    }

    // Appends fragment `index` ("get k1 k2\r\n", "gat 0 k1 k2\r\n") to `out`, any type with
    // append(const char*, size_t).
    template <class Sink>
    void write(size_t index, Sink& out) const {
        out.append(verb_.data(), verb_.size());
        if (!exptime_.empty()) {
            out.append(" ", 1);
            out.append(exptime_.data(), exptime_.size());
        }
        for (uint32_t key = fragments_[index].first_key; key != kNone; key = keys_[key].next) {
            out.append(" ", 1);
            out.append(keys_[key].text.data(), keys_[key].text.size());
        }
        out.append("\r\n", 2);
    }

  private:
    static constexpr uint32_t kNone = 0xffffffff;
    struct Key {
        std::string_view text;
        uint32_t shard;
        uint32_t next;
    };

    void begin(const RequestView& request, uint32_t shard_count);
    void assign(std::string_view key, uint32_t shard);
    void finish();

    std::string_view verb_;
    std::string_view exptime_;  // gat, gats
    std::vector<Key> keys_;
    std::vector<FragmentPlan> fragments_;
    std::vector<uint32_t> fragment_of_key_;
    // Index 0 is for keys without a server, shard + 1 for the others. All kNone between two plans.
    std::vector<uint32_t> fragment_of_shard_;
};

}  // namespace ringmaster::proto::memcached
