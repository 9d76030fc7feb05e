// SPDX-License-Identifier: Apache-2.0
// One filled-in message of every kind, and helpers to turn messages into frames and back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/control/codec.h"

namespace ringmaster::control {

// Every row of messages.def at least once, no field at its default.
std::vector<Message> sample_messages();

std::string frame_of(const Message& message);

// Feeds `bytes` in pieces of `feed_bytes`; everything decoded, and how it ended.
struct Decoded {
    std::vector<Message> messages;
    FrameDecoder::Result end = FrameDecoder::Result::kNeedMore;
    std::string error;
};
Decoded decode_all(std::string_view bytes, size_t feed_bytes = 1 << 20,
                   Sender sender = Sender::kAnyone);

}  // namespace ringmaster::control
