// SPDX-License-Identifier: Apache-2.0
// Every listening socket this worker has, by the master's number of it, and which pool its clients
// belong to.
//
// A socket is held first, without accepting from it (before Start; of a generation that is being
// prepared), and started when its pool serves. Several processes may hold the same socket: closing
// one here leaves its queue to the others, unless it is emptied first. A client is handed over as
// (pool, descriptor); what the pool's number means is the owner's business, so a table whose
// entries were retargeted serves another generation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>

#include "common/control/messages.h"
#include "common/io/listener.h"
#include "common/io/loop.h"

namespace ringmaster::worker {

class ListenerTable {
  public:
    // The callee owns the descriptor. It must not change the table.
    using OnClient = std::function<void(uint32_t pool, int fd)>;

    // `loop` is borrowed and outlives the table.
    ListenerTable(io::Loop& loop, OnClient on_client)
        : loop_(loop), on_client_(std::move(on_client)) {}

    // Takes ownership of `fd`. One that is here already stays as it is, with the pool it has.
    void hold(const control::ListenerUse& use, int fd);
    // Accepts from it; false when there is no such listener.
    bool start(uint32_t listener);
    void start_all();
    // Accepts no more from these and closes them; what waits in their queues is left to others.
    void release(std::span<const uint32_t> listeners);
    // Accepts what waits in their queues, then shuts them down: nobody accepts from them any more.
    void remove(std::span<const uint32_t> listeners);
    // Exactly these go on, or start, for the pools named; all others are emptied and closed, but
    // for those that never started, if `keep_held`. False when one of them is not here (the others
    // are in order then).
    bool switch_to(std::span<const control::ListenerUse> uses, bool keep_held = false);
    // Closes those that never started.
    void drop_held();
    // Accepts all that waits in their queues, then closes them.
    void empty_all();
    void close_all() { listeners_.clear(); }
    // While off nothing is accepted, also from what is started meanwhile; queues wait. Emptying a
    // queue before it is closed goes on regardless.
    void set_accepting(bool accepting);

    [[nodiscard]] size_t size() const noexcept { return listeners_.size(); }
    [[nodiscard]] bool has(uint32_t listener) const { return listeners_.contains(listener); }

  private:
    struct Entry {
        uint32_t pool = 0;
        bool started = false;
        std::unique_ptr<io::Listener> listener;
    };

    void start(Entry& entry) const;

    io::Loop& loop_;
    OnClient on_client_;
    bool accepting_ = true;
    std::map<uint32_t, Entry> listeners_;
};

}  // namespace ringmaster::worker
