// SPDX-License-Identifier: Apache-2.0
#include "common/io/socket_address.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "common/base/format.h"

namespace ringmaster::io {

namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);
constexpr size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

// Writes `value` so that equal addresses have equal bytes: padding is left zero.
template <class T>
void store(sockaddr_storage& storage, const T& value) noexcept {
    static_assert(sizeof(T) <= sizeof(storage));
    std::memcpy(&storage, &value, sizeof value);
}

template <class T>
T load(const void* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

}  // namespace

std::optional<SocketAddress> SocketAddress::from_numeric(const std::string& host, uint16_t port) {
    if (host.empty() || host.find('\0') != std::string::npos) {
        return std::nullopt;
    }
    // why not inet_pton: it knows no "%scope".
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST;
    addrinfo* list = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) {
        return std::nullopt;
    }
    SocketAddress address = from_sockaddr(list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    if (address.empty()) {
        return std::nullopt;
    }
    address.set_port(port);
    return address;
}

base::Result<SocketAddress> SocketAddress::from_unix_path(const std::string& path) {
    if (path.empty() || path.find('\0') != std::string::npos) {
        return base::Error{"a Unix socket path must not be empty nor contain a zero byte"};
    }
    if (path.size() > kPathBytesMax) {
        return base::Error{
            base::format("Unix socket path '{}' is longer than {} bytes", path, kPathBytesMax)};
    }
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, path.data(), path.size());
    return from_sockaddr(reinterpret_cast<const sockaddr*>(&un),
                         static_cast<socklen_t>(kPathOffset + path.size() + 1));
}

SocketAddress SocketAddress::from_sockaddr(const sockaddr* address, socklen_t size_bytes) {
    SocketAddress result;
    if (address == nullptr || size_bytes < sizeof(sa_family_t)) {
        return result;
    }
    const auto family = load<sa_family_t>(address);
    if (family == AF_INET && size_bytes >= sizeof(sockaddr_in)) {
        const auto in = load<sockaddr_in>(address);
        sockaddr_in clean{};
        clean.sin_family = AF_INET;
        clean.sin_port = in.sin_port;
        clean.sin_addr = in.sin_addr;
        store(result.storage_, clean);
        result.size_bytes_ = sizeof clean;
    } else if (family == AF_INET6 && size_bytes >= sizeof(sockaddr_in6)) {
        store(result.storage_, load<sockaddr_in6>(address));  // has no padding
        result.size_bytes_ = sizeof(sockaddr_in6);
    } else if (family == AF_UNIX && size_bytes <= sizeof(sockaddr_un)) {
        sockaddr_un un{};
        std::memcpy(&un, address, size_bytes);
        size_t path_bytes = size_bytes > kPathOffset ? size_bytes - kPathOffset : 0;
        if (path_bytes > 0 && un.sun_path[0] != '\0') {
            path_bytes = std::min(strnlen(un.sun_path, path_bytes) + 1, sizeof un.sun_path);
        }
        store(result.storage_, un);
        result.size_bytes_ = static_cast<socklen_t>(kPathOffset + path_bytes);
    }
    return result;
}

std::optional<SocketAddress> SocketAddress::from_bytes(std::string_view bytes) {
    if (bytes.size() < sizeof(sa_family_t) || bytes.size() > sizeof(sockaddr_storage)) {
        return std::nullopt;
    }
    const auto family = load<sa_family_t>(bytes.data());
    bool good = false;
    if (family == AF_INET) {
        good = bytes.size() == sizeof(sockaddr_in);
    } else if (family == AF_INET6) {
        good = bytes.size() == sizeof(sockaddr_in6);
    } else if (family == AF_UNIX && bytes.size() > kPathOffset + 1 &&
               bytes.size() <= sizeof(sockaddr_un)) {
        // A path that ends with the one zero byte it has.
        good = bytes.find('\0', kPathOffset) == bytes.size() - 1;
    }
    if (!good) {
        return std::nullopt;
    }
    sockaddr_storage aligned{};
    std::memcpy(&aligned, bytes.data(), bytes.size());
    return from_sockaddr(reinterpret_cast<const sockaddr*>(&aligned),
                         static_cast<socklen_t>(bytes.size()));
}

bool SocketAddress::is_unix() const noexcept {
    return !empty() && storage_.ss_family == AF_UNIX;
}

int SocketAddress::family() const noexcept {
    return storage_.ss_family;
}

const sockaddr* SocketAddress::get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage_);
}

std::string_view SocketAddress::bytes() const noexcept {
    return {reinterpret_cast<const char*>(&storage_), size_bytes_};
}

uint16_t SocketAddress::port() const noexcept {
    if (storage_.ss_family == AF_INET) {
        return ntohs(load<sockaddr_in>(&storage_).sin_port);
    }
    if (storage_.ss_family == AF_INET6) {
        return ntohs(load<sockaddr_in6>(&storage_).sin6_port);
    }
    return 0;
}

void SocketAddress::set_port(uint16_t port) noexcept {
    if (storage_.ss_family == AF_INET) {
        auto in = load<sockaddr_in>(&storage_);
        in.sin_port = htons(port);
        store(storage_, in);
    } else if (storage_.ss_family == AF_INET6) {
        auto in6 = load<sockaddr_in6>(&storage_);
        in6.sin6_port = htons(port);
        store(storage_, in6);
    }
}

std::string SocketAddress::text() const {
    if (empty()) {
        return "(unresolved)";
    }
    if (is_unix()) {
        const auto un = load<sockaddr_un>(&storage_);
        const size_t path_bytes = size_bytes_ - kPathOffset;
        if (path_bytes == 0) {
            return "(unnamed Unix socket)";
        }
        if (un.sun_path[0] == '\0') {
            return "@" + std::string(un.sun_path + 1, path_bytes - 1);
        }
        return std::string(un.sun_path, strnlen(un.sun_path, path_bytes));
    }
    char host[NI_MAXHOST];
    if (getnameinfo(get(), size_bytes_, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) {
        return "(unprintable address)";
    }
    return storage_.ss_family == AF_INET6 ? base::format("[{}]:{}", host, port())
                                          : base::format("{}:{}", host, port());
}

}  // namespace ringmaster::io
