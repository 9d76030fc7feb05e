// SPDX-License-Identifier: Apache-2.0
// Who the workers run as: `user` and `group` of the config, looked up in the system's lists of
// users (which may block). Only the master looks; workers get numbers.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/io/credentials.h"
#include "config/load.h"

namespace ringmaster::master {

// Names win over numbers, as with chown. `group` may be empty: the user's own. `found` is complete
// when there is no problem.
config::IdentityProblem look_up_identity(const std::string& user, const std::string& group,
                                         io::Credentials& found);

// What workers have to become; nothing when they stay who we are. Fails when we are not root and
// not that user.
base::Result<std::optional<io::Credentials>> worker_credentials(
    const config::ProcessConfig& process);

}  // namespace ringmaster::master
