// SPDX-License-Identifier: Apache-2.0
// The worker role's entry point.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringmaster::worker {

// What the master passes by environment (see master/worker_process.cc) and descriptor.
struct WorkerOptions {
    uint32_t slot = 0;
    int control_fd = 3;  // a connected Unix stream socket to the master
    std::string_view log_file;
    int log_level = 5;
};

// Serves until the master says stop or goes away. Returns the process's exit status.
int worker_main(const WorkerOptions& options);

}  // namespace ringmaster::worker
