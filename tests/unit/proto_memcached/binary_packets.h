// SPDX-License-Identifier: Apache-2.0
// Builds packets of the binary protocol for tests, right ones and wrong ones.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "common/proto/memcached/binary_protocol.h"

namespace ringmaster::proto::memcached {

inline std::string packet(BinaryHeader header, std::string_view body) {
    std::array<char, kBinaryHeaderBytes> bytes{};
    write_binary_header(header, bytes.data());
    return std::string(bytes.data(), bytes.size()) + std::string(body);
}

inline std::string binary_request(uint8_t opcode, std::string_view extras, std::string_view key,
                                  std::string_view value = "", uint32_t opaque = 0x01020304) {
    const std::string body = std::string(extras) + std::string(key) + std::string(value);
    return packet({.magic = kBinaryRequestMagic,
                   .opcode = opcode,
                   .key_bytes = static_cast<uint16_t>(key.size()),
                   .extras_bytes = static_cast<uint8_t>(extras.size()),
                   .body_bytes = static_cast<uint32_t>(body.size()),
                   .opaque = opaque},
                  body);
}

}  // namespace ringmaster::proto::memcached
