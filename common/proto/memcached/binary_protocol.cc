// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/binary_protocol.h"

#include <bit>
#include <cstring>

namespace ringmaster::proto::memcached {
namespace {

// As the packet has it. Every field is aligned in it.
struct Packet {
    uint8_t magic;
    uint8_t opcode;
    uint16_t key_bytes;
    uint8_t extras_bytes;
    uint8_t data_type;
    uint16_t status;
    uint32_t body_bytes;
    uint32_t opaque;
    uint64_t cas;
};
static_assert(sizeof(Packet) == kBinaryHeaderBytes);
static_assert(std::endian::native == std::endian::little, "the swaps below are for these");

uint16_t swap(uint16_t value) noexcept {
    return __builtin_bswap16(value);
}
uint32_t swap(uint32_t value) noexcept {
    return __builtin_bswap32(value);
}
uint64_t swap(uint64_t value) noexcept {
    return __builtin_bswap64(value);
}

}  // namespace

BinaryHeader read_binary_header(const char* bytes) noexcept {
    Packet packet;
    std::memcpy(&packet, bytes, sizeof packet);
    // The opaque is nobody's number, but it is shown as one.
    return {.magic = packet.magic,
            .opcode = packet.opcode,
            .key_bytes = swap(packet.key_bytes),
            .extras_bytes = packet.extras_bytes,
            .data_type = packet.data_type,
            .status = swap(packet.status),
            .body_bytes = swap(packet.body_bytes),
            .opaque = swap(packet.opaque),
            .cas = swap(packet.cas)};
}

void write_binary_header(const BinaryHeader& header, char* bytes) noexcept {
    const Packet packet = {.magic = header.magic,
                           .opcode = header.opcode,
                           .key_bytes = swap(header.key_bytes),
                           .extras_bytes = header.extras_bytes,
                           .data_type = header.data_type,
                           .status = swap(header.status),
                           .body_bytes = swap(header.body_bytes),
                           .opaque = swap(header.opaque),
                           .cas = swap(header.cas)};
    std::memcpy(bytes, &packet, sizeof packet);
}

std::string_view binary_status_text(BinaryStatus status) noexcept {
    switch (status) {
        case BinaryStatus::kSuccess:
            return "";
        case BinaryStatus::kNotFound:
            return "Not found";
        case BinaryStatus::kExists:
            return "Data exists for key.";
        case BinaryStatus::kTooLarge:
            return "Too large.";
        case BinaryStatus::kInvalidArguments:
            return "Invalid arguments";
        case BinaryStatus::kNotStored:
            return "Not stored.";
        case BinaryStatus::kNotANumber:
            return "Non-numeric server-side value for incr or decr";
        case BinaryStatus::kAuthFailed:
            return "Auth failure.";
        case BinaryStatus::kUnknownCommand:
            return "Unknown command";
        case BinaryStatus::kOutOfMemory:
            return "Out of memory";
        case BinaryStatus::kInternalError:
            return "Internal error";
        case BinaryStatus::kTemporaryFailure:
            return "Temporary failure";
    }
    return "";
}

}  // namespace ringmaster::proto::memcached
