// SPDX-License-Identifier: Apache-2.0
// The pid file: locked with flock for the life of the process, so that a second start notices.
//
// Content: the decimal pid, no newline (as nutcracker), mode 0644. Removed by the destructor when
// the path still names the file we hold.
#pragma once

#include <string>

#include "common/base/result.h"

namespace ringmaster::master {

class PidFile {
  public:
    PidFile() = default;
    ~PidFile();
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;

    // Creates, locks and writes; fails when another process holds the lock.
    base::Status open(const std::string& path);

  private:
    std::string path_;
    int fd_ = -1;
};

}  // namespace ringmaster::master
