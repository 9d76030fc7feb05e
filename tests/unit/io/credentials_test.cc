// SPDX-License-Identifier: Apache-2.0
#include "common/io/credentials.h"

#include <array>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io/descriptors.h"

namespace ringmaster::io {
namespace {

// The exit code of a child that runs this; the child must not come back.
template <class Run>
int in_child(Run&& run) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(run());
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// 0 when everything is as wanted, else the number of what is not.
int become_and_look() {
    if (!become({.uid = 65534, .gid = 65533, .groups = {65533, 4711}}).ok()) {
        return 1;
    }
    uid_t uids[3];
    gid_t gids[3];
    if (::getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        ::getresgid(&gids[0], &gids[1], &gids[2]) != 0) {
        return 2;
    }
    for (size_t i = 0; i < 3; ++i) {
        if (uids[i] != 65534 || gids[i] != 65533) {
            return 3;
        }
    }
    std::array<gid_t, 8> groups{};
    if (::getgroups(8, groups.data()) != 2 || groups[0] != 4711 || groups[1] != 65533) {
        return 4;
    }
    if (::setuid(0) == 0 || ::setgid(0) == 0 || ::prctl(PR_GET_DUMPABLE) != 1) {
        return 5;
    }
    return 0;
}

TEST_CASE("credentials: a dropped process is the other user in every way, for good") {
    if (::geteuid() != 0) {
        MESSAGE("not root: skipped");
        return;
    }
    CHECK(in_child(become_and_look) == 0);
}

TEST_CASE("credentials: who may not is told so") {
    const int code = in_child([] {
        if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) {
            return 1;
        }
        const base::Status status = become({.uid = 1, .gid = 1, .groups = {}});
        return !status.ok() && status.error().message.find("cannot take on") == 0 ? 0 : 2;
    });
    CHECK(code == 0);
}

TEST_CASE("descriptors: everything from a number on is closed, nothing below it") {
    const int code = in_child([] {
        const int low = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        const int high = ::fcntl(low, F_DUPFD_CLOEXEC, low + 10);
        close_descriptors_from(low + 1);
        return ::fcntl(low, F_GETFD) >= 0 && ::fcntl(high, F_GETFD) < 0 ? 0 : 1;
    });
    CHECK(code == 0);
}

TEST_CASE("descriptors: the limit is the soft one of now") {
    const int code = in_child([] {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 77;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        return descriptor_limit() == 77 ? 0 : 1;
    });
    CHECK(code == 0);
}

}  // namespace
}  // namespace ringmaster::io
