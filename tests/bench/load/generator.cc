// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load/generator.h"

#include <algorithm>
#include <utility>

namespace bench {
namespace {

// Connects under way at a time: more would overflow a listener's backlog and wait for retries.
constexpr std::size_t kConnecting = 100;

}  // namespace

Generator::Generator(uv_loop_t* loop, const Options& options, Fail fail)
    : options_(options),
      space_(options.keys, options.sizes),
      picker_(options.keys, options.zipf),
      random_(options.seed),
      protocol_(make_protocol(options.protocol, space_, picker_)),
      fail_(std::move(fail)),
      schedule_(
          loop, options.seed + 1, [this](std::uint64_t due_ns) { send_due(due_ns); },
          [this] {
              for (std::uint32_t index = 0; index < options_.connections; ++index) {
                  connections_[index]->flush();
              }
          }) {
    const std::size_t all = std::size_t{options_.connections} + options_.idle;
    connections_.reserve(all);
    ConnectionEvents& events = *this;
    for (std::size_t index = 0; index < all; ++index) {
        connections_.push_back(std::make_unique<Connection>(loop, *protocol_, events));
    }
}

void Generator::connect(Ready ready) {
    ready_ = std::move(ready);
    for (std::size_t index = 0; index < std::min(kConnecting, connections_.size()); ++index) {
        connections_[index]->connect(options_.ports[index % options_.ports.size()]);
    }
}

void Generator::on_connected(Connection& /*connection*/) {
    const std::size_t next = connected_++ + kConnecting;
    if (next < connections_.size()) {
        connections_[next]->connect(options_.ports[next % options_.ports.size()]);
    }
    if (connected_ == connections_.size()) {
        ready_();
    }
}

void Generator::run(std::uint64_t requests, Done done) {
    done_ = std::move(done);
    result_ = {};
    result_.requests = requests;
    left_ = unanswered_ = requests;
    started_ns_ = uv_hrtime();
    if (requests == 0) {
        done_(result_);
    } else if (options_.rate > 0) {
        schedule_.start(options_.rate, requests);
    } else {
        for (std::uint32_t index = 0; index < options_.connections && left_ > 0; ++index) {
            send_batch(*connections_[index]);
        }
    }
}

Request Generator::next_request(std::uint64_t due_ns) {
    const std::uint32_t round = options_.gets + options_.sets;
    Request request;
    request.due_ns = due_ns;
    request.is_set = made_ % round >= options_.gets;
    request.width = request.is_set ? 1 : options_.width;
    if (options_.preload) {
        request.key = static_cast<Key>(made_ % options_.keys);
    } else if (request.width > 1) {
        request.keys = Random(random_.next());
    } else {
        request.key = picker_.pick(random_);
    }
    ++made_;
    --left_;
    return request;
}

void Generator::send_batch(Connection& connection) {
    const std::uint64_t now = uv_hrtime();
    const std::uint64_t count = std::min<std::uint64_t>(options_.pipeline, left_);
    for (std::uint64_t sent = 0; sent < count; ++sent) {
        connection.queue(next_request(now));
    }
    connection.flush();
}

void Generator::send_due(std::uint64_t due_ns) {
    connections_[turn_]->queue(next_request(due_ns));
    turn_ = (turn_ + 1) % options_.connections;
}

void Generator::on_reply(const Request& request, std::uint64_t now_ns) {
    result_.latency.add(now_ns - request.due_ns);
    --unanswered_;
}

void Generator::on_drained(Connection& connection) {
    if (unanswered_ == 0) {
        result_.seconds = static_cast<double>(uv_hrtime() - started_ns_) / 1e9;
        done_(result_);
    } else if (options_.rate <= 0 && left_ > 0) {
        send_batch(connection);
    }
}

void Generator::on_failure(const std::string& what) {
    fail_(what);
}

}  // namespace bench
