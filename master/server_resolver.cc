// SPDX-License-Identifier: Apache-2.0
#include "master/server_resolver.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/assert.h"
#include "common/base/log.h"
#include "common/io/resolver.h"

namespace ringmaster::master {

io::SocketAddress choose_address(const io::SocketAddress& current,
                                 const std::vector<io::SocketAddress>& answer,
                                 bool current_never_worked) {
    if (answer.empty()) {
        return current;
    }
    const auto found = std::find(answer.begin(), answer.end(), current);
    if (found == answer.end()) {
        return answer.front();
    }
    if (!current_never_worked) {
        return current;
    }
    return std::next(found) == answer.end() ? answer.front() : *std::next(found);
}

ServerResolver::ServerResolver(io::Loop& loop, const config::Config& config, Callbacks callbacks,
                               const ServerResolver* former_or_null)
    : loop_(loop),
      callbacks_(std::move(callbacks)),
      self_(std::make_shared<ServerResolver*>(this)),
      first_answers_timer_(loop, [this] { finish_first_answers(); }),
      refresh_timer_(loop, [this] { look_up_all(); }) {
    for (const config::PoolConfig& pool : config.pools) {
        std::vector<size_t>& names = name_of_.emplace_back();
        for (const config::ServerConfig& server : pool.servers) {
            names.push_back(find_or_add(server.address));
        }
    }
    for (Name& name : names_) {
        if (former_or_null == nullptr || name.fixed) {
            continue;
        }
        const auto& known = former_or_null->names_;
        const auto found = std::find_if(known.begin(), known.end(), [&](const Name& other) {
            return !other.fixed && other.host == name.host && other.port == name.port;
        });
        if (found != known.end()) {
            name = *found;
            name.in_flight = false;
        }
    }
}

// One entry per host and port, however many pools use it: they must not differ.
size_t ServerResolver::find_or_add(const config::Address& address) {
    Name name;
    if (address.is_unix) {
        name.fixed = true;
        name.host = address.path;
        if (const auto path = io::SocketAddress::from_unix_path(address.path)) {
            name.current = *path;
        }
    } else {
        name.host = address.host;
        name.port = address.port;
        if (const auto numeric = io::SocketAddress::from_numeric(address.host, address.port)) {
            name.fixed = true;
            name.current = *numeric;
        }
    }
    if (!name.fixed) {
        for (size_t i = 0; i < names_.size(); ++i) {
            if (!names_[i].fixed && names_[i].host == name.host && names_[i].port == name.port) {
                return i;
            }
        }
    }
    names_.push_back(std::move(name));
    return names_.size() - 1;
}

void ServerResolver::start(std::function<void()> on_first_answers) {
    on_first_answers_ = std::move(on_first_answers);
    look_up_all();
    if (lookups_pending()) {
        refresh_timer_.start(kRefreshMs, kRefreshMs);
    }
    if (first_answers_pending()) {
        first_answers_timer_.start(kFirstAnswersMs);
    } else {
        finish_first_answers();
    }
}

void ServerResolver::look_up_all() {
    for (size_t i = 0; i < names_.size(); ++i) {
        look_up(i);
    }
}

void ServerResolver::look_up(size_t index) {
    Name& name = names_[index];
    if (name.fixed || name.in_flight) {
        return;
    }
    name.in_flight = true;
    name.asked = true;
    name.asked_at_ms = loop_.now_ms();
    io::resolve(loop_, name.host, name.port,
                [self = std::weak_ptr<ServerResolver*>(self_),
                 index](base::Result<std::vector<io::SocketAddress>> answer) {
                    if (const auto living = self.lock()) {
                        (*living)->on_answer(index, std::move(answer));
                    }
                });
}

bool ServerResolver::on_connect_failed(size_t pool, size_t shard) {
    if (pool >= name_of_.size() || shard >= name_of_[pool].size()) {
        return false;
    }
    const size_t index = name_of_[pool][shard];
    Name& name = names_[index];
    name.current_failed = true;
    if (!name.asked || loop_.now_ms() - name.asked_at_ms >= kRetryMs) {
        look_up(index);
    }
    return true;
}

void ServerResolver::on_answer(size_t index, base::Result<std::vector<io::SocketAddress>> answer) {
    Name& name = names_[index];
    name.in_flight = false;
    if (!answer) {
        if (!name.failing) {
            RM_LOG(kWarn, "server '{}': {}", name.host, answer.error().message);
        }
        name.failing = true;
    } else {
        name.failing = false;
        const bool give_up = std::exchange(name.current_failed, false) && never_worked(index);
        const io::SocketAddress chosen = choose_address(name.current, *answer, give_up);
        if (!(chosen == name.current)) {
            name.current = chosen;
            announce(index);
        }
    }
    if (!first_answers_done_ && !first_answers_pending()) {
        finish_first_answers();
    }
}

bool ServerResolver::never_worked(size_t index) const {
    for (size_t pool = 0; pool < name_of_.size(); ++pool) {
        for (size_t shard = 0; shard < name_of_[pool].size(); ++shard) {
            if (name_of_[pool][shard] == index && callbacks_.ever_answered(pool, shard)) {
                return false;
            }
        }
    }
    return true;
}

void ServerResolver::announce(size_t index) {
    if (!first_answers_done_) {
        return;  // nobody knows of an older state
    }
    RM_LOG(kNotice, "server '{}' is now {}", names_[index].host, names_[index].current.text());
    for (size_t pool = 0; pool < name_of_.size(); ++pool) {
        for (size_t shard = 0; shard < name_of_[pool].size(); ++shard) {
            if (name_of_[pool][shard] == index) {
                callbacks_.on_change(pool, shard);
            }
        }
    }
}

void ServerResolver::finish_first_answers() {
    RM_ASSERT(!first_answers_done_);
    first_answers_done_ = true;
    first_answers_timer_.stop();
    on_first_answers_();
}

bool ServerResolver::first_answers_pending() const noexcept {
    return std::any_of(names_.begin(), names_.end(),
                       [](const Name& name) { return name.in_flight && name.current.empty(); });
}

bool ServerResolver::lookups_pending() const noexcept {
    return std::any_of(names_.begin(), names_.end(),
                       [](const Name& name) { return name.in_flight; });
}

}  // namespace ringmaster::master
