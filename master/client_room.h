// SPDX-License-Identifier: Apache-2.0
// What the master says about the clients that fit below the limit of open descriptors, before any
// worker runs. Pure; the sums are config/client_room.
#pragma once

#include <cstdint>
#include <string>

#include "config/client_room.h"

namespace ringmaster::master {

inline constexpr uint64_t kFewClients = 1000;

struct ClientRoom {
    uint64_t descriptor_limit = 0;
    uint64_t server_connections = 0;  // of one worker
    uint64_t clients = 0;             // of one worker
};

// `listeners` of one worker: sockets, as far as they are known.
ClientRoom client_room(const config::Config& config, uint64_t descriptor_limit,
                       uint64_t listeners) noexcept;

// Why this cannot work: no client fits. Empty when at least one does.
std::string room_problem(const ClientRoom& room);
// When fewer than kFewClients fit, else empty.
std::string room_warning(const ClientRoom& room);

}  // namespace ringmaster::master
