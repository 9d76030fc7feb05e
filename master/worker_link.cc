// SPDX-License-Identifier: Apache-2.0
#include "master/worker_link.h"

#include <unistd.h>

namespace ringmaster::master {

WorkerLink::WorkerLink(io::Loop& loop, int fd, WorkerLinkHandler& handler) : handler_(handler) {
    channel_.emplace(loop, fd, static_cast<io::ChannelHandler&>(*this));
}

bool WorkerLink::keeps_up() const noexcept {
    return channel_->bytes_queued() <= kMaxQueuedBytes;
}

void WorkerLink::send_ring(const control::RingState& ring) {
    if (keeps_up() && waiting_rings_.empty()) {
        send(ring);
    } else {
        waiting_rings_[ring.pool] = ring;
    }
}

// Called when the worker says something, which a living one does every 100 ms: so no timer is
// needed to notice that it reads again.
void WorkerLink::flush_rings() {
    while (!waiting_rings_.empty() && keeps_up()) {
        send(waiting_rings_.begin()->second);
        waiting_rings_.erase(waiting_rings_.begin());
    }
}

void WorkerLink::read_now() noexcept {
    channel_->read_now();
}

// A worker has no reason to send any.
void WorkerLink::on_channel_descriptors(std::span<const int> descriptors) noexcept {
    for (const int fd : descriptors) {
        ::close(fd);
    }
}

void WorkerLink::on_channel_bytes(std::string_view bytes) noexcept {
    if (bad_) {
        return;
    }
    decoder_.append(bytes);
    control::Message message;
    while (!bad_) {
        switch (decoder_.next(message)) {
            case control::FrameDecoder::Result::kMessage:
                handler_.on_link_message(message);
                break;
            case control::FrameDecoder::Result::kNeedMore:
                flush_rings();
                return;
            case control::FrameDecoder::Result::kBad:
                bad_ = true;
                handler_.on_link_bad(decoder_.error());
                return;
        }
    }
}

void WorkerLink::on_channel_closed(int /*error*/) noexcept {
    handler_.on_link_closed();
}

}  // namespace ringmaster::master
