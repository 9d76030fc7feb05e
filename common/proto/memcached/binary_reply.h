// SPDX-License-Identifier: Apache-2.0
// Writes memcached binary replies.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/proto/memcached/binary_protocol.h"

namespace ringmaster::proto::memcached {

// Appends a reply to the request with this opcode and opaque, without extras and cas. `key` is
// below 64 KB. The value of an error is its text.
void append_binary_reply(std::string& out, uint8_t opcode, uint32_t opaque, BinaryStatus status,
                         std::string_view value, std::string_view key = {});

// A success that has no body, without an allocation: a noop ends every batch of quiet requests.
std::array<char, kBinaryHeaderBytes> empty_binary_reply(uint8_t opcode, uint32_t opaque) noexcept;

}  // namespace ringmaster::proto::memcached
