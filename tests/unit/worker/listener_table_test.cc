// SPDX-License-Identifier: Apache-2.0
#include "worker/listener_table.h"

#include <array>
#include <cerrno>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/sockets.h"
#include "tests/unit/io/free_port.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::worker {
namespace {

// A listening socket that stays open here, as the master's copy does.
class MastersCopy {
  public:
    MastersCopy() {
        const auto fd = io::make_tcp_listener(io::loopback(port_), 64);
        REQUIRE(fd);
        fd_ = *fd;
    }
    ~MastersCopy() {
        for (const int client : clients_) {
            ::close(client);
        }
        ::close(fd_);
    }
    [[nodiscard]] int copy() const { return ::fcntl(fd_, F_DUPFD_CLOEXEC, 0); }
    void connect_one() {
        const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        REQUIRE(client >= 0);
        clients_.push_back(client);
        const io::SocketAddress address = io::loopback(port_);
        const size_t before = io::queued(fd_);
        REQUIRE(::connect(client, address.get(), address.size_bytes()) == 0);
        io::wait_until_queued(fd_, before + 1);
    }
    [[nodiscard]] bool refuses() const {
        const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const io::SocketAddress address = io::loopback(port_);
        const bool refused =
            ::connect(client, address.get(), address.size_bytes()) != 0 && errno == ECONNREFUSED;
        ::close(client);
        return refused;
    }
    // What nobody has accepted.
    int take_queued() {
        int count = 0;
        for (int fd = ::accept(fd_, nullptr, nullptr); fd >= 0;
             fd = ::accept(fd_, nullptr, nullptr)) {
            ::close(fd);
            ++count;
        }
        return count;
    }

  private:
    int fd_ = -1;
    const uint16_t port_ = io::free_port();  // once closed, nobody else's
    std::vector<int> clients_;
};

struct Setup {
    io::TestLoop test;
    std::vector<uint32_t> pools;  // of the clients that came, in order
    ListenerTable table{test.loop, [this](uint32_t pool, int fd) {
                            pools.push_back(pool);
                            ::close(fd);
                        }};
    std::array<MastersCopy, 3> sockets;

    Setup() {
        for (uint32_t i = 0; i < sockets.size(); ++i) {
            table.hold({.listener = 10 + i, .pool = i}, sockets[i].copy());
        }
    }
};

TEST_CASE("listener table: held listeners accept once they are started, each for its pool") {
    Setup setup;
    setup.sockets[2].connect_one();
    setup.test.run_for_ms(5);
    CHECK(setup.pools.empty());
    setup.table.start_all();
    setup.test.run_until([&] { return setup.pools.size() == 1; });
    setup.sockets[0].connect_one();
    setup.test.run_until([&] { return setup.pools.size() == 2; });
    CHECK(setup.pools == std::vector<uint32_t>{2, 0});
}

TEST_CASE("listener table: one that comes later is started by itself") {
    Setup setup;
    CHECK_FALSE(setup.table.start(99));
    CHECK(setup.table.start(11));
    setup.sockets[0].connect_one();
    setup.sockets[1].connect_one();
    setup.test.run_until([&] { return !setup.pools.empty(); });
    setup.test.run_for_ms(5);
    CHECK(setup.pools == std::vector<uint32_t>{1});
}

TEST_CASE("listener table: what waits at a released listener is left to others") {
    Setup setup;
    setup.table.start_all();
    setup.sockets[1].connect_one();
    const std::vector<uint32_t> released{11, 99};
    setup.table.release(released);
    setup.test.run_for_ms(5);
    CHECK(setup.pools.empty());
    CHECK(setup.sockets[1].take_queued() == 1);
    CHECK(setup.table.size() == 2);
}

TEST_CASE("listener table: the same listener twice is one") {
    Setup setup;
    setup.table.hold({.listener = 10, .pool = 7}, setup.sockets[0].copy());
    CHECK(setup.table.size() == 3);
    setup.table.start_all();
    setup.sockets[0].connect_one();
    setup.test.run_until([&] { return !setup.pools.empty(); });
    CHECK(setup.pools == std::vector<uint32_t>{0});
}

TEST_CASE("listener table: a switch retargets, starts what was held, empties and closes the rest") {
    Setup setup;
    setup.table.start(10);
    setup.table.start(11);
    setup.sockets[0].connect_one();
    setup.sockets[0].connect_one();
    const std::vector<control::ListenerUse> uses{{.listener = 11, .pool = 5},
                                                 {.listener = 12, .pool = 6}};
    CHECK(setup.table.switch_to(uses));
    CHECK(setup.pools == std::vector<uint32_t>{0, 0});
    CHECK_FALSE(setup.table.has(10));
    setup.pools.clear();
    setup.sockets[1].connect_one();
    setup.test.run_until([&] { return setup.pools.size() == 1; });
    setup.sockets[2].connect_one();
    setup.test.run_until([&] { return setup.pools.size() == 2; });
    CHECK(setup.pools == std::vector<uint32_t>{5, 6});
}

TEST_CASE(
    "listener table: what is removed is emptied and takes nobody any more, here or elsewhere") {
    Setup setup;
    setup.table.start(10);
    setup.sockets[0].connect_one();
    setup.sockets[0].connect_one();
    const std::vector<uint32_t> removed{10, 12, 99};  // one started, one only held, one not here
    setup.table.remove(removed);
    CHECK(setup.pools == std::vector<uint32_t>{0, 0});
    CHECK_FALSE(setup.table.has(10));
    CHECK_FALSE(setup.table.has(12));
    CHECK(setup.table.has(11));
    CHECK(setup.sockets[0].refuses());
    CHECK(setup.sockets[2].refuses());
    CHECK_FALSE(setup.sockets[1].refuses());
}

TEST_CASE("listener table: a switch away from a listener that never started leaves its queue") {
    Setup setup;
    setup.sockets[0].connect_one();
    CHECK(setup.table.switch_to({}));
    CHECK(setup.table.size() == 0);
    CHECK(setup.pools.empty());
    CHECK(setup.sockets[0].take_queued() == 1);
}

TEST_CASE("listener table: a switch to a listener that is not here says so and does the rest") {
    Setup setup;
    const std::vector<control::ListenerUse> uses{{.listener = 99, .pool = 0},
                                                 {.listener = 12, .pool = 6}};
    CHECK_FALSE(setup.table.switch_to(uses));
    CHECK(setup.table.size() == 1);
    setup.sockets[2].connect_one();
    setup.test.run_until([&] { return !setup.pools.empty(); });
    CHECK(setup.pools == std::vector<uint32_t>{6});
}

TEST_CASE("listener table: a switch may leave alone what is held for a later one") {
    Setup setup;
    setup.table.start(10);
    const std::vector<control::ListenerUse> uses{{.listener = 11, .pool = 0}};
    CHECK(setup.table.switch_to(uses, true));
    CHECK_FALSE(setup.table.has(10));  // it was started, and is not named
    CHECK(setup.table.has(12));
    setup.table.drop_held();
    CHECK_FALSE(setup.table.has(12));
    CHECK(setup.table.has(11));
}

TEST_CASE("listener table: what was only held is dropped, the started go on") {
    Setup setup;
    setup.table.start(11);
    setup.table.drop_held();
    CHECK(setup.table.size() == 1);
    CHECK(setup.table.has(11));
}

TEST_CASE("listener table: emptying takes everything that waits") {
    Setup setup;
    setup.table.start_all();
    for (int i = 0; i < 100; ++i) {
        setup.sockets[static_cast<size_t>(i) % 2].connect_one();
        if (i % 10 == 9) {
            setup.test.run_for_ms(0);
        }
    }
    setup.sockets[2].connect_one();
    setup.table.empty_all();
    CHECK(setup.pools.size() == 101);
    CHECK(setup.table.size() == 0);
}

TEST_CASE("listener table: while off nothing is accepted, whatever is started; queues wait") {
    Setup setup;
    setup.table.start(10);
    setup.table.set_accepting(false);
    setup.table.start(11);
    for (MastersCopy& socket : setup.sockets) {
        socket.connect_one();
    }
    setup.test.run_for_ms(5);
    CHECK(setup.pools.empty());
    setup.table.set_accepting(true);
    setup.test.run_until([&] { return setup.pools.size() == 2; });
    setup.test.run_for_ms(5);
    CHECK(setup.pools.size() == 2);  // what was only held still is
    setup.table.set_accepting(false);
    setup.sockets[0].connect_one();
    setup.table.empty_all();
    CHECK(setup.pools.size() == 3);
}

}  // namespace
}  // namespace ringmaster::worker
