// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/binary_reply.h"

#include "common/base/assert.h"

namespace ringmaster::proto::memcached {

void append_binary_reply(std::string& out, uint8_t opcode, uint32_t opaque, BinaryStatus status,
                         std::string_view value, std::string_view key) {
    RM_ASSERT(key.size() <= UINT16_MAX);
    RM_ASSERT(value.size() <= UINT32_MAX - key.size());
    BinaryHeader header;
    header.magic = kBinaryReplyMagic;
    header.opcode = opcode;
    header.key_bytes = static_cast<uint16_t>(key.size());
    header.status = static_cast<uint16_t>(status);
    header.body_bytes = static_cast<uint32_t>(key.size() + value.size());
    header.opaque = opaque;
    std::array<char, kBinaryHeaderBytes> bytes{};
    write_binary_header(header, bytes.data());
    out.append(bytes.data(), bytes.size());
    out += key;
    out += value;
}

std::array<char, kBinaryHeaderBytes> empty_binary_reply(uint8_t opcode, uint32_t opaque) noexcept {
    BinaryHeader header;
    header.magic = kBinaryReplyMagic;
    header.opcode = opcode;
    header.opaque = opaque;
    std::array<char, kBinaryHeaderBytes> bytes{};
    write_binary_header(header, bytes.data());
    return bytes;
}

}  // namespace ringmaster::proto::memcached
