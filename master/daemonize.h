// SPDX-License-Identifier: Apache-2.0
// `-d`: into the background, with an honest exit code.
//
// The process that was started waits for the verdict of the one in the background and exits 0 only
// once that has started. Until then the background process keeps stderr, so that a failure is seen.
// The current folder and the umask are left alone.
// why not daemon(3): the caller would learn success before the config was read (nutcracker does
// so).
#pragma once

#include "common/base/result.h"

namespace ringmaster::master {

class Daemon {
  public:
    Daemon() = default;
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // Returns in the background process only; the waiting one never returns. Call before anything
    // that a fork would copy: loops, threads, locks.
    base::Status enter();
    // Descriptors 0 to 2 become /dev/null and the waiting process exits 0. Nothing when enter() was
    // not called. Ending without this makes the waiting process exit 1.
    void report_success() noexcept;

  private:
    int verdict_fd_ = -1;
};

// Opens /dev/null in place of each of the descriptors 0 to 2 that is closed, so that no socket
// lands there and is written to as stderr.
void fill_standard_descriptors() noexcept;

}  // namespace ringmaster::master
