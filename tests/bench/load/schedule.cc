// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/schedule.h"

#include <cmath>
#include <utility>

#include <sys/timerfd.h>
#include <unistd.h>

namespace bench {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

}  // namespace

Schedule::Schedule(uv_loop_t* loop, std::uint64_t seed, Due due, TurnOver turn_over)
    : loop_(loop), random_(seed), due_(std::move(due)), turn_over_(std::move(turn_over)) {}

Schedule::~Schedule() {
    if (timer_ >= 0) {
        ::close(timer_);
    }
}

void Schedule::start(double per_second, std::uint64_t arrivals) {
    if (timer_ < 0) {
        timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        uv_poll_init(loop_, &poll_, timer_);
        poll_.data = this;
        uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int /*status*/, int /*events*/) {
            static_cast<Schedule*>(poll->data)->on_time();
        });
    }
    mean_gap_ns_ = static_cast<double>(kSecondNs) / per_second;
    left_ = arrivals;
    next_ns_ = static_cast<double>(uv_hrtime());
    next_ns_ += gap_ns();
    arm();
}

double Schedule::gap_ns() {
    return -std::log(random_.fraction()) * mean_gap_ns_;
}

void Schedule::arm() {
    const auto at = static_cast<std::uint64_t>(next_ns_);
    itimerspec when = {};
    when.it_value.tv_sec = static_cast<time_t>(at / kSecondNs);
    when.it_value.tv_nsec = static_cast<long>(at % kSecondNs);
    ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void Schedule::on_time() {
    std::uint64_t expirations = 0;
    if (::read(timer_, &expirations, sizeof expirations) < 0) {
        return;
    }
    const std::uint64_t now = uv_hrtime();
    while (left_ > 0 && static_cast<std::uint64_t>(next_ns_) <= now) {
        due_(static_cast<std::uint64_t>(next_ns_));
        next_ns_ += gap_ns();
        --left_;
    }
    if (left_ > 0) {
        arm();
    }
    turn_over_();
}

}  // namespace bench
