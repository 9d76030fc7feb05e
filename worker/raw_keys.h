// SPDX-License-Identifier: Apache-2.0
// Keys with a line end in them, which the reply to a meta command may show as they are; each from
// when its request is queued until that leaves its FIFO. What they take counts as memory in use.
//
// Requests mark themselves (RequestMarks::raw_key), so that nobody else is looked for here.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "worker/memory.h"
#include "worker/request.h"

namespace ringmaster::worker {

class RawKeys {
  public:
    explicit RawKeys(Memory& memory) noexcept : memory_(memory) {}

    void add(Request& request, std::string_view key) {
        request.raw_key = true;
        keys_.emplace(&request, key);
        memory_.raw_key_bytes += bytes_of(key);
    }
    // Requires: add()ed.
    [[nodiscard]] const std::string& of(const Request& request) const {
        return keys_.find(&request)->second;
    }
    void remove(const Request& request) {
        const auto found = keys_.find(&request);
        memory_.raw_key_bytes -= bytes_of(found->second);
        keys_.erase(found);
    }

  private:
    // With the map's node, about.
    static size_t bytes_of(std::string_view key) noexcept {
        constexpr size_t kNodeBytes = 96;
        return kNodeBytes + key.size();
    }

    Memory& memory_;
    std::unordered_map<const Request*, std::string> keys_;
};

}  // namespace ringmaster::worker
