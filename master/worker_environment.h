// SPDX-License-Identifier: Apache-2.0
// What the master tells a worker process before the control channel speaks: one environment
// variable, and the channel itself as descriptor 3. Pure but for the descriptor check.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringmaster::master {

inline constexpr const char* kWorkerVariable = "RINGMASTER_WORKER";
inline constexpr int kWorkerControlFd = 3;

struct WorkerEnvironment {
    uint32_t slot = 0;
    int log_level = 5;
    std::string log_file;  // empty = stderr
};

// "slot;level;file", the file as the rest of the text.
std::string write_worker_environment(const WorkerEnvironment& environment);
std::optional<WorkerEnvironment> parse_worker_environment(std::string_view text);

// Set and well-formed, with a socket as descriptor 3: then this process is a worker.
std::optional<WorkerEnvironment> worker_environment_of_this_process();

}  // namespace ringmaster::master
