// SPDX-License-Identifier: Apache-2.0
// The hash table over the command names, made by the compiler: for commands.cc, not for others.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/proto/redis/commands.h"

namespace ringmaster::proto::redis {

// The hash table. A name is up to three words whose case bit is masked away: for letters that is
// exact case folding (only letters fold into 'A'..'Z'). The few names with '_' are compared again,
// as 0x7f folds into it.
static_assert(std::endian::native == std::endian::little, "words are loaded as little endian");
inline constexpr size_t kMaxNameBytes = 24;
inline constexpr uint64_t kFold = 0xdfdfdfdfdfdfdfdf;

struct Words {
    uint64_t word[3] = {};
    constexpr bool operator==(const Words&) const = default;
};

constexpr Words fold_constant(std::string_view name) {
    Words words;
    for (size_t i = 0; i < name.size(); ++i) {
        words.word[i / 8] |= static_cast<uint64_t>(static_cast<unsigned char>(name[i]))
                             << (i % 8 * 8);
    }
    for (uint64_t& word : words.word) {
        word &= kFold;
    }
    return words;
}

template <class Word>
uint64_t load(const char* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// Up to 8 bytes as one word, without reading beyond them: two loads that overlap.
inline uint64_t load_short(const char* at, size_t size) noexcept {
    if (size >= 4) {
        return load<uint32_t>(at) | load<uint32_t>(at + size - 4) << ((size - 4) * 8);
    }
    if (size >= 2) {
        return load<uint16_t>(at) | load<uint16_t>(at + size - 2) << ((size - 2) * 8);
    }
    return size == 1 ? load<uint8_t>(at) : 0;
}

inline Words fold(std::string_view name) noexcept {
    Words words;
    size_t index = 0;
    const char* at = name.data();
    size_t left = name.size();
    for (; left > 8; left -= 8, at += 8) {
        words.word[index++] = load<uint64_t>(at) & kFold;
    }
    words.word[index] = load_short(at, left) & kFold;
    return words;
}

inline constexpr unsigned kTableBits = 11;
inline constexpr size_t kTableSize = size_t{1} << kTableBits;
// A lookup looks at no more than this many slots, whatever the name.
inline constexpr size_t kMaxProbes = 4;

constexpr size_t slot_of(const Words& words, size_t size) {
    const uint64_t mixed = (words.word[0] * 0x9e3779b97f4a7c15) ^
                           ((words.word[1] + size) * 0xc2b2ae3d27d4eb4f) ^ words.word[2];
    return static_cast<size_t>((mixed * 0xff51afd7ed558ccd) >> (64 - kTableBits));
}

// Names of up to eight bytes, which are most of what is asked for, have a table of their own: one
// word, one multiplication, most often one slot.
inline constexpr unsigned kShortBits = 10;
inline constexpr size_t kShortSlots = size_t{1} << kShortBits;
inline constexpr size_t kShortName = 8;

constexpr size_t short_slot_of(uint64_t word) {
    return static_cast<size_t>((word * 0x8e98d133cc57dac7) >> (64 - kShortBits));
}

// kFold for the bytes of a name of so many.
inline constexpr std::array<uint64_t, kShortName + 1> kShortMasks = [] {
    std::array<uint64_t, kShortName + 1> masks{};
    for (size_t size = 1; size <= kShortName; ++size) {
        masks[size] = masks[size - 1] << 8 | 0xdf;
    }
    return masks;
}();

struct ShortSlot {
    uint64_t word = 0;
    uint32_t size = 0;  // 0 = free
    uint32_t row = 0;
};

struct ShortTable {
    std::array<ShortSlot, kShortSlots> slots{};
    size_t most_probes = 0;
};

template <size_t kCount>
constexpr ShortTable make_short_table(const std::array<Command, kCount>& commands) {
    ShortTable table;
    for (size_t row = 0; row < kCount; ++row) {
        const std::string_view name = commands[row].name;
        if (name.size() > kShortName) {
            continue;
        }
        const uint64_t word = fold_constant(name).word[0];
        size_t slot = short_slot_of(word);
        size_t probes = 1;
        while (table.slots[slot].size != 0) {
            slot = (slot + 1) % kShortSlots;
            ++probes;
        }
        table.slots[slot] = {word, static_cast<uint32_t>(name.size()), static_cast<uint32_t>(row)};
        table.most_probes = probes > table.most_probes ? probes : table.most_probes;
    }
    return table;
}

// Of the names over eight bytes.
template <size_t kCount>
struct CommandTable {
    std::array<uint16_t, kTableSize> row_plus_one{};  // 0 = free
    std::array<Words, kCount> words{};
    size_t most_probes = 0;
    bool names_fit = true;
};

// The rows with what follows from them filled in.
template <size_t kCount>
constexpr std::array<Command, kCount> with_derived(const Command (&rows)[kCount]) {
    std::array<Command, kCount> commands{};
    for (size_t i = 0; i < kCount; ++i) {
        Command& command = commands[i] = rows[i];
        const KeySpec& keys = command.keys;
        command.plain = command.split == SplitPolicy::kSingle && command.subcommands.empty() &&
                        keys.kind == KeySpec::Kind::kRange && keys.first == 1 &&
                        !keys.may_be_several() && !keys.destination && !command.pairs;
        command.has_underscore = command.name.find('_') != std::string_view::npos;
        const int arity = command.arity;
        command.min_arguments = static_cast<uint32_t>(arity < 0 ? -arity : arity);
        command.max_arguments = command.max_arity != 0 ? static_cast<uint32_t>(command.max_arity)
                                : arity < 0            ? UINT32_MAX
                                                       : command.min_arguments;
    }
    return commands;
}

template <size_t kCount>
constexpr CommandTable<kCount> make_command_table(const std::array<Command, kCount>& commands) {
    CommandTable<kCount> table;
    for (size_t row = 0; row < kCount; ++row) {
        const std::string_view name = commands[row].name;
        table.names_fit = table.names_fit && !name.empty() && name.size() <= kMaxNameBytes;
        if (name.size() <= kShortName) {
            continue;
        }
        table.words[row] = fold_constant(name);
        size_t slot = slot_of(table.words[row], name.size());
        size_t probes = 1;
        while (table.row_plus_one[slot] != 0) {
            slot = (slot + 1) % kTableSize;
            ++probes;
        }
        table.row_plus_one[slot] = static_cast<uint16_t>(row + 1);
        table.most_probes = probes > table.most_probes ? probes : table.most_probes;
    }
    return table;
}

}  // namespace ringmaster::proto::redis
