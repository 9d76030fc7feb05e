// SPDX-License-Identifier: Apache-2.0
// The table of memcached's binary commands: one row an opcode.
//
// Not in it, and so unknown as they are to memcached 1.6: verbosity (0x1b), the range operations,
// the vbucket and tap commands.
// Source: memcached's binary protocol description; which lengths a server takes, and what a quiet
// command is silent about, are memcached 1.6.18's, observed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/proto/memcached/binary_protocol.h"

namespace ringmaster::proto::memcached {

enum class BinaryShape : uint8_t {
    kKeyed,    // one key: forwarded to its server
    kFlush,    // for every server
    kNoop,     // answered in its place: all that came before it has been answered then
    kVersion,  // answered here
    kStat,     // answered here
    kQuit,
    kSaslMechanisms,
    kSaslAuth,
    kSaslStep,
};

// Which reply of a quiet command is not sent.
enum class BinarySilence : uint8_t {
    kNone,     // the loud form
    kMiss,     // getq and its kin: a miss
    kSuccess,  // setq and its kin
};

enum class BinaryKey : uint8_t { kNone, kRequired, kOptional };

struct BinaryCommand {
    std::string_view name;
    uint8_t opcode;
    uint8_t loud;  // the opcode of the same command that is always answered
    BinaryShape shape;
    uint8_t extras_bytes;  // exactly so many
    BinaryKey key;
    bool has_value = false;
    BinarySilence silence = BinarySilence::kNone;
    bool may_lack_extras = false;  // or none
};

std::span<const BinaryCommand> all_binary_commands() noexcept;
// Null when unknown.
const BinaryCommand* find_binary_command_or_null(uint8_t opcode) noexcept;

// Whether a reply of this status to a command of this silence is not for the client.
[[nodiscard]] inline bool is_suppressed(BinarySilence silence, uint16_t status) noexcept {
    switch (silence) {
        case BinarySilence::kNone:
            return false;
        case BinarySilence::kMiss:
            return status == static_cast<uint16_t>(BinaryStatus::kNotFound);
        case BinarySilence::kSuccess:
            return status == static_cast<uint16_t>(BinaryStatus::kSuccess);
    }
    return false;
}

}  // namespace ringmaster::proto::memcached
