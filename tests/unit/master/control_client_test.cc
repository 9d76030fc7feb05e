// SPDX-License-Identifier: Apache-2.0
#include "master/control_client.h"

#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/io/sockets.h"

namespace ringmaster::master {
namespace {

using base::format;

// Answers one connection with `bytes`, whatever it says.
struct OneAnswer {
    explicit OneAnswer(std::string bytes)
        : path(format("/tmp/rm-client-test-{}.sock", ::getpid())),
          listener(*io::make_unix_listener(path, 0600, 4)) {
        ::fcntl(listener, F_SETFL, 0);
        thread = std::thread([this, text = std::move(bytes)] {
            const int fd = ::accept(listener, nullptr, nullptr);
            ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
            ::close(fd);  // with the request unread
        });
    }
    ~OneAnswer() {
        thread.join();
        ::close(listener);
        ::unlink(path.c_str());
    }
    std::string path;
    int listener;
    std::thread thread;
};

std::string problem(const std::string& path) {
    const auto answer = ask_proxy(path, {"status"}, 5);
    return answer ? std::string() : answer.error().message;
}

TEST_CASE("control client: the answer is taken though the proxy never read the request") {
    const ControlAnswer answer{.code = 1, .out = "o", .err = "e"};
    const OneAnswer proxy(write_answer(answer));
    const auto got = ask_proxy(proxy.path, {"where", "p", std::string(60000, 'k')}, 5);
    REQUIRE(got.has_value());
    CHECK(*got == answer);
}

TEST_CASE("control client: every way to have no answer says what is the matter") {
    CHECK(problem("/nonexistent/control.sock").starts_with("no proxy runs at /nonexistent"));
    CHECK(problem(std::string(200, 'x')).find("longer than") != std::string::npos);
    {
        const OneAnswer proxy("HTTP/1.1 400\r\n");
        CHECK(problem(proxy.path).find("is no ringmaster of this version") != std::string::npos);
    }
    std::string stale;
    {
        const OneAnswer proxy("");
        CHECK(problem(proxy.path).find("without an answer") != std::string::npos);
        stale = proxy.path + ".stale";
        ::close(*io::make_unix_listener(stale, 0600, 1));
    }
    CHECK(problem(stale).find("nobody serves this socket any more") != std::string::npos);
    ::unlink(stale.c_str());
    const auto long_one = ask_proxy("/nonexistent", {std::string(70000, 'x')}, 1);
    REQUIRE_FALSE(long_one.has_value());
    CHECK(long_one.error().message.find("too long") != std::string::npos);
}

TEST_CASE("control client: a first word that is no option is a command line") {
    CHECK(is_command_line({"status"}));
    CHECK(is_command_line({"my.yml"}));
    CHECK_FALSE(is_command_line({}));
    CHECK_FALSE(is_command_line({""}));
    CHECK_FALSE(is_command_line({"-c", "status"}));
}

}  // namespace
}  // namespace ringmaster::master
