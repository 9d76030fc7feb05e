// SPDX-License-Identifier: Apache-2.0
#include "master/listener_set.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/base/log.h"

namespace ringmaster::master {

namespace {

int backlog_of(const config::PoolConfig& pool) {
    return static_cast<int>(std::min<uint32_t>(pool.backlog, INT_MAX));
}

// What a socket gets for which no mode is said.
mode_t mode_by_umask() noexcept {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0777 & ~mask;
}

base::Error in_use(const std::string& where) {
    return base::Error{
        base::format("cannot listen on '{}': {}", where, base::errno_text(EADDRINUSE))};
}

}  // namespace

ListenerSet::~ListenerSet() {
    close();
}

base::Status ListenerSet::open(const config::Config& config, size_t slots) {
    RM_ASSERT(groups_.empty());
    base::Status status = prepare(config, slots);
    if (status) {
        commit();
    }
    return status;
}

// ---- preparing ----

base::Status ListenerSet::prepare(const config::Config& config, size_t slots) {
    RM_ASSERT(plans_.empty());
    RM_ASSERT(slots > 0);
    for (size_t pool = 0; pool < config.pools.size(); ++pool) {
        const base::Status status = plan_pool(pool, config.pools[pool], slots);
        if (!status) {
            abort();
            return base::Error{
                base::format("pool '{}': {}", config.pools[pool].name, status.error().message)};
        }
    }
    return {};
}

base::Status ListenerSet::plan_pool(size_t pool, const config::PoolConfig& config, size_t slots) {
    if (config.listen.is_unix) {
        return plan_unix(pool, config);
    }
    const auto addresses = resolve_bind_addresses(config.listen.host, config.listen.port);
    if (!addresses) {
        return addresses.error();
    }
    return open_each(*addresses, [&](const io::SocketAddress& address) {
        return plan_tcp(pool, address, backlog_of(config), slots);
    });
}

std::optional<size_t> ListenerSet::find_group(const std::string& text) const {
    const auto found = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const Group& group) { return group.text == text; });
    if (found == groups_.end()) {
        return std::nullopt;
    }
    return static_cast<size_t>(found - groups_.begin());
}

// By another pool: the config compares only what is written, and there are many spellings.
bool ListenerSet::is_planned(const std::string& text) const {
    return std::any_of(plans_.begin(), plans_.end(),
                       [&](const Plan& plan) { return plan.change.text == text; });
}

bool ListenerSet::is_in_place(const Group& group) {
    return group.path && group.path->is_ours();
}

bool ListenerSet::holds_port(uint16_t port) const {
    return std::any_of(groups_.begin(), groups_.end(),
                       [port](const Group& group) { return group.port == port; });
}

base::Status ListenerSet::plan_unix(size_t pool, const config::PoolConfig& config) {
    const config::Address& listen = config.listen;
    if (is_planned(listen.path)) {
        return in_use(listen.path);
    }
    Plan plan{.existing = find_group(listen.path), .change = {}};
    const bool is_lost = plan.existing && !is_in_place(groups_[*plan.existing]);
    if (is_lost) {
        plan.existing.reset();  // nobody finds that one: another takes its place
    }
    plan.change.pool = pool;
    plan.change.text = listen.path;
    plan.change.backlog = backlog_of(config);
    plan.change.shared = true;
    plan.change.mode = listen.mode;
    if (!plan.existing) {
        const auto hidden = io::hide_unix_listener(listen.path, listen.mode, plan.change.backlog);
        if (!hidden) {
            return hidden.error();
        }
        if (is_lost) {
            RM_LOG(kWarn, "the socket '{}' has been removed or replaced; a new one is made",
                   listen.path);
        }
        plan.change.hidden_path = hidden->hidden_path;
        plan.change.sockets = {{.fd = hidden->fd, .id = next_id_++}};
    }
    plans_.push_back(std::move(plan));
    return {};
}

base::Status ListenerSet::plan_tcp(size_t pool, const io::SocketAddress& address, int backlog,
                                   size_t slots) {
    const std::string text = address.text();
    if (is_planned(text)) {
        return in_use(text);
    }
    Plan plan{.existing = find_group(text), .change = {}};
    plan.change.pool = pool;
    plan.change.text = text;
    plan.change.backlog = backlog;
    plan.change.port = address.port();
    size_t there = 0;
    if (plan.existing) {
        there = groups_[*plan.existing].sockets.size();
    } else {
        const auto lock = io::lock_address(text);
        if (!lock) {
            return lock.error();
        }
        plan.change.lock = *lock;
        // A port of ours looks taken to a probe; so 0.0.0.0 may follow 127.0.0.1 and the like.
        base::Status probed = holds_port(address.port()) ? base::Status() : io::probe_bind(address);
        if (!probed) {
            discard(plan.change);
            return probed;
        }
    }
    base::Status status = add_sockets(plan.change, address, slots - std::min(slots, there));
    if (!status) {
        discard(plan.change);
        return status;
    }
    plans_.push_back(std::move(plan));
    return {};
}

base::Status ListenerSet::add_sockets(Group& group, const io::SocketAddress& address,
                                      size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const auto fd = io::bind_tcp_listener(address);
        if (!fd) {
            return fd.error();
        }
        group.sockets.push_back({.fd = *fd, .id = next_id_++});
    }
    return {};
}

void ListenerSet::abort() noexcept {
    for (Plan& plan : plans_) {
        discard(plan.change);
    }
    plans_.clear();
}

// What never listened, or nobody could find.
void ListenerSet::discard(Group& group) noexcept {
    for (const Socket& socket : group.sockets) {
        ::close(socket.fd);
    }
    if (!group.hidden_path.empty()) {
        ::unlink(group.hidden_path.c_str());
    } else if (group.shared && !group.sockets.empty()) {
        ::unlink(group.text.c_str());
    }
    if (group.lock >= 0) {
        ::close(group.lock);
    }
}

// ---- committing ----

void ListenerSet::commit() {
    std::vector<Group> next;
    std::vector<bool> kept(groups_.size(), false);
    for (Plan& plan : plans_) {
        Group& change = plan.change;
        if (!plan.existing) {
            if (change.shared) {
                put_in_place(change);
            } else {
                listen(change, 0);
            }
            next.push_back(std::move(change));
            continue;
        }
        kept[*plan.existing] = true;
        Group& group = next.emplace_back(std::move(groups_[*plan.existing]));
        const size_t first_new = group.sockets.size();
        group.sockets.insert(group.sockets.end(), change.sockets.begin(), change.sockets.end());
        group.pool = change.pool;
        const bool other_backlog = group.backlog != change.backlog;
        group.backlog = change.backlog;
        listen(group, other_backlog ? 0 : first_new);
        if (change.mode != group.mode) {
            change_mode(group, change.mode);
        }
    }
    for (size_t i = 0; i < groups_.size(); ++i) {
        if (!kept[i]) {
            removed_.push_back(std::move(groups_[i]));
        }
    }
    groups_ = std::move(next);
    plans_.clear();
}

// Bound already: this can hardly fail, and the others serve on when it does.
void ListenerSet::listen(Group& group, size_t first) {
    for (size_t i = first; i < group.sockets.size(); ++i) {
        const base::Status status =
            io::start_listening(group.sockets[i].fd, group.backlog, group.text);
        if (!status) {
            RM_LOG(kCrit, "{}", status.error().message);
        }
    }
}

void ListenerSet::put_in_place(Group& group) {
    const base::Status status = io::show_unix_listener(
        {.fd = group.sockets[0].fd, .hidden_path = std::exchange(group.hidden_path, {})},
        group.text);
    if (!status) {
        RM_LOG(kCrit, "{}", status.error().message);
        return;
    }
    group.path.emplace(group.text);
}

void ListenerSet::change_mode(Group& group, uint32_t mode) {
    const base::Status status = group.path->set_mode(mode != 0 ? mode : mode_by_umask());
    if (!status) {
        RM_LOG(kErr, "{}", status.error().message);
        return;  // the next reload tries again
    }
    group.mode = mode;
}

std::vector<uint32_t> ListenerSet::removed_ids() const {
    std::vector<uint32_t> ids;
    for (const Group& group : removed_) {
        for (const Socket& socket : group.sockets) {
            ids.push_back(socket.id);
        }
    }
    return ids;
}

void ListenerSet::close_removed() noexcept {
    for (Group& group : removed_) {
        close_group(group);
    }
    removed_.clear();
}

void ListenerSet::close_group(Group& group) noexcept {
    if (group.path) {
        group.path->remove();
    }
    for (const Socket& socket : group.sockets) {
        ::shutdown(socket.fd, SHUT_RDWR);
        ::close(socket.fd);
    }
    if (group.lock >= 0) {
        ::close(group.lock);
    }
}

void ListenerSet::close() noexcept {
    abort();
    close_removed();
    for (Group& group : groups_) {
        close_group(group);
    }
    groups_.clear();
}

// ---- what there is ----

PoolListener ListenerSet::entry(const Group& group, size_t slot) {
    const size_t at = group.shared ? 0 : slot;
    RM_ASSERT(at < group.sockets.size());
    return {.pool = group.pool,
            .id = group.sockets[at].id,
            .fd = group.sockets[at].fd,
            .shared = group.shared};
}

std::vector<PoolListener> ListenerSet::of_slot(size_t slot) const {
    std::vector<PoolListener> listeners;
    for (const Group& group : groups_) {
        listeners.push_back(entry(group, slot));
    }
    return listeners;
}

std::vector<PoolListener> ListenerSet::prepared_of_slot(size_t slot) const {
    std::vector<PoolListener> listeners;
    for (const Plan& plan : plans_) {
        const size_t there = plan.existing ? groups_[*plan.existing].sockets.size() : 0;
        const bool is_there = plan.existing && (plan.change.shared || slot < there);
        PoolListener listener = is_there
                                    ? entry(groups_[*plan.existing], slot)
                                    : entry(plan.change, plan.change.shared ? 0 : slot - there);
        listener.pool = plan.change.pool;
        listeners.push_back(listener);
    }
    return listeners;
}

std::string ListenerSet::text() const {
    std::string all;
    for (const Group& group : groups_) {
        all += all.empty() ? group.text : ", " + group.text;
    }
    return all;
}

}  // namespace ringmaster::master
