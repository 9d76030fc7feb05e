// SPDX-License-Identifier: Apache-2.0
// Counts crashes of workers and notices when there are too many: a request that kills one worker is
// likely to be sent again, to the next one. Pure; times come in as milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace ringmaster::master {

class CrashMeter {
  public:
    static constexpr size_t kManyPerMinute = 10;
    static constexpr uint64_t kMinuteMs = 60000;

    // True when there were more than kManyPerMinute within a minute; at most once a minute.
    bool on_crash(uint64_t now_ms) {
        ++count_;
        recent_.push_back(now_ms);
        while (recent_.front() + kMinuteMs <= now_ms) {
            recent_.pop_front();
        }
        const bool told_lately = told_at_ms_ && now_ms - *told_at_ms_ < kMinuteMs;
        if (recent_.size() <= kManyPerMinute || told_lately) {
            return false;
        }
        told_at_ms_ = now_ms;
        return true;
    }
    // Ever.
    [[nodiscard]] uint64_t count() const noexcept { return count_; }

  private:
    uint64_t count_ = 0;
    std::deque<uint64_t> recent_;
    std::optional<uint64_t> told_at_ms_;
};

}  // namespace ringmaster::master
