// SPDX-License-Identifier: Apache-2.0
// Accepts connections from a listening descriptor that somebody else made.
//
// why not uv_listen: on a pause it resets held clients, it hides EMFILE, and a blocking listener
// received from another process would freeze the loop. Here it is a poll handle with our own
// accept4 (SOCK_NONBLOCK | SOCK_CLOEXEC; TCP_NODELAY is set), bounded per turn.
//
// A Listener may be destroyed inside its callback. A listener that another process has shut down
// stops by itself and stays stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "common/io/loop.h"

namespace ringmaster::io {

class Listener {
  public:
    // Called with a connected descriptor that the callee now owns.
    using OnAccept = std::function<void(int fd)>;

    // Takes ownership of `fd` (listening, non-blocking). At most `max_per_turn` accepts per turn.
    Listener(Loop& loop, int fd, size_t max_per_turn, OnAccept on_accept);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    void start();
    void pause();
    // Accepts everything that waits in the queue now, without bound. For the last turn before a
    // stop.
    void accept_all();
    // EMFILE, ENFILE, ENOBUFS and ENOMEM pause accepting for 100 ms and are counted here.
    [[nodiscard]] uint64_t fd_exhausted_count() const noexcept;
    [[nodiscard]] int fd() const noexcept;

    struct Impl;

  private:
    Impl* impl_;  // freed by the loop once its handles are closed
};

}  // namespace ringmaster::io
