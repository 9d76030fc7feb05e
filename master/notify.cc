// SPDX-License-Identifier: Apache-2.0
#include "master/notify.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"

namespace ringmaster::master {

namespace {

using base::format;

// Takes a variable out of the environment.
std::string take_variable(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value != nullptr ? value : "";
    ::unsetenv(name);
    return text;
}

uint64_t to_number(const std::string& text) {
    uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    return result.ec == std::errc{} && result.ptr == end ? number : 0;
}

uint64_t monotonic_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

// A status is one line.
std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    return text;
}

}  // namespace

io::SocketAddress notify_address(const std::string& text) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    if (text.size() < 2 || text.size() >= sizeof un.sun_path ||
        (text[0] != '/' && text[0] != '@')) {
        return {};
    }
    std::memcpy(un.sun_path, text.data(), text.size());
    size_t size_bytes = offsetof(sockaddr_un, sun_path) + text.size();
    if (text[0] == '@') {
        un.sun_path[0] = '\0';
    } else {
        ++size_bytes;  // a path ends with its NUL
    }
    return io::SocketAddress::from_sockaddr(reinterpret_cast<const sockaddr*>(&un),
                                            static_cast<socklen_t>(size_bytes));
}

Notifier::Notifier(io::Loop& loop, bool detached)
    : detached_(detached), watchdog_(loop, [this] { send("WATCHDOG=1"); }) {
    const std::string socket_name = take_variable("NOTIFY_SOCKET");
    const std::string watchdog = take_variable("WATCHDOG_USEC");
    const std::string watchdog_pid = take_variable("WATCHDOG_PID");
    if (socket_name.empty()) {
        return;
    }
    address_ = notify_address(socket_name);
    if (address_.empty()) {
        RM_LOG(kWarn, "NOTIFY_SOCKET is neither a path nor an abstract name: not used");
        return;
    }
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (watchdog_pid.empty() || to_number(watchdog_pid) == static_cast<uint64_t>(::getpid())) {
        watchdog_us_ = to_number(watchdog);
    }
}

Notifier::~Notifier() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

void Notifier::send(const std::string& text) {
    if (fd_ < 0) {
        return;
    }
    const ssize_t sent = ::sendto(fd_, text.data(), text.size(), MSG_NOSIGNAL, address_.get(),
                                  address_.size_bytes());
    if (sent < 0) {
        RM_LOG(kDebug, "notification not sent: {}", base::errno_text(errno));
    }
}

void Notifier::ready(const std::string& status) {
    if (phase_ != Phase::kStarting) {
        return;
    }
    phase_ = Phase::kServing;
    last_status_ = one_line(status);
    send(format("READY=1\nSTATUS={}", last_status_) +
         (detached_ ? format("\nMAINPID={}", ::getpid()) : std::string()));
    start_watchdog();
}

void Notifier::start_watchdog() {
    if (fd_ < 0 || watchdog_us_ == 0) {
        return;
    }
    const uint64_t period_ms = std::max<uint64_t>(watchdog_us_ / 2000, 1);
    watchdog_.start(period_ms, period_ms);
}

void Notifier::reloading() {
    if (phase_ == Phase::kServing) {
        send(format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
    }
}

void Notifier::reloaded(const std::string& status) {
    if (phase_ == Phase::kServing) {
        last_status_ = one_line(status);
        send(format("READY=1\nSTATUS={}", last_status_));
    }
}

void Notifier::stopping(const std::string& status) {
    if (phase_ == Phase::kStopping) {
        return;
    }
    phase_ = Phase::kStopping;
    send(format("STOPPING=1\nSTATUS={}", one_line(status)));
}

void Notifier::status(const std::string& text) {
    std::string line = one_line(text);
    if (phase_ == Phase::kServing && line != last_status_) {
        last_status_ = std::move(line);
        send(format("STATUS={}", last_status_));
    }
}

}  // namespace ringmaster::master
