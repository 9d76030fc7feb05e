// SPDX-License-Identifier: Apache-2.0
// Fields of a line of the recorded cases in tests/golden; the files have no escapes in them.
#pragma once

#include <string>

namespace ringmaster::proto::memcached {

// "name": "value"
inline std::string text_field(const std::string& line, const std::string& name) {
    const std::string mark = "\"" + name + "\": \"";
    const size_t at = line.find(mark);
    if (at == std::string::npos) {
        return "";
    }
    const size_t from = at + mark.size();
    return line.substr(from, line.find('"', from) - from);
}

inline std::string hex_field(const std::string& line, const std::string& name) {
    const std::string hex = text_field(line, name);
    std::string bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

}  // namespace ringmaster::proto::memcached
