// SPDX-License-Identifier: Apache-2.0
#include "master/bind_addresses.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "common/io/resolver.h"

namespace ringmaster::master {

base::Result<std::vector<io::SocketAddress>> resolve_bind_addresses(const std::string& host,
                                                                    uint16_t port) {
    if (const auto numeric = io::SocketAddress::from_numeric(host, port)) {
        return std::vector<io::SocketAddress>{*numeric};
    }
    auto answer = io::resolve_now(host, port);
    if (!answer) {
        return answer;
    }
    std::vector<io::SocketAddress> distinct;
    for (const io::SocketAddress& address : *answer) {
        if (std::find(distinct.begin(), distinct.end(), address) == distinct.end()) {
            distinct.push_back(address);
        }
    }
    return distinct;
}

base::Status open_each(const std::vector<io::SocketAddress>& addresses,
                       const std::function<base::Status(const io::SocketAddress&)>& open_one) {
    const std::string in_use = base::errno_text(EADDRINUSE);
    std::optional<base::Error> first_problem;
    size_t opened = 0;
    for (const io::SocketAddress& address : addresses) {
        base::Status status = open_one(address);
        if (status) {
            ++opened;
            continue;
        }
        if (status.error().message.find(in_use) != std::string::npos) {
            return status;
        }
        if (!first_problem) {
            first_problem = status.error();
        }
    }
    if (!first_problem) {
        return {};
    }
    if (opened == 0) {
        return *first_problem;
    }
    RM_LOG(kWarn, "{}; the name's other addresses are served", first_problem->message);
    return {};
}

SocketPath::SocketPath(std::string path) : path_(std::move(path)) {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
}

bool SocketPath::is_same(const struct stat& status) const noexcept {
    return inode_ != 0 && S_ISSOCK(status.st_mode) && status.st_dev == device_ &&
           status.st_ino == inode_;
}

bool SocketPath::is_ours() const noexcept {
    struct stat status {};
    return ::lstat(path_.c_str(), &status) == 0 && is_same(status);
}

base::Status SocketPath::set_mode(mode_t mode) const {
    const auto cannot = [this](const std::string& why) {
        return base::Error{base::format("cannot change the mode of '{}': {}", path_, why)};
    };
    // What is looked at is what is changed, whoever moves files meanwhile.
    const int fd = ::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return cannot(base::errno_text(errno));
    }
    struct stat status {};
    const bool is_ours = ::fstat(fd, &status) == 0 && is_same(status);
    // fchmod() does not take such a descriptor.
    const bool changed =
        is_ours && ::chmod(base::format("/proc/self/fd/{}", fd).c_str(), mode) == 0;
    const int error = errno;
    ::close(fd);
    if (!is_ours) {
        return cannot("it is not the socket that was made there");
    }
    return changed ? base::Status() : cannot(base::errno_text(error));
}

void SocketPath::remove() const noexcept {
    if (is_ours()) {
        ::unlink(path_.c_str());
    }
}

}  // namespace ringmaster::master
