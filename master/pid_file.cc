// SPDX-License-Identifier: Apache-2.0
#include "master/pid_file.h"

#include <cerrno>

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

// A descriptor that holds the lock on the file now at `path`.
base::Result<int> open_locked(const std::string& path) {
    // The previous owner may remove the file between our open and our lock: then we hold a file
    // that nobody else finds, and try again.
    for (int attempt = 0; attempt < 100; ++attempt) {
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
        if (fd < 0) {
            return cannot("open", path, errno);
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
    fd_ = *fd;
    path_ = path;
    const std::string text = format("{}", ::getpid());
    if (::ftruncate(fd_, 0) != 0 ||
        ::pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        return cannot("write", path, errno);
    }
    return {};
}

PidFile::~PidFile() {
    if (fd_ < 0) {
        return;
    }
    // Removed before the lock goes: a successor then either sees the lock or makes a new file.
    if (is_still_at(fd_, path_)) {
        ::unlink(path_.c_str());
    }
    ::close(fd_);
}

}  // namespace ringmaster::master
