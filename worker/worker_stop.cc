// SPDX-License-Identifier: Apache-2.0
// Worker: how it ends.
//
// Two ways. A stop: take what is queued, accept no more, read what has arrived, answer it, end. A
// drain: accept no more, serve the clients that are there until they leave, then at the latest
// stop. What a server has not answered shortly before the master's patience ends is answered with
// the error of a timeout, so that no client hears nothing.
#include <algorithm>

#include "common/base/log.h"
#include "worker/limits.h"
#include "worker/worker.h"

namespace ringmaster::worker {

void Worker::handle(control::Stop& message) {
    if (!message.graceful) {
        end(0);
        return;
    }
    if (message.drain) {
        begin_drain(message.timeout_ms);
        return;
    }
    begin_stop();
    bound_stop(message.timeout_ms);
}

void Worker::give_up(const std::string& reason) {
    RM_LOG(kCrit, "{}", reason);
    control_->send(control::Failed{reason});
    end(1);
}

void Worker::begin_stop() {
    if (path_.stopping) {
        return;
    }
    stop_accepting();
    report_stats(0);  // what has been counted so far is not lost with this process
    path_.stopping = true;
    answers_to_ignore_ = asks_open_;
    for_each_pool([](Pool& pool) { pool.refuse_waiting(); });
    turns_to_finish_ = 2;
    // The loop must turn to get there, also when nothing happens any more.
    beat_timer_.start(1, kBeatMs);
}

void Worker::begin_drain(uint64_t timeout_ms) {
    if (path_.stopping) {
        return;
    }
    draining_ = true;
    stop_accepting();
    report_stats(0);
    if (timeout_ms > 0) {
        stop_reserve_ms_ = timeout_ms / 10;
        stop_step_ = StopStep::kFinish;
        stop_timer_.start(timeout_ms - stop_reserve_ms_);
    }
}

// The end comes a little before the time is up: what is counted is still reported.
void Worker::bound_stop(uint64_t timeout_ms) {
    if (timeout_ms > 0) {
        stop_reserve_ms_ = timeout_ms / 10;
        stop_step_ = StopStep::kFailRequests;
        stop_timer_.start(timeout_ms - stop_reserve_ms_);
    }
}

void Worker::on_stop_timer() {
    switch (stop_step_) {
        case StopStep::kFinish:
            begin_stop();
            bound_stop(std::max<uint64_t>(stop_reserve_ms_, 1));
            break;
        case StopStep::kFailRequests:
            for_each_pool([](Pool& pool) { pool.fail_servers(ETIMEDOUT); });
            stop_step_ = StopStep::kEnd;
            stop_timer_.start(stop_reserve_ms_ / 2);
            break;
        case StopStep::kEnd:
            report_stats(0);
            end(0);
            break;
    }
}

void Worker::end_when_empty() {
    const bool is_leaving =
        path_.stopping ? turns_to_finish_ == 0 : ready_ && (draining_ || surplus_);
    if (!is_leaving || client_count() > 0) {
        return;
    }
    bool waiting = false;
    for_each_pool([&waiting](const Pool& pool) { waiting = waiting || pool.has_waiting(); });
    if (!waiting) {
        report_stats(0);
        end(0);
    }
}

void Worker::stop_accepting() {
    if (accept_stopped_) {
        return;
    }
    accept_stopped_ = true;
    listeners_.empty_all();
    if (control_ != nullptr) {
        control_->send(control::AcceptStopped{});
    }
}

void Worker::on_master_gone() {
    if (master_gone_) {
        return;
    }
    master_gone_ = true;
    RM_LOG(kWarn, "the master is gone, ending");
    listeners_.close_all();
    accept_stopped_ = true;
    prepared_.reset();
    path_.stopping = true;
    for_each_pool([](Pool& pool) { pool.refuse_waiting(); });
    turns_to_finish_ = 2;
    beat_timer_.start(1, kBeatMs);
    bound_stop(kOrphanMs);
}

}  // namespace ringmaster::worker
