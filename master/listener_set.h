// SPDX-License-Identifier: Apache-2.0
// Every socket clients connect to. The master makes them, keeps its own copies for life and hands
// duplicates to the workers: a worker's death leaves its accept queues intact for the next one.
//
// One SO_REUSEPORT socket per (TCP address, slot); one socket per Unix path, shared by all slots.
// An address is locked and probed before its group is made: SO_REUSEPORT would let a second start
// share the port in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/io/socket_address.h"
#include "config/model.h"
#include "master/bind_addresses.h"

namespace ringmaster::master {

struct PoolListener {
    size_t pool = 0;
    uint32_t id = 0;      // of this socket; what control::ListenerUse calls it
    int fd = -1;          // the set's own copy: to be duplicated (or sent), never closed
    bool shared = false;  // by all slots
};

class ListenerSet {
  public:
    ListenerSet() = default;
    ~ListenerSet();
    ListenerSet(const ListenerSet&) = delete;
    ListenerSet& operator=(const ListenerSet&) = delete;

    // Blocks while names are looked up. On failure nothing stays open.
    base::Status open(const config::Config& config, size_t slots);
    // In pool order.
    [[nodiscard]] std::vector<PoolListener> of_slot(size_t slot) const;
    // shutdown() as well as close(): a copy left in a worker must not go on taking connections.
    // Also removes the Unix paths and lets the address locks go.
    void close() noexcept;
    // "127.0.0.1:22121, /run/x.sock"
    [[nodiscard]] std::string text() const;

  private:
    struct Group {
        size_t pool = 0;
        uint32_t first_id = 0;  // of fds[0]; the others follow
        std::string text;
        std::vector<int> fds;  // one per slot; one for all when it is shared
        bool shared = false;
    };

    base::Status open_pool(size_t pool, const config::PoolConfig& config, size_t slots);
    base::Status open_unix(size_t pool, const config::PoolConfig& config);
    base::Status open_tcp(size_t pool, const io::SocketAddress& address, int backlog, size_t slots);

    uint32_t next_id_ = 0;
    std::vector<Group> groups_;
    std::vector<int> address_locks_;
    std::vector<SocketPath> paths_;
};

}  // namespace ringmaster::master
