// SPDX-License-Identifier: Apache-2.0
// ConnectionGroup: spare connections while slow readers hold the usual ones.
//
// A connection that has stopped for a client that lags takes no new requests, except from clients
// that have some under way on it. When no other is left a spare is opened. The spares close when
// nobody holds anything any more and they are idle.
#include <algorithm>

#include "common/base/log.h"
#include "worker/client_session.h"
#include "worker/connection_group.h"
#include "worker/pool.h"
#include "worker/server.h"

namespace ringmaster::worker {

bool ConnectionGroup::may_hold(const UpstreamConnection& connection) const {
    const auto is_free = [&connection](const auto& other) {
        return other.get() != &connection && !other->is_held();
    };
    return connections_.size() < wanted_ + kMaxSpares ||
           std::any_of(connections_.begin(), connections_.end(), is_free);
}

void ConnectionGroup::begin_diversion() {
    if (diverting_) {
        return;
    }
    diverting_ = true;
    find_only();
    path_.diverting.push_back(this);
    // With several connections no order is promised between them, so there is nothing to keep.
    if (wanted_ == 1) {
        keeps_ties_ = true;
        for (const auto& connection : connections_) {
            connection->tie_all();
        }
    }
    RM_LOG(kInfo,
           "server '{}' of pool '{}': a slow reader holds a connection, a spare serves others",
           server_.config().name, server_.pool().config().name);
}

void ConnectionGroup::end_diversion() {
    if (diverting_) {
        diverting_ = false;
        keeps_ties_ = false;
        ties_.clear();
        for (const auto& connection : connections_) {
            connection->set_tied(false);
        }
        std::erase(path_.diverting, this);
        find_only();
    }
}

UpstreamConnection& ConnectionGroup::diverted(const ClientSession* client) {
    UpstreamConnection* const tied = ties_.lane_or_null(client);
    if (tied != nullptr) {
        return *tied;
    }
    const auto choose = [this](auto&& is_good) -> UpstreamConnection* {
        for (size_t i = 0; i < connections_.size(); ++i) {
            UpstreamConnection& next = *connections_[(next_ + i) % connections_.size()];
            if (is_good(next)) {
                next_ = wanted_ > 1 ? next_ + i + 1 : 0;
                return &next;
            }
        }
        return nullptr;
    };
    UpstreamConnection* chosen =
        choose([](const UpstreamConnection& c) { return !c.was_held_lately(); });
    if (chosen != nullptr) {
        return *chosen;
    }
    if (connections_.size() < wanted_ + kMaxSpares) {
        auto spare = std::make_unique<UpstreamConnection>(path_, *this);
        if (spare->open() == 0) {
            spare->set_tied(keeps_ties_);
            return *connections_.emplace_back(std::move(spare));
        }
    }
    chosen = choose([](const UpstreamConnection& c) { return !c.is_held(); });
    return chosen != nullptr ? *chosen : *connections_.front();
}

void ConnectionGroup::settle_spares() {
    if (!diverting_) {
        return;
    }
    bool is_quiet = true;
    for (const auto& connection : connections_) {
        connection->forget_holds();
        is_quiet = is_quiet && !connection->was_held_lately();
    }
    if (!is_quiet) {
        return;
    }
    while (connections_.size() > wanted_ && connections_.back()->is_idle()) {
        connections_.back()->retire();
        connections_.pop_back();
    }
    if (connections_.size() <= wanted_) {
        next_ = 0;
        end_diversion();
    }
}

}  // namespace ringmaster::worker
