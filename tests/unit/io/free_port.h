// SPDX-License-Identifier: Apache-2.0
// Ports for tests that need one to be free, or to stay free once it was closed.
//
// They lie outside those that the kernel gives out by default: nobody's connection and nobody's
// bind to port 0 can take one. A process has a block of its own, locked by an abstract name; the
// system tests have theirs by the same names (tests/system/harness.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/io/socket_address.h"
#include "common/io/sockets.h"

namespace ringmaster::io {

inline constexpr uint32_t kPortsOfAProcess = 200;

// The first of this process's ports. The lock is held until the process ends.
inline uint16_t own_ports() {
    constexpr uint32_t kFirst = 10000;
    constexpr uint32_t kBlocks = 100;
    for (uint32_t i = 0; i < kBlocks; ++i) {
        // Not always the same ones, which others may still be closing.
        const uint32_t block = (static_cast<uint32_t>(::getpid()) + i) % kBlocks;
        const uint32_t start = kFirst + block * kPortsOfAProcess;
        const std::string name = '\0' + ("ringmaster-test-ports-" + std::to_string(start));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, name.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        const int lock = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (::bind(lock, reinterpret_cast<const sockaddr*>(&address), size) == 0) {
            return static_cast<uint16_t>(start);
        }
        ::close(lock);
    }
    FAIL("every block of ports is somebody's");
    return 0;
}

// A port of 127.0.0.1 that nobody has now, not even as one of several, and that nobody but who
// asked will take.
inline uint16_t free_port() {
    static const uint16_t start = own_ports();
    static uint32_t asked = 0;
    for (uint32_t tries = 0; tries < kPortsOfAProcess; ++tries) {
        const auto port = static_cast<uint16_t>(start + asked++ % kPortsOfAProcess);
        if (probe_bind(*SocketAddress::from_numeric("127.0.0.1", port))) {
            return port;
        }
    }
    FAIL("no port is free");
    return 0;
}

}  // namespace ringmaster::io
