// SPDX-License-Identifier: Apache-2.0
#include "common/io/listener.h"

#include <cerrno>
#include <limits>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/base/log.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

namespace {

constexpr uint64_t kExhaustedPauseMs = 100;

enum class AcceptOutcome { kAccepted, kSkip, kEmpty, kExhausted, kDead };

AcceptOutcome outcome_of(int error) noexcept {
    switch (error) {
        case EAGAIN:
            return AcceptOutcome::kEmpty;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return AcceptOutcome::kExhausted;
        case EINVAL:  // shut down, here or by another process that holds it
        case EBADF:
        case ENOTSOCK:
        case EOPNOTSUPP:
            return AcceptOutcome::kDead;
        default:
            // EINTR, ECONNABORTED, and what accept(2) passes on from the one connection it took.
            return AcceptOutcome::kSkip;
    }
}

}  // namespace

struct Listener::Impl {
    uv_poll_t poll{};
    LoopTimer retry;
    Loop::Impl* loop = nullptr;
    int fd = -1;
    bool is_tcp = false;
    bool detached = false;
    bool wanted = false;  // start() was called, pause() was not
    bool dead = false;    // shut down: never polled again
    int open_handles = 2;
    size_t max_per_turn = 1;
    uint64_t exhausted = 0;
    OnAccept on_accept;

    void poll_now() noexcept;
    void back_off() noexcept;
    [[nodiscard]] bool is_shut_down() const noexcept;
    AcceptOutcome accept_one(int& client_fd) const noexcept;
    void accept_up_to(size_t limit, bool even_when_paused) noexcept;
};

namespace {

using Impl = Listener::Impl;

void on_closed(uv_handle_t* handle) noexcept {
    auto* impl = impl_of<Impl>(handle);
    if (--impl->open_handles == 0) {
        delete impl;
    }
}

void on_readable(uv_poll_t* handle, int status, int /*events*/) noexcept {
    auto* impl = impl_of<Impl>(handle);
    if (status < 0) {
        // The socket is in error and libuv has stopped polling. If it is not dead, accept4() below
        // has cleared the error by the time of the next try.
        impl->back_off();
    }
    impl->accept_up_to(impl->max_per_turn, false);
}

void on_retry(uv_timer_t* handle) noexcept {
    auto* impl = impl_of<Impl>(handle);
    impl->retry.unlink();
    impl->poll_now();
}

}  // namespace

void Impl::poll_now() noexcept {
    if (wanted && !dead && !retry.linked()) {
        RM_ASSERT(uv_poll_start(&poll, UV_READABLE, on_readable) == 0);
    }
}

void Impl::back_off() noexcept {
    uv_poll_stop(&poll);
    if (!retry.linked()) {
        RM_ASSERT(uv_timer_start(&retry.timer, on_retry, kExhaustedPauseMs, 0) == 0);
        loop->timers.push_back(retry);
    }
}

// accept4() on a non-blocking Unix listener that was shut down says EAGAIN for ever, while epoll
// reports it for ever.
bool Impl::is_shut_down() const noexcept {
    pollfd state{fd, POLLRDHUP, 0};
    return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLRDHUP)) != 0;
}

AcceptOutcome Impl::accept_one(int& client_fd) const noexcept {
    client_fd = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client_fd < 0) {
        const AcceptOutcome outcome = outcome_of(errno);
        const bool ended = outcome == AcceptOutcome::kEmpty && !is_tcp && is_shut_down();
        return ended ? AcceptOutcome::kDead : outcome;
    }
    if (is_tcp) {
        const int on = 1;  // fails only when the client is gone: reading tells
        ::setsockopt(client_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return AcceptOutcome::kAccepted;
}

void Impl::accept_up_to(size_t limit, bool even_when_paused) noexcept {
    for (size_t i = 0; i < limit && (wanted || even_when_paused); ++i) {
        int client_fd = -1;
        switch (accept_one(client_fd)) {
            case AcceptOutcome::kAccepted:
                on_accept(client_fd);
                if (detached) {
                    return;  // the callback destroyed the Listener
                }
                break;
            case AcceptOutcome::kSkip:
                break;
            case AcceptOutcome::kEmpty:
                return;
            case AcceptOutcome::kExhausted:
                if (exhausted == 0) {
                    RM_LOG(kErr, "accept: out of descriptors or memory, trying again in {} ms",
                           kExhaustedPauseMs);
                }
                ++exhausted;
                back_off();
                return;
            case AcceptOutcome::kDead:
                dead = true;
                uv_poll_stop(&poll);
                return;
        }
    }
}

Listener::Listener(Loop& loop, int fd, size_t max_per_turn, OnAccept on_accept) : impl_(new Impl) {
    RM_ASSERT(fd >= 0);
    RM_ASSERT(max_per_turn > 0);
    impl_->loop = &loop.impl();
    impl_->fd = fd;
    impl_->max_per_turn = max_per_turn;
    impl_->on_accept = std::move(on_accept);
    int domain = AF_UNSPEC;
    socklen_t size_bytes = sizeof domain;
    ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size_bytes);
    impl_->is_tcp = domain == AF_INET || domain == AF_INET6;
    impl_->poll.data = impl_;
    impl_->retry.timer.data = impl_;
    RM_ASSERT(uv_poll_init(uv_loop_of(loop), &impl_->poll, fd) == 0);
    RM_ASSERT(uv_timer_init(uv_loop_of(loop), &impl_->retry.timer) == 0);
}

Listener::~Listener() {
    impl_->detached = true;
    impl_->retry.unlink();
    // The poll handle first: the socket may live on in another process, and epoll would then go on
    // reporting a descriptor that was closed before it was taken out.
    uv_close(as_handle(&impl_->poll), on_closed);
    uv_close(as_handle(&impl_->retry.timer), on_closed);
    ::close(impl_->fd);
}

void Listener::start() {
    impl_->wanted = true;
    impl_->poll_now();
}

void Listener::pause() {
    impl_->wanted = false;
    uv_poll_stop(&impl_->poll);
}

void Listener::accept_all() {
    impl_->accept_up_to(std::numeric_limits<size_t>::max(), true);
}

uint64_t Listener::fd_exhausted_count() const noexcept {
    return impl_->exhausted;
}

int Listener::fd() const noexcept {
    return impl_->fd;
}

}  // namespace ringmaster::io
