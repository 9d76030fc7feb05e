// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/worker/allocations/data_path_run.h"

#include <cerrno>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/io/listener.h"
#include "common/io/loop.h"
#include "common/io/socket_address.h"
#include "common/io/timer.h"
#include "worker/generation.h"
#include "worker/limits.h"
#include "worker/pool.h"

namespace ringmaster::allocations {
namespace {

constexpr uint32_t kServers = 3;
constexpr uint64_t kLookMs = 2;
constexpr uint64_t kPatienceMs = 240000;
constexpr uint64_t kTurnsOfALoad = 64;
constexpr uint32_t kStock = 64;

using worker::Pool;

io::SocketAddress loopback(uint16_t port) {
    return *io::SocketAddress::from_numeric("127.0.0.1", port);
}

// `redis` comes first in the workers' order of pools, as its name is the shorter one.
struct PoolPlan {
    const char* name;
    bool redis;
    std::vector<Listening> servers;

    PoolPlan(const char* pool_name, bool is_redis) : name(pool_name), redis(is_redis) {
        for (uint32_t i = 0; i < kServers; ++i) {
            servers.push_back(listen_somewhere());
        }
    }
    [[nodiscard]] std::string text(uint16_t port) const {
        std::string yaml = base::format(
            "{}:\n  listen: 127.0.0.1:{}\n  redis: {}\n  timeout: 120000\n  servers:\n", name, port,
            redis);
        for (uint32_t i = 0; i < kServers; ++i) {
            yaml += base::format("    - 127.0.0.1:{}:1 server-{}\n", servers[i].port, i);
        }
        return yaml;
    }
    [[nodiscard]] control::RingState ring(uint32_t index) const {
        control::RingState state{.generation = 1, .pool = index, .epoch = 1, .servers = {}};
        for (const Listening& server : servers) {
            state.servers.push_back({.verdict = 0,
                                     .cause = 0,
                                     .probing_until_ms = 0,
                                     .address = std::string(loopback(server.port).bytes())});
        }
        return state;
    }
};

class DataPathRun : public io::LoopHooks {
  public:
    DataPathRun(Peers& peers, Explain explain)
        : peers_(peers),
          explain_(explain),
          path_(loop_, memory_, 1, 0),
          look_timer_(loop_, [this] { look(); }),
          deadline_timer_(loop_, [this] { deadlines_due_ = true; }) {
        memory_.budget.set_share(size_t{1} << 30);
        path_.connect_failed = [](const Pool&, uint32_t) {};
        path_.ask_for_place = [](const Pool&) {};
        path_.give_place_back = [](const Pool&) {};
        path_.suspect = [](const Pool&, const health::EjectorAction&) {};
        path_.catch_up = [] {};
        loop_.set_hooks(this);
    }
    ~DataPathRun() override {
        loop_.set_hooks(nullptr);
        listeners_.clear();
        for (const auto& pool : generation_->pools) {
            pool->fail_servers(ECANCELED);
            pool->close_clients();
        }
        free_closed_sessions();
        generation_.reset();
        memory_.parking.reset();
        path_.hot = worker::HotChunk();
    }

    void build(const std::string& config, const std::vector<PoolPlan>& plans,
               const std::vector<Listening>& listening) {
        generation_ = worker::Generation::load(1, 0, config);
        RM_ASSERT(generation_ != nullptr);
        for (uint32_t i = 0; i < plans.size(); ++i) {
            generation_->build_next(path_);
            Pool& pool = *generation_->pools[i];
            RM_ASSERT(pool.config().redis == plans[i].redis);
            RM_ASSERT(pool.set_ring(plans[i].ring(i)));
            RM_ASSERT(::fcntl(listening[i].fd, F_SETFL, O_NONBLOCK) == 0);
            listeners_.push_back(
                std::make_unique<io::Listener>(loop_, listening[i].fd, worker::kAcceptsPerTurn,
                                               [&pool](int fd) { pool.add_client(fd); }));
            listeners_.back()->start();
        }
    }

    Outcome run() {
        look_timer_.start(kLookMs, kLookMs);
        deadline_timer_.start(generation_->check_period_ms(), generation_->check_period_ms());
        give_up_at_ms_ = loop_.now_ms() + kPatienceMs;
        loop_.run();
        outcome_.parked = static_cast<bool>(memory_.parking);
        return outcome_;
    }

    // io::LoopHooks, as class Worker has them.
    void before_poll() noexcept override {
        ++path_.turn;
        // A busy worker holds requests back: both ways get their turns.
        path_.hold_back_from = path_.turn / kTurnsOfALoad % 2 == 1 ? 1 : worker::kNoHoldBack;
        free_closed_sessions();
        path_.flush.flush_all();
        free_closed_sessions();
        while (!path_.resumed.empty()) {
            worker::ClientSession* session = path_.resumed.back();
            path_.resumed.pop_back();
            session->go_on_parsing();
            path_.flush.flush_all();
        }
        free_closed_sessions();
        memory_.look();
    }
    void after_poll() noexcept override {
        path_.catch_up_before_read();
        if (deadlines_due_) {
            deadlines_due_ = false;
            worker::UpstreamConnection::check_all(path_, loop_.active_ms());
            judge_watched();
        }
    }

  private:
    void free_closed_sessions() {
        while (!path_.closed.empty()) {
            delete path_.closed.pop_front();
        }
    }

    void judge_watched() {
        worker::ClientSession* session = path_.watched.front_or_null();
        while (session != nullptr) {
            worker::ClientSession* next = path_.watched.next_or_null(*session);
            session->judge();
            session = next;
        }
    }

    void look() {
        peers_.look();
        if (peers_.any_failed() || loop_.now_ms() > give_up_at_ms_) {
            stop_counting();
            loop_.stop();
        } else if (!counting_ && peers_.all_are_warm()) {
            counting_ = true;
            outcome_.requests = sum_of(stats::ServerStat::kRequests);
            outcome_.fragments = fragments();
            outcome_.turns = path_.turn;
            stock_up();
            peers_.go();
            start_counting(explain_);
        } else if (counting_ && peers_.all_are_done()) {
            outcome_.allocations = stop_counting();
            outcome_.requests = sum_of(stats::ServerStat::kRequests) - outcome_.requests;
            outcome_.fragments = fragments() - outcome_.fragments;
            outcome_.turns = path_.turn - outcome_.turns;
            outcome_.content = path_.fragments_in_flight == 0;
            loop_.stop();
        }
    }

    // How much is in use at once at the most is a matter of timing, and may show late. So the free
    // lists get more than ever can be. A request that allocates for itself, or keeps what it took,
    // still shows: there are many times as many requests.
    void stock_up() {
        std::vector<base::ChunkRef> chunks;
        std::vector<worker::Segment*> segments;
        std::vector<worker::Request*> requests;
        for (const size_t bytes : base::ChunkPool::kClassBytes) {
            for (uint32_t i = 0; i < kStock; ++i) {
                chunks.push_back(memory_.chunks.acquire(bytes));
            }
        }
        for (uint32_t i = 0; i < kStock * 32; ++i) {
            segments.push_back(memory_.segments.make());
            requests.push_back(memory_.requests.make());
        }
        for (worker::Request* request : requests) {
            memory_.requests.destroy(request);
        }
        for (worker::Segment* segment : segments) {
            memory_.segments.destroy(segment);
        }
    }

    [[nodiscard]] uint64_t sum_of(stats::ServerStat stat) const {
        int64_t sum = 0;
        for (const auto& pool : generation_->pools) {
            for (uint32_t shard = 0; shard < kServers; ++shard) {
                sum += pool->server(shard).stats().get(stat);
            }
        }
        return static_cast<uint64_t>(sum);
    }
    [[nodiscard]] uint64_t fragments() const {
        int64_t sum = 0;
        for (const auto& pool : generation_->pools) {
            sum += pool->stats().get(stats::PoolStat::kFragments);
        }
        return static_cast<uint64_t>(sum);
    }

    Peers& peers_;
    Explain explain_;
    Outcome outcome_;
    // In class Worker's order: what the loop still refers to outlives it.
    worker::Memory memory_;
    io::Loop loop_;
    worker::DataPath path_;
    std::unique_ptr<worker::Generation> generation_;
    std::vector<std::unique_ptr<io::Listener>> listeners_;
    io::Timer look_timer_;
    io::Timer deadline_timer_;
    bool deadlines_due_ = false;
    bool counting_ = false;
    uint64_t give_up_at_ms_ = 0;
};

}  // namespace

Outcome run_data_path(const std::vector<ClientPlan>& clients, Explain explain) {
    Peers peers;
    const std::vector<PoolPlan> plans = {{"redis", true}, {"memcached", false}};
    std::vector<Listening> listening;
    std::string config;
    for (const PoolPlan& plan : plans) {
        listening.push_back(listen_somewhere());
        config += plan.text(listening.back().port);
    }
    // Before there is a loop: children must not have any of it.
    for (const ClientPlan& client : clients) {
        peers.fork_client(client, listening[is_redis(client.speech) ? 0 : 1].port);
    }
    for (const PoolPlan& plan : plans) {
        for (const Listening& server : plan.servers) {
            peers.fork_server(plan.redis, server);
        }
    }
    Outcome outcome;
    {
        DataPathRun run(peers, explain);
        run.build(config, plans, listening);
        outcome = run.run();
    }
    peers.let_go();
    if (outcome.content) {
        outcome.content = peers.join();
    }
    return outcome;
}

}  // namespace ringmaster::allocations
