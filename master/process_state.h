// SPDX-License-Identifier: Apache-2.0
// What the kernel says of a process.
#pragma once

#include <sys/types.h>

namespace ringmaster::master {

// Stopped by a signal or by a debugger (state T or t in /proc/PID/stat). False when it cannot be
// told.
[[nodiscard]] bool is_stopped(pid_t pid) noexcept;

}  // namespace ringmaster::master
