// SPDX-License-Identifier: Apache-2.0
#include "common/io/signal.h"

#include <csignal>
#include <utility>

#include "common/base/assert.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

struct Signal::Impl {
    uv_signal_t signal{};
    bool detached = false;
    std::function<void()> on_signal;
};

Signal::Signal(Loop& loop, int signal_number, std::function<void()> on_signal) : impl_(new Impl) {
    impl_->on_signal = std::move(on_signal);
    impl_->signal.data = impl_;
    RM_ASSERT(uv_signal_init(uv_loop_of(loop), &impl_->signal) == 0);
    const int status = uv_signal_start(
        &impl_->signal,
        [](uv_signal_t* handle, int /*number*/) noexcept {
            auto* impl = impl_of<Impl>(handle);
            if (!impl->detached) {
                impl->on_signal();  // last: it may destroy the Signal
            }
        },
        signal_number);
    RM_ASSERT(status == 0);
}

Signal::~Signal() {
    impl_->detached = true;
    close_and_delete<Impl>(&impl_->signal);
}

void ignore_signal(int signal_number) noexcept {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    RM_ASSERT(::sigaction(signal_number, &action, nullptr) == 0);
}

void block_signals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    RM_ASSERT(::pthread_sigmask(SIG_BLOCK, &all, nullptr) == 0);
}

}  // namespace ringmaster::io
