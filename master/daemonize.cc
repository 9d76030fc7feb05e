// SPDX-License-Identifier: Apache-2.0
#include "master/daemonize.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/format.h"

namespace ringmaster::master {

namespace {

base::Error cannot_daemonize(int error) {
    return base::Error{base::format("cannot daemonize: {}", base::errno_text(error))};
}

// In the process that was started. One byte means success; the end without one is failure, told on
// stderr by the other process.
[[noreturn]] void wait_for_verdict(int fd) {
    char verdict = 1;
    ssize_t count = 0;
    do {
        count = ::read(fd, &verdict, 1);
    } while (count < 0 && errno == EINTR);
    ::_exit(count == 1 ? verdict : 1);
}

}  // namespace

Daemon::~Daemon() {
    if (verdict_fd_ >= 0) {
        ::close(verdict_fd_);
    }
}

base::Status Daemon::enter() {
    RM_ASSERT(verdict_fd_ < 0);
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return cannot_daemonize(errno);
    }
    const pid_t first = ::fork();
    if (first < 0) {
        return cannot_daemonize(errno);
    }
    if (first > 0) {
        ::close(ends[1]);
        wait_for_verdict(ends[0]);
    }
    ::close(ends[0]);
    if (::setsid() < 0) {
        return cannot_daemonize(errno);
    }
    // Not a session leader: opening a terminal must not make it ours.
    const pid_t second = ::fork();
    if (second < 0) {
        return cannot_daemonize(errno);
    }
    if (second > 0) {
        ::_exit(0);
    }
    verdict_fd_ = ends[1];
    return {};
}

void Daemon::report_success() noexcept {
    if (verdict_fd_ < 0) {
        return;
    }
    const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd >= 0) {
        for (int fd = 0; fd <= 2; ++fd) {
            ::dup2(null_fd, fd);
        }
        ::close(null_fd);
    }
    const char verdict = 0;
    // Nobody left to tell is no reason to stop.
    [[maybe_unused]] const ssize_t count = ::write(verdict_fd_, &verdict, 1);
    ::close(verdict_fd_);
    verdict_fd_ = -1;
}

void fill_standard_descriptors() noexcept {
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            // The lowest free descriptor, which is this one.
            ::open("/dev/null", O_RDWR);  // lint: allow-inherit as a standard stream
        }
    }
}

}  // namespace ringmaster::master
