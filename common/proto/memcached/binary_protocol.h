// SPDX-License-Identifier: Apache-2.0
// The memcached binary protocol: the header of every packet, and the statuses of replies.
//
// A packet is 24 bytes of header, then extras, key and value; the header counts all three together
// (body_bytes) and the first two by themselves. Numbers are big-endian.
// Source: memcached's binary protocol description; the texts are memcached 1.6.18's, observed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringmaster::proto::memcached {

inline constexpr size_t kBinaryHeaderBytes = 24;
inline constexpr uint8_t kBinaryRequestMagic = 0x80;
inline constexpr uint8_t kBinaryReplyMagic = 0x81;
// Where the opcode stands: quiet requests are forwarded with another one, and their replies get
// their own back.
inline constexpr size_t kBinaryOpcodeAt = 1;

enum class BinaryStatus : uint16_t {
    kSuccess = 0x0000,
    kNotFound = 0x0001,
    kExists = 0x0002,
    kTooLarge = 0x0003,
    kInvalidArguments = 0x0004,
    kNotStored = 0x0005,
    kNotANumber = 0x0006,
    kAuthFailed = 0x0020,
    kUnknownCommand = 0x0081,
    kOutOfMemory = 0x0082,
    kInternalError = 0x0084,
    kTemporaryFailure = 0x0086,
};

// What a server writes into the body of a reply with this status; "" for success.
std::string_view binary_status_text(BinaryStatus status) noexcept;

// Of a request or a reply; what the two do not share is `status`, which in a request is the vbucket
// (no server of today reads it).
struct BinaryHeader {
    uint8_t magic = 0;
    uint8_t opcode = 0;
    uint16_t key_bytes = 0;
    uint8_t extras_bytes = 0;
    uint8_t data_type = 0;
    uint16_t status = 0;
    uint32_t body_bytes = 0;
    uint32_t opaque = 0;  // the client's own; comes back as it was
    uint64_t cas = 0;

    // The key and the extras lie within the body.
    [[nodiscard]] bool lengths_fit() const noexcept {
        return uint32_t{key_bytes} + extras_bytes <= body_bytes;
    }
};

// `bytes` are at least kBinaryHeaderBytes.
BinaryHeader read_binary_header(const char* bytes) noexcept;
void write_binary_header(const BinaryHeader& header, char* bytes) noexcept;

}  // namespace ringmaster::proto::memcached
