// SPDX-License-Identifier: Apache-2.0
#include "worker/server.h"

#include <algorithm>
#include <ctime>

#include "common/base/format.h"
#include "common/base/log.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using stats::ServerStat;

Server::Server(DataPath& path, Pool& pool, uint32_t shard)
    : path_(path),
      pool_(pool),
      shard_(shard),
      connections_wanted_(pool.config().server_connections),
      timeout_ms_(pool.config().timeout_ms) {}

const config::ServerConfig& Server::config() const noexcept {
    return pool_.config().servers[shard_];
}

UpstreamConnection* Server::connection_or_null(const ClientSession* client, int& error) {
    UpstreamConnection* chosen = nullptr;
    if (diverting_) {
        chosen = &diverted(client);
    } else if (connections_.size() < connections_wanted_) {
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
            note_failure("cannot be connected to", error);
            stats_.add(ServerStat::kServerErr);
            path_.connect_failed(pool_, shard_);
            pool_.on_server_failure(shard_, error, path_.loop.active_ms());
            return nullptr;
        }
    }
    return chosen;
}

void Server::preconnect() {
    int error = 0;
    if (is_idle() && connection_or_null(nullptr, error) == nullptr) {
        RM_LOG(kWarn, "connect to server '{}' failed, ignored: {}", config().name,
               base::errno_text(error));
    }
}

bool Server::set_address(const io::SocketAddress& address) {
    if (address == address_) {
        return false;
    }
    address_ = address;
    renew_connections();
    return true;
}

void Server::set_out(bool is_out, bool alone) {
    is_out_ = is_out;
    if (is_out && alone) {
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        stats_.set(ServerStat::kServerEjectedAt,
                   static_cast<int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000);
    }
}

void Server::renew_connections() {
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

void Server::take_over(Server& former, uint64_t grace_ms) {
    failures_ = former.failures_;
    failure_logged_ms_ = former.failure_logged_ms_;
    warned_of_password_ = former.warned_of_password_;
    if (is_out_ || address_.empty() || address_ != former.address_) {
        return;
    }
    // With its spares: who is tied to one stays with it.
    const size_t most = pool_.config().server_connections + (former.diverting_ ? kMaxSpares : 0);
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

// None while clients have to be told apart.
void Server::find_only() {
    const bool is_one = connections_wanted_ == 1 && connections_.size() == 1 && !diverting_;
    only_ = is_one ? connections_.front().get() : nullptr;
}

bool Server::is_idle() const {
    const auto is_open = [](const auto& connection) { return connection->is_open(); };
    return std::none_of(connections_.begin(), connections_.end(), is_open) &&
           std::none_of(retiring_.begin(), retiring_.end(), is_open);
}

void Server::check_deadlines(uint64_t now_ms) {
    for (const auto& connection : connections_) {
        connection->check_deadlines(now_ms);
    }
    for (const auto& connection : retiring_) {
        connection->check_deadlines(now_ms);
    }
}

bool Server::may_log_refusal(uint64_t now_ms) noexcept {
    if (now_ms < next_refusal_log_ms_) {
        return false;
    }
    next_refusal_log_ms_ = now_ms + 1000;
    return true;
}

void Server::free_retired() {
    std::erase_if(retiring_, [](const auto& connection) { return !connection->is_open(); });
}

void Server::note_failure(const char* what, int error) {
    const uint64_t now_ms = path_.loop.now_ms();
    ++failures_;
    if (failures_ > 1 && now_ms - failure_logged_ms_ < kFailureLogMs) {
        return;
    }
    failure_logged_ms_ = now_ms;
    RM_LOG(kWarn, "server '{}' ({}) of pool '{}' {}: {} failures={}", config().name,
           address_.empty() ? config().address.text : address_.text(), pool_.config().name, what,
           error == 0 ? std::string("it closed the connection") : base::errno_text(error),
           failures_);
}

void Server::log_recovery() {
    RM_LOG(kNotice, "server '{}' of pool '{}' answers again after failures={}", config().name,
           pool_.config().name, failures_);
    failures_ = 0;
}

void Server::fail_all(int error) {
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

stats::ServerCounters Server::snapshot() const {
    stats::ServerCounters counters = stats_;
    for (const auto& connection : connections_) {
        const UpstreamConnection::QueueLengths lengths = connection->queue_lengths();
        counters.add(ServerStat::kInQueue, lengths.in_count);
        counters.add(ServerStat::kInQueueBytes, lengths.in_bytes);
        counters.add(ServerStat::kOutQueue, lengths.out_count);
        counters.add(ServerStat::kOutQueueBytes, lengths.out_bytes);
    }
    return counters;
}

}  // namespace ringmaster::worker
