// SPDX-License-Identifier: Apache-2.0
#include "worker/listener_table.h"

#include <set>

#include <sys/socket.h>
#include <unistd.h>

#include "worker/limits.h"

namespace ringmaster::worker {

namespace {

size_t accepts_per_turn(int fd) noexcept {
    int domain = AF_UNSPEC;
    socklen_t size_bytes = sizeof domain;
    ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size_bytes);
    return domain == AF_UNIX ? kUnixAcceptsPerTurn : kAcceptsPerTurn;
}

}  // namespace

void ListenerTable::hold(const control::ListenerUse& use, int fd) {
    const auto [at, is_new] = listeners_.try_emplace(use.listener);
    if (!is_new) {
        ::close(fd);
        return;
    }
    Entry* entry = &at->second;  // a map's elements stay where they are
    entry->pool = use.pool;
    entry->listener = std::make_unique<io::Listener>(
        loop_, fd, accepts_per_turn(fd),
        [this, entry](int client) { on_client_(entry->pool, client); });
}

void ListenerTable::start(Entry& entry) const {
    entry.started = true;
    if (accepting_) {
        entry.listener->start();
    }
}

void ListenerTable::set_accepting(bool accepting) {
    accepting_ = accepting;
    for (auto& [number, entry] : listeners_) {
        if (entry.started && accepting) {
            entry.listener->start();
        } else if (entry.started) {
            entry.listener->pause();
        }
    }
}

bool ListenerTable::start(uint32_t listener) {
    const auto at = listeners_.find(listener);
    if (at == listeners_.end()) {
        return false;
    }
    start(at->second);
    return true;
}

void ListenerTable::start_all() {
    for (auto& [number, entry] : listeners_) {
        start(entry);
    }
}

void ListenerTable::release(std::span<const uint32_t> listeners) {
    for (const uint32_t number : listeners) {
        listeners_.erase(number);
    }
}

// Back to back: a client that comes in between is reset.
void ListenerTable::remove(std::span<const uint32_t> listeners) {
    for (const uint32_t number : listeners) {
        const auto at = listeners_.find(number);
        if (at == listeners_.end()) {
            continue;
        }
        if (at->second.started) {
            at->second.listener->accept_all();
        }
        ::shutdown(at->second.listener->fd(), SHUT_RDWR);
        listeners_.erase(at);
    }
}

bool ListenerTable::switch_to(std::span<const control::ListenerUse> uses, bool keep_held) {
    std::set<uint32_t> kept;
    for (const control::ListenerUse& use : uses) {
        kept.insert(use.listener);
    }
    // Those that go first: their clients still belong to the pools they connected to.
    for (auto at = listeners_.begin(); at != listeners_.end();) {
        if (kept.contains(at->first) || (keep_held && !at->second.started)) {
            ++at;
            continue;
        }
        if (at->second.started) {
            at->second.listener->accept_all();
        }
        at = listeners_.erase(at);
    }
    bool all_here = true;
    for (const control::ListenerUse& use : uses) {
        const auto at = listeners_.find(use.listener);
        if (at != listeners_.end()) {
            at->second.pool = use.pool;
            start(at->second);
        }
        all_here = all_here && at != listeners_.end();
    }
    return all_here;
}

void ListenerTable::drop_held() {
    std::erase_if(listeners_, [](const auto& item) { return !item.second.started; });
}

void ListenerTable::empty_all() {
    for (auto& [number, entry] : listeners_) {
        if (entry.started) {
            entry.listener->accept_all();
        }
    }
    listeners_.clear();
}

}  // namespace ringmaster::worker
