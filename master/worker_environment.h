// SPDX-License-Identifier: Apache-2.0
// What the master tells a worker process before the control channel speaks: one environment
// variable, the channel itself as descriptor 3, and the log file as descriptor 4. Pure but for the
// descriptor check.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/io/credentials.h"

namespace ringmaster::master {

inline constexpr const char* kWorkerVariable = "RINGMASTER_WORKER";
inline constexpr int kWorkerControlFd = 3;
inline constexpr int kWorkerLogFd = 4;

struct WorkerEnvironment {
    uint32_t slot = 0;
    int log_level = 5;
    pid_t master_pid = 0;
    bool has_log = false;                        // descriptor 4 is the log; else stderr is
    int cpu = -1;                                // the only one to run on; -1: any
    std::optional<io::Credentials> credentials;  // who to become
};

// "slot;level;pid;0 or 1;cpu;" and, to become somebody else, "uid;gid;group;group;".
std::string write_worker_environment(const WorkerEnvironment& environment);
std::optional<WorkerEnvironment> parse_worker_environment(std::string_view text);

// Set and well-formed, with a socket as descriptor 3: then this process is a worker.
std::optional<WorkerEnvironment> worker_environment_of_this_process();

}  // namespace ringmaster::master
