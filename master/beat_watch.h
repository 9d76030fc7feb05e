// SPDX-License-Identifier: Apache-2.0
// Judges one worker by its beats (one every 100 ms). Pure; times come in as milliseconds, and have
// to be active time of the judge (io::Loop::active_ms()): what it slept through is no silence.
//
// No beat for kSilentMs: silent, others should accept for it. None for kHungMs: SIGABRT, which
// leaves a core; kKillMs later SIGKILL, again and again. A process that is stopped (SIGSTOP, a
// debugger) is silent as well, but never ended: the time in which it is seen stopped counts for
// nothing, so that one that goes on has kHungMs again to send a beat.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ringmaster::master {

class BeatWatch {
  public:
    static constexpr uint64_t kSilentMs = 1000;
    static constexpr uint64_t kHungMs = 5000;
    static constexpr uint64_t kKillMs = 1000;

    enum class Verdict { kFine, kSilent, kAbort, kKill };

    // The worker is READY.
    void start(uint64_t now_ms) {
        running_ = true;
        on_beat(now_ms);
    }
    // It has ended.
    void stop() { running_ = false; }
    void on_beat(uint64_t now_ms) {
        last_beat_ms_ = now_ms;
        excused_until_ms_ = now_ms;
        aborted_at_ms_.reset();
    }

    [[nodiscard]] uint64_t silent_for_ms(uint64_t now_ms) const {
        return running_ ? now_ms - last_beat_ms_ : 0;
    }
    [[nodiscard]] bool is_silent(uint64_t now_ms) const {
        return silent_for_ms(now_ms) >= kSilentMs;
    }
    // `stopped` is only looked at when it is silent. kAbort and kKill are taken as done.
    Verdict judge(uint64_t now_ms, bool stopped) {
        if (!is_silent(now_ms)) {
            return Verdict::kFine;
        }
        if (stopped) {
            excused_until_ms_ = now_ms;
            return Verdict::kSilent;
        }
        if (!aborted_at_ms_) {
            if (now_ms - excused_until_ms_ < kHungMs) {
                return Verdict::kSilent;
            }
            aborted_at_ms_ = now_ms;
            return Verdict::kAbort;
        }
        if (now_ms - std::max(*aborted_at_ms_, excused_until_ms_) < kKillMs) {
            return Verdict::kSilent;
        }
        aborted_at_ms_ = now_ms;
        return Verdict::kKill;
    }

  private:
    bool running_ = false;
    uint64_t last_beat_ms_ = 0;
    uint64_t excused_until_ms_ = 0;  // silence up to here does not count for the kill
    std::optional<uint64_t> aborted_at_ms_;
};

}  // namespace ringmaster::master
