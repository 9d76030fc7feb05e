// SPDX-License-Identifier: Apache-2.0
// The top-level entries of a file: pools and the `ringmaster:` section. Node -> model, problems
// into the report. Internal to config/.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "config/model.h"
#include "config/report.h"
#include "config/values.h"
#include "config/yaml_tree.h"

namespace ringmaster::config {

inline constexpr std::string_view kProcessSectionName = "ringmaster";

// Positions in pool_keys(): kKey_listen, kKey_hash ... in the order of the rows.
enum PoolKey : size_t {
#define RM_POOL_KEY(name, member, reader, default_text, doc) kKey_##name,
#include "config/pool_keys.def"
#undef RM_POOL_KEY
    kPoolKeyCount
};

// A pool as read, with the places its cross-checks point at.
struct PoolSection {
    PoolConfig pool;
    Mark mark;                                       // of the pool's name
    std::array<Mark, kPoolKeyCount> key_marks = {};  // of each key's first use; line 0 = not there
    std::array<bool, kPoolKeyCount> key_bad = {};    // present, but its value was refused
    std::vector<Mark> server_marks;                  // parallel to pool.servers until it is sorted

    [[nodiscard]] bool has(PoolKey key) const noexcept { return key_marks[key].line > 0; }
};

// Reads the keys. Everything found goes to the report; the section is usable for further checks
// whatever was found.
PoolSection read_pool_section(const Node& name, const Node& body, Report& report);

// Checks between the keys of one pool, resolves the listen name, warns, sorts the servers.
void check_pool_section(PoolSection& section, const LoadOptions& options, Report& report);

// True when the body under `ringmaster:` is that of a pool of this name.
bool looks_like_pool(const Node& body);

void read_process_section(const Node& name, const Node& body, const LoadOptions& options,
                          ProcessConfig& process, Report& report);

// Shared by both kinds of section.

// False when the node cannot be a key, which is reported unless it is an alias (it was already).
bool check_key(const Node& key, Report& report);

// A key that stands in none of `keys`; `other_keys` are those of the other kind of section.
void report_unknown_key(const Node& key, std::span<const KeyInfo> keys,
                        std::span<const KeyInfo> other_keys, std::string_view other_place,
                        Report& report);

void report_duplicate_key(Mark mark, std::string_view key, Mark first, Report& report);

// Checks that `value` is text that is not empty; an alias is refused silently.
bool check_value(std::string_view key, const Node& value, Report& report);

// `secret`: the value itself is not shown.
void report_bad_value(std::string_view key, const Node& value, bool secret, Problem&& problem,
                      Report& report);

const KeyInfo* find_key_or_null(std::span<const KeyInfo> keys, std::string_view name) noexcept;

}  // namespace ringmaster::config
