// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/commands.h"

namespace ringmaster::proto::memcached {
namespace {

// get, set and gets come first: find_command_or_null() knows their places.
constexpr Command kCommands[] = {
    {.name = "get", .shape = Shape::kRetrieval},
    {.name = "set", .shape = Shape::kStorage, .takes_noreply = true, .count_word = 4},
    {.name = "gets", .shape = Shape::kRetrieval},
    {.name = "add", .shape = Shape::kStorage, .takes_noreply = true, .count_word = 4},
    {.name = "replace", .shape = Shape::kStorage, .takes_noreply = true, .count_word = 4},
    {.name = "append", .shape = Shape::kStorage, .takes_noreply = true, .count_word = 4},
    {.name = "prepend", .shape = Shape::kStorage, .takes_noreply = true, .count_word = 4},
    {.name = "cas",
     .shape = Shape::kStorage,
     .has_cas = true,
     .takes_noreply = true,
     .count_word = 4},
    {.name = "incr", .shape = Shape::kArithmetic, .takes_noreply = true},
    {.name = "decr", .shape = Shape::kArithmetic, .takes_noreply = true},
    {.name = "delete", .shape = Shape::kDelete, .takes_noreply = true},
    {.name = "touch", .shape = Shape::kTouch, .takes_noreply = true},
    {.name = "gat", .shape = Shape::kRetrieval, .has_exptime = true},
    {.name = "gats", .shape = Shape::kRetrieval, .has_exptime = true},
    {.name = "flush_all", .shape = Shape::kFlushAll, .takes_noreply = true},
    {.name = "version", .shape = Shape::kVersion},
    {.name = "verbosity", .shape = Shape::kVerbosity, .takes_noreply = true},
    {.name = "stats", .shape = Shape::kStats},
    {.name = "quit", .shape = Shape::kQuit},
    {.name = "mg", .shape = Shape::kMetaGet},
    {.name = "ms", .shape = Shape::kMetaSet, .count_word = 2},
    {.name = "md", .shape = Shape::kMeta},
    {.name = "ma", .shape = Shape::kMeta},
    {.name = "me", .shape = Shape::kMetaDebug},
    {.name = "mn", .shape = Shape::kMetaNoop},
    {.name = "config", .shape = Shape::kConfig},
    {.name = "cache_memlimit", .shape = Shape::kRefused, .takes_noreply = true},
    {.name = "slabs", .shape = Shape::kRefused, .takes_noreply = true},
    {.name = "lru", .shape = Shape::kRefused, .takes_noreply = true},
    {.name = "shutdown", .shape = Shape::kRefused},
};

static_assert(kCommands[0].name == "get");
static_assert(kCommands[1].name == "set");
static_assert(kCommands[2].name == "gets");

}  // namespace

std::span<const Command> all_commands() noexcept {
    return kCommands;
}

const Command* find_command_or_null(std::string_view name) noexcept {
    // Lengths known at compile time: these three compares are a few instructions each.
    if (name == kCommands[0].name) {
        return &kCommands[0];
    }
    if (name == kCommands[1].name) {
        return &kCommands[1];
    }
    if (name == kCommands[2].name) {
        return &kCommands[2];
    }
    for (const Command& command : kCommands) {
        if (command.name == name) {
            return &command;
        }
    }
    return nullptr;
}

}  // namespace ringmaster::proto::memcached
