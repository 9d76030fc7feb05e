// SPDX-License-Identifier: Apache-2.0
// Listening sockets and socket options by plain system calls; used by the master, which owns every
// listener. All descriptors are SOCK_NONBLOCK | SOCK_CLOEXEC. Errors name the address and the
// reason.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/io/socket_address.h"

namespace ringmaster::io {

// Fails with "Address already in use" when anybody listens there. Binds without SO_REUSEPORT and
// with SO_REUSEADDR, never listens (a listen would reset a client that meets it), and closes.
base::Status probe_bind(const SocketAddress& address);

// A listening SO_REUSEPORT | SO_REUSEADDR TCP socket. IPV6_V6ONLY is left as the system has it.
base::Result<int> make_tcp_listener(const SocketAddress& address, int backlog);
// The same without SO_REUSEPORT (the stats port).
base::Result<int> make_exclusive_tcp_listener(const SocketAddress& address, int backlog);

// A listening Unix socket. A path that a living process serves is refused ("Address already in
// use"); a stale one is replaced. Bound under a temporary name, chmod'ed (mode 0 = leave), renamed.
base::Result<int> make_unix_listener(const std::string& path, uint32_t mode, int backlog);

// Holds the abstract Unix name "\0ringmaster/TEXT" as long as the descriptor is open: a lock per
// listen address that dies with its owner. Fails with "Address already in use".
base::Result<int> lock_address(const std::string& text);

// The port a socket is bound to.
uint16_t bound_port(int fd) noexcept;

// Raises the soft limit of open descriptors to the hard one; returns the limit now in force.
uint64_t raise_descriptor_limit() noexcept;

}  // namespace ringmaster::io
