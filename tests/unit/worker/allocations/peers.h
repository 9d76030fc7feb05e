// SPDX-License-Identifier: Apache-2.0
// Clients and servers of the data path under test, each a forked process with blocking sockets:
// what they allocate is not this process's.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "tests/unit/worker/allocations/words.h"

namespace ringmaster::allocations {

struct ClientPlan {
    Speech speech = Speech::kRedisSingle;
    uint32_t pipeline = 1;
    uint32_t requests = 0;  // after warm-up
    bool large = false;     // says say_large_set() only
};

// A listening socket on the loopback, at a port of the kernel's choice.
struct Listening {
    int fd = -1;
    uint16_t port = 0;
};
Listening listen_somewhere();

class Peers {
  public:
    Peers();
    ~Peers();  // ends what still runs
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;

    // Serves one connection of each dialect, if they come, until their end. Takes the descriptor.
    void fork_server(bool redis, Listening listening);
    // Makes its requests: a warm-up, then, once go() was called, the plan's. Every reply is
    // compared.
    void fork_client(const ClientPlan& plan, uint16_t port);

    // Looks, without waiting, at what the clients have said.
    void look();
    [[nodiscard]] bool all_are_warm() const { return warm_ == clients_; }
    [[nodiscard]] bool all_are_done() const { return done_ == clients_; }
    [[nodiscard]] bool any_failed() const { return failed_; }
    void go();
    // The clients leave, and servers that nobody has connected to.
    void let_go();
    // Waits for all; true when all were content. Servers end with their connections.
    bool join();

  private:
    template <class Life>
    void fork_child(Life life);

    std::vector<pid_t> children_;
    int report_[2] = {-1, -1};  // from the clients: a letter for each that is warm, done, failed
    int go_[2] = {-1, -1};      // to the clients: a byte each; its end ends them
    size_t clients_ = 0;
    size_t warm_ = 0;
    size_t done_ = 0;
    bool failed_ = false;
};

}  // namespace ringmaster::allocations
