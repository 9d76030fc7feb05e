// SPDX-License-Identifier: Apache-2.0
// How the C++ scripts print: a line per call.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace steps {

constexpr size_t kLong = 200;

/// As a literal would be written; long texts are told by their length and an FNV-1a sum.
inline std::string quoted(std::string_view text) {
    char piece[64];
    if (text.size() > kLong) {
        uint64_t sum = 0xcbf29ce484222325;
        for (const char byte : text) {
            sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
        }
        std::snprintf(piece, sizeof piece, "string of %zu, fnv %016llx", text.size(),
                      static_cast<unsigned long long>(sum));
        return piece;
    }
    std::string shown = "\"";
    for (const char byte : text) {
        if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\') {
            shown += byte;
        } else {
            std::snprintf(piece, sizeof piece, "\\x%02x", static_cast<unsigned char>(byte));
            shown += piece;
        }
    }
    return shown + "\"";
}

inline void begin(const char* version, const char* protocol) {
    std::printf("# version: %s\n# protocol: %s\n", version, protocol);
}

/// One named call and its value.
inline void step(std::string_view name, std::string_view value) {
    std::printf("%.*s -> %.*s\n", static_cast<int>(name.size()), name.data(),
                static_cast<int>(value.size()), value.data());
    std::fflush(stdout);
}

inline void end() {
    std::printf("# end\n");
}

}  // namespace steps
