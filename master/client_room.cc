// SPDX-License-Identifier: Apache-2.0
#include "master/client_room.h"

#include "common/base/format.h"

namespace ringmaster::master {

namespace {

// Enough for kFewClients, in round figures.
uint64_t suggested_limit(const ClientRoom& room) {
    const uint64_t needed = room.descriptor_limit - room.clients + kFewClients;
    const uint64_t at_least = room.clients > 0 ? needed : room.server_connections + 2 * kFewClients;
    return (at_least + 1023) / 1024 * 1024;
}

std::string what_to_raise(const ClientRoom& room) {
    return base::format(
        "raise the limit (ulimit -n, systemd's LimitNOFILE=) to {} or more, or lower "
        "server_connections",
        suggested_limit(room));
}

}  // namespace

ClientRoom client_room(const config::Config& config, uint64_t descriptor_limit,
                       uint64_t listeners) noexcept {
    ClientRoom room;
    room.descriptor_limit = descriptor_limit;
    const config::DescriptorShares shares =
        config::descriptor_shares(config, descriptor_limit, listeners);
    room.server_connections = shares.server_connections;
    room.clients = shares.clients;
    return room;
}

std::string room_problem(const ClientRoom& room) {
    if (room.clients > 0) {
        return {};
    }
    return base::format(
        "the limit of {} open descriptors leaves no room for clients: a worker needs up to {} for "
        "its server connections and {} for itself; {}",
        room.descriptor_limit, room.server_connections, config::kReservedDescriptors,
        what_to_raise(room));
}

std::string room_warning(const ClientRoom& room) {
    if (room.clients == 0 || room.clients >= kFewClients) {
        return {};
    }
    return base::format(
        "a worker serves {} clients at most: its limit is {} open descriptors, and it may need {} "
        "for server connections; {}",
        room.clients, room.descriptor_limit, room.server_connections, what_to_raise(room));
}

}  // namespace ringmaster::master
