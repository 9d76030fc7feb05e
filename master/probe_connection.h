// SPDX-License-Identifier: Apache-2.0
// One probe of one server: connect, speak as health::Probe says, keep the outcome.
//
// The outcome is asked for, never called back: once per turn, after what has arrived was read. So
// nobody destroys a probe inside its own callback, and an answer that came in time is never late.
// A memcached server that closes without a word when it is asked in text is asked in binary, too,
// within the same deadline.
//
// The deadline is active time: a stopped master fails no probe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "common/health/probe.h"
#include "common/health/reconciler.h"
#include "common/io/loop.h"
#include "common/io/socket_address.h"
#include "common/io/stream.h"

namespace ringmaster::master {

class ProbeConnection : private io::StreamHandler {
  public:
    struct Outcome {
        health::ProbeResult result = health::ProbeResult::kUnknown;
        std::string reason;  // for the log
    };

    // Begins at once. An empty address is an unknown outcome.
    ProbeConnection(io::Loop& loop, const io::SocketAddress& address,
                    health::ProbeSettings settings, uint32_t timeout_ms);
    ~ProbeConnection() override = default;
    ProbeConnection(const ProbeConnection&) = delete;
    ProbeConnection& operator=(const ProbeConnection&) = delete;

    // Nothing while it is under way. To be called in LoopHooks::after_poll().
    const std::optional<Outcome>& judge(uint64_t active_ms);
    [[nodiscard]] uint64_t deadline_ms() const noexcept { return deadline_ms_; }

  private:
    void connect();
    void send();
    void finish(health::ProbeResult result, std::string reason);
    void fail(int error);
    // The connection ended before there was an outcome.
    void on_end(int error);

    std::span<char> on_alloc() noexcept override;
    void on_read(size_t size_bytes) noexcept override;
    void on_eof() noexcept override;
    void on_error(int error) noexcept override;
    void on_connected(int error) noexcept override;
    void on_drained() noexcept override {}

    io::Loop& loop_;
    const io::SocketAddress address_;
    health::ProbeSettings settings_;
    health::Probe probe_;
    bool ask_in_binary_ = false;  // on a new connection, at the next judge()
    const uint64_t deadline_ms_;  // active time
    std::array<char, 1024> buffer_{};
    std::optional<Outcome> outcome_;
    io::Stream stream_;
};

}  // namespace ringmaster::master
