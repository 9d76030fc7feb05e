// SPDX-License-Identifier: Apache-2.0
#include "worker/connection_group.h"

#include <algorithm>
#include <utility>

#include "worker/pool.h"
#include "worker/server.h"

namespace ringmaster::worker {

using stats::ServerStat;

ConnectionGroup::ConnectionGroup(DataPath& path, Server& server, Dialect dialect)
    : path_(path),
      server_(server),
      wanted_(server.pool().config().server_connections),
      dialect_(dialect) {}

ConnectionGroup::~ConnectionGroup() {
    end_diversion();
    server_.set_only(dialect_, nullptr);
}

UpstreamConnection* ConnectionGroup::connection_or_null(const ClientSession* client, int& error) {
    UpstreamConnection* chosen = nullptr;
    if (diverting_) {
        chosen = &diverted(client);
    } else if (connections_.size() < wanted_) {
        chosen =
            connections_.emplace_back(std::make_unique<UpstreamConnection>(path_, *this)).get();
        next_ = 0;
        find_only();
    } else {
        chosen = connections_[next_].get();
        next_ = next_ + 1 < connections_.size() ? next_ + 1 : 0;
    }
    if (!chosen->is_open()) {
        error = chosen->open();
        if (error != 0) {
            server_.on_open_failed(error);
            return nullptr;
        }
    }
    return chosen;
}

void ConnectionGroup::renew_connections() {
    for (std::unique_ptr<UpstreamConnection>& connection : connections_) {
        connection->retire();
        if (connection->is_open()) {
            retiring_.push_back(std::move(connection));
        }
    }
    connections_.clear();
    next_ = 0;
    end_diversion();
    find_only();
}

void ConnectionGroup::take_over(ConnectionGroup& former, uint64_t grace_ms) {
    // With its spares: who is tied to one stays with it.
    const size_t most = wanted_ + (former.diverting_ ? kMaxSpares : 0);
    const bool was_diverting = former.diverting_;
    former.end_diversion();
    for (std::unique_ptr<UpstreamConnection>& connection : former.connections_) {
        if (connection->is_open() && connections_.size() < most) {
            connection->rebind(*this, grace_ms);
            connections_.push_back(std::move(connection));
        }
    }
    std::erase(former.connections_, nullptr);
    former.next_ = 0;
    former.find_only();
    find_only();
    if (was_diverting && !connections_.empty()) {
        begin_diversion();
    }
}

ConnectionGroup::Greeting ConnectionGroup::greeting() const {
    Greeting greeting = Greeting::kNone;
    for (const auto& connection : connections_) {
        if (connection->is_open()) {
            greeting = std::max(greeting,
                                connection->is_greeting() ? Greeting::kUnderWay : Greeting::kDone);
        }
    }
    return greeting;
}

// None while clients have to be told apart.
void ConnectionGroup::find_only() {
    const bool is_one = wanted_ == 1 && connections_.size() == 1 && !diverting_;
    server_.set_only(dialect_, is_one ? connections_.front().get() : nullptr);
}

bool ConnectionGroup::is_open() const {
    const auto is_open = [](const auto& connection) { return connection->is_open(); };
    return std::any_of(connections_.begin(), connections_.end(), is_open) ||
           std::any_of(retiring_.begin(), retiring_.end(), is_open);
}

void ConnectionGroup::free_retired() {
    std::erase_if(retiring_, [](const auto& connection) { return !connection->is_open(); });
}

void ConnectionGroup::fail_all(int error) {
    for (const auto& connection : connections_) {
        if (connection->is_open()) {
            connection->end(error);
        }
    }
    for (const auto& connection : retiring_) {
        if (connection->is_open()) {
            connection->end(error);
        }
    }
}

bool ConnectionGroup::hangs() const noexcept {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& connection) { return connection->hangs(); });
}

void ConnectionGroup::fill(stats::ServerCounters& counters) const {
    for (const auto& connection : connections_) {
        if (connection->is_idle()) {
            continue;
        }
        const UpstreamConnection::QueueLengths lengths = connection->queue_lengths();
        counters.add(ServerStat::kInQueue, lengths.in_count);
        counters.add(ServerStat::kInQueueBytes, lengths.in_bytes);
        counters.add(ServerStat::kOutQueue, lengths.out_count);
        counters.add(ServerStat::kOutQueueBytes, lengths.out_bytes);
    }
}

}  // namespace ringmaster::worker
