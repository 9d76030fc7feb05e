// SPDX-License-Identifier: Apache-2.0
// The worker role's entry point.
#pragma once

#include <cstdint>
#include <optional>

#include <sys/types.h>

#include "common/io/credentials.h"

namespace ringmaster::worker {

// What the master passes by environment (see master/worker_environment.h) and descriptor.
struct WorkerOptions {
    uint32_t slot = 0;
    int control_fd = 3;  // a connected Unix stream socket to the master
    int log_fd = -1;     // -1: stderr
    int log_level = 5;
    pid_t master_pid = 0;
    int cpu = -1;                                // the only one to run on; -1: any
    std::optional<io::Credentials> credentials;  // who to become before anything is served
};

// Serves until the master says stop or goes away. Returns the process's exit status.
int worker_main(const WorkerOptions& options);

}  // namespace ringmaster::worker
