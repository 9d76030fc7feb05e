// SPDX-License-Identifier: Apache-2.0
#include "worker/pool.h"

#include <algorithm>

#include <unistd.h>

#include "common/base/log.h"

namespace ringmaster::worker {

Pool::Pool(DataPath& path, const config::PoolConfig& config, uint32_t index, uint64_t generation)
    : path_(path),
      config_(config),
      index_(index),
      generation_(generation),
      ejector_(config.eject, config.servers.size()),
      resp3_(config.resp3) {
    for (uint32_t shard = 0; shard < config.servers.size(); ++shard) {
        servers_.push_back(std::make_unique<Server>(path, *this, shard));
    }
}

Pool::~Pool() {
    RM_ASSERT(clients_.empty());
    for (const Accepted& client : waiting_) {
        ::close(client.fd);
    }
}

void Pool::add_client(Accepted client) {
    if (config_.client_connections == 0) {
        admit(client, true, false);
        return;
    }
    waiting_.push_back(client);
    path_.ask_for_place(*this);
}

void Pool::on_place(bool granted) {
    if (waiting_.empty()) {
        RM_LOG(kErr, "pool '{}': a place came that nobody waits for", config_.name);
        return;
    }
    const Accepted client = waiting_.front();
    waiting_.pop_front();
    admit(client, granted, granted);
}

void Pool::admit(Accepted client, bool is_welcome, bool holds_place) {
    // Owned by the pool's list until it closes, then by DataPath::closed.
    auto* session = new ClientSession(path_, *this);
    clients_.push_back(*session);
    const int error = session->start(client.fd, client.is_unix);
    if (error != 0) {
        RM_LOG(kWarn, "pool '{}': cannot serve a new client: errno {}", config_.name, error);
        static_cast<base::ListLink<PoolTag>*>(session)->unlink();
        delete session;
        if (holds_place) {
            path_.give_place_back(*this);
        }
        return;
    }
    if (holds_place) {
        session->take_place();
    }
    if (!is_welcome) {
        session->refuse();
    } else if (path_.stopping) {
        session->finish();
    }
}

void Pool::refuse_waiting() {
    for (const Accepted& client : take_waiting()) {
        admit(client, false, false);
    }
}

Resp3Support::Verdict Pool::resp3_for(ClientSession& client) {
    using Verdict = Resp3Support::Verdict;
    if (resp3_.verdict(path_.loop.now_ms()) == Verdict::kOpen && !resp3_.is_asking()) {
        ask_for_resp3();
    }
    const Verdict verdict = resp3_.verdict(path_.loop.now_ms());
    if (verdict == Verdict::kOpen) {
        wait_for_resp3_.push_back(&client);
    }
    return verdict;
}

void Pool::ask_for_resp3() {
    std::vector<uint32_t> shards;
    for (const auto& server : servers_) {
        if (!server->is_out()) {
            shards.push_back(server->shard());
        }
    }
    resp3_.ask(shards, path_.loop.now_ms());
    for (const uint32_t shard : shards) {
        servers_[shard]->ask_for_resp3();
    }
}

void Pool::on_resp3_answer(uint32_t shard, Resp3Answer answer) {
    if (!resp3_.on_answer(shard, answer, path_.loop.now_ms())) {
        return;
    }
    if (answer == Resp3Answer::kNo) {
        RM_LOG(kWarn, "server '{}' of pool '{}' does not speak RESP3{}",
               config_.servers[shard].name, config_.name,
               config_.resp3 == config::Resp3::kAuto ? ", so HELLO 3 is refused"
                                                     : ", but 'resp3: on' says that it does");
    }
    end_waits_for_resp3();
}

void Pool::end_waits_for_resp3() {
    for (ClientSession* client : std::exchange(wait_for_resp3_, {})) {
        client->on_wait_over();
    }
}

void Pool::preconnect() {
    if (config_.preconnect) {
        for (const auto& server : servers_) {
            server->preconnect();
        }
    }
}

// `f` may close or move its session, and no other.
template <class F>
void Pool::for_each_client(F&& f) {
    ClientSession* session = clients_.front_or_null();
    while (session != nullptr) {
        ClientSession* next = clients_.next_or_null(*session);
        f(*session);
        session = next;
    }
}

void Pool::finish_clients() {
    for_each_client([](ClientSession& session) { session.finish(); });
}

void Pool::finish_clients_soon() {
    for_each_client([](ClientSession& session) { session.finish_soon(); });
}

void Pool::close_clients() {
    for_each_client([](ClientSession& session) { session.close(false); });
}

void Pool::take_clients(Pool& former) {
    former.for_each_client([this](ClientSession& session) { session.move_to(*this); });
}

uint32_t Pool::places_held() {
    uint32_t count = 0;
    for_each_client([&count](ClientSession& session) { count += session.holds_place() ? 1U : 0U; });
    return count;
}

void Pool::retire_servers() {
    for (const auto& server : servers_) {
        server->renew_connections();
    }
}

bool Pool::is_idle() const {
    return clients_.empty() && std::all_of(servers_.begin(), servers_.end(),
                                           [](const auto& server) { return server->is_idle(); });
}

void Pool::fail_servers(int error) {
    for (const auto& server : servers_) {
        server->fail_all(error);
    }
}

void Pool::housekeep() {
    for (const auto& server : servers_) {
        server->housekeep();
    }
    if (resp3_.give_up_if_due(path_.loop.now_ms())) {
        end_waits_for_resp3();
    }
}

void Pool::fill(stats::PoolSnapshot& snapshot) const {
    snapshot.pool = stats_;
    const health::EjectorCounters& health = ejector_.counters();
    snapshot.pool.set(stats::PoolStat::kRingEpoch, static_cast<int64_t>(ejector_.epoch()));
    snapshot.pool.add(stats::PoolStat::kSuspects, health.suspects);
    snapshot.pool.add(stats::PoolStat::kServerEjects, health.local_ejects);
    snapshot.pool.add(stats::PoolStat::kFastFails, health.fast_fails);
    snapshot.pool.set(stats::PoolStat::kServersOut,
                      std::count_if(servers_.begin(), servers_.end(),
                                    [](const auto& server) { return server->is_out(); }));
    snapshot.servers.clear();
    snapshot.servers.reserve(servers_.size());
    for (const auto& server : servers_) {
        snapshot.servers.push_back(server->snapshot());
    }
}

}  // namespace ringmaster::worker
