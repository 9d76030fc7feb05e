// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/binary_commands.h"

#include <array>
#include <cstddef>

namespace ringmaster::proto::memcached {
namespace {

using enum BinaryShape;

constexpr uint8_t kNoExtras = 0;
constexpr uint8_t kStoreExtras = 8;        // flags, exptime
constexpr uint8_t kArithmeticExtras = 20;  // delta, initial value, exptime
constexpr uint8_t kExptimeExtras = 4;
constexpr BinaryKey kNoKey = BinaryKey::kNone;
constexpr BinaryKey kKey = BinaryKey::kRequired;
constexpr BinarySilence kMiss = BinarySilence::kMiss;
constexpr BinarySilence kSuccess = BinarySilence::kSuccess;

// In the order of the opcodes.
constexpr std::array kCommands = {
    BinaryCommand{"get", 0x00, 0x00, kKeyed, kNoExtras, kKey},
    BinaryCommand{"set", 0x01, 0x01, kKeyed, kStoreExtras, kKey, true},
    BinaryCommand{"add", 0x02, 0x02, kKeyed, kStoreExtras, kKey, true},
    BinaryCommand{"replace", 0x03, 0x03, kKeyed, kStoreExtras, kKey, true},
    BinaryCommand{"delete", 0x04, 0x04, kKeyed, kNoExtras, kKey},
    BinaryCommand{"incr", 0x05, 0x05, kKeyed, kArithmeticExtras, kKey},
    BinaryCommand{"decr", 0x06, 0x06, kKeyed, kArithmeticExtras, kKey},
    BinaryCommand{"quit", 0x07, 0x07, kQuit, kNoExtras, kNoKey},
    BinaryCommand{"flush", 0x08, 0x08, kFlush, kExptimeExtras, kNoKey, false, BinarySilence::kNone,
                  true},
    BinaryCommand{"getq", 0x09, 0x00, kKeyed, kNoExtras, kKey, false, kMiss},
    BinaryCommand{"noop", 0x0a, 0x0a, kNoop, kNoExtras, kNoKey},
    BinaryCommand{"version", 0x0b, 0x0b, kVersion, kNoExtras, kNoKey},
    BinaryCommand{"getk", 0x0c, 0x0c, kKeyed, kNoExtras, kKey},
    BinaryCommand{"getkq", 0x0d, 0x0c, kKeyed, kNoExtras, kKey, false, kMiss},
    BinaryCommand{"append", 0x0e, 0x0e, kKeyed, kNoExtras, kKey, true},
    BinaryCommand{"prepend", 0x0f, 0x0f, kKeyed, kNoExtras, kKey, true},
    BinaryCommand{"stat", 0x10, 0x10, kStat, kNoExtras, BinaryKey::kOptional},
    BinaryCommand{"setq", 0x11, 0x01, kKeyed, kStoreExtras, kKey, true, kSuccess},
    BinaryCommand{"addq", 0x12, 0x02, kKeyed, kStoreExtras, kKey, true, kSuccess},
    BinaryCommand{"replaceq", 0x13, 0x03, kKeyed, kStoreExtras, kKey, true, kSuccess},
    BinaryCommand{"deleteq", 0x14, 0x04, kKeyed, kNoExtras, kKey, false, kSuccess},
    BinaryCommand{"incrq", 0x15, 0x05, kKeyed, kArithmeticExtras, kKey, false, kSuccess},
    BinaryCommand{"decrq", 0x16, 0x06, kKeyed, kArithmeticExtras, kKey, false, kSuccess},
    BinaryCommand{"quitq", 0x17, 0x07, kQuit, kNoExtras, kNoKey, false, kSuccess},
    BinaryCommand{"flushq", 0x18, 0x08, kFlush, kExptimeExtras, kNoKey, false, kSuccess, true},
    BinaryCommand{"appendq", 0x19, 0x0e, kKeyed, kNoExtras, kKey, true, kSuccess},
    BinaryCommand{"prependq", 0x1a, 0x0f, kKeyed, kNoExtras, kKey, true, kSuccess},
    BinaryCommand{"touch", 0x1c, 0x1c, kKeyed, kExptimeExtras, kKey},
    BinaryCommand{"gat", 0x1d, 0x1d, kKeyed, kExptimeExtras, kKey},
    BinaryCommand{"gatq", 0x1e, 0x1d, kKeyed, kExptimeExtras, kKey, false, kMiss},
    BinaryCommand{"sasl_list_mechs", 0x20, 0x20, kSaslMechanisms, kNoExtras, kNoKey},
    BinaryCommand{"sasl_auth", 0x21, 0x21, kSaslAuth, kNoExtras, kKey, true},
    BinaryCommand{"sasl_step", 0x22, 0x22, kSaslStep, kNoExtras, kKey, true},
    BinaryCommand{"gatk", 0x23, 0x23, kKeyed, kExptimeExtras, kKey},
    BinaryCommand{"gatkq", 0x24, 0x23, kKeyed, kExptimeExtras, kKey, false, kMiss},
};

constexpr std::array<const BinaryCommand*, 256> by_opcode() {
    std::array<const BinaryCommand*, 256> rows{};
    for (const BinaryCommand& command : kCommands) {
        rows.at(command.opcode) = &command;
    }
    return rows;
}

constexpr std::array<const BinaryCommand*, 256> kByOpcode = by_opcode();

}  // namespace

std::span<const BinaryCommand> all_binary_commands() noexcept {
    return kCommands;
}

const BinaryCommand* find_binary_command_or_null(uint8_t opcode) noexcept {
    return kByOpcode[opcode];
}

}  // namespace ringmaster::proto::memcached
