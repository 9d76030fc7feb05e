// SPDX-License-Identifier: Apache-2.0
// Which of several connections to one server a client's next request has to take: the one that
// still carries an earlier one of it. Else a GET could overtake the SET before it.
//
// Pure; kept only while a server has more connections than usual. A client is where its oldest
// request under way is, and free again with the last of them. O(1) each, but for forget_lane().
#pragma once

#include <cstddef>
#include <unordered_map>

namespace ringmaster::worker {

class ClientSession;
class UpstreamConnection;

class OrderTies {
  public:
    // One more request under way. Requires: the client is free or on this lane.
    void add(const ClientSession* client, UpstreamConnection* lane) {
        Tie& tie = ties_.try_emplace(client, Tie{lane, 0}).first->second;
        ++tie.count;
    }
    // One of them is through. Nothing happens when the client is not on this lane.
    void remove(const ClientSession* client, const UpstreamConnection* lane) noexcept {
        const auto found = ties_.find(client);
        if (found != ties_.end() && found->second.lane == lane && --found->second.count == 0) {
            ties_.erase(found);
        }
    }
    [[nodiscard]] UpstreamConnection* lane_or_null(const ClientSession* client) const noexcept {
        const auto found = ties_.find(client);
        return found == ties_.end() ? nullptr : found->second.lane;
    }
    // The client is gone: another one may get its address.
    void forget(const ClientSession* client) noexcept { ties_.erase(client); }
    void forget_lane(const UpstreamConnection* lane) noexcept {
        std::erase_if(ties_, [lane](const auto& tie) { return tie.second.lane == lane; });
    }
    void clear() noexcept { ties_.clear(); }
    [[nodiscard]] size_t client_count() const noexcept { return ties_.size(); }

  private:
    struct Tie {
        UpstreamConnection* lane;
        size_t count;
    };
    std::unordered_map<const ClientSession*, Tie> ties_;
};

}  // namespace ringmaster::worker
