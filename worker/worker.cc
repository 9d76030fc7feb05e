// SPDX-License-Identifier: Apache-2.0
#include "worker/worker.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <signal.h>
#include <unistd.h>

#include "common/base/log.h"
#include "config/load.h"
#include "worker/limits.h"

namespace ringmaster::worker {

namespace {

uint64_t seed() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_nsec) ^ (static_cast<uint64_t>(now.tv_sec) << 20) ^
           (static_cast<uint64_t>(::getpid()) << 40);
}

uint64_t clock_us(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

// Where the master did not say: a quarter of the machine.
size_t default_budget_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0) {
        return size_t{1} << 30;
    }
    return static_cast<size_t>(pages) * static_cast<size_t>(page_bytes) / 4;
}

}  // namespace

Worker::Worker(const WorkerOptions& options)
    : options_(options),
      path_(loop_, memory_, seed()),
      listeners_(loop_, [this](uint32_t pool, int fd) { pools_[pool]->add_client(fd); }),
      deadline_timer_(loop_, [this] { deadlines_due_ = true; }),
      health_timer_(loop_, [this] { health_due_ = true; }),
      beat_timer_(loop_, [this] { beat(); }),
      housekeeping_timer_(loop_, [this] { housekeep(); }),
      stop_timer_(loop_, [this] { end(0); }),
      term_(loop_, SIGTERM, [this] { begin_stop(); }),
      quit_(loop_, SIGQUIT, [this] { begin_stop(); }),
      test_faults_(options.slot) {
    memory_.budget_bytes = default_budget_bytes();
    path_.connect_failed = [this](uint32_t pool, uint32_t shard) {
        if (control_ != nullptr) {
            control_->send(control::ConnectFailed{pool, shard});
        }
    };
    path_.ask_for_place = [this](uint32_t pool) {
        if (control_ != nullptr) {
            control_->send(control::ClientAsk{pool});
        }
    };
    path_.give_place_back = [this](uint32_t pool) {
        if (control_ != nullptr) {
            control_->send(control::ClientGone{pool, 1});
        }
    };
    path_.suspect = [this](uint32_t pool, const health::EjectorAction& suspect) {
        accuse(pool, suspect);
    };
    path_.catch_up = [this] {
        if (control_ != nullptr) {
            control_->read_now();
        }
    };
    loop_.set_hooks(this);
    control_ = std::make_unique<ControlLink>(loop_, options.control_fd, *this);
}

Worker::~Worker() {
    loop_.set_hooks(nullptr);
    control_.reset();
    listeners_.close_all();
    for (const auto& pool : pools_) {
        pool->fail_servers(ECANCELED);
        while (!pool->clients().empty()) {
            pool->clients().front()->close(false);
        }
    }
    free_closed_sessions();
    pools_.clear();
    memory_.parking.reset();
    path_.hot = HotChunk();
}

int Worker::run() {
    control_->send(
        control::Hello{control::kSchema, options_.slot, static_cast<uint32_t>(::getpid())});
    loop_.run();
    return exit_status_;
}

void Worker::end(int status) {
    exit_status_ = status;
    loop_.stop();
}

// ---- once per turn ----

void Worker::before_poll() noexcept {
    test_faults_.check();
    ++path_.turn;
    free_closed_sessions();
    path_.flush.flush_all();
    free_closed_sessions();
    if (path_.fragments_in_flight > 0 && check_period_ms_ > 0 && !deadline_timer_.running()) {
        deadline_timer_.start(check_period_ms_, check_period_ms_);
    }
    if (path_.health_has_deadline && !health_timer_.running()) {
        health_timer_.start(kHealthCheckMs, kHealthCheckMs);
    }
    if (path_.stopping && turns_to_finish_ == 0 && client_count() == 0) {
        end(0);
    }
}

void Worker::after_poll() noexcept {
    path_.last_turn_ms = DataPath::coarse_now_ms();
    if (deadlines_due_) {
        deadlines_due_ = false;
        const uint64_t now_ms = loop_.active_ms();
        for (const auto& pool : pools_) {
            pool->check_deadlines(now_ms);
        }
        if (path_.fragments_in_flight == 0) {
            deadline_timer_.stop();
        }
    }
    if (health_due_) {
        health_due_ = false;
        judge_health();
    }
    if (turns_to_finish_ > 0 && --turns_to_finish_ == 0) {
        for (const auto& pool : pools_) {
            pool->finish_clients();
        }
    }
}

// Behind the deadlines of requests: a timeout of this turn is heard before a wait ends.
void Worker::judge_health() {
    bool any = false;
    for (const auto& pool : pools_) {
        any = pool->judge_health() || any;
    }
    path_.health_has_deadline = any;
    if (!any) {
        health_timer_.stop();
    }
}

void Worker::accuse(uint32_t pool, const health::EjectorAction& suspect) {
    if (control_ == nullptr) {
        return;
    }
    control_->send(control::Suspect{
        .generation = generation_,
        .pool = pool,
        .server = config_.pools[pool].servers[suspect.shard].name,
        .epoch = suspect.epoch,
        .cause = static_cast<uint32_t>(suspect.cause),
        .first_failure_ms = suspect.first_failure_ms,
        .sent_ms = loop_.now_ms(),
    });
}

void Worker::free_closed_sessions() {
    while (!path_.closed.empty()) {
        delete path_.closed.pop_front();
    }
}

void Worker::sweep_paused() {
    ClientSession* session = path_.paused.front_or_null();
    while (session != nullptr) {
        ClientSession* next = path_.paused.next_or_null(*session);
        session->resume_if_possible(loop_.now_ms());
        session = next;
    }
}

size_t Worker::client_count() const {
    int64_t count = 0;
    for (const auto& pool : pools_) {
        count += pool->stats().get(stats::PoolStat::kClientConnections);
    }
    return static_cast<size_t>(count);
}

// ---- timers ----

void Worker::judge_load() {
    const uint64_t cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t wall_us = clock_us(CLOCK_MONOTONIC);
    const uint64_t elapsed_us = wall_us - load_wall_us_;
    if (elapsed_us < kBeatMs * 1000 / 2) {
        return;  // too short to say anything
    }
    const uint64_t percent = (cpu_us - load_cpu_us_) * 100 / elapsed_us;
    path_.coalesce = percent >= (path_.coalesce ? kIdlePercent : kBusyPercent);
    load_cpu_us_ = cpu_us;
    load_wall_us_ = wall_us;
}

void Worker::beat() {
    sweep_paused();
    judge_load();
    if (control_ == nullptr) {
        return;
    }
    control::Beat message;
    message.lag_ms = static_cast<uint32_t>(std::min<uint64_t>(loop_.take_lag_ms(), UINT32_MAX));
    message.client_connections = static_cast<uint32_t>(client_count());
    message.generation = generation_;
    for (const auto& pool : pools_) {
        message.pools.push_back(pool->health());
    }
    control_->send(message);
}

void Worker::housekeep() {
    memory_.decay();
    for (const auto& pool : pools_) {
        pool->housekeep();
    }
    report_stats(0);
}

void Worker::report_stats(uint64_t request_id) {
    if (control_ == nullptr) {
        return;
    }
    stats::Snapshot snapshot;
    for (const auto& pool : pools_) {
        stats::PoolSnapshot& of_pool = snapshot.pools.emplace_back();
        of_pool.servers.resize(pool->server_count());
        pool->fill(of_pool);
    }
    control::StatsReport report;
    report.request_id = request_id;
    report.generation = generation_;
    report.total_connections = path_.total_connections;
    report.curr_connections = path_.curr_connections;
    report.values = stats::flatten(snapshot);
    control_->send(report);
}

// ---- orders ----

void Worker::on_message(control::Message& message) {
    std::visit([this](auto& body) { handle(body); }, message);
}

void Worker::handle(control::ConfigBytes& message) {
    if (!pools_.empty()) {
        RM_LOG(kErr, "a second config came without a reload, ignored");
        return;
    }
    config::LoadResult loaded = config::load(message.bytes, config::LoadOptions{});
    if (!loaded.config.has_value()) {
        // The master has accepted these bytes by the same code.
        give_up("the worker cannot read the config the master sent");
        return;
    }
    config_ = std::move(*loaded.config);
    generation_ = message.generation;
    if (message.memory_bytes > 0) {
        memory_.budget_bytes = static_cast<size_t>(message.memory_bytes);
    }
    for (uint32_t i = 0; i < config_.pools.size(); ++i) {
        const config::PoolConfig& pool = config_.pools[i];
        pools_.push_back(std::make_unique<Pool>(path_, pool, i));
        if (pool.timeout_ms > 0) {
            const uint64_t period =
                std::clamp<uint64_t>(pool.timeout_ms / 8, kMinCheckMs, kMaxCheckMs);
            check_period_ms_ = check_period_ms_ == 0 ? period : std::min(check_period_ms_, period);
        }
    }
}

void Worker::handle(control::RingState& message) {
    if (message.generation != generation_ || message.pool >= pools_.size() ||
        !pools_[message.pool]->set_ring(message)) {
        RM_LOG(kErr, "a placement for pool {} does not fit this config, ignored", message.pool);
    }
}

void Worker::handle(control::Reconnect& message) {
    if (message.generation != generation_ || message.pool >= pools_.size() ||
        !pools_[message.pool]->renew_connections(message.server)) {
        RM_LOG(kErr, "told to renew the connections to a server of pool {} that is not there",
               message.pool);
    }
}

void Worker::handle(control::Listeners& message) {
    for (const control::ListenerUse& use : message.uses) {
        const int fd = control_->take_descriptor();
        if (fd < 0 || use.pool >= pools_.size()) {
            give_up("a listener is missing from the master's message");
            if (fd >= 0) {
                ::close(fd);
            }
            return;
        }
        if (path_.stopping) {
            ::close(fd);  // the master hears, or has heard, that this worker accepts no more
            continue;
        }
        listeners_.hold(use, fd);
        if (ready_) {
            listeners_.start(use.listener);
        }
    }
}

void Worker::handle(control::ReleaseListeners& message) {
    listeners_.release(message.listeners);
}

void Worker::handle(control::Start&) {
    const bool placed = std::all_of(pools_.begin(), pools_.end(),
                                    [](const auto& pool) { return pool->epoch() > 0; });
    if (!placed || pools_.empty() || ready_) {
        give_up("told to start without a placement of every pool");
        return;
    }
    listeners_.start_all();
    for (const auto& pool : pools_) {
        pool->preconnect();
    }
    ready_ = true;
    beat_timer_.start(kBeatMs, kBeatMs);
    housekeeping_timer_.start(kHousekeepingMs, kHousekeepingMs);
    control_->send(control::Ready{generation_});
}

void Worker::handle(control::StatsRequest& message) {
    report_stats(message.request_id);
}

void Worker::handle(control::ClientAnswer& message) {
    if (message.pool < pools_.size()) {
        pools_[message.pool]->on_place(message.granted);
    }
}

void Worker::handle(control::LogLevel& message) {
    base::log_set_level(static_cast<int>(std::min<uint32_t>(message.level, base::kLogLevelMax)));
}

void Worker::handle(control::LogReopen&) {
    const base::Status status = base::log_reopen();
    if (!status) {
        RM_LOG(kErr, "{}", status.error().message);
    }
}

void Worker::handle(control::Stop& message) {
    if (!message.graceful) {
        end(0);
        return;
    }
    begin_stop();
    if (message.timeout_ms > 0) {
        // A little before the master's patience ends: what is counted is still reported.
        stop_timer_.start(message.timeout_ms - message.timeout_ms / 10);
    }
}

// ---- ending ----

void Worker::give_up(const std::string& reason) {
    RM_LOG(kCrit, "{}", reason);
    control_->send(control::Failed{reason});
    end(1);
}

void Worker::begin_stop() {
    if (path_.stopping) {
        return;
    }
    stop_accepting();
    report_stats(0);  // what has been counted so far is not lost with this process
    path_.stopping = true;
    turns_to_finish_ = 2;
    // The loop must turn to get there, also when nothing happens any more.
    beat_timer_.start(1, kBeatMs);
}

void Worker::stop_accepting() {
    listeners_.empty_all();
    if (control_ != nullptr) {
        control_->send(control::AcceptStopped{});
    }
}

void Worker::on_master_gone() {
    if (master_gone_) {
        return;
    }
    master_gone_ = true;
    RM_LOG(kWarn, "the master is gone, ending");
    listeners_.close_all();
    path_.stopping = true;
    turns_to_finish_ = 2;
    beat_timer_.start(1, kBeatMs);
    stop_timer_.start(kOrphanMs);
}

}  // namespace ringmaster::worker
