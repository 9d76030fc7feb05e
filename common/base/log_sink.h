// SPDX-License-Identifier: Apache-2.0
// Where the lines of the log go: writes one to a descriptor, without ever waiting for long.
//
// A file or a terminal takes it as write(2) does. A pipe or a socket has somebody at its other end
// (journald, a logger) who may stop reading: when it is full the line waits for at most 50 ms while
// nothing moves. From then on lines are dropped without any wait, until the reader has caught up: a
// page of the pipe or three quarters of the socket's queue are free. A reader that is slow for a
// moment thus gets every line, and one that has stopped costs a process 50 ms once.
// A pipe should be non-blocking. One that is not is asked beforehand whether it has room; two
// processes that ask at the same time may then still find it full and wait.
// Lines up to PIPE_BUF (4096) bytes go into a pipe whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

namespace ringmaster::base {

class LogSink {
  public:
    static constexpr int64_t kPatienceMs = 50;

    // For how long a line waits while nothing of it can be written; about, it is counted in naps.
    explicit LogSink(int64_t patience_ms = kPatienceMs) noexcept : patience_ms_(patience_ms) {}
    // `fd` is borrowed. Call it again whenever another file stands behind the number.
    void set(int fd) noexcept;
    // False when the line is lost; a part of it may be written: see torn().
    bool write(const char* data, size_t size) noexcept;
    // The last line ends in its middle: whatever comes next should begin a new one.
    [[nodiscard]] bool torn() const noexcept { return torn_; }

  private:
    enum class Kind : uint8_t { kFile, kPipe, kSocket };

    // As write(2): -1 and EAGAIN when there is no room.
    [[nodiscard]] ssize_t write_some(const char* data, size_t size) const noexcept;
    [[nodiscard]] bool has_room() const noexcept;

    int64_t patience_ms_;
    int fd_ = -1;
    Kind kind_ = Kind::kFile;
    bool blocks_ = false;  // a write to the full pipe would wait
    bool stuck_ = false;   // waited for the reader in vain, and it has not caught up since
    bool torn_ = false;
};

}  // namespace ringmaster::base
