// SPDX-License-Identifier: Apache-2.0
// Effective server names and nutcracker's internal order: both decide where keys live.
//
// Source: nutcracker's conf_server; Compat: port 11211 is dropped from the name, and the name of a
// Unix-socket server ends in a colon.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringmaster::ring {

std::string default_tcp_name(std::string_view host, uint16_t port, std::string_view port_text);
std::string default_unix_name(std::string_view path);

// By length first, then bytewise. Used for servers of a pool and for pools.
bool sorts_before(std::string_view a, std::string_view b) noexcept;

}  // namespace ringmaster::ring
