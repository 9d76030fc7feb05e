// SPDX-License-Identifier: Apache-2.0
// Asks all living workers for their stats and says when all have answered, or kWaitMs have passed
// (a worker that does not turn its loop must not hold the answer back).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <vector>

#include "common/io/loop.h"
#include "common/io/timer.h"

namespace ringmaster::master {

class StatsGather {
  public:
    static constexpr uint64_t kWaitMs = 1000;

    // Sends the request to every living worker; returns the slots that were asked.
    using Ask = std::function<std::vector<size_t>(uint64_t request_id)>;

    StatsGather(io::Loop& loop, Ask ask) : loop_(loop), ask_(std::move(ask)) {}

    // `on_done` comes exactly once, possibly from inside this call.
    void start(std::function<void()> on_done);
    void on_report(size_t slot, uint64_t request_id);
    void on_gone(size_t slot);

  private:
    struct Round {
        uint64_t id = 0;
        std::set<size_t> waiting_for;
        std::function<void()> on_done;
        std::unique_ptr<io::Timer> timer;
    };
    void finish(std::list<Round>::iterator round);
    void finish_by_id(uint64_t id);

    io::Loop& loop_;
    Ask ask_;
    uint64_t last_id_ = 0;
    std::list<Round> rounds_;
};

}  // namespace ringmaster::master
