// SPDX-License-Identifier: Apache-2.0
#include "common/io/loop.h"

#include <algorithm>

#include <uv.h>

#include "common/base/assert.h"
#include "common/base/ticks.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

namespace {

void on_prepare(uv_prepare_t* handle) noexcept {
    auto* impl = impl_of<Loop::Impl>(handle);
    if (impl->hooks != nullptr) {
        impl->hooks->before_poll();
    }
    // libuv counts the coming wait from its cached time; without this a long turn would make every
    // timer late by the length of the turn. A short one is not worth reading the clock.
    if (base::ticks() - impl->polled_ticks > base::kTicksOfAMs) {
        uv_update_time(&impl->loop);
    }
    impl->clock.before_poll(uv_now(&impl->loop), impl->poll_timeout_ms());
    impl->polled_ticks = base::ticks();
}

void on_check(uv_check_t* handle) noexcept {
    auto* impl = impl_of<Loop::Impl>(handle);
    impl->clock.after_poll(uv_now(&impl->loop));
    if (impl->skips_wait) {
        impl->skips_wait = false;
        uv_idle_stop(&impl->idle);
    }
    if (impl->hooks != nullptr) {
        impl->hooks->after_poll();
    }
}

}  // namespace

uint64_t Loop::Impl::poll_timeout_ms() noexcept {
    const int timeout_ms = uv_backend_timeout(&loop);
    if (timeout_ms < 0) {
        return StallClock::kWaitForever;
    }
    if (timeout_ms > 0) {
        return static_cast<uint64_t>(timeout_ms);
    }
    // libuv also answers 0 for "not known yet" (some watcher is not registered with epoll), and
    // then may wait until the next timer. Too long an allowance only misses a stall; too short a
    // one would call a lawful wait a stall.
    uint64_t due_ms = StallClock::kWaitForever;
    for (LoopTimer* t = timers.front_or_null(); t != nullptr; t = timers.next_or_null(*t)) {
        due_ms = std::min(due_ms, uv_timer_get_due_in(&t->timer));
    }
    return due_ms;
}

void Loop::Impl::skip_wait() noexcept {
    skips_wait = true;
    uv_idle_start(&idle, [](uv_idle_t* /*handle*/) noexcept {});
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {
    RM_ASSERT(uv_loop_init(&impl_->loop) == 0);
    impl_->clock = StallClock(uv_now(&impl_->loop));
    impl_->loop.data = impl_.get();
    impl_->prepare.data = impl_.get();
    impl_->check.data = impl_.get();
    RM_ASSERT(uv_prepare_init(&impl_->loop, &impl_->prepare) == 0);
    RM_ASSERT(uv_check_init(&impl_->loop, &impl_->check) == 0);
    RM_ASSERT(uv_prepare_start(&impl_->prepare, on_prepare) == 0);
    RM_ASSERT(uv_check_start(&impl_->check, on_check) == 0);
    RM_ASSERT(uv_idle_init(&impl_->loop, &impl_->idle) == 0);
    uv_unref(as_handle(&impl_->prepare));
    uv_unref(as_handle(&impl_->check));
    uv_unref(as_handle(&impl_->idle));
}

Loop::~Loop() {
    uv_close(as_handle(&impl_->prepare), nullptr);
    uv_close(as_handle(&impl_->check), nullptr);
    uv_close(as_handle(&impl_->idle), nullptr);
    while (!impl_->tenants.empty()) {
        impl_->tenants.pop_front()->on_loop_end();
    }
    uv_walk(
        &impl_->loop,
        [](uv_handle_t* handle, void* /*context*/) noexcept {
            RM_ASSERT(uv_is_closing(handle) != 0);  // else: somebody outlives its loop
        },
        nullptr);
    while (uv_run(&impl_->loop, UV_RUN_DEFAULT) != 0) {}
    RM_ASSERT(uv_loop_close(&impl_->loop) == 0);
}

void Loop::set_hooks(LoopHooks* hooks_or_null) noexcept {
    RM_ASSERT(hooks_or_null == nullptr || impl_->hooks == nullptr);
    impl_->hooks = hooks_or_null;
}

void Loop::run() {
    uv_run(&impl_->loop, UV_RUN_DEFAULT);
}

void Loop::stop() noexcept {
    uv_stop(&impl_->loop);
}

uint64_t Loop::now_ms() const noexcept {
    return uv_now(&impl_->loop);
}

uint64_t Loop::take_lag_ms() noexcept {
    return impl_->clock.take_lag_ms();
}

uint64_t Loop::active_ms() const noexcept {
    return impl_->clock.active_ms(uv_now(&impl_->loop));
}

}  // namespace ringmaster::io
