// SPDX-License-Identifier: Apache-2.0
// Tries a config in a process of its own before the master reads it: one that ends its reader must
// not end the master.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/io/loop.h"
#include "common/io/process.h"
#include "common/io/timer.h"

namespace ringmaster::master {

class ConfigCheck {
  public:
    static constexpr uint64_t kPatienceMs = 10000;

    explicit ConfigCheck(io::Loop& loop, uint64_t patience_ms = kPatienceMs);

    // Starts `-t` on these very bytes. `on_done` comes once, from the loop: good when that process
    // ended by itself, whatever it thinks of the config. Nothing comes after cancel().
    base::Status start(const std::string& bytes, std::function<void(base::Status)> on_done);
    void cancel() noexcept;

  private:
    void on_exit(io::ProcessExit exit);

    io::Loop& loop_;
    const uint64_t patience_ms_;
    io::Process process_;
    io::Timer patience_;
    bool too_slow_ = false;
    std::function<void(base::Status)> on_done_;
};

}  // namespace ringmaster::master
