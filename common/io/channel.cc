// SPDX-License-Identifier: Apache-2.0
#include "common/io/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/io/loop_impl.h"
#include "common/io/uv_handle.h"

namespace ringmaster::io {

namespace {

constexpr size_t kReadBytes = size_t{64} * 1024;
constexpr int kReadsPerTurn = 16;
// Small bytes without descriptors are appended to the last segment up to this size.
constexpr size_t kMergeBytes = size_t{64} * 1024;

// Bytes that wait, and the descriptors (ours, dup'ed) that go with the first of them.
struct Segment {
    std::string bytes;
    size_t sent = 0;
    std::vector<int> descriptors;
};

void close_all(std::span<const int> descriptors) noexcept {
    for (const int fd : descriptors) {
        ::close(fd);
    }
}

// Bytes sent, or -errno.
ssize_t send_some(int fd, std::string_view bytes, std::span<const int> descriptors) noexcept {
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxDescriptorsPerSend)> control{};
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

}  // namespace

struct Channel::Impl {
    uv_poll_t poll{};
    int fd = -1;
    ChannelHandler* handler = nullptr;  // null = detached
    bool closed = false;                // on_channel_closed() was called
    int send_error = 0;                 // sending failed with it; told when reading has ended
    int events = 0;                     // what is polled for
    size_t queued = 0;
    std::deque<Segment> queue;

    ~Impl() { drop_queue(); }
    void drop_queue() noexcept;
    void poll_for_what_is_due() noexcept;
    void fail_sending(int error) noexcept;
    void queue_rest(std::string_view bytes, std::span<const int> descriptors);
    void flush() noexcept;
    bool receive_once() noexcept;
    void receive() noexcept;
    void close_with(int error) noexcept;
};

namespace {

using Impl = Channel::Impl;

void on_ready(uv_poll_t* handle, int status, int /*events*/) noexcept {
    auto* impl = impl_of<Impl>(handle);
    if (status < 0) {
        // libuv stops polling on EPOLLERR; recvmsg() first gives what is left and then the error.
        impl->events = 0;
    }
    impl->flush();
    impl->receive();  // last: it may destroy the Channel
}

}  // namespace

void Impl::drop_queue() noexcept {
    for (const Segment& segment : queue) {
        close_all(segment.descriptors);
    }
    queue.clear();
    queued = 0;
}

void Impl::poll_for_what_is_due() noexcept {
    const int due = closed ? 0 : UV_READABLE | (queue.empty() ? 0 : UV_WRITABLE);
    if (due == events) {
        return;
    }
    events = due;
    if (due == 0) {
        uv_poll_stop(&poll);
    } else {
        RM_ASSERT(uv_poll_start(&poll, due, on_ready) == 0);
    }
}

// The sender is not called back from inside send(). After EPIPE and its like the peer's end is what
// reading finds next; shutting down makes sure of that for every other error.
void Impl::fail_sending(int error) noexcept {
    drop_queue();
    if (error != EPIPE && error != ECONNRESET) {
        send_error = error;
        ::shutdown(fd, SHUT_RDWR);
    } else if (send_error == 0) {
        send_error = -1;  // told as an orderly end
    }
}

void Impl::queue_rest(std::string_view bytes, std::span<const int> descriptors) {
    queued += bytes.size();
    if (descriptors.empty() && !queue.empty() && queue.back().bytes.size() < kMergeBytes) {
        queue.back().bytes.append(bytes);
        return;
    }
    Segment segment;
    segment.bytes.assign(bytes);
    int error = 0;
    for (const int fd_to_send : descriptors) {
        const int copy = ::fcntl(fd_to_send, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) {
            error = errno;
            break;
        }
        segment.descriptors.push_back(copy);
    }
    queue.push_back(std::move(segment));
    if (error != 0) {
        fail_sending(error);
    }
}

void Impl::flush() noexcept {
    while (!queue.empty()) {
        Segment& first = queue.front();
        const ssize_t sent =
            send_some(fd, std::string_view(first.bytes).substr(first.sent), first.descriptors);
        if (sent < 0) {
            if (sent != -EAGAIN) {
                fail_sending(static_cast<int>(-sent));
            }
            return;
        }
        close_all(first.descriptors);
        first.descriptors.clear();
        first.sent += static_cast<size_t>(sent);
        queued -= static_cast<size_t>(sent);
        if (first.sent == first.bytes.size()) {
            queue.pop_front();
        }
    }
}

void Impl::close_with(int error) noexcept {
    closed = true;
    drop_queue();
    poll_for_what_is_due();
    handler->on_channel_closed(error);
}

// True when there may be more to read. False: nothing waits, the channel closed, or was destroyed.
bool Impl::receive_once() noexcept {
    char bytes[kReadBytes];
    iovec piece{bytes, sizeof bytes};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxDescriptorsPerSend)> control;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t count = 0;
    do {
        count = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        if (errno != EAGAIN) {
            close_with(send_error > 0 ? send_error : errno);
        }
        return false;
    }

    std::array<int, kMaxDescriptorsPerSend + 2> descriptors{};
    size_t descriptor_count = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
            const size_t room = descriptors.size() - descriptor_count;
            const size_t got = std::min(room, (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            std::memcpy(&descriptors[descriptor_count], CMSG_DATA(header), got * sizeof(int));
            descriptor_count += got;
        }
    }
    const std::span<const int> received(descriptors.data(), descriptor_count);
    // Truncated: more than may be sent at once, or our descriptor table is full. What belongs to
    // which message cannot be told any more.
    if ((message.msg_flags & MSG_CTRUNC) != 0 || received.size() > kMaxDescriptorsPerSend) {
        close_all(received);
        close_with(EPROTO);
        return false;
    }
    if (!received.empty()) {
        handler->on_channel_descriptors(received);
        if (handler == nullptr) {
            return false;
        }
    }
    if (count == 0) {
        close_with(std::max(send_error, 0));
        return false;
    }
    handler->on_channel_bytes({bytes, static_cast<size_t>(count)});
    return handler != nullptr;
}

void Impl::receive() noexcept {
    for (int i = 0; i < kReadsPerTurn && handler != nullptr && !closed; ++i) {
        if (!receive_once()) {
            break;
        }
    }
    if (handler != nullptr) {
        poll_for_what_is_due();
    }
}

Channel::Channel(Loop& loop, int fd, ChannelHandler& handler) : impl_(new Impl) {
    RM_ASSERT(fd >= 0);
    impl_->fd = fd;
    impl_->handler = &handler;
    impl_->poll.data = impl_;
    RM_ASSERT(uv_poll_init(uv_loop_of(loop), &impl_->poll, fd) == 0);
    impl_->poll_for_what_is_due();
}

Channel::~Channel() {
    impl_->handler = nullptr;
    const int fd = impl_->fd;
    close_and_delete<Impl>(&impl_->poll);  // takes fd out of epoll at once
    ::close(fd);
}

void Channel::send(std::string_view bytes, std::span<const int> descriptors) {
    RM_ASSERT(descriptors.size() <= kMaxDescriptorsPerSend);
    RM_ASSERT(descriptors.empty() || !bytes.empty());
    if (impl_->closed || impl_->send_error != 0 || bytes.empty()) {
        return;
    }
    if (impl_->queue.empty()) {
        const ssize_t sent = send_some(impl_->fd, bytes, descriptors);
        if (sent < 0 && sent != -EAGAIN) {
            impl_->fail_sending(static_cast<int>(-sent));
            return;
        }
        if (sent > 0) {
            bytes.remove_prefix(static_cast<size_t>(sent));
            descriptors = {};
        }
    }
    if (!bytes.empty()) {
        impl_->queue_rest(bytes, descriptors);
        impl_->poll_for_what_is_due();
    }
}

size_t Channel::bytes_queued() const noexcept {
    return impl_->queued;
}

void Channel::read_now() noexcept {
    impl_->receive();  // last: it may destroy the Channel
}

base::Result<std::pair<int, int>> make_channel_pair() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        return base::Error{base::format("cannot make a socket pair: {}", base::errno_text(errno))};
    }
    return std::pair<int, int>(ends[0], ends[1]);
}

}  // namespace ringmaster::io
