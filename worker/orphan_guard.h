// SPDX-License-Identifier: Apache-2.0
// No worker outlives its master by more than 2 s, not even one whose loop hangs.
#pragma once

#include <sys/types.h>

namespace ringmaster::worker {

// When the parent process dies, the kernel sends a signal; its handler arms an alarm that kills
// this process 1.5 s later, whatever it is doing. In that time the worker answers what is in
// flight. The process becomes a process group of its own, so that the kernel wakes it for this when
// it is stopped. False when `master` is no longer the parent. Call after any change of user or
// group: that clears it.
bool arm_orphan_guard(pid_t master);

}  // namespace ringmaster::worker
