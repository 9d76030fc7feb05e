// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <csignal>

#include "common/io/signal.h"
#include "common/io/stream.h"
#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

constexpr size_t kMuch = size_t{8} * 1024 * 1024;

// Two ends on one loop; `a` has written what fits of `text`, the rest is queued.
struct Congested {
    explicit Congested(bool is_unix, const std::string& text) {
        const auto [a_fd, b_fd] = is_unix ? socket_pair() : tcp_pair();
        REQUIRE(a.stream.adopt(test.loop, a_fd, is_unix, a) == 0);
        REQUIRE(b.stream.adopt(test.loop, b_fd, is_unix, b) == 0);
        const ssize_t taken = a.write(text);
        REQUIRE(taken > 0);
        REQUIRE(static_cast<size_t>(taken) < text.size());
        const std::string rest = text.substr(static_cast<size_t>(taken));
        a.stream.write_rest(std::make_unique<TextWrite>(rest));
        CHECK(a.stream.write_pending());
        CHECK(a.stream.bytes_queued() > 0);
        CHECK(a.write("overtaking") == 0);
    }
    TestLoop test;
    Recorder a;
    Recorder b;
};

TEST_CASE("stream: what the kernel does not take arrives whole when the peer reads") {
    for (const bool is_unix : {false, true}) {
        CAPTURE(is_unix);
        const std::string text = pattern(kMuch);
        Congested pair(is_unix, text);
        pair.test.run_for_ms(5);
        CHECK(pair.a.drains == 0);
        const size_t queued = pair.a.stream.bytes_queued();
        CHECK(queued > 0);
        REQUIRE(pair.b.stream.start_reading() == 0);
        pair.test.run_until([&] { return pair.a.drains == 1; });
        CHECK(pair.a.stream.bytes_queued() == 0);
        CHECK_FALSE(pair.a.stream.write_pending());
        CHECK(pair.a.write("after") == 5);
        pair.test.run_until([&] { return pair.b.received.size() == text.size() + 5; });
        CHECK((pair.b.received == text + "after"));
        CHECK(pair.a.errors.empty());
    }
}

TEST_CASE("stream: many pieces are written in their order") {
    const std::string text = pattern(kMuch);
    Congested pair(true, text);
    REQUIRE(pair.b.stream.start_reading() == 0);
    pair.test.run_until([&] { return pair.a.drains == 1; });
    struct Pieces : PendingWrite {
        std::string bytes = pattern(100000);
        Pieces() {
            for (size_t i = 0; i < bytes.size(); i += 100) {
                pieces.push_back({bytes.data() + i, 100});
            }
        }
    };
    pair.a.stream.write_rest(std::make_unique<Pieces>());
    pair.test.run_until([&] { return pair.b.received.size() == text.size() + 100000; });
    CHECK((pair.b.received == text + pattern(100000)));
}

TEST_CASE("stream: the end of writing waits for what is queued") {
    const std::string text = pattern(kMuch);
    Congested pair(false, text);
    pair.a.stream.shutdown_write();
    REQUIRE(pair.b.stream.start_reading() == 0);
    pair.test.run_until([&] { return pair.b.eofs == 1; });
    CHECK((pair.b.received == text));
    CHECK(pair.a.drains == 1);
}

TEST_CASE("stream: a queued write to a peer that is gone is one error") {
    ignore_signal(SIGPIPE);
    for (const bool is_unix : {false, true}) {
        CAPTURE(is_unix);
        Congested pair(is_unix, pattern(kMuch));
        REQUIRE(pair.a.stream.start_reading() == 0);
        pair.b.stream.close_with_reset();
        pair.test.run_until([&] { return !pair.a.errors.empty(); });
        pair.test.run_for_ms(5);
        CHECK(pair.a.errors.size() == 1);
        CHECK(pair.a.drains == 0);
        CHECK(pair.a.eofs == 0);
        CHECK(pair.a.write("more") == -EPIPE);
        pair.a.stream.write_rest(std::make_unique<TextWrite>("more"));  // dropped
        pair.test.run_for_ms(5);
        CHECK(pair.a.errors.size() == 1);
    }
}

TEST_CASE("stream: may be destroyed in on_drained and in a write's on_error") {
    ignore_signal(SIGPIPE);
    for (const bool drains : {true, false}) {
        CAPTURE(drains);
        Congested pair(true, pattern(kMuch));
        pair.a.on_any = [&] { pair.a.stream.close(); };
        if (drains) {
            REQUIRE(pair.b.stream.start_reading() == 0);
        } else {
            pair.b.stream.close();
        }
        pair.test.run_until([&] { return !pair.a.stream.is_open(); });
        pair.test.run_for_ms(5);
        CHECK(pair.a.drains == (drains ? 1 : 0));
        CHECK(pair.a.errors.size() == (drains ? 0 : 1));
    }
}

TEST_CASE("stream: closing with a write queued frees its bytes and calls nothing") {
    struct Watched : TextWrite {
        Watched(std::string bytes, bool& gone_flag)
            : TextWrite(std::move(bytes)), gone(gone_flag) {}
        ~Watched() override { gone = true; }
        bool& gone;
    };
    TestLoop test;
    Recorder a;
    const auto [ours, theirs] = socket_pair();
    REQUIRE(a.stream.adopt(test.loop, ours, true, a) == 0);
    bool gone = false;
    a.stream.write_rest(std::make_unique<Watched>(pattern(kMuch), gone));
    test.run_for_ms(5);
    CHECK_FALSE(gone);
    a.stream.close();
    test.run_for_ms(5);
    CHECK(gone);
    CHECK(a.errors.empty());
    CHECK(a.drains == 0);
    ::close(theirs);
}

TEST_CASE("stream: writing while connecting goes out once connected") {
    TestLoop test;
    auto listener = make_tcp_listener(loopback(0), 16);
    REQUIRE(listener);
    Recorder a;
    REQUIRE(a.stream.connect(test.loop, loopback(bound_port(*listener)), a) == 0);
    a.stream.write_rest(std::make_unique<TextWrite>("early"));
    a.stream.shutdown_write();
    test.run_until([&] { return a.drains == 1; });
    CHECK(a.outcomes == std::vector<int>{0});
    Recorder b;
    wait_until_queued(*listener, 1);
    const int fd = ::accept4(*listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    REQUIRE(b.stream.adopt(test.loop, fd, false, b) == 0);
    REQUIRE(b.stream.start_reading() == 0);
    test.run_until([&] { return b.eofs == 1; });
    CHECK(b.received == "early");
    ::close(*listener);
}

}  // namespace
}  // namespace ringmaster::io
