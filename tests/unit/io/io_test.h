// SPDX-License-Identifier: Apache-2.0
// Helpers of the io tests: a loop that ends by a condition, and a stream handler that records.
// Every test ends with ~Loop, which asserts that no handle was left behind.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/loop.h"
#include "common/io/socket_address.h"
#include "common/io/sockets.h"
#include "common/io/stream.h"
#include "common/io/timer.h"

namespace ringmaster::io {

class TestLoop : public LoopHooks {
  public:
    TestLoop() { loop.set_hooks(this); }

    // Turns the loop until `done`; fails the test after 10 s.
    void run_until(std::function<bool()> done) {
        done_ = std::move(done);
        bool late = false;
        Timer watchdog(loop, [&] {
            late = true;
            loop.stop();
        });
        watchdog.start(10000);
        loop.run();
        done_ = nullptr;
        REQUIRE_FALSE(late);
    }
    // Gives whatever should not happen the time to happen.
    void run_for_ms(uint64_t ms) {
        bool due = false;
        Timer timer(loop, [&] { due = true; });
        timer.start(ms);
        run_until([&] { return due; });
    }

    void before_poll() noexcept override {}
    void after_poll() noexcept override {
        ++turns;
        if (done_ && done_()) {
            loop.stop();
        }
    }

    Loop loop;
    uint64_t turns = 0;

  private:
    std::function<bool()> done_;
};

// Owns one end of a connection and remembers what came.
class Recorder : public StreamHandler {
  public:
    Stream stream;
    std::string received;
    int eofs = 0;
    int drains = 0;
    std::vector<int> errors;
    std::vector<int> outcomes;  // of connect()
    size_t alloc_calls = 0;
    size_t empty_allocs = 0;       // so many spans are empty first
    std::function<void()> on_any;  // called last

    std::span<char> on_alloc() noexcept override {
        ++alloc_calls;
        if (empty_allocs > 0) {
            --empty_allocs;
            return {};
        }
        return buffer_;
    }
    void on_read(size_t size_bytes) noexcept override {
        received.append(buffer_.data(), size_bytes);
        tell();
    }
    void on_eof() noexcept override {
        ++eofs;
        tell();
    }
    void on_error(int error) noexcept override {
        errors.push_back(error);
        tell();
    }
    void on_connected(int error) noexcept override {
        outcomes.push_back(error);
        tell();
    }
    void on_drained() noexcept override {
        ++drains;
        tell();
    }

    ssize_t write(std::string_view bytes) {
        const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
        return stream.try_write(&piece, 1);
    }

  private:
    void tell() {
        if (on_any) {
            on_any();
        }
    }
    std::array<char, 16384> buffer_{};
};

struct TextWrite : PendingWrite {
    explicit TextWrite(std::string bytes) : text(std::move(bytes)) {
        pieces.push_back({text.data(), text.size()});
    }
    std::string text;
};

inline std::string pattern(size_t size_bytes) {
    std::string text(size_bytes, '\0');
    for (size_t i = 0; i < size_bytes; ++i) {
        text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    }
    return text;
}

inline std::pair<int, int> socket_pair() {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    return {ends[0], ends[1]};
}

inline SocketAddress loopback(uint16_t port) {
    return *SocketAddress::from_numeric("127.0.0.1", port);
}

// How many connections wait to be accepted.
inline size_t queued(int listener_fd) {
    tcp_info info{};
    socklen_t size_bytes = sizeof info;
    REQUIRE(::getsockopt(listener_fd, IPPROTO_TCP, TCP_INFO, &info, &size_bytes) == 0);
    return info.tcpi_unacked;
}

// connect() may return a moment before the listener has the last segment.
inline void wait_until_queued(int listener_fd, size_t count) {
    for (int looks = 0; queued(listener_fd) < count && looks < 10000; ++looks) {
        ::poll(nullptr, 0, 1);
    }
    REQUIRE(queued(listener_fd) == count);
}

// Two ends of a TCP connection as plain descriptors.
inline std::pair<int, int> tcp_pair() {
    auto listener = make_exclusive_tcp_listener(loopback(0), 1);
    REQUIRE(listener);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const SocketAddress address = loopback(bound_port(*listener));
    REQUIRE(::connect(client, address.get(), address.size_bytes()) == 0);
    wait_until_queued(*listener, 1);
    const int server = ::accept4(*listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    REQUIRE(server >= 0);
    ::close(*listener);
    return {client, server};
}

// A directory that goes away with its content (plain files and sockets).
class TestFolder {
  public:
    TestFolder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
    ~TestFolder() {
        for (const std::string& name : names_) {
            ::unlink(name.c_str());
        }
        ::rmdir(path_.c_str());
    }
    std::string file(const std::string& name) {
        names_.push_back(path_ + "/" + name);
        return names_.back();
    }

  private:
    std::string path_ = "/tmp/rmio.XXXXXX";
    std::vector<std::string> names_;
};

}  // namespace ringmaster::io
