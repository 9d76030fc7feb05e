// SPDX-License-Identifier: Apache-2.0
#include "common/ring/server_name.h"

namespace ringmaster::ring {

std::string default_tcp_name(std::string_view host, uint16_t port, std::string_view port_text) {
    // Compat: libmemcached's default port is not part of a ketama label. The number decides, so
    // that "011211" is dropped too.
    constexpr uint16_t kUnnamedPort = 11211;
    std::string name(host);
    if (port != kUnnamedPort) {
        name += ':';
        name += port_text;
    }
    return name;
}

std::string default_unix_name(std::string_view path) {
    std::string name(path);
    name += ':';
    return name;
}

bool sorts_before(std::string_view a, std::string_view b) noexcept {
    // string_view compares as unsigned bytes.
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace ringmaster::ring
