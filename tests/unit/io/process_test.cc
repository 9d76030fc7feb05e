// SPDX-License-Identifier: Apache-2.0
#include "common/io/process.h"

#include <cerrno>
#include <csignal>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/io/io_test.h"

namespace ringmaster::io {
namespace {

SpawnOptions shell(const std::string& script) {
    SpawnOptions options;
    options.file = "/bin/sh";
    options.arguments = {"sh", "-c", script};
    options.environment = {"GREETING=hello"};
    return options;
}

// What /proc shows for a descriptor, e.g. "socket:[1234]".
std::string link_text(int fd) {
    struct stat status {};
    REQUIRE(::fstat(fd, &status) == 0);
    return "socket:[" + std::to_string(status.st_ino) + "]";
}

TEST_CASE("process: exit code and signal are told") {
    TestLoop test;
    std::optional<ProcessExit> exit;
    Process process;
    REQUIRE(process.spawn(test.loop, shell("exit 7"), [&](ProcessExit e) { exit = e; }));
    CHECK(process.running());
    CHECK(process.pid() > 0);
    test.run_until([&] { return exit.has_value(); });
    CHECK(exit->code == 7);
    CHECK(exit->signal == 0);
    CHECK_FALSE(process.running());
    CHECK(process.pid() == 0);
    process.kill(SIGTERM);  // no-op

    exit.reset();
    REQUIRE(process.spawn(test.loop, shell("exec sleep 100"), [&](ProcessExit e) { exit = e; }));
    process.kill(SIGKILL);
    test.run_until([&] { return exit.has_value(); });
    CHECK(exit->signal == SIGKILL);
}

TEST_CASE("process: descriptors and environment reach the child, nothing else does") {
    TestLoop test;
    const auto [ours, theirs] = socket_pair();
    const auto [other, other_end] = socket_pair();
    SpawnOptions options = shell("echo $GREETING ${HOME-none} >&5; ls -l /proc/$$/fd >&5");
    options.descriptors = {{5, theirs}};
    bool ended = false;
    Process process;
    REQUIRE(process.spawn(test.loop, options, [&](ProcessExit e) { ended = e.code == 0; }));
    const std::string passed = "5 -> " + link_text(theirs);
    const std::string kept = link_text(other);
    ::close(theirs);
    Recorder end;
    REQUIRE(end.stream.adopt(test.loop, ours, true, end) == 0);
    REQUIRE(end.stream.start_reading() == 0);
    test.run_until([&] { return end.eofs == 1 && ended; });
    CHECK(end.received.find("hello none\n") == 0);
    CHECK(end.received.find(passed) != std::string::npos);
    CHECK(end.received.find(kept) == std::string::npos);
    ::close(other);
    ::close(other_end);
}

TEST_CASE("process: a file that is not there is an error that names it") {
    TestLoop test;
    SpawnOptions options;
    options.file = "/nonexistent/ringmaster";
    options.arguments = {"ringmaster"};
    Process process;
    const base::Status status =
        process.spawn(test.loop, options, [](ProcessExit) { FAIL("exit"); });
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().message ==
          "cannot start '/nonexistent/ringmaster': No such file or directory");
    CHECK_FALSE(process.running());
}

TEST_CASE("process: spawning again and destroying from the exit callback") {
    TestLoop test;
    int exits = 0;
    std::optional<Process> process;
    process.emplace();
    REQUIRE(process->spawn(test.loop, shell("exit 1"), [&](ProcessExit) {
        ++exits;
        const auto last = [&](ProcessExit) {
            ++exits;
            process.reset();
        };
        CHECK(process->spawn(test.loop, shell("exit 2"), last));
    }));
    test.run_until([&] { return exits == 2; });
    CHECK_FALSE(process.has_value());
}

TEST_CASE("process: a child whose Process is gone is reaped, without a callback") {
    TestLoop test;
    const auto [ours, theirs] = socket_pair();
    REQUIRE(::fcntl(theirs, F_SETFL, 0) == 0);  // the shell would take EAGAIN for the end
    SpawnOptions options = shell("read line <&5; exit 0");
    options.descriptors = {{5, theirs}};
    pid_t pid = 0;
    {
        Process process;
        REQUIRE(process.spawn(test.loop, options, [](ProcessExit) { FAIL("callback"); }));
        pid = process.pid();
        ::close(theirs);
    }
    test.run_for_ms(5);
    CHECK(::kill(pid, 0) == 0);
    REQUIRE(::write(ours, "go\n", 3) == 3);
    Timer tick(test.loop, [] {});
    tick.start(1, 1);
    test.run_until([&] { return ::kill(pid, 0) != 0 && errno == ESRCH; });
    ::close(ours);
}

TEST_CASE("process: a loop may end while a child lives whose Process is gone") {
    pid_t pid = 0;
    {
        TestLoop test;
        Process process;
        REQUIRE(process.spawn(test.loop, shell("exec sleep 100"), nullptr));
        pid = process.pid();
    }
    REQUIRE(::kill(pid, SIGKILL) == 0);
    CHECK(::waitpid(pid, nullptr, 0) == pid);
}

}  // namespace
}  // namespace ringmaster::io
