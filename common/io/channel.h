// SPDX-License-Identifier: Apache-2.0
// One end of a Unix stream socketpair between master and worker: bytes both ways, and descriptors
// by SCM_RIGHTS. Knows nothing of messages (common/control does).
//
// Never blocks. Output that the kernel does not take is kept and sent when it does; bytes_queued()
// tells how much, so that the caller can hold back. The handler is borrowed and outlives the
// Channel. A Channel may be destroyed inside its handler's callbacks.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/io/loop.h"

namespace ringmaster::io {

// At most this many descriptors travel with one send().
inline constexpr size_t kMaxDescriptorsPerSend = 32;

class ChannelHandler {
  public:
    virtual ~ChannelHandler() = default;
    // Descriptors (now the callee's, CLOEXEC) come no later than the first byte they were sent
    // with.
    virtual void on_channel_descriptors(std::span<const int> descriptors) noexcept = 0;
    virtual void on_channel_bytes(std::string_view bytes) noexcept = 0;
    // The peer is gone, or the socket failed (errno; 0 = orderly end). Nothing comes afterwards.
    virtual void on_channel_closed(int error) noexcept = 0;
};

class Channel {
  public:
    // Takes ownership of `fd` and starts reading.
    Channel(Loop& loop, int fd, ChannelHandler& handler);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    // `descriptors` are duplicated by the kernel when sent; until then ours must stay open, so they
    // are dup'ed here if sending has to wait.
    void send(std::string_view bytes, std::span<const int> descriptors = {});
    [[nodiscard]] size_t bytes_queued() const noexcept;
    // Reads and delivers what has already arrived, without waiting.
    void read_now() noexcept;

    struct Impl;

  private:
    Impl* impl_;
};

// Two connected non-blocking CLOEXEC sockets.
base::Result<std::pair<int, int>> make_channel_pair();

}  // namespace ringmaster::io
