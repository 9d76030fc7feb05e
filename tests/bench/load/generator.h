// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <uv.h>

#include "tests/bench/load/connection.h"
#include "tests/bench/load/histogram.h"
#include "tests/bench/load/key_picker.h"
#include "tests/bench/load/key_space.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/protocol.h"
#include "tests/bench/load/schedule.h"

namespace bench {

// What one run of requests came to.
struct RunResult {
    std::uint64_t requests = 0;
    double seconds = 0;
    Histogram latency = {};
};

// All connections and the requests over them. Any wrong reply ends it through `fail`.
class Generator final : private ConnectionEvents {
  public:
    using Ready = std::function<void()>;
    using Done = std::function<void(const RunResult&)>;
    using Fail = std::function<void(const std::string& what)>;

    Generator(uv_loop_t* loop, const Options& options, Fail fail);

    // Opens every connection, then calls `ready`.
    void connect(Ready ready);
    // Sends exactly so many requests and calls `done` when all are answered. One run at a time.
    void run(std::uint64_t requests, Done done);

  private:
    void on_connected(Connection& connection) override;
    void on_reply(const Request& request, std::uint64_t now_ns) override;
    void on_drained(Connection& connection) override;
    void on_failure(const std::string& what) override;

    void connect_next();
    Request next_request(std::uint64_t due_ns);
    void send_batch(Connection& connection);
    void send_due(std::uint64_t due_ns);

    Options options_;
    KeySpace space_;
    KeyPicker picker_;
    Random random_;
    std::unique_ptr<Protocol> protocol_;
    std::vector<std::unique_ptr<Connection>> connections_;  // those that send come first
    std::size_t connected_ = 0;
    Ready ready_;
    Done done_;
    Fail fail_;

    Schedule schedule_;
    std::size_t turn_ = 0;    // whose the next arrival is
    std::uint64_t made_ = 0;  // requests, ever
    std::uint64_t left_ = 0;  // to be sent
    std::uint64_t unanswered_ = 0;
    std::uint64_t started_ns_ = 0;
    RunResult result_;
};

}  // namespace bench
