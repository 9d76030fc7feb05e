// SPDX-License-Identifier: Apache-2.0
// Who a process is, and becoming somebody else for good. Plain system calls, no look-ups.
#pragma once

#include <vector>

#include <sys/types.h>

#include "common/base/result.h"

namespace ringmaster::io {

struct Credentials {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary

    bool operator==(const Credentials&) const = default;
};

// Groups, group and user of this process, in that order: afterwards the right to change them is
// gone, which is tried (unless the new user is root). Memory dumps stay possible. On failure some
// of it may be done: the process has to end. Clears PR_SET_PDEATHSIG.
base::Status become(const Credentials& credentials);

}  // namespace ringmaster::io
