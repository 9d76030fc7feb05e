// SPDX-License-Identifier: Apache-2.0
#include "common/io/timer.h"

#include <utility>

#include "common/base/assert.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

struct Timer::Impl : LoopTimer {
    Loop::Impl* loop = nullptr;
    std::function<void()> on_due;
};

namespace {

void on_timer(uv_timer_t* handle) noexcept {
    auto* impl = impl_of<Timer::Impl>(handle);
    if (uv_is_active(as_handle(handle)) == 0) {
        impl->unlink();
    }
    impl->loop->skip_wait();
    impl->on_due();  // last: it may destroy the Timer
}

}  // namespace

Timer::Timer(Loop& loop, std::function<void()> on_due) : impl_(new Impl) {
    impl_->loop = &loop.impl();
    impl_->on_due = std::move(on_due);
    RM_ASSERT(uv_timer_init(uv_loop_of(loop), &impl_->timer) == 0);
    impl_->timer.data = impl_;
}

Timer::~Timer() {
    impl_->unlink();
    close_and_delete<Impl>(&impl_->timer);  // also stops it
}

void Timer::start(uint64_t delay_ms, uint64_t repeat_ms) {
    RM_ASSERT(uv_timer_start(&impl_->timer, on_timer, delay_ms, repeat_ms) == 0);
    if (!impl_->linked()) {
        impl_->loop->timers.push_back(*impl_);
    }
}

void Timer::stop() {
    uv_timer_stop(&impl_->timer);
    impl_->unlink();
}

bool Timer::running() const noexcept {
    return uv_is_active(as_handle(&impl_->timer)) != 0;
}

}  // namespace ringmaster::io
