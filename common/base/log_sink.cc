// SPDX-License-Identifier: Apache-2.0
#include "common/base/log_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringmaster::base {

namespace {

int64_t monotonic_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * int64_t{1000} + now.tv_nsec / 1000000;
}

}  // namespace

void LogSink::set(int fd) noexcept {
    *this = LogSink(patience_ms_);
    fd_ = fd;
    struct stat what {};
    if (::fstat(fd, &what) != 0) {
        return;
    }
    if (S_ISSOCK(what.st_mode)) {
        kind_ = Kind::kSocket;
    } else if (S_ISFIFO(what.st_mode)) {
        kind_ = Kind::kPipe;
        open_pipe_again();
        blocks_ = (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
    }
}

void LogSink::open_pipe_again() noexcept {
    if ((::fcntl(fd_, F_GETFL) & O_NONBLOCK) != 0) {
        return;  // as the master left it to its workers
    }
    std::array<char, 32> path{};
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", fd_);
    const int again = ::open(path.data(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (again < 0) {
        return;
    }
    const int inherited = ::fcntl(fd_, F_GETFD);
    ::dup3(again, fd_, (inherited & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
    ::close(again);
}

ssize_t LogSink::write_some(const char* data, size_t size) const noexcept {
    if (kind_ == Kind::kSocket) {
        return ::send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (!blocks_) {
        return ::write(fd_, data, size);
    }
    if (!has_room(0)) {
        errno = EAGAIN;
        return -1;
    }
    return ::write(fd_, data, std::min<size_t>(size, PIPE_BUF));
}

// Also when the other end is gone: the write then says so.
bool LogSink::has_room(int64_t wait_ms) const noexcept {
    const int64_t until_ms = monotonic_ms() + wait_ms;
    pollfd wanted{fd_, POLLOUT, 0};
    int ready = 0;
    do {
        ready = ::poll(&wanted, 1, static_cast<int>(wait_ms));
        wait_ms = until_ms - monotonic_ms();
    } while (ready < 0 && errno == EINTR && wait_ms > 0);
    return ready > 0;
}

bool LogSink::write(const char* data, size_t size) noexcept {
    size_t done = 0;
    while (done < size) {
        const ssize_t written = write_some(data + done, size - done);
        if (written > 0) {
            done += static_cast<size_t>(written);
            stuck_ = false;
        } else if (written < 0 && errno == EAGAIN) {
            if (stuck_ || !has_room(patience_ms_)) {
                stuck_ = true;
                break;
            }
        } else if (written == 0 || errno != EINTR) {
            break;
        }
    }
    if (done > 0) {
        torn_ = done < size;
    }
    return done == size;
}

}  // namespace ringmaster::base
