// SPDX-License-Identifier: Apache-2.0
// A resolved socket address: IPv4, IPv6 or a Unix path. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "common/base/result.h"

namespace ringmaster::io {

class SocketAddress {
  public:
    SocketAddress() = default;  // empty: not resolved

    // Numeric host only ("127.0.0.1", "::1", "fe80::1%lo"); nullopt for anything else.
    static std::optional<SocketAddress> from_numeric(const std::string& host, uint16_t port);
    // Fails when the path is longer than 107 bytes.
    static base::Result<SocketAddress> from_unix_path(const std::string& path);
    // Empty when the family is none of the three. Also takes the unnamed and abstract Unix
    // addresses that the kernel reports. Padding is cleared, so that equal addresses have equal
    // bytes.
    static SocketAddress from_sockaddr(const sockaddr* address, socklen_t size_bytes);
    // The inverse of bytes(); nullopt unless it is a well-formed address. Untrusted input.
    static std::optional<SocketAddress> from_bytes(std::string_view bytes);

    [[nodiscard]] bool empty() const noexcept { return size_bytes_ == 0; }
    [[nodiscard]] bool is_unix() const noexcept;
    [[nodiscard]] int family() const noexcept;
    [[nodiscard]] uint16_t port() const noexcept;  // 0 for a Unix path
    void set_port(uint16_t port) noexcept;         // no effect on a Unix path
    [[nodiscard]] const sockaddr* get() const noexcept;
    [[nodiscard]] socklen_t size_bytes() const noexcept { return size_bytes_; }
    [[nodiscard]] std::string_view bytes() const noexcept;  // valid as long as *this
    // "127.0.0.1:6379", "[::1]:6379", "/path", for messages
    [[nodiscard]] std::string text() const;
    bool operator==(const SocketAddress& other) const noexcept { return bytes() == other.bytes(); }

  private:
    sockaddr_storage storage_{};
    socklen_t size_bytes_ = 0;
};

}  // namespace ringmaster::io
