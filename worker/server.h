// SPDX-License-Identifier: Apache-2.0
// One server of a pool as this worker sees it: its address, its health, its counters, and
// its connections in groups by dialect.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/io/socket_address.h"
#include "common/stats/stats.h"
#include "config/model.h"
#include "worker/connection_group.h"
#include "worker/data_path.h"
#include "worker/dialect.h"
#include "worker/upstream_connection.h"

namespace ringmaster::worker {

class Pool;

class Server {
  public:
    Server(DataPath& path, Pool& pool, uint32_t shard);
    ~Server();

    // Its connections of that dialect. Another than the plain one is made when first asked for.
    ConnectionGroup& group(Dialect dialect) {
        return dialect == Dialect::kPlain ? plain_ : other_group(dialect);
    }
    // The connection of that dialect where there is but one and it is open, which is most often;
    // else null: ask the group.
    [[nodiscard]] UpstreamConnection* only_connection_or_null(Dialect dialect) const noexcept {
        UpstreamConnection* const only = only_[static_cast<size_t>(dialect)];
        return only != nullptr && only->is_open() ? only : nullptr;
    }
    // From the group, when that has changed.
    void set_only(Dialect dialect, UpstreamConnection* connection) noexcept {
        only_[static_cast<size_t>(dialect)] = connection;
    }
    // Pool::on_resp3_answer() follows, now or later.
    void ask_for_resp3();
    // From the group: a connection could not even be begun.
    void on_open_failed(int error);
    // One attempt, not waited for.
    void preconnect();

    // True when it is another one; the connections are renewed then.
    bool set_address(const io::SocketAddress& address);
    // Later requests open new connections; of the present ones idle ones close at once, busy ones
    // when they are idle.
    void renew_connections();
    // Ejected, as far as this worker knows. The time is a stat of whoever ejected it: the master,
    // or this worker `alone`.
    void set_out(bool is_out, bool alone);
    [[nodiscard]] bool is_out() const noexcept { return is_out_; }

    // A reload: takes the open connections of the same server under the former generation, with all
    // that is outstanding on them, as many as this pool has (the rest stays there). None when the
    // server is out or lives elsewhere now. Also takes over what only the log knows. For
    // `grace_ms`: UpstreamConnection::rebind().
    void take_over(Server& former, uint64_t grace_ms);
    // No open connection, so nothing outstanding.
    [[nodiscard]] bool is_idle() const;
    // What it has to answer has made no progress for kHangMs.
    [[nodiscard]] bool hangs() const noexcept;
    // For the log: one line when a server begins to fail, one now and then while it does, one when
    // it is back; never a line per request.
    void note_failure(const char* what, int error);
    void note_success() {
        if (failures_ > 0) {
            log_recovery();
        }
    }
    // The proxy ends what is outstanding; the server has done nothing wrong.
    void fail_all(int error);
    // About once a second.
    void housekeep();
    // Counters plus the gauges of this moment.
    [[nodiscard]] stats::ServerCounters snapshot() const;

    [[nodiscard]] const config::ServerConfig& config() const noexcept;
    [[nodiscard]] const io::SocketAddress& address() const noexcept { return address_; }
    Pool& pool() noexcept { return pool_; }
    [[nodiscard]] uint32_t shard() const noexcept { return shard_; }
    [[nodiscard]] uint64_t timeout_ms() const noexcept { return timeout_ms_; }  // the pool's
    stats::ServerCounters& stats() noexcept { return stats_; }
    // Whether a refused handshake is worth a log line: one a second, as every request tries again.
    bool may_log_refusal(uint64_t now_ms) noexcept;
    // True once: this server needs no password, and we sent one.
    bool first_without_password() noexcept { return !std::exchange(warned_of_password_, true); }

  private:
    ConnectionGroup& other_group(Dialect dialect);
    template <class F>
    void for_each_group(F&& f);
    void log_recovery();

    DataPath& path_;
    Pool& pool_;
    uint32_t shard_;
    uint64_t timeout_ms_;
    bool is_out_ = false;
    bool warned_of_password_ = false;
    uint64_t next_refusal_log_ms_ = 0;
    io::SocketAddress address_;
    stats::ServerCounters stats_;
    uint64_t failures_ = 0;  // since the last success
    uint64_t failure_logged_ms_ = 0;
    // By dialect: with server_connections: 1 the one of that group, if it is there.
    std::array<UpstreamConnection*, kDialects> only_{};
    ConnectionGroup plain_;
    std::unique_ptr<ConnectionGroup> other_;  // null until a client speaks it
};

}  // namespace ringmaster::worker
