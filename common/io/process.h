// SPDX-License-Identifier: Apache-2.0
// A child process.
//
// Destroying the Process does not end the child; the exit callback then never comes, but the child
// is still reaped.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "common/base/result.h"
#include "common/io/loop.h"

namespace ringmaster::io {

struct SpawnOptions {
    std::string file;                      // e.g. /proc/self/exe
    std::vector<std::string> arguments;    // with argv[0]
    std::vector<std::string> environment;  // "NAME=value", the whole of it
    // (fd in the child, our fd); 0, 1, 2 are inherited when not named. Child fds up to 15. All else
    // is closed in the child (our descriptors are CLOEXEC).
    std::vector<std::pair<int, int>> descriptors;
};

struct ProcessExit {
    int code = 0;    // when signal is 0
    int signal = 0;  // 0 = ended by itself
    bool core_dumped = false;
};

class Process {
  public:
    Process() = default;
    ~Process();
    Process(Process&&) noexcept;
    Process& operator=(Process&&) noexcept;

    base::Status spawn(Loop& loop, const SpawnOptions& options,
                       std::function<void(ProcessExit)> on_exit);
    [[nodiscard]] bool running() const noexcept;
    [[nodiscard]] pid_t pid() const noexcept;  // 0 when not running
    void kill(int signal_number) noexcept;     // no-op when not running

    struct Impl;

  private:
    Impl* impl_ = nullptr;
};

}  // namespace ringmaster::io
