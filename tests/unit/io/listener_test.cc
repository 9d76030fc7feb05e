// SPDX-License-Identifier: Apache-2.0
#include "common/io/listener.h"

#include <algorithm>
#include <optional>

#include <fcntl.h>
#include <sys/resource.h>

#include "common/base/log.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

// Plain clients, connected at once (the kernel accepts for the listener).
class Clients {
  public:
    Clients(uint16_t port, size_t count) {
        const SocketAddress address = loopback(port);
        for (size_t i = 0; i < count; ++i) {
            fds.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            REQUIRE(::connect(fds.back(), address.get(), address.size_bytes()) == 0);
        }
    }
    ~Clients() {
        for (const int fd : fds) {
            ::close(fd);
        }
    }
    std::vector<int> fds;
};

struct Setup {
    explicit Setup(size_t max_per_turn) {
        auto fd = make_tcp_listener(loopback(0), 128);
        REQUIRE(fd);
        port = bound_port(*fd);
        listener.emplace(test.loop, *fd, max_per_turn, [this](int client) {
            ::close(client);
            ++accepted;
            ++accepted_this_turn;
            if (on_one) {
                on_one();
            }
        });
    }
    TestLoop test;
    uint16_t port = 0;
    size_t accepted = 0;
    size_t accepted_this_turn = 0;
    std::function<void()> on_one;
    std::optional<Listener> listener;
};

TEST_CASE("listener: accepts everybody, at most max_per_turn in a turn") {
    Setup setup(7);
    Clients clients(setup.port, 50);
    wait_until_queued(setup.listener->fd(), 50);
    setup.listener->start();
    size_t most = 0;
    setup.test.run_until([&] {
        most = std::max(most, std::exchange(setup.accepted_this_turn, 0));
        return setup.accepted == 50;
    });
    CHECK(most == 7);
}

TEST_CASE("listener: a pause holds clients, start serves them") {
    Setup setup(64);
    setup.listener->start();
    setup.listener->pause();
    Clients clients(setup.port, 3);
    setup.test.run_for_ms(5);
    CHECK(setup.accepted == 0);
    setup.listener->start();
    setup.test.run_until([&] { return setup.accepted == 3; });
}

TEST_CASE("listener: a pause from the callback takes effect at once") {
    Setup setup(64);
    Clients clients(setup.port, 5);
    setup.on_one = [&] { setup.listener->pause(); };
    setup.listener->start();
    setup.test.run_until([&] { return setup.accepted > 0; });
    setup.test.run_for_ms(5);
    CHECK(setup.accepted == 1);
    setup.on_one = nullptr;
    wait_until_queued(setup.listener->fd(), 4);
    setup.listener->accept_all();  // also when paused
    CHECK(setup.accepted == 5);
}

TEST_CASE("listener: accept_all has no bound") {
    Setup setup(1);
    Clients clients(setup.port, 20);
    wait_until_queued(setup.listener->fd(), 20);
    setup.listener->accept_all();
    CHECK(setup.accepted == 20);
}

TEST_CASE("listener: may be destroyed in its callback") {
    Setup setup(64);
    Clients clients(setup.port, 5);
    setup.on_one = [&] { setup.listener.reset(); };
    setup.listener->start();
    setup.test.run_until([&] { return setup.accepted > 0; });
    setup.test.run_for_ms(5);
    CHECK(setup.accepted == 1);
}

TEST_CASE("listener: out of descriptors it waits without spinning, then goes on") {
    // UBSan's vptr check makes a pipe, which fails here, and then takes spdlog's objects for
    // broken.
    const int log_level = base::log_level();
    base::log_set_level(0);
    Setup setup(64);
    Clients clients(setup.port, 10);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    setup.listener->start();
    // Whatever descriptors the loop itself wants, it has then.
    setup.test.run_until([&] { return setup.accepted == 10; });
    Clients late(setup.port, 10);
    const int lowest_free = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
    REQUIRE(lowest_free >= 0);
    ::close(lowest_free);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(lowest_free);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    setup.test.run_until([&] { return setup.listener->fd_exhausted_count() == 1; });
    const uint64_t turns = setup.test.turns;
    setup.test.run_until([&] { return setup.listener->fd_exhausted_count() == 3; });
    const uint64_t spent = setup.test.turns - turns;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(spent < 20);
    CHECK(setup.accepted == 10);
    setup.test.run_until([&] { return setup.accepted == 20; });
    base::log_set_level(log_level);
}

TEST_CASE("listener: shut down by another holder it stops for good and does not spin") {
    for (const bool is_unix : {false, true}) {
        CAPTURE(is_unix);
        TestLoop test;
        TestFolder folder;
        auto fd = is_unix ? make_unix_listener(folder.file("s"), 0, 16)
                          : make_tcp_listener(loopback(0), 16);
        REQUIRE(fd);
        const int copy = ::fcntl(*fd, F_DUPFD_CLOEXEC, 0);
        Listener listener(test.loop, *fd, 64, [](int client) { ::close(client); });
        listener.start();
        test.run_for_ms(5);
        ::shutdown(copy, SHUT_RDWR);
        ::close(copy);
        test.run_for_ms(5);
        const uint64_t turns = test.turns;
        test.run_for_ms(150);
        CHECK(test.turns - turns < 10);
        listener.start();
        test.run_for_ms(20);
        CHECK(test.turns - turns < 20);
        CHECK(listener.fd_exhausted_count() == 0);
    }
}

TEST_CASE("listener: once destroyed, a copy of the socket elsewhere wakes nobody") {
    Setup setup(64);
    const int copy = ::fcntl(setup.listener->fd(), F_DUPFD_CLOEXEC, 0);
    setup.listener->start();
    setup.test.run_for_ms(5);
    setup.listener.reset();
    Clients clients(setup.port, 3);
    const uint64_t turns = setup.test.turns;
    setup.test.run_for_ms(50);
    CHECK(setup.test.turns - turns < 10);
    CHECK(setup.accepted == 0);
    ::close(copy);
}

}  // namespace
}  // namespace ringmaster::io
