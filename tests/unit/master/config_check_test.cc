// SPDX-License-Identifier: Apache-2.0
// ConfigCheck runs the binary it is in with `-t -c FILE`: here that is this test itself, which then
// does what the "config" says.
#define DOCTEST_CONFIG_IMPLEMENT
#include "master/config_check.h"

#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringmaster::master {
namespace {

int act_as_reader(const char* path) {
    std::ifstream file(path);
    const std::string order{std::istreambuf_iterator<char>(file), {}};
    if (order == "die") {
        ::raise(SIGKILL);
    }
    if (order == "wait") {
        ::pause();
    }
    return order == "good" ? 0 : 1;
}

struct Fixture {
    io::Loop loop;
    ConfigCheck check{loop};
    std::optional<base::Status> result;

    void start(const std::string& bytes) {
        result.reset();
        REQUIRE(check.start(bytes, [this](const base::Status& status) {
            result = status;
            loop.stop();
        }));
    }
};

TEST_CASE("config check: a process that ends by itself says nothing against the config") {
    Fixture f;
    for (const char* bytes : {"good", "bad", ""}) {
        f.start(bytes);
        f.loop.run();
        REQUIRE(f.result);
        CHECK(f.result->ok());
    }
}

TEST_CASE("config check: a config that kills its reader is refused") {
    Fixture f;
    f.start("die");
    f.loop.run();
    REQUIRE(f.result);
    REQUIRE_FALSE(f.result->ok());
    CHECK(f.result->error().message ==
          "the process that checked the configuration ended by signal 9 (Killed)");
    f.start("good");  // the next one is not affected
    f.loop.run();
    CHECK(f.result->ok());
}

TEST_CASE("config check: a process that ended while this one stood still was in time") {
    constexpr uint64_t kPatienceMs = 1;
    io::Loop loop;
    ConfigCheck check(loop, kPatienceMs);
    std::optional<base::Status> result;
    REQUIRE(check.start("good", [&](const base::Status& status) {
        result = status;
        loop.stop();
    }));
    siginfo_t ended{};
    while (::waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) != 0) {}
    ::poll(nullptr, 0, 10);  // the patience is over, too
    loop.run();
    REQUIRE(result);
    CHECK(result->ok());
}

TEST_CASE("config check: a process that does not end in time is ended and said to be slow") {
    io::Loop loop;
    ConfigCheck check(loop, 1);
    std::optional<base::Status> result;
    REQUIRE(check.start("wait", [&](const base::Status& status) {
        result = status;
        loop.stop();
    }));
    loop.run();
    REQUIRE(result);
    REQUIRE_FALSE(result->ok());
    CHECK(result->error().message.find("checking the configuration took over") == 0);
}

TEST_CASE("config check: nothing is told after a cancel, and another may start at once") {
    Fixture f;
    f.start("wait");
    f.check.cancel();
    f.check.cancel();
    f.start("die");
    f.loop.run();
    REQUIRE(f.result);
    CHECK_FALSE(f.result->ok());
}

}  // namespace

}  // namespace ringmaster::master

int main(int argument_count, char** arguments) {
    if (argument_count == 4 && std::string_view(arguments[1]) == "-t") {
        return ringmaster::master::act_as_reader(arguments[3]);
    }
    return doctest::Context(argument_count, arguments).run();
}
