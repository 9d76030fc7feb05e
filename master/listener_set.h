// SPDX-License-Identifier: Apache-2.0
// Every socket clients connect to. The master makes them, keeps its own copies for life and hands
// duplicates to the workers: a worker's death leaves its accept queues intact for the next one.
//
// One SO_REUSEPORT socket per (TCP address, slot); one socket per Unix path, shared by all slots.
// An address is locked and probed before its group is made: SO_REUSEPORT would let a second start
// share the port in silence.
// A reload prepares the set for another config without a client noticing (what is new does not
// listen yet), then commits or aborts. A group whose address stays keeps its sockets, whatever pool
// it belongs to now; a Unix socket whose path was taken away gets a successor. Sockets of slots
// that are not wanted any more stay open: closing one would reset the clients in its queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/io/socket_address.h"
#include "common/io/sockets.h"
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

    // The first config. Blocks while names are looked up. On failure nothing stays open.
    base::Status open(const config::Config& config, size_t slots);

    // Another config: makes what is new. `slots` may be more than before; fewer change nothing.
    // Blocks while names are looked up. On failure nothing has changed.
    base::Status prepare(const config::Config& config, size_t slots);
    // As of_slot() will be after commit(). Requires a good prepare().
    [[nodiscard]] std::vector<PoolListener> prepared_of_slot(size_t slot) const;
    // What is new takes clients from now on; what is not needed any more still does, until
    // close_removed(), when the workers have let it go.
    void commit();
    void abort() noexcept;
    // The sockets of what is not needed any more, until then.
    [[nodiscard]] std::vector<uint32_t> removed_ids() const;
    void close_removed() noexcept;

    // In pool order.
    [[nodiscard]] std::vector<PoolListener> of_slot(size_t slot) const;
    // shutdown() as well as close(): a copy left in a worker must not go on taking connections.
    // Also removes the Unix paths and lets the address locks go.
    void close() noexcept;
    // "127.0.0.1:22121, /run/x.sock"
    [[nodiscard]] std::string text() const;

  private:
    struct Socket {
        int fd = -1;
        uint32_t id = 0;
    };
    // All sockets of one listen address.
    struct Group {
        size_t pool = 0;
        std::string text;
        int backlog = 0;
        bool shared = false;             // a Unix path: one socket
        std::vector<Socket> sockets;     // by slot
        uint32_t mode = 0;               // Unix
        std::string hidden_path;         // Unix, prepared
        std::optional<SocketPath> path;  // Unix, in its place
        int lock = -1;                   // TCP
        uint16_t port = 0;               // TCP
    };
    // What a group will be: one there is, with the sockets of `change` added, or a new one.
    struct Plan {
        std::optional<size_t> existing;
        Group change;
    };

    base::Status plan_pool(size_t pool, const config::PoolConfig& config, size_t slots);
    base::Status plan_unix(size_t pool, const config::PoolConfig& config);
    base::Status plan_tcp(size_t pool, const io::SocketAddress& address, int backlog, size_t slots);
    base::Status add_sockets(Group& group, const io::SocketAddress& address, size_t count);
    [[nodiscard]] std::optional<size_t> find_group(const std::string& text) const;
    [[nodiscard]] bool is_planned(const std::string& text) const;
    [[nodiscard]] bool holds_port(uint16_t port) const;
    // Unix: who connects to its path reaches it.
    static bool is_in_place(const Group& group);
    static void listen(Group& group, size_t first);
    static void put_in_place(Group& group);
    static void change_mode(Group& group, uint32_t mode);
    static void discard(Group& group) noexcept;
    static void close_group(Group& group) noexcept;
    static PoolListener entry(const Group& group, size_t slot);

    uint32_t next_id_ = 0;
    std::vector<Group> groups_;
    std::vector<Plan> plans_;
    std::vector<Group> removed_;
};

}  // namespace ringmaster::master
