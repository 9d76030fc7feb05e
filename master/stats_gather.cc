// SPDX-License-Identifier: Apache-2.0
#include "master/stats_gather.h"

#include <algorithm>
#include <utility>

namespace ringmaster::master {

void StatsGather::start(std::function<void()> on_done) {
    const uint64_t id = ++last_id_;
    const std::vector<size_t> asked = ask_(id);
    if (asked.empty()) {
        on_done();
        return;
    }
    auto timer = std::make_unique<io::Timer>(loop_, [this, id] { finish_by_id(id); });
    timer->start(kWaitMs);
    rounds_.push_back({.id = id,
                       .waiting_for = {asked.begin(), asked.end()},
                       .on_done = std::move(on_done),
                       .timer = std::move(timer)});
}

void StatsGather::finish(std::list<Round>::iterator round) {
    const std::function<void()> on_done = std::move(round->on_done);
    rounds_.erase(round);
    on_done();  // last: it may start another round
}

void StatsGather::finish_by_id(uint64_t id) {
    const auto found = std::find_if(rounds_.begin(), rounds_.end(),
                                    [id](const Round& round) { return round.id == id; });
    if (found != rounds_.end()) {
        finish(found);
    }
}

void StatsGather::on_report(size_t slot, uint64_t request_id) {
    const auto found = std::find_if(rounds_.begin(), rounds_.end(),
                                    [&](const Round& round) { return round.id == request_id; });
    if (found != rounds_.end()) {
        found->waiting_for.erase(slot);
        if (found->waiting_for.empty()) {
            finish(found);
        }
    }
}

void StatsGather::on_gone(size_t slot) {
    std::vector<uint64_t> complete;
    for (Round& round : rounds_) {
        if (round.waiting_for.erase(slot) > 0 && round.waiting_for.empty()) {
            complete.push_back(round.id);
        }
    }
    for (const uint64_t id : complete) {
        finish_by_id(id);
    }
}

}  // namespace ringmaster::master
