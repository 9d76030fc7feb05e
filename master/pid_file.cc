// SPDX-License-Identifier: Apache-2.0
#include "master/pid_file.h"

#include <cerrno>
#include <climits>
#include <cstdlib>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/format.h"

namespace ringmaster::master {

namespace {

using base::Error;
using base::format;

bool is_still_at(int fd, const std::string& path) {
    struct stat ours {};
    struct stat there {};
    return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

bool is_regular(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// Without symbolic links: one that the administrator made stays, the file it leads to goes.
std::string real_path(const std::string& path) {
    char real[PATH_MAX];
    return ::realpath(path.c_str(), real) == nullptr ? path : std::string(real);
}

// Only when the regular file we hold is what stands there.
void remove_if_ours(int fd, const std::string& path) {
    if (is_regular(fd) && is_still_at(fd, path)) {
        ::unlink(path.c_str());
    }
}

Error cannot(const char* what, const std::string& path, int error) {
    return Error{format("cannot {} pid file '{}': {}", what, path, base::errno_text(error))};
}

// Who holds it, as far as the file tells.
Error already_running(int fd, const std::string& path) {
    char text[32];
    const ssize_t count = ::pread(fd, text, sizeof text, 0);
    std::string pid;
    for (ssize_t i = 0; i < count && text[i] >= '0' && text[i] <= '9'; ++i) {
        pid += text[i];
    }
    return Error{format("already running{}: pid file '{}' is locked",
                        pid.empty() ? std::string() : " with pid " + pid, path)};
}

// A descriptor of what is at `path` now; a regular file is locked.
base::Result<int> open_locked(const std::string& path) {
    // The previous owner may remove the file between our open and our lock: then we hold a file
    // that nobody else finds, and try again.
    for (int attempt = 0; attempt < 100; ++attempt) {
        const int fd =
            ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
        if (fd < 0) {
            return cannot("open", path, errno);
        }
        if (!is_regular(fd)) {
            return fd;
        }
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            const Error problem =
                error == EWOULDBLOCK ? already_running(fd, path) : cannot("lock", path, error);
            ::close(fd);
            return problem;
        }
        if (is_still_at(fd, path)) {
            return fd;
        }
        ::close(fd);
    }
    return Error{format("cannot lock pid file '{}': it keeps changing", path)};
}

}  // namespace

base::Status PidFile::open(const std::string& path) {
    RM_ASSERT(fd_ < 0);
    const base::Result<int> fd = open_locked(path);
    if (!fd) {
        return fd.error();
    }
    const std::string real = real_path(path);
    const std::string text = format("{}", ::getpid());
    if (is_regular(*fd) && ::ftruncate(*fd, 0) != 0) {
        const int error = errno;
        ::close(*fd);
        return cannot("write", path, error);
    }
    if (::write(*fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        const int error = errno;
        remove_if_ours(*fd, real);  // it is empty by now
        ::close(*fd);
        return cannot("write", path, error);
    }
    fd_ = *fd;
    path_ = real;
    return {};
}

PidFile::~PidFile() {
    if (fd_ < 0) {
        return;
    }
    // Removed before the lock goes: a successor then either sees the lock or makes a new file.
    remove_if_ours(fd_, path_);
    ::close(fd_);
}

}  // namespace ringmaster::master
