// SPDX-License-Identifier: Apache-2.0
// The two values with a grammar of their own, declared in values.h and load.h: `listen` and one
// entry of `servers`. Both are parsed from the right, which lets IPv6 stand without brackets.
#include <cerrno>
#include <cstdlib>

#include "common/base/format.h"
#include "common/ring/server_name.h"
#include "config/value_forms.h"
#include "config/values.h"

namespace ringmaster::config {

namespace {

std::string expected_server() {
    return "expected " + form_server();
}

// The part of `rest` behind its last `separator`, which is cut off with it; nothing if none.
std::optional<std::string_view> cut_last(std::string_view& rest, char separator) {
    const size_t position = rest.rfind(separator);
    if (position == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view tail = rest.substr(position + 1);
    rest = rest.substr(0, position);
    return tail;
}

std::optional<uint16_t> parse_port(std::string_view text) {
    const auto value = parse_wrapping_number(text);
    if (!value || *value == 0 || *value > kMaxPort) {
        return std::nullopt;
    }
    return static_cast<uint16_t>(*value);
}

// Octal as strtol(3) reads it: leading digits only, and no digits is 0 (Compat: nutcracker).
std::optional<uint32_t> parse_mode(std::string_view text) {
    errno = 0;
    const auto mode = static_cast<uint32_t>(std::strtol(std::string(text).c_str(), nullptr, 8));
    if (errno != 0 || mode > 0777) {
        return std::nullopt;
    }
    return mode;
}

Problem read_unix_listen(std::string_view text, Address& target) {
    Address address;
    address.is_unix = true;
    address.text = text;
    if (const auto mode_text = cut_last(text, ' ')) {
        const auto mode = parse_mode(*mode_text);
        if (!mode) {
            return {"bad file mode", "the mode is octal and at most 0777, e.g. /run/x.sock 0660"};
        }
        address.mode = *mode;
    }
    if (Problem problem = check_socket_path(text); !problem.none()) {
        return problem;
    }
    address.path = text;
    target = std::move(address);
    return {};
}

}  // namespace

Problem read_listen(std::string_view text, Address& target) {
    if (text.substr(0, 1) == "/") {
        return read_unix_listen(text, target);
    }
    Address address;
    address.text = text;
    const auto port_text = cut_last(text, ':');
    if (!port_text) {
        return {choice_listen().neither(), "e.g. 127.0.0.1:22121 or /run/x.sock"};
    }
    const auto port = parse_port(*port_text);
    if (!port) {
        return {"bad port", "the port after the last colon is a number from 1 to 65535"};
    }
    address.host = text;
    address.port = *port;
    address.port_text = *port_text;
    target = std::move(address);
    return {};
}

ServerEntry parse_server_entry(std::string_view text) {
    ServerEntry entry;
    Address& address = entry.server.address;
    address.text = text;
    address.is_unix = text.substr(0, 1) == "/";

    std::string_view rest = text;
    const auto name = cut_last(rest, ' ');
    const auto weight_text = cut_last(rest, ':');
    const bool is_cut = weight_text.has_value();
    std::optional<std::string_view> port_text;
    if (is_cut) {
        port_text = cut_last(rest, ':');
    }
    if (!is_cut || port_text.has_value() == address.is_unix) {
        entry.problem = base::format(
            "{}; {}",
            is_cut && address.is_unix ? "a path cannot contain a colon" : "fields are missing",
            expected_server());
        return entry;
    }

    const auto weight = parse_wrapping_number(*weight_text);
    if (!weight || *weight == 0) {
        entry.problem = base::format("bad weight (digits only, at least 1); {}", expected_server());
        return entry;
    }
    entry.server.weight = *weight;
    if (address.is_unix) {
        address.path = rest;
        entry.server.name = name ? std::string(*name) : ring::default_unix_name(rest);
        return entry;
    }
    const auto port = parse_port(*port_text);
    if (!port) {
        entry.problem = base::format("bad port (1 to 65535); {}", expected_server());
        return entry;
    }
    address.host = rest;
    address.port = *port;
    address.port_text = *port_text;
    entry.server.name = name ? std::string(*name) : ring::default_tcp_name(rest, *port, *port_text);
    return entry;
}

Problem read_server(std::string_view text, std::vector<ServerConfig>& target) {
    ServerEntry entry = parse_server_entry(text);
    if (!entry.problem.empty()) {
        return {std::move(entry.problem), {}};
    }
    target.push_back(std::move(entry.server));
    return {};
}

}  // namespace ringmaster::config
