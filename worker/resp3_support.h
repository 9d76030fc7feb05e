// SPDX-License-Identifier: Apache-2.0
// Whether the servers of a pool speak RESP3: what the pool's configuration says, or what they said.
//
// Pure: the caller asks the servers and brings their answers, and `now_ms` (any steady clock).
// `resp3: auto`: nobody is asked before the first client wants RESP3, then all servers at the same
// time. One that does not speak it decides for the pool, whenever it says so, as its keys could not
// be served in RESP3; that is forgotten after kAskAgainMs. A server that cannot be asked has no
// say. Is there none that answers, RESP3 is assumed for kAssumeMs: what requests then get is the
// true error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/model.h"

namespace ringmaster::worker {

enum class Resp3Answer : uint8_t { kYes, kNo, kUnknown };

class Resp3Support {
  public:
    // For the answers that are still missing after the first second's look at it.
    static constexpr uint64_t kAskMs = 1000;
    static constexpr uint64_t kAssumeMs = 1000;
    static constexpr uint64_t kAskAgainMs = 60000;

    enum class Verdict : uint8_t { kSpoken, kNotSpoken, kOpen };

    explicit Resp3Support(config::Resp3 mode) noexcept : mode_(mode) {}

    // kOpen: the servers have to be asked, or are being asked.
    [[nodiscard]] Verdict verdict(uint64_t now_ms) const noexcept;
    [[nodiscard]] bool is_asking() const noexcept { return state_ == State::kAsking; }
    // `shards`: who is asked. Nobody: RESP3 is assumed.
    void ask(const std::vector<uint32_t>& shards, uint64_t now_ms);
    // Of any connection, asked for or not. True when the verdict is another one now.
    bool on_answer(uint32_t shard, Resp3Answer answer, uint64_t now_ms);
    // Now and then. True when the time for answers is over, and there is a verdict.
    bool give_up_if_due(uint64_t now_ms);

  private:
    enum class State : uint8_t { kUnasked, kAsking, kSpoken, kNotSpoken };
    void settle(uint64_t now_ms) noexcept;

    config::Resp3 mode_;
    State state_ = State::kUnasked;
    bool heard_yes_ = false;
    uint64_t since_ms_ = 0;          // kAsking, kNotSpoken
    uint64_t assumed_until_ms_ = 0;  // kUnasked
    std::vector<uint32_t> unheard_;  // shards, while kAsking
};

}  // namespace ringmaster::worker
