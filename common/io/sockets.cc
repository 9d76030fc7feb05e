// SPDX-License-Identifier: Apache-2.0
#include "common/io/sockets.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/format.h"

namespace ringmaster::io {

namespace {

// A descriptor that closes itself.
class Socket {
  public:
    explicit Socket(int family) noexcept
        : fd_(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
    ~Socket() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    [[nodiscard]] bool set(int option) const noexcept {
        const int on = 1;
        return ::setsockopt(fd_, SOL_SOCKET, option, &on, sizeof on) == 0;
    }
    [[nodiscard]] bool bind(const SocketAddress& address) const noexcept {
        return ::bind(fd_, address.get(), address.size_bytes()) == 0;
    }

  private:
    int fd_;
};

base::Error cannot_listen(const std::string& where, int error) {
    return base::Error{base::format("cannot listen on '{}': {}", where, base::errno_text(error))};
}

base::Result<int> bind_tcp(const SocketAddress& address, bool shared) {
    Socket socket(address.family());
    if (socket.fd() < 0 || !socket.set(SO_REUSEADDR) || (shared && !socket.set(SO_REUSEPORT)) ||
        !socket.bind(address)) {
        return cannot_listen(address.text(), errno);
    }
    return socket.release();
}

base::Result<int> listen_tcp(const SocketAddress& address, int backlog, bool shared) {
    auto fd = bind_tcp(address, shared);
    if (!fd) {
        return fd;
    }
    if (base::Status status = start_listening(*fd, backlog, address.text()); !status) {
        ::close(*fd);
        return status.error();
    }
    return *fd;
}

// What stands at a path where a Unix socket is wanted: 0 when it may be replaced (or is not there),
// else the errno to report.
int replaceable(const SocketAddress& address, const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISSOCK(status.st_mode)) {
        return EEXIST;
    }
    const Socket probe(AF_UNIX);
    if (probe.fd() < 0) {
        return errno;
    }
    if (::connect(probe.fd(), address.get(), address.size_bytes()) == 0) {
        return EADDRINUSE;
    }
    switch (errno) {
        case ECONNREFUSED:
        case ENOENT:  // went away meanwhile
            return 0;
        case EAGAIN:  // alive with a full queue
        case EPROTOTYPE:
            return EADDRINUSE;
        default:
            return errno;
    }
}

// FNV-1a, only to tell long names apart.
uint64_t fingerprint(const std::string& text) noexcept {
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return hash;
}

}  // namespace

base::Status probe_bind(const SocketAddress& address) {
    const Socket socket(address.family());
    if (socket.fd() < 0 || !socket.set(SO_REUSEADDR) || !socket.bind(address)) {
        return cannot_listen(address.text(), errno);
    }
    return {};
}

base::Result<int> bind_tcp_listener(const SocketAddress& address) {
    return bind_tcp(address, true);
}

base::Status start_listening(int fd, int backlog, const std::string& where) {
    if (::listen(fd, backlog) != 0) {
        return cannot_listen(where, errno);
    }
    return {};
}

base::Result<int> make_tcp_listener(const SocketAddress& address, int backlog) {
    return listen_tcp(address, backlog, true);
}

base::Result<int> make_exclusive_tcp_listener(const SocketAddress& address, int backlog) {
    return listen_tcp(address, backlog, false);
}

base::Result<HiddenUnixListener> hide_unix_listener(const std::string& path, uint32_t mode,
                                                    int backlog) {
    const base::Result<SocketAddress> address = SocketAddress::from_unix_path(path);
    if (!address) {
        return address.error();
    }
    if (const int error = replaceable(*address, path); error != 0) {
        return cannot_listen(path, error);
    }
    // Listening and with its rights set before it appears under its name: no client meets a socket
    // that refuses, and none that is too open.
    const std::string temporary = base::format("{}.{}", path, ::getpid());
    const base::Result<SocketAddress> temporary_address = SocketAddress::from_unix_path(temporary);
    const bool hides = temporary_address.has_value();
    const std::string& bound_path = hides ? temporary : path;

    Socket socket(AF_UNIX);
    if (socket.fd() < 0) {
        return cannot_listen(path, errno);
    }
    ::unlink(bound_path.c_str());  // a stale one
    if (!socket.bind(hides ? *temporary_address : *address)) {
        return cannot_listen(path, errno);
    }
    if ((mode != 0 && ::chmod(bound_path.c_str(), mode) != 0) ||
        ::listen(socket.fd(), backlog) != 0) {
        const int error = errno;
        ::unlink(bound_path.c_str());
        return cannot_listen(path, error);
    }
    return HiddenUnixListener{.fd = socket.release(), .hidden_path = hides ? temporary : ""};
}

base::Status show_unix_listener(const HiddenUnixListener& listener, const std::string& path) {
    if (!listener.hidden_path.empty() &&
        std::rename(listener.hidden_path.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(listener.hidden_path.c_str());
        return cannot_listen(path, error);
    }
    return {};
}

base::Result<int> make_unix_listener(const std::string& path, uint32_t mode, int backlog) {
    const auto hidden = hide_unix_listener(path, mode, backlog);
    if (!hidden) {
        return hidden.error();
    }
    if (base::Status status = show_unix_listener(*hidden, path); !status) {
        ::close(hidden->fd);
        return status.error();
    }
    return hidden->fd;
}

base::Result<int> lock_address(const std::string& text) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    constexpr size_t kNameMax = sizeof un.sun_path - 1;  // behind the leading zero
    std::string name = "ringmaster/" + text;
    if (name.size() > kNameMax) {
        const std::string tail = base::format("#{:016x}", fingerprint(text));
        name.resize(kNameMax - tail.size());
        name += tail;
    }
    std::memcpy(un.sun_path + 1, name.data(), name.size());
    const auto size_bytes =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    Socket socket(AF_UNIX);
    if (socket.fd() < 0 ||
        ::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&un), size_bytes) != 0) {
        return cannot_listen(text, errno);
    }
    return socket.release();
}

uint16_t bound_port(int fd) noexcept {
    sockaddr_storage storage{};
    socklen_t size_bytes = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(fd, address, &size_bytes) != 0) {
        return 0;
    }
    return SocketAddress::from_sockaddr(address, size_bytes).port();
}

uint64_t raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace ringmaster::io
