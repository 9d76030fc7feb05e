// SPDX-License-Identifier: Apache-2.0
// Names of servers to addresses, for all workers: only the master looks names up, else one key
// could have two hosts. Addresses travel with the ring state; a change is a new epoch.
//
// Looked up at the start, every kRefreshMs, and when a worker could not connect (at most once a
// kRetryMs per name). The current address is kept while it is still in the answer, and when the
// look-up fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/io/loop.h"
#include "common/io/socket_address.h"
#include "common/io/timer.h"
#include "config/model.h"

namespace ringmaster::master {

// Which address of `answer` a name stands for now. Pure.
// The current one while it is there. With `current_never_worked` (a connection to it failed and it
// has answered nothing yet) the one behind it in the answer, round and round: "localhost" may be
// ::1 and 127.0.0.1 with a server on one of them. An empty answer changes nothing.
io::SocketAddress choose_address(const io::SocketAddress& current,
                                 const std::vector<io::SocketAddress>& answer,
                                 bool current_never_worked);

class ServerResolver {
  public:
    static constexpr uint64_t kFirstAnswersMs = 2000;
    static constexpr uint64_t kRefreshMs = 30000;
    static constexpr uint64_t kRetryMs = 1000;

    struct Callbacks {
        std::function<void(size_t pool, size_t shard)> on_change;  // it is elsewhere now
        std::function<bool(size_t pool, size_t shard)> ever_answered;
    };

    // After a reload: what `former_or_null` knows is known here from the start.
    ServerResolver(io::Loop& loop, const config::Config& config, Callbacks callbacks,
                   const ServerResolver* former_or_null = nullptr);

    // `on_first_answers` comes once, possibly from inside this call: when every name that is not
    // known yet has an answer, or after kFirstAnswersMs (what is not known then is empty).
    void start(std::function<void()> on_first_answers);
    // False: there is no such server.
    [[nodiscard]] bool on_connect_failed(size_t pool, size_t shard);
    // Empty while it is not known.
    [[nodiscard]] const io::SocketAddress& address(size_t pool, size_t shard) const {
        return names_[name_of_[pool][shard]].current;
    }
    [[nodiscard]] bool lookups_pending() const noexcept;

  private:
    struct Name {
        std::string host;
        uint16_t port = 0;
        bool fixed = false;  // numeric or a Unix path: never looked up
        bool in_flight = false;
        bool failing = false;
        bool current_failed = false;
        bool asked = false;
        uint64_t asked_at_ms = 0;
        io::SocketAddress current;
    };

    size_t find_or_add(const config::Address& address);
    void look_up(size_t name);
    void look_up_all();
    [[nodiscard]] bool first_answers_pending() const noexcept;
    void on_answer(size_t name, base::Result<std::vector<io::SocketAddress>> answer);
    [[nodiscard]] bool never_worked(size_t name) const;
    void announce(size_t name);
    void finish_first_answers();

    io::Loop& loop_;
    Callbacks callbacks_;
    // A look-up cannot be called off: its answer finds out by this that nobody waits any more.
    std::shared_ptr<ServerResolver*> self_;
    std::vector<Name> names_;
    std::vector<std::vector<size_t>> name_of_;  // [pool][shard]
    bool first_answers_done_ = false;
    std::function<void()> on_first_answers_;
    io::Timer first_answers_timer_;
    io::Timer refresh_timer_;
};

}  // namespace ringmaster::master
