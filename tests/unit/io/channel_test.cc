// SPDX-License-Identifier: Apache-2.0
#include "common/io/channel.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>

#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

class Receiver : public ChannelHandler {
  public:
    ~Receiver() override {
        for (const int fd : descriptors) {
            ::close(fd);
        }
    }
    void on_channel_descriptors(std::span<const int> fds) noexcept override {
        for (const int fd : fds) {
            descriptors.push_back(fd);
            offsets.push_back(bytes.size());
        }
        tell();
    }
    void on_channel_bytes(std::string_view more) noexcept override {
        bytes.append(more);
        tell();
    }
    void on_channel_closed(int error) noexcept override {
        closed.push_back(error);
        tell();
    }

    std::string bytes;
    std::vector<int> descriptors;
    std::vector<size_t> offsets;  // of bytes, when the descriptor came
    std::vector<int> closed;
    std::function<void()> on_any;

  private:
    void tell() {
        if (on_any) {
            on_any();
        }
    }
};

// A descriptor that says who it is.
int named_descriptor(size_t name) {
    const int fd = ::memfd_create("channel_test", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, &name, sizeof name) == sizeof name);
    return fd;
}

size_t name_of(int fd) {
    size_t name = 0;
    REQUIRE(::pread(fd, &name, sizeof name, 0) == sizeof name);
    return name;
}

size_t open_descriptors() {
    size_t count = 0;
    for (int fd = 0; fd < 1024; ++fd) {
        count += ::fcntl(fd, F_GETFD) >= 0 ? size_t{1} : size_t{0};
    }
    return count;
}

struct Pair {
    Pair() {
        auto ends = make_channel_pair();
        REQUIRE(ends);
        a.emplace(test.loop, ends->first, a_got);
        b_fd = ends->second;
    }
    ~Pair() {
        if (!b) {
            ::close(b_fd);
        }
    }
    void open_b() { b.emplace(test.loop, b_fd, b_got); }

    TestLoop test;
    Receiver a_got;
    Receiver b_got;
    std::optional<Channel> a;
    std::optional<Channel> b;
    int b_fd = -1;
};

TEST_CASE("channel: bytes both ways and descriptors with CLOEXEC") {
    Pair pair;
    pair.open_b();
    const int fd = named_descriptor(7);
    pair.a->send("hello", std::span(&fd, 1));
    ::close(fd);
    pair.b->send("world");
    CHECK(pair.a->bytes_queued() == 0);
    pair.test.run_until([&] { return !pair.a_got.bytes.empty() && !pair.b_got.bytes.empty(); });
    CHECK(pair.a_got.bytes == "world");
    CHECK(pair.b_got.bytes == "hello");
    REQUIRE(pair.b_got.descriptors.size() == 1);
    CHECK(name_of(pair.b_got.descriptors[0]) == 7);
    CHECK((::fcntl(pair.b_got.descriptors[0], F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("channel: order of bytes and descriptors holds through a full socket") {
    constexpr size_t kMessages = 3000;
    constexpr size_t kMessageBytes = 1000;
    Pair pair;
    std::string all;
    size_t sent_descriptors = 0;
    for (size_t i = 0; i < kMessages; ++i) {
        const std::string message = pattern(kMessageBytes + i).substr(i);
        all += message;
        if (i % 50 == 0) {
            const int fds[2] = {named_descriptor(i), named_descriptor(i)};
            pair.a->send(message, fds);
            ::close(fds[0]);  // ours may go at once
            ::close(fds[1]);
            sent_descriptors += 2;
        } else {
            pair.a->send(message);
        }
    }
    CHECK(pair.a->bytes_queued() > all.size() / 2);
    pair.open_b();
    pair.test.run_until([&] { return pair.b_got.bytes.size() == all.size(); });
    CHECK((pair.b_got.bytes == all));
    CHECK(pair.a->bytes_queued() == 0);
    REQUIRE(pair.b_got.descriptors.size() == sent_descriptors);
    for (size_t i = 0; i < sent_descriptors; ++i) {
        const size_t name = name_of(pair.b_got.descriptors[i]);
        CHECK(name == i / 2 * 50);
        CHECK(pair.b_got.offsets[i] <= name * kMessageBytes);
    }
}

TEST_CASE("channel: 32 descriptors travel with one send, more than that from a peer is an error") {
    { Loop first; }  // the first loop of a process keeps two descriptors for signals
    for (const size_t count : {size_t{32}, size_t{33}, size_t{100}}) {
        CAPTURE(count);
        const size_t open_before = open_descriptors();
        {
            Pair pair;
            std::vector<int> fds;
            for (size_t i = 0; i < count; ++i) {
                fds.push_back(named_descriptor(i));
            }
            if (count <= kMaxDescriptorsPerSend) {
                pair.open_b();
                pair.b->send("x", fds);
            } else {
                std::vector<char> control(CMSG_SPACE(count * sizeof(int)));
                char byte = 'x';
                iovec piece{&byte, 1};
                msghdr message{};
                message.msg_iov = &piece;
                message.msg_iovlen = 1;
                message.msg_control = control.data();
                message.msg_controllen = control.size();
                cmsghdr* header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(count * sizeof(int));
                std::memcpy(CMSG_DATA(header), fds.data(), count * sizeof(int));
                REQUIRE(::sendmsg(pair.b_fd, &message, 0) == 1);
            }
            for (const int fd : fds) {
                ::close(fd);
            }
            pair.test.run_until(
                [&] { return !pair.a_got.bytes.empty() || !pair.a_got.closed.empty(); });
            if (count <= kMaxDescriptorsPerSend) {
                CHECK(pair.a_got.descriptors.size() == count);
            } else {
                CHECK(pair.a_got.closed == std::vector<int>{EPROTO});
                CHECK(pair.a_got.descriptors.empty());
            }
        }
        CHECK(open_descriptors() == open_before);  // nothing that came was left open
    }
}

TEST_CASE("channel: what the peer sent before it went is delivered, then its end") {
    Pair pair;
    REQUIRE(::write(pair.b_fd, "last words", 10) == 10);
    ::close(std::exchange(pair.b_fd, -1));
    pair.a->send("to nobody");
    pair.test.run_until([&] { return !pair.a_got.closed.empty(); });
    pair.test.run_for_ms(5);
    CHECK(pair.a_got.bytes == "last words");
    CHECK(pair.a_got.closed == std::vector<int>{0});
    pair.a->send("still nobody");
    CHECK(pair.a->bytes_queued() == 0);
}

TEST_CASE("channel: a peer that goes with unread bytes in its socket is one end") {
    Pair pair;
    const std::string much = pattern(1000000);
    const int fd = named_descriptor(1);
    pair.a->send(much);
    pair.a->send("with", std::span(&fd, 1));
    ::close(fd);
    CHECK(pair.a->bytes_queued() > 0);
    REQUIRE(::write(pair.b_fd, "bye", 3) == 3);
    ::close(std::exchange(pair.b_fd, -1));
    pair.test.run_until([&] { return !pair.a_got.closed.empty(); });
    const uint64_t turns = pair.test.turns;
    pair.test.run_for_ms(20);
    CHECK(pair.test.turns - turns < 10);
    CHECK(pair.a_got.bytes == "bye");
    CHECK(pair.a_got.closed.size() == 1);
    CHECK(pair.a->bytes_queued() == 0);
}

TEST_CASE("channel: read_now delivers without turning the loop") {
    Pair pair;
    pair.a->read_now();
    CHECK(pair.a_got.bytes.empty());
    REQUIRE(::write(pair.b_fd, "now", 3) == 3);
    pair.a->read_now();
    CHECK(pair.a_got.bytes == "now");
}

TEST_CASE("channel: may be destroyed in every callback") {
    for (const int what : {0, 1, 2}) {
        CAPTURE(what);
        Pair pair;
        pair.open_b();
        int calls = 0;
        pair.b_got.on_any = [&] {
            ++calls;
            pair.b.reset();
            pair.b_fd = -1;
        };
        const int fd = named_descriptor(1);
        if (what == 0) {
            pair.a->send("x", std::span(&fd, 1));
        } else if (what == 1) {
            pair.a->send("x");
        } else {
            pair.a.reset();
        }
        ::close(fd);
        pair.test.run_until([&] { return calls > 0; });
        pair.test.run_for_ms(5);
        CHECK(calls == 1);
    }
}

}  // namespace
}  // namespace ringmaster::io
