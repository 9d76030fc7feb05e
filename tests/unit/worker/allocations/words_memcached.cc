// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/worker/allocations/words_memcached.h"

#include <array>

#include "common/base/format.h"
#include "common/proto/memcached/binary_protocol.h"

namespace ringmaster::allocations {
namespace {

using base::format;
using proto::memcached::BinaryHeader;
using proto::memcached::BinaryStatus;
using proto::memcached::kBinaryHeaderBytes;

// A key that no server has, for the client that asks for it.
constexpr std::string_view kMissing = "missing";
constexpr std::string_view kNotFound = "Not found";
constexpr std::string_view kFlags("\0\0\0\5", 4);
constexpr std::string_view kStoreExtras("\0\0\0\5\0\0\0\0", 8);

constexpr uint8_t kGet = 0x00;
constexpr uint8_t kSet = 0x01;
constexpr uint8_t kNoop = 0x0a;
constexpr uint8_t kGetK = 0x0c;
constexpr uint8_t kGetKQ = 0x0d;
constexpr uint8_t kSetQ = 0x11;

// Of a request, or of a reply when `magic` says so.
struct Packet {
    uint8_t opcode = 0;
    uint32_t opaque = 0;
    std::string_view extras;
    std::string_view key;
    std::string_view value;
    uint8_t magic = proto::memcached::kBinaryRequestMagic;
    BinaryStatus status = BinaryStatus::kSuccess;
};

Packet reply_of(uint8_t opcode, uint32_t opaque) {
    Packet reply{.opcode = opcode, .opaque = opaque, .extras = {}, .key = {}, .value = {}};
    reply.magic = proto::memcached::kBinaryReplyMagic;
    return reply;
}

void add_packet(std::string& to, const Packet& packet) {
    BinaryHeader header;
    header.magic = packet.magic;
    header.opcode = packet.opcode;
    header.opaque = packet.opaque;
    header.status = static_cast<uint16_t>(packet.status);
    header.key_bytes = static_cast<uint16_t>(packet.key.size());
    header.extras_bytes = static_cast<uint8_t>(packet.extras.size());
    header.body_bytes =
        static_cast<uint32_t>(packet.extras.size() + packet.key.size() + packet.value.size());
    std::array<char, kBinaryHeaderBytes> bytes{};
    proto::memcached::write_binary_header(header, bytes.data());
    to.append(bytes.data(), bytes.size());
    to += packet.extras;
    to += packet.key;
    to += packet.value;
}

bool answer_packet(const Packet& request, std::string& output) {
    Packet reply = reply_of(request.opcode, request.opaque);
    const uint32_t index = index_of_key(request.key);
    const bool is_get = request.opcode == kGet || request.opcode == kGetK;
    if (index >= kKeys) {
        reply.status = BinaryStatus::kNotFound;
        reply.value = kNotFound;
        add_packet(output, reply);
        return is_get && request.key == kMissing;
    }
    if (is_get) {
        reply.extras = kFlags;
        reply.key = request.opcode == kGetK ? request.key : std::string_view();
        reply.value = value_of(index);
        add_packet(output, reply);
        return true;
    }
    add_packet(output, reply);
    return request.opcode == kSet && request.extras == kStoreExtras &&
           request.value == value_of(index);
}

}  // namespace

void say_meta(uint32_t number, uint32_t index, Conversation& conversation) {
    const std::string& key = key_of(index);
    const std::string& value = value_of(index);
    std::string& request = conversation.request;
    std::string& reply = conversation.reply;
    switch (number % kMemcachedTurn) {
        case 0:
            request += format("mg {} f v\r\n", key);
            reply += format("VA {} f5\r\n{}\r\n", value.size(), value);
            return;
        case 1:
            request += format("ms {} {} F5\r\n{}\r\n", key, value.size(), value);
            reply += "HD\r\n";
            return;
        case 2:
            request += format("mg {} f v q\r\n", key);
            reply += format("VA {} f5\r\n{}\r\n", value.size(), value);
            return;
        case 3:
            request += format("mg {} v q\r\n", kMissing);
            return;
        case 4:
            request += format("ms {} {} F5 q\r\n{}\r\n", key, value.size(), value);
            return;
        default:
            request += "mn\r\n";
            reply += "MN\r\n";
            return;
    }
}

void say_binary(uint32_t number, uint32_t index, Conversation& conversation) {
    const std::string& key = key_of(index);
    const std::string& value = value_of(index);
    Packet request{.opcode = kGet, .opaque = number, .extras = {}, .key = key, .value = {}};
    Packet reply = reply_of(kGet, number);
    switch (number % kMemcachedTurn) {
        case 0:
            reply.extras = kFlags;
            reply.value = value;
            break;
        case 1:
        case 4:
            request.opcode = number % kMemcachedTurn == 1 ? kSet : kSetQ;
            request.extras = kStoreExtras;
            request.value = value;
            break;
        case 2:
            request.opcode = kGetKQ;
            reply.extras = kFlags;
            reply.key = key;
            reply.value = value;
            break;
        case 3:
            request.opcode = kGetKQ;
            request.key = kMissing;
            break;
        default:
            request.opcode = kNoop;
            request.key = {};
            break;
    }
    add_packet(conversation.request, request);
    reply.opcode = request.opcode;
    const bool is_silent = request.opcode == kSetQ || request.key == kMissing;
    if (!is_silent) {
        add_packet(conversation.reply, reply);
    }
}

size_t answer_meta(std::string_view text, std::string_view line, std::string& output) {
    const size_t head_bytes = line.size() + 2;
    if (line == "mn") {
        output += "MN\r\n";
        return head_bytes;
    }
    const size_t key_end = line.find(' ', 3);
    if (key_end == std::string_view::npos) {
        return std::string_view::npos;
    }
    const std::string_view key = line.substr(3, key_end - 3);
    const uint32_t index = index_of_key(key);
    if (line.starts_with("mg ")) {
        const std::string_view flags = line.substr(key_end);
        if (index < kKeys && flags == " f v") {
            output += format("VA {} f5\r\n{}\r\n", value_of(index).size(), value_of(index));
            return head_bytes;
        }
        output += "EN\r\n";
        return key == kMissing && flags == " v" ? head_bytes : std::string_view::npos;
    }
    if (index >= kKeys) {
        return std::string_view::npos;
    }
    const std::string& value = value_of(index);
    const std::string loud = format("ms {} {} F5", key, value.size());
    const bool is_quiet = line == loud + " q";
    if (line != loud && !is_quiet) {
        return std::string_view::npos;
    }
    if (text.size() < head_bytes + value.size() + 2) {
        return 0;
    }
    if (text.substr(head_bytes, value.size()) != value) {
        return std::string_view::npos;
    }
    output += is_quiet ? "" : "HD\r\n";
    return head_bytes + value.size() + 2;
}

bool answer_memcached_binary(std::string& input, std::string& output) {
    size_t used = 0;
    while (input.size() - used >= kBinaryHeaderBytes) {
        const std::string_view text = std::string_view(input).substr(used);
        const BinaryHeader header = proto::memcached::read_binary_header(text.data());
        if (!header.lengths_fit()) {
            return false;
        }
        if (text.size() < kBinaryHeaderBytes + header.body_bytes) {
            break;
        }
        const std::string_view body = text.substr(kBinaryHeaderBytes, header.body_bytes);
        const size_t value_at = size_t{header.extras_bytes} + header.key_bytes;
        const Packet request{.opcode = header.opcode,
                             .opaque = header.opaque,
                             .extras = body.substr(0, header.extras_bytes),
                             .key = body.substr(header.extras_bytes, header.key_bytes),
                             .value = body.substr(value_at)};
        if (!answer_packet(request, output)) {
            return false;
        }
        used += kBinaryHeaderBytes + header.body_bytes;
    }
    input.erase(0, used);
    return true;
}

}  // namespace ringmaster::allocations
