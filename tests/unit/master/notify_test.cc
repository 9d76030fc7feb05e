// SPDX-License-Identifier: Apache-2.0
#include "master/notify.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/format.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::master {
namespace {

using base::format;

// Plays systemd at an abstract name.
class Listener {
  public:
    Listener() : name_(format("@ringmaster-notify-test-{}", ::getpid())) {
        fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const io::SocketAddress address = notify_address(name_);
        REQUIRE(::bind(fd_, address.get(), address.size_bytes()) == 0);
        ::setenv("NOTIFY_SOCKET", name_.c_str(), 1);
    }
    ~Listener() {
        ::close(fd_);
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
            ::unsetenv(name);
        }
    }
    // The next datagram, or empty.
    [[nodiscard]] std::string next() const {
        char buffer[4096];
        const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
        return count < 0 ? std::string() : std::string(buffer, static_cast<size_t>(count));
    }

  private:
    std::string name_;
    int fd_ = -1;
};

TEST_CASE("notify: from the start to the end, in systemd's words") {
    const Listener systemd;
    io::TestLoop test;
    Notifier notifier(test.loop, false);
    CHECK(notifier.is_listened_to());
    CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
    notifier.status("too early");
    notifier.reloading();
    notifier.reloaded("too early");
    CHECK(systemd.next().empty());

    notifier.ready("serving: 2 workers");
    CHECK(systemd.next() == "READY=1\nSTATUS=serving: 2 workers");
    notifier.status("serving: 2 workers");
    CHECK(systemd.next().empty());
    notifier.status("serving:\n1 of 2");
    CHECK(systemd.next() == "STATUS=serving: 1 of 2");

    notifier.reloading();
    const std::string reloading = systemd.next();
    CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(std::strtoull(reloading.c_str() + 27, nullptr, 10) / 1000 - test.loop.now_ms() < 10000);
    notifier.reloaded("serving");
    CHECK(systemd.next() == "READY=1\nSTATUS=serving");

    notifier.stopping("stopping");
    CHECK(systemd.next() == "STOPPING=1\nSTATUS=stopping");
    notifier.stopping("again");
    notifier.status("late");
    notifier.reloading();
    notifier.reloaded("late");
    CHECK(systemd.next().empty());
}

TEST_CASE("notify: in the background the process says which one it is") {
    const Listener systemd;
    io::TestLoop test;
    Notifier notifier(test.loop, true);
    notifier.ready("serving");
    CHECK(systemd.next() == format("READY=1\nSTATUS=serving\nMAINPID={}", ::getpid()));
}

TEST_CASE("notify: the watchdog is fed at half its time, if it is ours") {
    for (const std::string& pid : {std::string(), format("{}", ::getpid()), std::string("1")}) {
        CAPTURE(pid);
        const Listener systemd;
        ::setenv("WATCHDOG_USEC", "40000", 1);
        if (!pid.empty()) {
            ::setenv("WATCHDOG_PID", pid.c_str(), 1);
        }
        io::TestLoop test;
        Notifier notifier(test.loop, false);
        CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
        CHECK(std::getenv("WATCHDOG_PID") == nullptr);
        notifier.ready("serving");
        CHECK_FALSE(systemd.next().empty());
        const uint64_t from_ms = test.loop.now_ms();
        uint64_t fed = 0;
        const auto read_all = [&] {
            for (std::string text = systemd.next(); !text.empty(); text = systemd.next()) {
                CHECK(text == "WATCHDOG=1");
                ++fed;
            }
            return fed;
        };
        if (pid == "1") {
            test.run_for_ms(130);
            CHECK(read_all() == 0);
            continue;
        }
        // Not more often than every 20 ms; a machine that is busy feeds it less often.
        test.run_until([&] { return read_all() >= 5; });
        CHECK(fed <= 2 + (test.loop.now_ms() - from_ms) / 20);
    }
}

TEST_CASE("notify: nobody listens, or nobody can") {
    io::TestLoop test;
    for (const char* name :
         {"", "relative", "@", "@nobody-is-there-ringmaster", "/nobody/is/there"}) {
        CAPTURE(name);
        ::setenv("NOTIFY_SOCKET", name, 1);
        Notifier notifier(test.loop, false);
        CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
        notifier.ready("serving");
        notifier.status("x");
        notifier.stopping("stopping");
    }
    CHECK(notify_address(std::string(108, '/')).empty());
    CHECK(notify_address("/run/systemd/notify").text() == "/run/systemd/notify");
}

}  // namespace
}  // namespace ringmaster::master
