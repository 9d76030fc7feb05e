// SPDX-License-Identifier: Apache-2.0
// Watches the workers and sees to it that somebody accepts from every slot's listeners: adopts
// those of the silent and the dead (adoption.h), ends the hung (beat_watch.h).
//
// Told by the supervisor what happens; judges in after_poll(), when what has arrived was read, and
// in active time. References are borrowed and outlive this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "common/control/messages.h"
#include "common/io/loop.h"
#include "common/io/timer.h"
#include "master/adoption.h"
#include "master/beat_watch.h"
#include "master/listener_set.h"
#include "master/worker_process.h"

namespace ringmaster::master {

class SlotWatch {
  public:
    static constexpr uint64_t kCheckMs = 100;

    struct Surroundings {
        const ListenerSet& listeners;
        const control::ConfigBytes& config_bytes;
        // READY and running; null when there is none.
        std::function<WorkerProcess*(size_t slot)> worker_or_null;
    };

    SlotWatch(io::Loop& loop, size_t slots, Surroundings surroundings);

    // All slots serve for the first time: from now on somebody always should.
    void start();
    // The workers are about to be told to stop. Slots without a worker are adopted now, so that
    // their queues are emptied as well; from then on nothing is, and nobody is ended.
    void stop();

    // Another config is in force. `wanted` slots are to be served; the others' sockets are adopted.
    // What a worker has been lent, and still exists, it is told to keep by kept_by().
    void reload(size_t slots, size_t wanted);
    // Listeners of other slots that this slot's worker goes on accepting from, for their new pools.
    [[nodiscard]] std::vector<control::ListenerUse> kept_by(size_t slot) const;

    void on_ready(size_t slot);
    void on_beat(size_t slot);
    void on_accept_stopped(size_t slot);
    void on_exit(size_t slot);
    void after_poll();

    // Its worker serves: is READY and beats.
    [[nodiscard]] bool serves(size_t slot) const { return adoption_.serves(slot); }
    // Whose worker accepts for it; Adoption::kNobody: its own, or none.
    [[nodiscard]] size_t adopter(size_t slot) const { return adoption_.adopter(slot); }
    [[nodiscard]] uint64_t adoption_count() const noexcept { return adoption_.count(); }

  private:
    struct Slot {
        BeatWatch beats;
        bool silent = false;         // as far as it has been noticed
        bool accepting = false;      // else it only finishes what it has
        std::vector<uint32_t> lent;  // the slot's listeners that its adopter has been given
    };

    void forget_loans_to(size_t adopter);
    void judge_beats(uint64_t now_ms);
    void adopt(uint64_t now_ms);
    void take_back(size_t slot, size_t from);
    void lend(size_t slot, size_t to);
    [[nodiscard]] std::vector<PoolListener> lendable(size_t slot) const;

    io::Loop& loop_;
    Surroundings around_;
    Adoption adoption_;
    std::vector<Slot> slots_;
    io::Timer check_timer_;
    io::Timer due_timer_;  // an empty slot's patience ends
    bool running_ = false;
    bool beats_due_ = false;
    bool adoption_due_ = false;
    bool lent_is_stale_ = false;  // a reload may have added listeners to slots that are adopted
};

}  // namespace ringmaster::master
