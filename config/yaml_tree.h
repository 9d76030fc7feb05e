// SPDX-License-Identifier: Apache-2.0
// Bytes -> a small tree of nodes with their places, over libyaml's tokens and events.
//
// Knows YAML and which parts of it are allowed, nothing of keys. Bounded in file size, nodes and
// depth: what lies deeper than kMaxTreeDepth is left out, as nothing that deep is ever valid (the
// reader of the tree refuses its ancestor). Not recursive.
// Errors: into the report. A tree is also returned beside errors where it is still worth checking;
// aliases in it are kAlias nodes and already reported.
// Source: nutcracker's forbidden tokens; verdicts in tests/golden/config_cases.jsonl.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.h"

namespace ringmaster::config {

inline constexpr size_t kMaxFileBytes = 16 << 20;
inline constexpr size_t kMaxNodes = 1'000'000;
inline constexpr size_t kMaxTreeDepth = 4;

struct Node {
    enum class Kind { kScalar, kSequence, kMapping, kAlias };

    Kind kind = Kind::kScalar;
    bool several_lines = false;  // scalar that ends on a later line than it began
    Mark mark;
    std::string text;            // scalar; may hold any byte, NUL included
    std::vector<Node> children;  // sequence: items; mapping: key, value, key, value ...
};

// The root node of the only document, or nothing when the bytes cannot be read as one.
std::optional<Node> read_yaml(std::string_view bytes, Report& report);

}  // namespace ringmaster::config
