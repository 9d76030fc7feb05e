// SPDX-License-Identifier: Apache-2.0
#include "master/listener_set.h"

#include <algorithm>
#include <climits>

#include <sys/socket.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/io/sockets.h"

namespace ringmaster::master {

namespace {

int backlog_of(const config::PoolConfig& pool) {
    return static_cast<int>(std::min<uint32_t>(pool.backlog, INT_MAX));
}

}  // namespace

ListenerSet::~ListenerSet() {
    close();
}

base::Status ListenerSet::open(const config::Config& config, size_t slots) {
    RM_ASSERT(groups_.empty());
    RM_ASSERT(slots > 0);
    for (size_t pool = 0; pool < config.pools.size(); ++pool) {
        const base::Status status = open_pool(pool, config.pools[pool], slots);
        if (!status) {
            close();
            return base::Error{
                base::format("pool '{}': {}", config.pools[pool].name, status.error().message)};
        }
    }
    return {};
}

base::Status ListenerSet::open_pool(size_t pool, const config::PoolConfig& config, size_t slots) {
    if (config.listen.is_unix) {
        return open_unix(pool, config);
    }
    const auto addresses = resolve_bind_addresses(config.listen.host, config.listen.port);
    if (!addresses) {
        return addresses.error();
    }
    return open_each(*addresses, [&](const io::SocketAddress& address) {
        return open_tcp(pool, address, backlog_of(config), slots);
    });
}

base::Status ListenerSet::open_unix(size_t pool, const config::PoolConfig& config) {
    const config::Address& listen = config.listen;
    const auto fd = io::make_unix_listener(listen.path, listen.mode, backlog_of(config));
    if (!fd) {
        return fd.error();
    }
    groups_.push_back(
        {.pool = pool, .first_id = next_id_++, .text = listen.path, .fds = {*fd}, .shared = true});
    paths_.emplace_back(listen.path);
    return {};
}

base::Status ListenerSet::open_tcp(size_t pool, const io::SocketAddress& address, int backlog,
                                   size_t slots) {
    const auto lock = io::lock_address(address.text());
    if (!lock) {
        return lock.error();
    }
    address_locks_.push_back(*lock);
    if (base::Status status = io::probe_bind(address); !status) {
        return status;
    }
    groups_.push_back({.pool = pool, .first_id = next_id_, .text = address.text(), .fds = {}});
    for (size_t slot = 0; slot < slots; ++slot) {
        const auto fd = io::make_tcp_listener(address, backlog);
        if (!fd) {
            // Only a whole group counts; close() finds it gone.
            for (const int opened : groups_.back().fds) {
                ::close(opened);
            }
            groups_.pop_back();
            return fd.error();
        }
        groups_.back().fds.push_back(*fd);
        ++next_id_;
    }
    return {};
}

std::vector<PoolListener> ListenerSet::of_slot(size_t slot) const {
    std::vector<PoolListener> listeners;
    for (const Group& group : groups_) {
        const size_t at = group.shared ? 0 : slot;
        RM_ASSERT(at < group.fds.size());
        listeners.push_back({.pool = group.pool,
                             .id = group.first_id + static_cast<uint32_t>(at),
                             .fd = group.fds[at],
                             .shared = group.shared});
    }
    return listeners;
}

void ListenerSet::close() noexcept {
    for (const SocketPath& path : paths_) {
        path.remove();
    }
    paths_.clear();
    for (const Group& group : groups_) {
        for (const int fd : group.fds) {
            ::shutdown(fd, SHUT_RDWR);
            ::close(fd);
        }
    }
    groups_.clear();
    for (const int lock : address_locks_) {
        ::close(lock);
    }
    address_locks_.clear();
}

std::string ListenerSet::text() const {
    std::string all;
    for (const Group& group : groups_) {
        all += all.empty() ? group.text : ", " + group.text;
    }
    return all;
}

}  // namespace ringmaster::master
