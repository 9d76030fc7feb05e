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

// A SO_REUSEPORT | SO_REUSEADDR TCP socket, bound and not listening yet: it takes no connection and
// closing it costs nobody one. IPV6_V6ONLY is left as the system has it.
base::Result<int> bind_tcp_listener(const SocketAddress& address);
// From now on it takes connections; for one that does, only the backlog changes. `where` is for the
// message.
base::Status start_listening(int fd, int backlog, const std::string& where);
// Both.
base::Result<int> make_tcp_listener(const SocketAddress& address, int backlog);
// The same without SO_REUSEPORT (the stats port).
base::Result<int> make_exclusive_tcp_listener(const SocketAddress& address, int backlog);

// A listening Unix socket that nobody can find yet.
struct HiddenUnixListener {
    int fd = -1;
    std::string hidden_path;  // empty: too long for a temporary name, so it stands in its place
};
// A path that a living process serves is refused ("Address already in use"). chmod'ed (mode 0 =
// leave).
base::Result<HiddenUnixListener> hide_unix_listener(const std::string& path, uint32_t mode,
                                                    int backlog);
// Moves it to its path; a stale socket there is replaced.
base::Status show_unix_listener(const HiddenUnixListener& listener, const std::string& path);
// Both. Closed on failure.
base::Result<int> make_unix_listener(const std::string& path, uint32_t mode, int backlog);

// Holds the abstract Unix name "\0ringmaster/TEXT" as long as the descriptor is open: a lock per
// listen address that dies with its owner. Fails with "Address already in use".
base::Result<int> lock_address(const std::string& text);

// The port a socket is bound to.
uint16_t bound_port(int fd) noexcept;

// Raises the soft limit of open descriptors to the hard one; returns the limit now in force.
uint64_t raise_descriptor_limit() noexcept;

}  // namespace ringmaster::io
