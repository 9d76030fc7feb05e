// SPDX-License-Identifier: Apache-2.0
// What the tests of config/ share: a minimal good pool, and searching the diagnostics.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "config/load.h"

namespace ringmaster::config {

// A pool that loads, with `lines` (each indented by two, ending in a newline) put in.
inline std::string pool_with(const std::string& lines) {
    return "alpha:\n  listen: 127.0.0.1:1\n" + lines + "  servers:\n    - a:1:1\n    - b:1:1\n";
}

inline LoadResult load_text(std::string_view text) {
    return load(text, LoadOptions{});
}

// The diagnostics as printed for a file named "f", one per line.
inline std::string text_of(const LoadResult& result) {
    std::string out;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        out += format_diagnostic("f", diagnostic) + "\n";
    }
    return out;
}

inline size_t count_of(const LoadResult& result, Severity severity) {
    return static_cast<size_t>(
        std::count_if(result.diagnostics.begin(), result.diagnostics.end(),
                      [severity](const Diagnostic& found) { return found.severity == severity; }));
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace ringmaster::config
