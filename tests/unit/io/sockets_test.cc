// SPDX-License-Identifier: Apache-2.0
#include "common/io/sockets.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/io/free_port.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

bool in_use(const std::string& message) {
    return message.find("Address already in use") != std::string::npos;
}

int socket_option(int fd, int option) {
    int value = 0;
    socklen_t size_bytes = sizeof value;
    REQUIRE(::getsockopt(fd, SOL_SOCKET, option, &value, &size_bytes) == 0);
    return value;
}

bool reaches(const std::string& path) {
    const auto address = SocketAddress::from_unix_path(path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected = ::connect(fd, address->get(), address->size_bytes()) == 0;
    ::close(fd);
    return connected;
}

TEST_CASE("sockets: shared listeners go together, a probe sees them") {
    const SocketAddress address = loopback(free_port());  // it is to be free again at the end
    auto first = make_tcp_listener(address, 16);
    REQUIRE(first);
    auto second = make_tcp_listener(address, 16);
    REQUIRE(second);
    CHECK((::fcntl(*first, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(*first, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(socket_option(*first, SO_REUSEPORT) == 1);
    CHECK(socket_option(*first, SO_REUSEADDR) == 1);

    const base::Status probe = probe_bind(address);
    REQUIRE_FALSE(probe.ok());
    CHECK(in_use(probe.error().message));
    CHECK(probe.error().message.find(address.text()) != std::string::npos);
    auto exclusive = make_exclusive_tcp_listener(address, 16);
    REQUIRE_FALSE(exclusive);
    CHECK(in_use(exclusive.error().message));

    ::close(*first);
    ::close(*second);
    CHECK(probe_bind(address).ok());
    CHECK(probe_bind(address).ok());  // it left nothing behind
}

TEST_CASE("sockets: an exclusive listener cannot be joined") {
    auto first = make_exclusive_tcp_listener(loopback(0), 16);
    REQUIRE(first);
    auto second = make_tcp_listener(loopback(bound_port(*first)), 16);
    CHECK_FALSE(second);
    ::close(*first);
}

TEST_CASE("sockets: an address that is not ours is an error that says so") {
    const auto status = probe_bind(*SocketAddress::from_numeric("192.0.2.1", 1));
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().message ==
          "cannot listen on '192.0.2.1:1': Cannot assign requested address");
}

TEST_CASE("sockets: a Unix path that is served is refused, a stale one is replaced") {
    TestFolder folder;
    const std::string path = folder.file("s");
    auto first = make_unix_listener(path, 0600, 16);
    REQUIRE(first);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    auto second = make_unix_listener(path, 0, 16);
    REQUIRE_FALSE(second);
    CHECK(in_use(second.error().message));
    CHECK(reaches(path));  // the first one still serves

    ::close(*first);
    CHECK_FALSE(reaches(path));
    auto third = make_unix_listener(path, 0666, 16);
    REQUIRE(third);
    CHECK(reaches(path));
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0666);
    ::close(*third);
}

TEST_CASE("sockets: a served Unix path with a full queue is refused too") {
    TestFolder folder;
    const std::string path = folder.file("s");
    auto first = make_unix_listener(path, 0, 0);
    REQUIRE(first);
    const auto address = SocketAddress::from_unix_path(path);
    std::vector<int> fds;
    bool full = false;
    while (!full && fds.size() < 100) {
        fds.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        full = ::connect(fds.back(), address->get(), address->size_bytes()) != 0;
    }
    REQUIRE(full);
    auto second = make_unix_listener(path, 0, 16);
    REQUIRE_FALSE(second);
    CHECK(in_use(second.error().message));
    fds.push_back(*first);
    for (const int fd : fds) {
        ::close(fd);
    }
}

TEST_CASE("sockets: a file that is no socket is never replaced") {
    TestFolder folder;
    const std::string path = folder.file("precious");
    const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    REQUIRE(::write(file, "data", 4) == 4);
    ::close(file);
    CHECK_FALSE(make_unix_listener(path, 0, 16));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK(status.st_size == 4);
    CHECK_FALSE(make_unix_listener("/nonexistent/folder/s", 0, 16));
    CHECK_FALSE(make_unix_listener(std::string(200, 'x'), 0, 16));
}

TEST_CASE("sockets: an address is locked until its descriptor closes") {
    const std::string text = "unit test " + std::to_string(::getpid());
    auto first = lock_address(text);
    REQUIRE(first);
    auto second = lock_address(text);
    REQUIRE_FALSE(second);
    CHECK(in_use(second.error().message));
    auto other = lock_address(text + "0");
    REQUIRE(other);
    ::close(*first);
    auto again = lock_address(text);
    REQUIRE(again);
    ::close(*again);
    ::close(*other);
}

TEST_CASE("sockets: long addresses lock each on its own") {
    const std::string common = std::string(200, 'x') + std::to_string(::getpid());
    auto a = lock_address(common + "a");
    auto b = lock_address(common + "b");
    REQUIRE(a);
    REQUIRE(b);
    CHECK_FALSE(lock_address(common + "a"));
    ::close(*a);
    ::close(*b);
}

TEST_CASE("sockets: the descriptor limit is raised to the hard one") {
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(raise_descriptor_limit() == limit.rlim_max);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

}  // namespace
}  // namespace ringmaster::io
