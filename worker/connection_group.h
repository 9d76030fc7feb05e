// SPDX-License-Identifier: Apache-2.0
// The connections to one server that speak one dialect, taking turns.
//
// Belongs to its Server, which outlives it. While slow readers hold connections there are spares:
// connection_group_spares.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/stats/stats.h"
#include "worker/data_path.h"
#include "worker/dialect.h"
#include "worker/order_ties.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

class Server;

class ConnectionGroup {
  public:
    ConnectionGroup(DataPath& path, Server& server, Dialect dialect);
    ~ConnectionGroup();
    ConnectionGroup(const ConnectionGroup&) = delete;
    ConnectionGroup& operator=(const ConnectionGroup&) = delete;

    // The connection for the next request. While there are fewer than server_connections, every
    // request opens another; then they take turns. Null with an errno when none could be opened.
    // While slow readers hold some it depends on `client`: who asks, or null.
    UpstreamConnection* connection_or_null(const ClientSession* client, int& error);

    // How far the best of them has come in learning whether the server speaks the dialect.
    enum class Greeting : uint8_t { kNone, kUnderWay, kDone };
    [[nodiscard]] Greeting greeting() const;

    // ---- connection_group_spares.cc ----

    // Whether another connection is left for others, or may be opened, when this one stops.
    [[nodiscard]] bool may_hold(const UpstreamConnection& connection) const;
    void begin_diversion();
    // About once a second.
    void settle_spares();
    // Clients have to stay on the connection that carries their requests.
    [[nodiscard]] bool keeps_ties() const noexcept { return keeps_ties_; }
    OrderTies& ties() noexcept { return ties_; }

    // ---- from the server, which says what they are for ----

    void renew_connections();
    void take_over(ConnectionGroup& former, uint64_t grace_ms);
    // Some connection is open.
    [[nodiscard]] bool is_open() const;
    void fail_all(int error);
    void free_retired();
    [[nodiscard]] bool hangs() const noexcept;
    // Adds the gauges of this moment.
    void fill(stats::ServerCounters& counters) const;

    [[nodiscard]] Dialect dialect() const noexcept { return dialect_; }
    Server& server() noexcept { return server_; }

  private:
    void find_only();
    UpstreamConnection& diverted(const ClientSession* client);
    void end_diversion();

    DataPath& path_;
    Server& server_;
    uint32_t wanted_;  // server_connections of the pool
    Dialect dialect_;
    bool diverting_ = false;
    bool keeps_ties_ = false;
    OrderTies ties_;
    // Made when first needed, then reused for ever: a closed one is opened again.
    std::vector<std::unique_ptr<UpstreamConnection>> connections_;
    size_t next_ = 0;
    // Connections to a former address, with requests outstanding.
    std::vector<std::unique_ptr<UpstreamConnection>> retiring_;
};

}  // namespace ringmaster::worker
