// SPDX-License-Identifier: Apache-2.0
// The worker's end of the control channel: whole messages in and out.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "common/control/codec.h"
#include "common/io/channel.h"

namespace ringmaster::worker {

class ControlEvents {
  public:
    virtual ~ControlEvents() = default;
    virtual void on_message(control::Message& message) = 0;
    // The master is gone, or what it said makes no sense: the worker has to end.
    virtual void on_master_gone() = 0;
};

class ControlLink : public io::ChannelHandler {
  public:
    ControlLink(io::Loop& loop, int fd, ControlEvents& events)
        : events_(events), channel_(loop, fd, *this) {}
    ~ControlLink() override;

    template <class M>
    void send(const M& message) {
        scratch_.clear();
        control::encode(message, scratch_);
        channel_.send(scratch_);
    }

    // Delivers what has already arrived.
    void read_now() noexcept { channel_.read_now(); }

    // The next of the descriptors that have come, in order; -1 when there is none.
    int take_descriptor() noexcept;

    // io::ChannelHandler
    void on_channel_descriptors(std::span<const int> descriptors) noexcept override;
    void on_channel_bytes(std::string_view bytes) noexcept override;
    void on_channel_closed(int error) noexcept override;

  private:
    ControlEvents& events_;
    control::FrameDecoder decoder_{control::Sender::kMaster};
    std::deque<int> descriptors_;
    std::string scratch_;
    io::Channel channel_;  // last: it may call back as soon as it exists
};

}  // namespace ringmaster::worker
