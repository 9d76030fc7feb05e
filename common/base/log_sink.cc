// SPDX-License-Identifier: Apache-2.0
#include "common/base/log_sink.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringmaster::base {

namespace {

void nap_1ms() {
    const timespec time{.tv_sec = 0, .tv_nsec = 1000000};
    ::nanosleep(&time, nullptr);
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
        blocks_ = (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
    }
}

ssize_t LogSink::write_some(const char* data, size_t size) const noexcept {
    if (kind_ == Kind::kSocket) {
        return ::send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (!blocks_) {
        return ::write(fd_, data, size);
    }
    if (!has_room()) {
        errno = EAGAIN;
        return -1;
    }
    return ::write(fd_, data, std::min<size_t>(size, PIPE_BUF));
}

// Also when the other end is gone: the write then says so.
bool LogSink::has_room() const noexcept {
    pollfd wanted{fd_, POLLOUT, 0};
    return ::poll(&wanted, 1, 0) > 0;
}

bool LogSink::write(const char* data, size_t size) noexcept {
    size_t done = 0;
    int64_t naps = 0;
    while (done < size) {
        const ssize_t written = write_some(data + done, size - done);
        if (written > 0) {
            done += static_cast<size_t>(written);
            naps = 0;
        } else if (written < 0 && errno == EAGAIN) {
            if (stuck_ || naps == patience_ms_) {
                stuck_ = true;
                break;
            }
            // Not poll(): a line fits long before a pipe or a socket is said to be writable.
            ++naps;
            nap_1ms();
        } else if (written == 0 || errno != EINTR) {
            break;
        }
    }
    if (done > 0) {
        torn_ = done < size;
    }
    stuck_ = stuck_ && !(done == size && has_room());
    return done == size;
}

}  // namespace ringmaster::base
