// SPDX-License-Identifier: Apache-2.0
#include "common/io/stream.h"

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

// uv_buf_t has the shape of iovec on Unix; libuv itself relies on it.
static_assert(sizeof(uv_buf_t) == sizeof(iovec));
static_assert(offsetof(uv_buf_t, base) == offsetof(iovec, iov_base));
static_assert(offsetof(uv_buf_t, len) == offsetof(iovec, iov_len));

// One allocation per connection. Lives until the close callback.
struct Stream::Impl {
    union {
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    StreamHandler* handler = nullptr;  // null = detached: the owner is gone
    int writable = -1;                 // the descriptor, while nothing is in try_write()'s way
    bool is_unix : 1 = false;
    bool connecting : 1 = false;
    bool reading : 1 = false;
    bool write_pending : 1 = false;
    bool shutdown_wanted : 1 = false;
    bool ended : 1 = false;   // EOF was reported
    bool failed : 1 = false;  // an error was reported

    Impl() noexcept : pipe{} {}
    uv_stream_t* stream() noexcept { return reinterpret_cast<uv_stream_t*>(&pipe); }

    int init(Loop& loop, bool unix_socket, StreamHandler& stream_handler) noexcept {
        is_unix = unix_socket;
        handler = &stream_handler;
        const int status = unix_socket ? uv_pipe_init(uv_loop_of(loop), &pipe, 0)
                                       : uv_tcp_init(uv_loop_of(loop), &tcp);
        stream()->data = this;
        return status;
    }
    [[nodiscard]] int fd() noexcept {
        uv_os_fd_t fd = -1;
        return uv_fileno(as_handle(stream()), &fd) == 0 ? fd : -1;
    }
    void update_writable() noexcept {
        writable = failed || connecting || write_pending ? -1 : fd();
    }
    // FIN, when nothing is left to go out before it.
    void shutdown_if_ready() noexcept {
        if (shutdown_wanted && !connecting && !write_pending) {
            ::shutdown(fd(), SHUT_WR);  // fails only when the connection is gone: reading tells
        }
    }
    [[nodiscard]] bool is_connected_to_itself() noexcept;
};

static_assert(sizeof(Stream::Impl) <= 280, "there is one of these per connection");

bool Stream::Impl::is_connected_to_itself() noexcept {
    sockaddr_storage local{};
    sockaddr_storage remote{};
    socklen_t local_bytes = sizeof local;
    socklen_t remote_bytes = sizeof remote;
    if (::getsockname(fd(), reinterpret_cast<sockaddr*>(&local), &local_bytes) != 0 ||
        ::getpeername(fd(), reinterpret_cast<sockaddr*>(&remote), &remote_bytes) != 0) {
        return false;
    }
    return SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&local), local_bytes) ==
           SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&remote), remote_bytes);
}

namespace {

using Impl = Stream::Impl;

// A write owns its bytes: libuv calls back after the stream was detached and closed.
struct WriteRequest {
    uv_write_t request{};
    std::unique_ptr<PendingWrite> rest;
};

// Every thunk: fetch, return when detached, call one handler method last. After that call the
// stream may be closed; its Impl is still there until the close callback, but is not touched.

void on_uv_alloc(uv_handle_t* handle, size_t /*suggested*/, uv_buf_t* buffer) noexcept {
    auto* impl = impl_of<Impl>(handle);
    const std::span<char> span =
        impl->handler != nullptr ? impl->handler->on_alloc() : std::span<char>();
    buffer->base = span.data();
    buffer->len = span.size();
}

void on_uv_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* /*buffer*/) noexcept {
    auto* impl = impl_of<Impl>(stream);
    // 0 is "would block"; ENOBUFS is our own empty span: epoll is level-triggered, nothing is lost.
    if (impl->handler == nullptr || count == 0 || count == UV_ENOBUFS) {
        return;
    }
    if (count > 0) {
        impl->handler->on_read(static_cast<size_t>(count));
        return;
    }
    uv_read_stop(stream);
    impl->reading = false;
    if (count == UV_EOF) {
        impl->ended = true;
        impl->handler->on_eof();
        return;
    }
    if (!impl->failed) {
        impl->failed = true;
        impl->update_writable();
        impl->handler->on_error(static_cast<int>(-count));
    }
}

void on_uv_written(uv_write_t* request, int status) noexcept {
    auto* impl = impl_of<Impl>(request->handle);
    delete static_cast<WriteRequest*>(request->data);
    impl->write_pending = false;
    impl->update_writable();
    if (impl->handler == nullptr || impl->failed) {
        return;
    }
    if (status < 0) {
        uv_read_stop(impl->stream());
        impl->reading = false;
        impl->failed = true;
        impl->update_writable();
        impl->handler->on_error(-status);
        return;
    }
    impl->shutdown_if_ready();
    impl->handler->on_drained();
}

void on_uv_connected(uv_connect_t* request, int status) noexcept {
    auto* impl = impl_of<Impl>(request->handle);
    delete request;
    impl->connecting = false;
    if (impl->handler == nullptr) {
        return;
    }
    if (status == 0 && !impl->is_unix && impl->is_connected_to_itself()) {
        status = UV_ECONNREFUSED;
    }
    // libuv tells an immediate error before the wait of the turn.
    static_cast<Loop::Impl*>(impl->stream()->loop->data)->skip_wait();
    impl->failed = status < 0;
    if (status == 0) {
        impl->shutdown_if_ready();
    }
    impl->update_writable();
    impl->handler->on_connected(-status);
}

// Written with the system call itself: uv_try_write() does the same in some 100 instructions more,
// and send() is cheaper in the kernel than write(). Not while libuv has a write of ours queued.
template <class Send>
ssize_t result_of_send(Send send) noexcept {
    while (true) {
        const ssize_t taken = send();
        if (taken >= 0) [[likely]] {
            return taken;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
            return 0;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

void close_impl(Impl* impl) noexcept {
    impl->handler = nullptr;
    close_and_delete<Impl>(impl->stream());
}

}  // namespace

Stream::~Stream() {
    close();
}

Stream::Stream(Stream&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
    if (this != &other) {
        close();
        impl_ = std::exchange(other.impl_, nullptr);
    }
    return *this;
}

int Stream::adopt(Loop& loop, int fd, bool is_unix, StreamHandler& handler) {
    RM_ASSERT(impl_ == nullptr);
    RM_ASSERT(fd >= 0);
    auto impl = std::make_unique<Impl>();
    int status = impl->init(loop, is_unix, handler);
    if (status < 0) {
        ::close(fd);
        return -status;
    }
    status = is_unix ? uv_pipe_open(&impl->pipe, fd) : uv_tcp_open(&impl->tcp, fd);
    if (status < 0) {
        close_impl(impl.release());
        ::close(fd);
        return -status;
    }
    impl->update_writable();
    impl_ = impl.release();
    return 0;
}

int Stream::connect(Loop& loop, const SocketAddress& address, StreamHandler& handler) {
    RM_ASSERT(impl_ == nullptr);
    if (address.empty()) {
        return EADDRNOTAVAIL;
    }
    auto impl = std::make_unique<Impl>();
    int status = impl->init(loop, address.is_unix(), handler);
    if (status < 0) {
        return -status;
    }
    auto request = std::make_unique<uv_connect_t>();
    if (impl->is_unix) {
        // Errors, also immediate ones, arrive by the callback.
        const std::string path = address.text();
        uv_pipe_connect(request.get(), &impl->pipe, path.c_str(), on_uv_connected);
    } else {
        uv_tcp_nodelay(&impl->tcp, 1);  // kept by libuv until the socket is there
        status = uv_tcp_connect(request.get(), &impl->tcp, address.get(), on_uv_connected);
    }
    if (status < 0) {
        close_impl(impl.release());
        return -status;
    }
    static_cast<void>(request.release());  // on_uv_connected() deletes it
    impl->connecting = true;
    impl_ = impl.release();
    return 0;
}

void Stream::close() noexcept {
    if (impl_ != nullptr) {
        close_impl(std::exchange(impl_, nullptr));
    }
}

void Stream::close_with_reset() noexcept {
    if (impl_ != nullptr && !impl_->is_unix) {
        const linger reset{1, 0};
        ::setsockopt(impl_->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    close();
}

int Stream::start_reading() noexcept {
    RM_ASSERT(impl_ != nullptr);
    if (impl_->connecting) {
        return ENOTCONN;
    }
    if (impl_->reading || impl_->ended || impl_->failed) {
        return 0;
    }
    const int status = uv_read_start(impl_->stream(), on_uv_alloc, on_uv_read);
    impl_->reading = status == 0;
    return -status;
}

void Stream::stop_reading() noexcept {
    if (impl_ != nullptr && impl_->reading) {
        uv_read_stop(impl_->stream());
        impl_->reading = false;
    }
}

ssize_t Stream::try_write(const iovec* pieces, size_t count) noexcept {
    RM_ASSERT(impl_ != nullptr);
    if (impl_->writable < 0 || count == 0) {
        return impl_->failed ? -EPIPE : 0;
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces);
    message.msg_iovlen = count;
    return result_of_send(
        [&] { return ::sendmsg(impl_->writable, &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
}

ssize_t Stream::try_write(const char* data, size_t size) noexcept {
    RM_ASSERT(impl_ != nullptr);
    if (impl_->writable < 0) [[unlikely]] {
        return impl_->failed ? -EPIPE : 0;
    }
    return result_of_send(
        [&] { return ::send(impl_->writable, data, size, MSG_NOSIGNAL | MSG_DONTWAIT); });
}

void Stream::write_rest(std::unique_ptr<PendingWrite> rest) {
    RM_ASSERT(impl_ != nullptr);
    RM_ASSERT(!impl_->write_pending);
    RM_ASSERT(!impl_->shutdown_wanted);
    if (impl_->failed) {
        return;  // the failure was reported; nothing is written after it
    }
    auto request = std::make_unique<WriteRequest>();
    request->request.data = request.get();
    request->rest = std::move(rest);
    const std::vector<iovec>& pieces = request->rest->pieces;
    const int status = uv_write(&request->request, impl_->stream(),
                                reinterpret_cast<const uv_buf_t*>(pieces.data()),
                                static_cast<unsigned>(pieces.size()), on_uv_written);
    if (status < 0) {
        // Only where a Unix connect has failed at once and on_connected() is still to tell so.
        RM_ASSERT(impl_->connecting);
        return;
    }
    static_cast<void>(request.release());  // on_uv_written() deletes it
    impl_->write_pending = true;
    impl_->update_writable();
}

bool Stream::write_pending() const noexcept {
    return impl_ != nullptr && impl_->write_pending;
}

size_t Stream::bytes_queued() const noexcept {
    return impl_ == nullptr ? 0 : uv_stream_get_write_queue_size(impl_->stream());
}

void Stream::shutdown_write() noexcept {
    if (impl_ != nullptr && !impl_->shutdown_wanted) {
        impl_->shutdown_wanted = true;
        impl_->shutdown_if_ready();
    }
}

int Stream::set_keepalive(bool on) noexcept {
    RM_ASSERT(impl_ != nullptr);
    if (impl_->is_unix) {
        return 0;
    }
    const int value = on ? 1 : 0;
    return ::setsockopt(impl_->fd(), SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value) == 0 ? 0
                                                                                          : errno;
}

SocketAddress Stream::peer() const {
    sockaddr_storage storage{};
    socklen_t size_bytes = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (impl_ == nullptr || ::getpeername(impl_->fd(), address, &size_bytes) != 0) {
        return SocketAddress();
    }
    return SocketAddress::from_sockaddr(address, size_bytes);
}

int Stream::fd() const noexcept {
    return impl_ == nullptr ? -1 : impl_->fd();
}

}  // namespace ringmaster::io
