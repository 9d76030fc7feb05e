// SPDX-License-Identifier: Apache-2.0
#include "master/process_state.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringmaster::master {
namespace {

TEST_CASE("process state: a stopped child is told from a running one and from none") {
    CHECK_FALSE(is_stopped(::getpid()));
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::raise(SIGSTOP);
        ::pause();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
    REQUIRE(WIFSTOPPED(status));
    CHECK(is_stopped(child));
    ::kill(child, SIGCONT);
    REQUIRE(::waitpid(child, &status, WCONTINUED) == child);
    CHECK_FALSE(is_stopped(child));
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK_FALSE(is_stopped(child));
}

}  // namespace
}  // namespace ringmaster::master
