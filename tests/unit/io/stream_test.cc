// SPDX-License-Identifier: Apache-2.0
#include "common/io/stream.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "common/io/listener.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

int tcp_nodelay(int fd) {
    int value = 0;
    socklen_t size_bytes = sizeof value;
    ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size_bytes);
    return value;
}

void echo_over(const SocketAddress& address, int listener_fd) {
    TestLoop test;
    Recorder client;
    Recorder server;
    Listener listener(test.loop, listener_fd, 64, [&](int fd) {
        if (!address.is_unix()) {
            CHECK(tcp_nodelay(fd) != 0);
        }
        REQUIRE(server.stream.adopt(test.loop, fd, address.is_unix(), server) == 0);
        REQUIRE(server.stream.start_reading() == 0);
    });
    listener.start();
    server.on_any = [&] { server.write(server.received); };
    REQUIRE(client.stream.connect(test.loop, address, client) == 0);
    CHECK(client.outcomes.empty());
    CHECK(client.stream.start_reading() == ENOTCONN);
    CHECK(client.write("too early") == 0);
    test.run_until([&] { return !client.outcomes.empty(); });
    CHECK(client.outcomes == std::vector<int>{0});
    CHECK(client.stream.peer() == address);
    if (!address.is_unix()) {
        CHECK(tcp_nodelay(client.stream.fd()) != 0);
        CHECK(client.stream.set_keepalive(true) == 0);
    }
    REQUIRE(client.stream.start_reading() == 0);
    CHECK(client.stream.start_reading() == 0);  // again: no harm
    CHECK(client.write("hello") == 5);
    test.run_until([&] { return client.received.size() >= 5; });
    CHECK(client.received == "hello");
}

TEST_CASE("stream: echo over TCP") {
    auto fd = make_tcp_listener(loopback(0), 16);
    REQUIRE(fd);
    echo_over(loopback(bound_port(*fd)), *fd);
}

TEST_CASE("stream: echo over a Unix path of the greatest length") {
    TestFolder folder;
    const std::string base = folder.file("");
    const std::string path = folder.file(std::string(107 - base.size(), 'x'));
    auto fd = make_unix_listener(path, 0, 16);
    REQUIRE(fd);
    echo_over(*SocketAddress::from_unix_path(path), *fd);
}

TEST_CASE("stream: a refused TCP connect is told by the callback only") {
    TestLoop test;
    const int bound = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const SocketAddress any = loopback(0);
    REQUIRE(::bind(bound, any.get(), any.size_bytes()) == 0);
    Recorder client;
    REQUIRE(client.stream.connect(test.loop, loopback(bound_port(bound)), client) == 0);
    CHECK(client.outcomes.empty());
    test.run_until([&] { return !client.outcomes.empty(); });
    CHECK(client.outcomes == std::vector<int>{ECONNREFUSED});
    CHECK(client.write("x") == -EPIPE);
    CHECK(client.stream.start_reading() == 0);
    test.run_for_ms(5);
    CHECK(client.errors.empty());
    ::close(bound);
}

TEST_CASE("stream: a Unix path that is not there is told by the callback only") {
    TestLoop test;
    Recorder client;
    const auto address = SocketAddress::from_unix_path("/tmp/rmio.nothing.here");
    REQUIRE(client.stream.connect(test.loop, *address, client) == 0);
    CHECK(client.outcomes.empty());
    client.stream.write_rest(std::make_unique<TextWrite>("early"));
    test.run_until([&] { return !client.outcomes.empty(); });
    CHECK(client.outcomes == std::vector<int>{ENOENT});
}

TEST_CASE("stream: an empty address cannot be connected to") {
    TestLoop test;
    Recorder client;
    CHECK(client.stream.connect(test.loop, SocketAddress(), client) != 0);
    CHECK_FALSE(client.stream.is_open());
}

TEST_CASE("stream: a descriptor that cannot be adopted is an error") {
    TestLoop test;
    Recorder end;
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    Recorder first;
    REQUIRE(first.stream.adopt(test.loop, ends[0], true, first) == 0);
    REQUIRE(first.stream.start_reading() == 0);
    ::close(ends[1]);
    test.run_until([&] { return first.eofs == 1; });
}

TEST_CASE("stream: closed before the connect is through, nothing is called") {
    TestLoop test;
    auto fd = make_tcp_listener(loopback(0), 16);
    Recorder tcp;
    REQUIRE(tcp.stream.connect(test.loop, loopback(bound_port(*fd)), tcp) == 0);
    Recorder unix_client;
    const auto address = SocketAddress::from_unix_path("/tmp/rmio.nothing.here");
    REQUIRE(unix_client.stream.connect(test.loop, *address, unix_client) == 0);
    tcp.stream.close();
    unix_client.stream.close();
    CHECK_FALSE(tcp.stream.is_open());
    CHECK(tcp.stream.fd() == -1);
    test.run_for_ms(5);
    CHECK(tcp.outcomes.empty());
    CHECK(unix_client.outcomes.empty());
    ::close(*fd);
}

TEST_CASE("stream: an empty span ends reading for the turn and loses nothing") {
    TestLoop test;
    const auto [ours, theirs] = socket_pair();
    Recorder end;
    end.empty_allocs = 3;
    REQUIRE(end.stream.adopt(test.loop, ours, true, end) == 0);
    REQUIRE(end.stream.start_reading() == 0);
    REQUIRE(::write(theirs, "abc", 3) == 3);
    const uint64_t turns = test.turns;
    test.run_until([&] { return end.received == "abc"; });
    CHECK(test.turns - turns >= 4);
    CHECK(end.errors.empty());
    ::close(theirs);
}

TEST_CASE("stream: reading stops and goes on") {
    TestLoop test;
    const auto [ours, theirs] = socket_pair();
    Recorder end;
    REQUIRE(end.stream.adopt(test.loop, ours, true, end) == 0);
    REQUIRE(end.stream.start_reading() == 0);
    end.stream.stop_reading();
    REQUIRE(::write(theirs, "abc", 3) == 3);
    test.run_for_ms(5);
    CHECK(end.alloc_calls == 0);
    REQUIRE(end.stream.start_reading() == 0);
    test.run_until([&] { return end.received == "abc"; });
    ::close(theirs);
}

TEST_CASE("stream: after the peer's last byte we can still write") {
    TestLoop test;
    Recorder a;
    Recorder b;
    const auto [a_fd, b_fd] = tcp_pair();
    REQUIRE(a.stream.adopt(test.loop, a_fd, false, a) == 0);
    REQUIRE(b.stream.adopt(test.loop, b_fd, false, b) == 0);
    REQUIRE(a.stream.start_reading() == 0);
    REQUIRE(b.stream.start_reading() == 0);
    CHECK(a.write("last") == 4);
    a.stream.shutdown_write();
    test.run_until([&] { return b.eofs == 1; });
    CHECK(b.received == "last");
    CHECK(b.write("reply") == 5);
    test.run_until([&] { return a.received == "reply"; });
    CHECK(a.eofs == 0);
    CHECK(b.stream.start_reading() == 0);  // nothing comes after the end
    test.run_for_ms(5);
    CHECK(b.eofs == 1);
}

TEST_CASE("stream: close_with_reset is a reset for the peer, close an orderly end") {
    for (const bool reset : {true, false}) {
        CAPTURE(reset);
        TestLoop test;
        Recorder a;
        Recorder b;
        const auto [a_fd, b_fd] = tcp_pair();
        REQUIRE(a.stream.adopt(test.loop, a_fd, false, a) == 0);
        REQUIRE(b.stream.adopt(test.loop, b_fd, false, b) == 0);
        REQUIRE(b.stream.start_reading() == 0);
        if (reset) {
            a.stream.close_with_reset();
        } else {
            a.stream.close();
        }
        CHECK_FALSE(a.stream.is_open());
        test.run_until([&] { return b.eofs + static_cast<int>(b.errors.size()) == 1; });
        CHECK(b.eofs == (reset ? 0 : 1));
        CHECK(b.errors == (reset ? std::vector<int>{ECONNRESET} : std::vector<int>{}));
    }
}

TEST_CASE("stream: may be destroyed in on_read, on_eof, on_error and on_connected") {
    TestLoop test;
    auto listener = make_tcp_listener(loopback(0), 16);
    for (const int what : {0, 1, 2, 3}) {
        CAPTURE(what);
        Recorder end;
        int calls = 0;
        end.on_any = [&] {
            ++calls;
            end.stream.close();
        };
        int other = -1;
        if (what == 3) {
            REQUIRE(end.stream.connect(test.loop, loopback(bound_port(*listener)), end) == 0);
        } else {
            const auto [ours, theirs] = tcp_pair();
            other = theirs;
            REQUIRE(end.stream.adopt(test.loop, ours, false, end) == 0);
            REQUIRE(end.stream.start_reading() == 0);
            if (what == 0) {
                // More than one span holds: the read loop would go on.
                const std::string bytes = pattern(100000);
                REQUIRE(::write(theirs, bytes.data(), bytes.size()) > 20000);
            } else {
                const linger on{1, 0};
                if (what == 2) {
                    ::setsockopt(theirs, SOL_SOCKET, SO_LINGER, &on, sizeof on);
                }
                ::close(std::exchange(other, -1));
            }
        }
        test.run_until([&] { return calls > 0; });
        test.run_for_ms(5);
        CHECK(calls == 1);
        CHECK_FALSE(end.stream.is_open());
        if (other >= 0) {
            ::close(other);
        }
    }
    ::close(*listener);
}

TEST_CASE("stream: moving takes the connection along") {
    TestLoop test;
    const auto [ours, theirs] = socket_pair();
    Recorder end;
    Stream first;
    REQUIRE(first.adopt(test.loop, ours, true, end) == 0);
    end.stream = std::move(first);
    REQUIRE(end.stream.start_reading() == 0);
    REQUIRE(::write(theirs, "x", 1) == 1);
    test.run_until([&] { return end.received == "x"; });
    ::close(theirs);
}

// In a network namespace with two outgoing ports, one of which is the dead server's: 0 = every
// connect failed although plain ones meet themselves; 77 = no namespace to be had here.
int connect_to_self_in_namespace() {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return 77;
    }
    const int control = ::socket(AF_INET, SOCK_DGRAM, 0);
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const int range = ::open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
    if (::ioctl(control, SIOCSIFFLAGS, &request) != 0 || range < 0 ||
        ::write(range, "40050 40053", 11) != 11) {
        return 77;
    }
    const SocketAddress dead = loopback(40050);
    bool met_itself = false;
    for (int i = 0; i < 2000 && !met_itself; ++i) {
        const int plain = ::socket(AF_INET, SOCK_STREAM, 0);
        met_itself = ::connect(plain, dead.get(), dead.size_bytes()) == 0;
        const linger on{1, 0};
        ::setsockopt(plain, SOL_SOCKET, SO_LINGER, &on, sizeof on);
        ::close(plain);
    }
    if (!met_itself) {
        return 78;
    }
    TestLoop test;
    for (int i = 0; i < 500; ++i) {
        Recorder client;
        if (client.stream.connect(test.loop, dead, client) != 0) {
            continue;  // out of ports
        }
        test.run_until([&] { return !client.outcomes.empty(); });
        if (client.outcomes.front() == 0) {
            return 1;
        }
        client.stream.close_with_reset();
    }
    return 0;
}

TEST_CASE("stream: a connection that meets itself is refused") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::_exit(connect_to_self_in_namespace());
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        MESSAGE("not tried: no network namespace to be had");
        return;
    }
    CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace ringmaster::io
