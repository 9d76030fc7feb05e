// SPDX-License-Identifier: Apache-2.0
#include "worker/control_link.h"

#include <unistd.h>

#include "common/base/log.h"

namespace ringmaster::worker {

ControlLink::~ControlLink() {
    for (const int fd : descriptors_) {
        ::close(fd);
    }
}

int ControlLink::take_descriptor() noexcept {
    if (descriptors_.empty()) {
        return -1;
    }
    const int fd = descriptors_.front();
    descriptors_.pop_front();
    return fd;
}

void ControlLink::on_channel_descriptors(std::span<const int> descriptors) noexcept {
    descriptors_.insert(descriptors_.end(), descriptors.begin(), descriptors.end());
}

void ControlLink::on_channel_bytes(std::string_view bytes) noexcept {
    decoder_.append(bytes);
    control::Message message;
    for (;;) {
        switch (decoder_.next(message)) {
            case control::FrameDecoder::Result::kMessage:
                events_.on_message(message);
                break;
            case control::FrameDecoder::Result::kNeedMore:
                return;
            case control::FrameDecoder::Result::kBad:
                RM_LOG(kCrit, "the master's control messages are unreadable ({}), ending",
                       decoder_.error());
                events_.on_master_gone();
                return;
        }
    }
}

void ControlLink::on_channel_closed(int error) noexcept {
    (void)error;
    events_.on_master_gone();
}

}  // namespace ringmaster::worker
