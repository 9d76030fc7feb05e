// SPDX-License-Identifier: Apache-2.0
// Worker: the start, and orders that are done at once.
#include <algorithm>
#include <utility>

#include <unistd.h>

#include "common/base/log.h"
#include "worker/worker.h"

namespace ringmaster::worker {

void Worker::on_message(control::Message& message) {
    std::visit([this](auto& body) { handle(body); }, message);
}

void Worker::handle(control::ConfigBytes& message) {
    if (current_->number != 0) {
        RM_LOG(kErr, "a second config came without a reload, ignored");
        return;
    }
    auto loaded = Generation::load(message.generation, message.memory_bytes, message.bytes);
    if (loaded == nullptr) {
        // The master has accepted these bytes by the same code.
        give_up("the worker cannot read the config the master sent");
        return;
    }
    current_ = std::move(loaded);
    while (!current_->is_built()) {
        current_->build_next(path_);
    }
    if (message.memory_bytes > 0) {
        set_memory_share(static_cast<size_t>(message.memory_bytes));
    }
    update_check_period();
}

void Worker::handle(control::RingState& message) {
    if (message.generation != current_->number) {
        RM_LOG(kDebug, "a placement of generation {} came in generation {}, ignored",
               message.generation, current_->number);
        return;
    }
    if (message.pool >= current_->pools.size() ||
        !current_->pools[message.pool]->set_ring(message)) {
        RM_LOG(kErr, "a placement for pool {} does not fit this config, ignored", message.pool);
    }
}

void Worker::handle(control::Reconnect& message) {
    if (message.generation != current_->number) {
        return;  // what it is about has been renewed by the reload
    }
    if (message.pool >= current_->pools.size() ||
        !current_->pools[message.pool]->renew_connections(message.server)) {
        RM_LOG(kErr, "told to renew the connections to a server of pool {} that is not there",
               message.pool);
    }
}

void Worker::handle(control::Listeners& message) {
    const bool is_current = message.generation == current_->number;
    for (const control::ListenerUse& use : message.uses) {
        const int fd = control_->take_descriptor();
        if (fd < 0 || (is_current && use.pool >= current_->pools.size())) {
            give_up("a listener is missing from the master's message");
            if (fd >= 0) {
                ::close(fd);
            }
            return;
        }
        if (accept_stopped_ || message.generation < current_->number) {
            ::close(fd);  // the master hears, or has heard, that this worker accepts no more
            continue;
        }
        listeners_.hold(use, fd);
        if (ready_ && is_current) {
            listeners_.start(use.listener);
        }
    }
}

void Worker::handle(control::ReleaseListeners& message) {
    listeners_.release(message.listeners);
}

void Worker::handle(control::Start&) {
    if (!current_->is_placed() || current_->pools.empty() || ready_) {
        give_up("told to start without a placement of every pool");
        return;
    }
    judge_room();
    listeners_.start_all();
    preconnect();
    ready_ = true;
    beat_timer_.start(kBeatMs, kBeatMs);
    housekeeping_timer_.start(kHousekeepingMs, kHousekeepingMs);
    control_->send(control::Ready{current_->number});
}

void Worker::preconnect() const {
    for (const auto& pool : current_->pools) {
        pool->preconnect();
    }
}

void Worker::handle(control::StatsRequest& message) {
    report_stats(message.request_id);
}

void Worker::handle(control::ClientAnswer& message) {
    if (asks_open_ == 0) {
        RM_LOG(kErr, "the master answers what was not asked, ignored");
        return;
    }
    --asks_open_;
    if (answers_to_ignore_ > 0) {
        --answers_to_ignore_;  // its client has been asked for again, or served, or sent away
        return;
    }
    if (message.pool < current_->pools.size()) {
        current_->pools[message.pool]->on_place(message.granted);
    }
}

void Worker::handle(control::LogLevel& message) {
    base::log_set_level(static_cast<int>(std::min<uint32_t>(message.level, base::kLogLevelMax)));
}

void Worker::handle(control::LogReopen&) {
    const int fd = control_->take_descriptor();
    if (fd < 0) {
        RM_LOG(kErr, "told of a new log file without getting it, going on with the old one");
        return;
    }
    base::log_use(fd);
}

}  // namespace ringmaster::worker
