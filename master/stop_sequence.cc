// SPDX-License-Identifier: Apache-2.0
#include "master/stop_sequence.h"

#include <utility>

#include "common/base/log.h"

namespace ringmaster::master {

StopSequence::StopSequence(io::Loop& loop, Supervisor& supervisor, ListenerSet& listeners,
                           std::function<void()> on_finished)
    : supervisor_(supervisor),
      listeners_(listeners),
      on_finished_(std::move(on_finished)),
      accept_timer_(loop, [this] { close_listeners(); }),
      deadline_(loop, [this] {
          if (phase_ == Phase::kKilling) {
              finish();
          } else {
              RM_LOG(kWarn, "{} worker(s) still busy at the timeout: ending them",
                     supervisor_.running_count());
              at_once();
          }
      }) {}

void StopSequence::begin(Kind kind, uint32_t timeout_ms) {
    // TERM after QUIT tightens a drain; anything else said twice means now.
    const bool tightens = phase_ == Phase::kDraining && kind == Kind::kGraceful;
    if (begun() && !tightens) {
        at_once();
        return;
    }
    const bool first = !begun();
    phase_ = kind == Kind::kDrain ? Phase::kDraining : Phase::kStopping;
    supervisor_.stop_respawning();
    supervisor_.send_stop(
        {.graceful = true, .drain = kind == Kind::kDrain, .timeout_ms = timeout_ms});
    deadline_.start(timeout_ms);
    if (first) {
        accept_timer_.start(kAcceptWaitMs);
    }
    finish_if_all_gone();
}

void StopSequence::at_once() {
    if (phase_ == Phase::kFinished || phase_ == Phase::kKilling) {
        return;
    }
    phase_ = Phase::kKilling;
    supervisor_.stop_respawning();
    supervisor_.kill_all();
    close_listeners();
    deadline_.start(kKillWaitMs);
    finish_if_all_gone();
}

void StopSequence::on_worker_stopped() {
    if (!begun()) {
        return;
    }
    if (supervisor_.all_accept_stopped()) {
        close_listeners();
    }
    finish_if_all_gone();
}

void StopSequence::close_listeners() {
    accept_timer_.stop();
    listeners_.close();
}

void StopSequence::finish_if_all_gone() {
    if (phase_ != Phase::kFinished && supervisor_.running_count() == 0) {
        finish();
    }
}

void StopSequence::finish() {
    phase_ = Phase::kFinished;
    close_listeners();
    deadline_.stop();
    on_finished_();
}

}  // namespace ringmaster::master
