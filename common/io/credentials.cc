// SPDX-License-Identifier: Apache-2.0
#include "common/io/credentials.h"

#include <cerrno>

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/format.h"

namespace ringmaster::io {

namespace {

base::Error cannot(const char* what, unsigned id) {
    const int error = errno;
    return base::Error{base::format("cannot {} {}: {}", what, id, base::errno_text(error))};
}

}  // namespace

base::Status become(const Credentials& credentials) {
    const auto& [uid, gid, groups] = credentials;
    if (::setgroups(groups.size(), groups.data()) != 0) {
        return cannot("take on the supplementary groups of user", uid);
    }
    if (::setresgid(gid, gid, gid) != 0) {
        return cannot("change to group", gid);
    }
    if (::setresuid(uid, uid, uid) != 0) {
        return cannot("change to user", uid);
    }
    if (uid != 0 && ::setuid(0) == 0) {
        return base::Error{base::format("user {} can still become root", uid)};
    }
    // The kernel takes it away with the change of user; without it there is no core after a crash.
    ::prctl(PR_SET_DUMPABLE, 1);
    return {};
}

}  // namespace ringmaster::io
