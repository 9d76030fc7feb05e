// SPDX-License-Identifier: Apache-2.0
// Whether this worker accepts: not while it holds as many clients as fit below its limit of open
// descriptors. Further ones wait in the accept queue until one leaves.
//
// Does nothing by itself: the callback pauses or starts all listeners. Says so in the log once a
// minute at most.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

namespace ringmaster::worker {

class AcceptGate {
  public:
    static constexpr uint64_t kLogEveryMs = 60000;

    // Called on each change.
    explicit AcceptGate(std::function<void(bool accept)> set_accepting)
        : set_accepting_(std::move(set_accepting)) {}

    // At most this many clients, at least one: a limit that was lowered under us, however far, must
    // not end all service. Takes effect with the next update().
    void set_room(uint64_t clients_max) noexcept { room_ = clients_max > 0 ? clients_max : 1; }
    // After every accept, and once a turn while it is not open. True when that closed it.
    bool update(uint64_t clients, uint64_t now_ms);

    [[nodiscard]] bool open() const noexcept { return open_; }

  private:
    void log(uint64_t clients, uint64_t now_ms);

    std::function<void(bool)> set_accepting_;
    uint64_t room_ = std::numeric_limits<uint64_t>::max();
    bool open_ = true;
    uint64_t closed_since_log_ = 0;  // times
    std::optional<uint64_t> logged_ms_;
};

}  // namespace ringmaster::worker
