// SPDX-License-Identifier: Apache-2.0
#include "worker/server.h"

#include <ctime>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/base/log.h"
#include "worker/pool.h"

namespace ringmaster::worker {

using stats::ServerStat;

Server::Server(DataPath& path, Pool& pool, uint32_t shard)
    : path_(path),
      pool_(pool),
      shard_(shard),
      timeout_ms_(pool.config().timeout_ms),
      plain_(path, *this, Dialect::kPlain) {}

Server::~Server() = default;

const config::ServerConfig& Server::config() const noexcept {
    return pool_.config().servers[shard_];
}

ConnectionGroup& Server::other_group(Dialect dialect) {
    if (other_ == nullptr) {
        other_ = std::make_unique<ConnectionGroup>(path_, *this, dialect);
    }
    RM_ASSERT(other_->dialect() == dialect);
    return *other_;
}

template <class F>
void Server::for_each_group(F&& f) {
    f(plain_);
    if (other_ != nullptr) {
        f(*other_);
    }
}

void Server::ask_for_resp3() {
    int error = 0;
    switch (group(Dialect::kResp3).greeting()) {
        case ConnectionGroup::Greeting::kDone:
            pool_.on_resp3_answer(shard_, Resp3Answer::kYes);
            return;
        case ConnectionGroup::Greeting::kUnderWay:
            return;
        case ConnectionGroup::Greeting::kNone:
            break;
    }
    if (group(Dialect::kResp3).connection_or_null(nullptr, error) == nullptr) {
        pool_.on_resp3_answer(shard_, Resp3Answer::kUnknown);
    }
}

void Server::on_open_failed(int error) {
    note_failure("cannot be connected to", error);
    stats_.add(ServerStat::kServerErr);
    path_.connect_failed(pool_, shard_);
    pool_.on_server_failure(shard_, error, path_.loop.active_ms());
}

void Server::preconnect() {
    int error = 0;
    if (is_idle() && plain_.connection_or_null(nullptr, error) == nullptr) {
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
    for_each_group([](ConnectionGroup& group) { group.renew_connections(); });
}

void Server::take_over(Server& former, uint64_t grace_ms) {
    failures_ = former.failures_;
    failure_logged_ms_ = former.failure_logged_ms_;
    warned_of_password_ = former.warned_of_password_;
    if (is_out_ || address_.empty() || address_ != former.address_) {
        return;
    }
    former.for_each_group([this, grace_ms](ConnectionGroup& of_former) {
        if (of_former.is_open()) {
            group(of_former.dialect()).take_over(of_former, grace_ms);
        }
    });
}

bool Server::is_idle() const {
    return !plain_.is_open() && (other_ == nullptr || !other_->is_open());
}

bool Server::hangs() const noexcept {
    return plain_.hangs() || (other_ != nullptr && other_->hangs());
}

bool Server::may_log_refusal(uint64_t now_ms) noexcept {
    if (now_ms < next_refusal_log_ms_) {
        return false;
    }
    next_refusal_log_ms_ = now_ms + 1000;
    return true;
}

void Server::housekeep() {
    for_each_group([](ConnectionGroup& group) {
        group.free_retired();
        group.settle_spares();
    });
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
    for_each_group([error](ConnectionGroup& group) { group.fail_all(error); });
}

stats::ServerCounters Server::snapshot() const {
    stats::ServerCounters counters = stats_;
    plain_.fill(counters);
    if (other_ != nullptr) {
        other_->fill(counters);
    }
    return counters;
}

}  // namespace ringmaster::worker
