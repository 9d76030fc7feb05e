// SPDX-License-Identifier: Apache-2.0
// Control messages to bytes and back: frames of `u32 length | u16 type | payload`, little-endian.
//
// Shapes:  length counts the payload alone, not the six bytes of the header. PROTOCOL.md has the
// rest. Errors:  never asserts on what it reads: a frame that is too long, of an unknown type or of
// the
//          wrong side, with a count beyond its bytes or with bytes left over is kBad.
// Memory:  bounded. A length over the limit is refused from the header, before its bytes are taken;
//          a count is checked against the bytes that are there before memory is reserved for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "common/control/messages.h"

namespace ringmaster::control {

inline constexpr size_t kFrameHeaderBytes = 6;
// A config file of 16 MB and the stats of 100,000 servers both fit. Counts the header, too.
inline constexpr size_t kMaxFrameBytes = size_t{32} << 20;
// The numbers below are a worker's to send, the others the master's.
inline constexpr uint16_t kFirstMasterType = 32;

enum class MessageType : uint16_t {
#define RM_MESSAGE(number, name) k##name = number,
#include "common/control/messages.def"
#undef RM_MESSAGE
};

using Message = std::variant<std::monostate
#define RM_MESSAGE(number, name) , name
#include "common/control/messages.def"
#undef RM_MESSAGE
                             >;

// For a switch over everything that can arrive. Requires: `message` is not empty.
MessageType type_of(const Message& message) noexcept;
// The struct's name, for logs and errors.
std::string_view name_of(MessageType type) noexcept;

// Appends the frame of `message` to `out`. Requires: it fits kMaxFrameBytes (the config's size
// limit and its limit of servers see to that).
#define RM_MESSAGE(number, name) void encode(const name& message, std::string& out);
#include "common/control/messages.def"
#undef RM_MESSAGE

// Who may have written what a decoder reads.
enum class Sender : uint8_t { kAnyone, kWorker, kMaster };

// Cuts a byte stream into messages.
class FrameDecoder {
  public:
    enum class Result { kMessage, kNeedMore, kBad };

    // A message that is not `sender`'s to send is kBad before anything of it is decoded.
    explicit FrameDecoder(Sender sender = Sender::kAnyone) : sender_(sender) {}

    // Memory held is what was appended and not yet taken: append one read, then call next() until
    // kNeedMore. After kBad the bytes are dropped.
    void append(std::string_view bytes);
    // kMessage: `message` is set. kBad: the stream is unusable for good; error() says why.
    Result next(Message& message);
    [[nodiscard]] const std::string& error() const noexcept { return error_; }
    // What the decoder holds on to; for tests of the bound.
    [[nodiscard]] size_t capacity_bytes() const noexcept { return buffer_.capacity(); }

  private:
    Result bad(std::string why);
    void compact();

    std::string buffer_;
    size_t read_ = 0;  // bytes of buffer_ already turned into messages
    Sender sender_;
    bool bad_ = false;
    std::string error_;
};

}  // namespace ringmaster::control
