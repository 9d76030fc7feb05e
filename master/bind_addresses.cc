// SPDX-License-Identifier: Apache-2.0
#include "master/bind_addresses.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

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
    if (::lstat(path_.c_str(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
}

void SocketPath::remove() const noexcept {
    struct stat status {};
    if (inode_ != 0 && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
        status.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
}

}  // namespace ringmaster::master
