// SPDX-License-Identifier: Apache-2.0
// The pid file: locked with flock for the life of the process, so that a second start notices.
//
// Content: the decimal pid, no newline (as nutcracker), mode 0644. Removed by the destructor when
// the path still names the file we hold. What is not a regular file (/dev/null, a FIFO) is written
// to as nutcracker does, but neither locked nor removed. A symbolic link stays; its target is the
// file.
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

    // Creates, locks and writes; fails when another process holds the lock, or on a full disk.
    base::Status open(const std::string& path);

  private:
    std::string path_;  // without symbolic links
    int fd_ = -1;
};

}  // namespace ringmaster::master
