// SPDX-License-Identifier: Apache-2.0
// What systemd is told about this process: datagrams to the socket that $NOTIFY_SOCKET names
// (sd_notify(3), without libsystemd).
//
// Nobody who asked: everything here does nothing. Never blocks, and a datagram that cannot be sent
// is dropped: serving does not depend on a listener. The variables are taken out of the
// environment, so that workers do not speak for the master.
#pragma once

#include <cstdint>
#include <string>

#include "common/io/loop.h"
#include "common/io/socket_address.h"
#include "common/io/timer.h"

namespace ringmaster::master {

class Notifier {
  public:
    // Reads and removes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. With `detached` (-d) the
    // process that was started is not this one, and ready() says which is.
    Notifier(io::Loop& loop, bool detached);
    ~Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    // It serves; once. From now on the watchdog is fed.
    void ready(const std::string& status);
    // A reload, or a reopening of logs, begins and has ended, whether it was good or not. Nothing
    // before ready() and after stopping().
    void reloading();
    void reloaded(const std::string& status);
    void stopping(const std::string& status);
    // What `systemctl status` shows; sent when it has changed. Nothing before ready() and after
    // stopping().
    void status(const std::string& text);

    [[nodiscard]] bool is_listened_to() const noexcept { return fd_ >= 0; }

  private:
    void send(const std::string& text);
    void start_watchdog();

    enum class Phase : uint8_t { kStarting, kServing, kStopping };

    int fd_ = -1;
    io::SocketAddress address_;
    bool detached_;
    Phase phase_ = Phase::kStarting;
    uint64_t watchdog_us_ = 0;  // 0 = not asked for
    std::string last_status_;
    io::Timer watchdog_;
};

// The socket's address: a path, or with '@' in front an abstract name. Empty when it is neither.
io::SocketAddress notify_address(const std::string& text);

}  // namespace ringmaster::master
