// SPDX-License-Identifier: Apache-2.0
// How full a worker's share of max_memory is, and what follows from it for one client.
//
// Pure: what is in use is passed in. Sizes are bytes. Bodies are requests that are still arriving
// into a buffer that was taken at their header: they count as used, but what all others may use is
// measured against what bodies leave of the share, so that a slow upload makes nobody else wait.
// Source: the limits are those of limits.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "worker/limits.h"

namespace ringmaster::worker {

// What a client may bring in a turn of the loop after a read of `size_bytes` with so many requests:
// kRequestsPerTurn of that size.
[[nodiscard]] constexpr size_t turn_bytes_for(size_t size_bytes, uint32_t requests) noexcept {
    if (requests == 0) {
        return kReadBytesPerTurn;
    }
    return std::clamp(size_bytes * kRequestsPerTurn / requests, kLeastTurnBytes, kReadBytesPerTurn);
}

class MemoryBudget {
  public:
    enum class Level : uint8_t {
        kRelaxed,  // up to half: a client may hold a lot
        kTight,    // above half: little
        kShort,    // above four fifths: who has a request under way is not read
        kFull,     // above the share: new requests are refused
    };

    // What one client holds.
    struct Load {
        size_t unsent_bytes = 0;  // replies it has not taken
        size_t requests = 0;      // in flight
        bool alone = false;       // nobody else asks for anything
    };

    void set_share(size_t bytes) noexcept {
        share_ = bytes;
        place_marks();
    }
    [[nodiscard]] size_t share() const noexcept { return share_; }

    // ---- bodies ----

    // Whether a body of `total` may be admitted, or go on growing, that takes `more` than is in
    // use. A part of the share is never theirs.
    [[nodiscard]] bool admits_body(size_t in_use, size_t more, size_t total) const noexcept {
        const size_t most = share_ - share_ / kOthersShare;
        return fits(in_use, more) && bodies_ <= most && total <= most - bodies_;
    }
    // The same for a short one, of up to kStashBytes: these have a part of their own, and may have
    // more while half of the share is free.
    [[nodiscard]] bool admits_stash(size_t in_use, size_t size) const noexcept {
        return stashes_ + size <= share_ / kStashesShare || in_use + size <= share_ / 2;
    }
    // They have more: who sends none of its request for long has to go.
    [[nodiscard]] bool has_many_stashes() const noexcept {
        return stashes_ > share_ / kStashesShare;
    }
    // What it may have beyond that if its length is not known yet: some of what is left.
    // Requires: admits_body().
    [[nodiscard]] size_t spare_for_body(size_t in_use, size_t more, size_t total) const noexcept {
        const size_t most = share_ - share_ / kOthersShare;
        return std::min(share_ - in_use - more, most - bodies_ - total) / 2;
    }
    void add_body(size_t bytes) noexcept {
        bodies_ += bytes;
        stashes_ += bytes <= kStashBytes ? bytes : 0;
        place_marks();
    }
    void remove_body(size_t bytes) noexcept {
        bodies_ -= bytes;
        stashes_ -= bytes <= kStashBytes ? bytes : 0;
        place_marks();
    }
    [[nodiscard]] size_t bodies() const noexcept { return bodies_; }

    // ---- everything else ----

    [[nodiscard]] bool fits(size_t in_use, size_t bytes) const noexcept {
        return in_use <= share_ && bytes <= share_ - in_use;
    }
    [[nodiscard]] bool is_short(size_t in_use) const noexcept { return in_use > short_at_; }
    [[nodiscard]] bool is_full(size_t in_use) const noexcept { return in_use > share_; }
    [[nodiscard]] Level level(size_t in_use) const noexcept {
        return in_use <= tight_at_   ? Level::kRelaxed
               : in_use <= short_at_ ? Level::kTight
               : in_use <= share_    ? Level::kShort
                                     : Level::kFull;
    }
    // Unsent replies of one client at which its reading stops.
    [[nodiscard]] size_t reply_limit(Level level) const noexcept {
        return level == Level::kRelaxed ? std::max(kRelaxedReplyBytes, share_ / 8)
                                        : kTightReplyBytes;
    }
    // Unsent replies of one client at which the connection that brings it more stops. A reply of
    // over kLargeReplyBytes is `large`.
    [[nodiscard]] size_t hold_limit(Level level, bool large) const noexcept {
        return large ? std::min(kRelaxedReplyBytes, reply_limit(level)) : reply_limit(level);
    }
    // Requests in flight of one client at which its reading stops.
    [[nodiscard]] size_t request_limit(Level level, bool alone) const noexcept {
        return level >= Level::kShort              ? 0
               : alone && level == Level::kRelaxed ? kLoneRequests
                                                   : kFairRequests;
    }
    // Replies of one client that wait for an earlier one.
    [[nodiscard]] size_t parked_limit(Level level) const noexcept {
        switch (level) {
            case Level::kRelaxed:
                return SIZE_MAX;
            case Level::kTight:
                return std::max(kRelaxedReplyBytes, share_ / 4);
            case Level::kShort:
                return kTightReplyBytes;
            case Level::kFull:
                break;
        }
        return 0;
    }
    [[nodiscard]] bool must_stop(Level level, const Load& load) const noexcept {
        return is_behind(level, load) || load.requests > request_limit(level, load.alone);
    }
    [[nodiscard]] bool is_behind(Level level, const Load& load) const noexcept {
        return load.unsent_bytes > reply_limit(level);
    }
    // Below must_stop() by a distance, so that it does not change to and fro. But a client that was
    // not `behind` with its replies does not have to take any first: it may still be writing.
    [[nodiscard]] bool may_start(Level level, const Load& load, bool behind) const noexcept {
        return load.unsent_bytes <= reply_limit(level) / (behind ? 4 : 1) &&
               load.requests <= request_limit(level, load.alone) / 2;
    }
    // How long a client that is not read may take none of its replies. The fuller the memory, the
    // less patience with what would relieve it.
    [[nodiscard]] static uint64_t patience_ms(Level level, size_t unsent_bytes) noexcept {
        return level >= Level::kShort && unsent_bytes > kTightReplyBytes ? kShortPatienceMs
                                                                         : kStuckClientMs;
    }

  private:
    void place_marks() noexcept {
        const size_t rest = share_ > bodies_ ? share_ - bodies_ : 0;
        // Bodies may hold more than the share, where a reload has made it smaller.
        tight_at_ = std::min(bodies_ + rest / 2, share_);
        short_at_ = std::min(bodies_ + rest / 5 * 4, share_);
    }

    size_t share_ = 0;
    size_t bodies_ = 0;
    size_t stashes_ = 0;  // of these, in stashes
    size_t tight_at_ = 0;
    size_t short_at_ = 0;
};

}  // namespace ringmaster::worker
