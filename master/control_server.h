// SPDX-License-Identifier: Apache-2.0
// The control socket: a Unix socket of mode 0600 that takes one command per connection
// (control_protocol.h) and gives its answer, at once or much later.
//
// Who:     root and the user this process runs as, by the credentials the kernel vouches for;
//          everybody else is told so and closed.
// Limits:  kMaxConnections at a time. One more takes the place of the oldest that has its answer
//          and stays, else of the oldest that has not said its request yet; while all wait for
//          answers it is told so and closed. kRequestMs for the request, kStepMs to take the
//          answer; the time until the answer has no limit.
// Errors:  a bad request is answered with what is wrong with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/io/listener.h"
#include "common/io/loop.h"
#include "master/bind_addresses.h"
#include "master/control_protocol.h"

namespace ringmaster::master {

class ControlServer {
  public:
    static constexpr size_t kMaxConnections = 32;
    static constexpr uint64_t kRequestMs = 5000;
    static constexpr uint64_t kStepMs = 5000;

    using OnAnswer = std::function<void(ControlAnswer)>;
    // Calls back exactly once, possibly from inside.
    using Handle = std::function<void(const std::vector<std::string>& words, OnAnswer on_answer)>;

    ControlServer(io::Loop& loop, Handle handle, uint64_t request_ms = kRequestMs);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    // Listens at `path`. A socket that a living process serves is left to it ("Address already in
    // use"), that of a dead one is replaced. The folder is made when only it is missing.
    base::Status open(const std::string& path);
    // Takes the path away; commands under way still get their answers.
    void close() noexcept;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }  // empty = not open

  private:
    class Connection;

    void on_accept(int fd);
    [[nodiscard]] bool make_room();
    void on_request(Connection& connection, const std::vector<std::string>& words);
    void on_answer(uint64_t connection_id, const ControlAnswer& answer);
    void remove(uint64_t connection_id);

    io::Loop& loop_;
    Handle handle_;
    const uint64_t request_ms_;
    std::string path_;
    int lock_fd_ = -1;
    std::unique_ptr<io::Listener> listener_;
    std::optional<SocketPath> socket_path_;
    uint64_t last_id_ = 0;
    std::list<std::unique_ptr<Connection>> connections_;  // oldest first
};

}  // namespace ringmaster::master
