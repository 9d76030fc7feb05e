// SPDX-License-Identifier: Apache-2.0
// Host names to addresses.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/io/loop.h"
#include "common/io/socket_address.h"

namespace ringmaster::io {

// Blocks. Every address of the name in getaddrinfo's order (AF_UNSPEC, SOCK_STREAM).
base::Result<std::vector<SocketAddress>> resolve_now(const std::string& host, uint16_t port);

// Resolves in libuv's thread pool. The callback comes from the loop, exactly once, unless the Loop
// ends first.
using OnResolved = std::function<void(base::Result<std::vector<SocketAddress>>)>;
void resolve(Loop& loop, const std::string& host, uint16_t port, OnResolved on_resolved);

}  // namespace ringmaster::io
