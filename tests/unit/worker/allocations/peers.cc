// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/worker/allocations/peers.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/assert.h"

namespace ringmaster::allocations {
namespace {

constexpr unsigned kLifeSeconds = 280;  // of a child, should nobody end it
// The warm-up goes deeper than what is counted, so that no more memory is ever in use than then.
constexpr uint32_t kWarmDepth = 3;
constexpr uint32_t kWarmRounds = 12;
// Room for a whole batch at either end: a write of the data path that blocks would allocate.
constexpr int kReceiveBytes = 1 << 20;
// Each server has a process for every connection that a pool may open to it: one a dialect.
constexpr uint32_t kDialects = 2;
constexpr uint8_t kBinaryMagic = 0x80;
// The last entry of the reply to HELLO.
constexpr std::string_view kHello3 = "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n";
constexpr std::string_view kHello3End = "modules\r\n*0\r\n";

sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void be_ready_for(int fd) {
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t taken = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (taken <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<size_t>(taken));
    }
    return true;
}

// -1: nobody has come until `go` ended. Another process may take who comes: `listener` does not
// block.
int accept_one(int listener, int go) {
    int fd = -1;
    while (fd < 0) {
        pollfd either[] = {{.fd = listener, .events = POLLIN, .revents = 0},
                           {.fd = go, .events = 0, .revents = 0}};
        ::poll(either, 2, -1);
        if (either[0].revents == 0 && either[1].revents != 0) {
            break;
        }
        fd = ::accept(listener, nullptr, nullptr);
    }
    return fd;
}

bool serve(bool redis, int listener, int go) {
    const int fd = accept_one(listener, go);
    if (fd < 0) {
        return true;
    }
    std::string input;
    std::string output;
    std::vector<char> buffer(1 << 18);
    while (true) {
        const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
            return size == 0 && input.empty();
        }
        input.append(buffer.data(), static_cast<size_t>(size));
        output.clear();
        const bool is_binary = static_cast<uint8_t>(input[0]) == kBinaryMagic;
        const bool is_good = redis       ? answer_redis(input, output)
                             : is_binary ? answer_memcached_binary(input, output)
                                         : answer_memcached(input, output);
        if (!is_good || !write_all(fd, output)) {
            std::fputs("a server got what no client says\n", stderr);
            return false;
        }
    }
}

class Client {
  public:
    Client(const ClientPlan& plan, int report, int go) : plan_(plan), report_(report), go_(go) {}

    bool live(uint16_t port) {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        be_ready_for(fd_);
        const sockaddr_in address = loopback(port);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            return false;
        }
        if (is_resp3(plan_.speech) && !greet()) {
            return false;
        }
        for (uint32_t round = 0; round < kWarmRounds; ++round) {
            if (!ask(kWarmDepth * plan_.pipeline)) {
                return false;
            }
        }
        tell('w');
        char byte = 0;
        if (::read(go_, &byte, 1) != 1) {
            return false;
        }
        for (uint32_t left = plan_.requests; left > 0;) {
            const uint32_t now = std::min(left, plan_.pipeline);
            if (!ask(now)) {
                return false;
            }
            left -= now;
        }
        tell('d');
        return ::read(go_, &byte, 1) == 0;
    }

    void tell(char what) const { [[maybe_unused]] const ssize_t n = ::write(report_, &what, 1); }

  private:
    bool greet() {
        if (!write_all(fd_, kHello3)) {
            return false;
        }
        std::string got;
        while (!got.ends_with(kHello3End)) {
            char byte = 0;
            if (::recv(fd_, &byte, 1, 0) != 1) {
                return false;
            }
            got += byte;
        }
        return got.starts_with('%');
    }

    // All at once, then all their replies.
    bool ask(uint32_t count) {
        Conversation conversation;
        for (uint32_t i = 0; i < count; ++i) {
            if (plan_.large) {
                say_large_set(conversation);
            } else {
                say(plan_.speech, number_++, conversation);
            }
        }
        return write_all(fd_, conversation.request) && hears(conversation.reply);
    }

    bool hears(const std::string& wanted) {
        if (wanted.empty()) {
            return true;  // a quiet request by itself; recv() would wait for a byte
        }
        got_.resize(wanted.size());
        size_t size = 0;
        while (size < wanted.size()) {
            // A pause of the process may end it early, even so.
            const ssize_t more = ::recv(fd_, got_.data() + size, got_.size() - size, MSG_WAITALL);
            if (more <= 0) {
                break;
            }
            size += static_cast<size_t>(more);
        }
        if (size < wanted.size() || got_ != wanted) {
            std::fputs("a client got a wrong reply\n", stderr);
            return false;
        }
        return true;
    }

    ClientPlan plan_;
    int report_;
    int go_;
    int fd_ = -1;
    uint32_t number_ = 0;
    std::string got_;
};

}  // namespace

Listening listen_somewhere() {
    Listening listening;
    listening.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    RM_ASSERT(listening.fd >= 0);
    be_ready_for(listening.fd);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    RM_ASSERT(::bind(listening.fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    RM_ASSERT(::listen(listening.fd, 64) == 0);
    RM_ASSERT(::getsockname(listening.fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    listening.port = ntohs(address.sin_port);
    return listening;
}

Peers::Peers() {
    RM_ASSERT(::pipe2(report_, O_CLOEXEC) == 0);
    RM_ASSERT(::pipe2(go_, O_CLOEXEC) == 0);
    RM_ASSERT(::fcntl(report_[0], F_SETFL, O_NONBLOCK) == 0);
}

Peers::~Peers() {
    for (const pid_t pid : children_) {
        ::kill(pid, SIGKILL);
    }
    let_go();
    join();
    for (const int fd : {report_[0], report_[1], go_[0]}) {
        ::close(fd);
    }
}

template <class Life>
void Peers::fork_child(Life life) {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    RM_ASSERT(pid >= 0);
    if (pid > 0) {
        children_.push_back(pid);
        return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
        ::_exit(1);
    }
    ::alarm(kLifeSeconds);
    ::close(go_[1]);
    ::_exit(life() ? 0 : 1);
}

void Peers::fork_server(bool redis, Listening listening) {
    RM_ASSERT(::fcntl(listening.fd, F_SETFL, O_NONBLOCK) == 0);
    for (uint32_t i = 0; i < kDialects; ++i) {
        fork_child([this, redis, listening] { return serve(redis, listening.fd, go_[0]); });
    }
    ::close(listening.fd);
}

void Peers::fork_client(const ClientPlan& plan, uint16_t port) {
    ++clients_;
    fork_child([this, &plan, port] {
        Client client(plan, report_[1], go_[0]);
        const bool content = client.live(port);
        if (!content) {
            client.tell('f');
        }
        return content;
    });
}

void Peers::look() {
    char letters[16];
    const ssize_t size = ::read(report_[0], letters, sizeof letters);
    for (ssize_t i = 0; i < size; ++i) {
        warm_ += letters[i] == 'w' ? 1U : 0U;
        done_ += letters[i] == 'd' ? 1U : 0U;
        failed_ = failed_ || letters[i] == 'f';
    }
}

void Peers::go() {
    for (size_t i = 0; i < clients_; ++i) {
        RM_ASSERT(::write(go_[1], "g", 1) == 1);
    }
}

void Peers::let_go() {
    if (go_[1] >= 0) {
        ::close(std::exchange(go_[1], -1));
    }
}

bool Peers::join() {
    bool content = true;
    for (const pid_t pid : std::exchange(children_, {})) {
        int status = 0;
        content = ::waitpid(pid, &status, 0) == pid && status == 0 && content;
    }
    return content;
}

}  // namespace ringmaster::allocations
