// SPDX-License-Identifier: Apache-2.0
// The master's end of the control channel to one worker.
//
// Cuts what the worker sends into messages; the worker parses hostile bytes, so nothing it says is
// trusted: a frame that is no message ends the link. The handler is borrowed and outlives the link,
// which must not be destroyed inside the handler's callbacks.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/control/codec.h"
#include "common/io/channel.h"
#include "common/io/loop.h"

namespace ringmaster::master {

class WorkerLinkHandler {
  public:
    virtual ~WorkerLinkHandler() = default;
    virtual void on_link_message(const control::Message& message) = 0;
    // The stream is not what a worker says. Nothing comes afterwards.
    virtual void on_link_bad(const std::string& reason) = 0;
    virtual void on_link_closed() = 0;
};

class WorkerLink : private io::ChannelHandler {
  public:
    // Over this much unread output, only the newest ring state of each pool is kept for later.
    static constexpr size_t kMaxQueuedBytes = 4 << 20;

    // Takes ownership of `fd`.
    WorkerLink(io::Loop& loop, int fd, WorkerLinkHandler& handler);
    ~WorkerLink() override = default;
    WorkerLink(const WorkerLink&) = delete;
    WorkerLink& operator=(const WorkerLink&) = delete;

    template <class M>
    void send(const M& message, std::span<const int> descriptors = {}) {
        std::string frame;
        control::encode(message, frame);
        channel_->send(frame, descriptors);
    }
    // A ring state that may be replaced by a newer one while the worker does not read.
    void send_ring(const control::RingState& ring);
    // For what is only of use at once: declines when the worker does not read.
    template <class M>
    [[nodiscard]] bool try_send(const M& message) {
        if (!keeps_up()) {
            return false;
        }
        send(message);
        return true;
    }
    // Delivers what has already arrived.
    void read_now() noexcept;
    // From now on nothing the worker says is looked at.
    void stop_listening() noexcept { bad_ = true; }

  private:
    [[nodiscard]] bool keeps_up() const noexcept;
    void flush_rings();

    void on_channel_descriptors(std::span<const int> descriptors) noexcept override;
    void on_channel_bytes(std::string_view bytes) noexcept override;
    void on_channel_closed(int error) noexcept override;

    WorkerLinkHandler& handler_;
    control::FrameDecoder decoder_{control::Sender::kWorker};
    bool bad_ = false;
    std::map<uint32_t, control::RingState> waiting_rings_;  // by pool
    std::optional<io::Channel> channel_;                    // last: closes first
};

}  // namespace ringmaster::master
