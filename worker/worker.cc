// SPDX-License-Identifier: Apache-2.0
#include "worker/worker.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include <signal.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/io/descriptors.h"
#include "config/client_room.h"
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
      path_(loop_, memory_, seed(), options.slot),
      listeners_(loop_, [this](uint32_t pool, int fd) { on_accepted(*current_->pools[pool], fd); }),
      deadline_timer_(loop_, [this] { deadlines_due_ = true; }),
      health_timer_(loop_, [this] { health_due_ = true; }),
      beat_timer_(loop_, [this] { beat(); }),
      housekeeping_timer_(loop_, [this] { housekeep(); }),
      build_timer_(loop_, [this] { build_due_ = true; }),
      stop_timer_(loop_, [this] { stop_due_ = true; }),
      term_(loop_, SIGTERM, [this] { begin_stop(); }),
      quit_(loop_, SIGQUIT, [this] { begin_drain(current_->config.process.drain_timeout_ms); }),
      test_faults_(options.slot) {
    set_memory_share(default_budget_bytes());
    connect_callbacks();
    loop_.set_hooks(this);
    control_ = std::make_unique<ControlLink>(loop_, options.control_fd, *this);
}

// What the data path tells and asks the master. Pools of former generations are not the master's
// business any more: their numbers mean others now. Their suspects name their generation.
void Worker::connect_callbacks() {
    path_.connect_failed = [this](const Pool& pool, uint32_t shard) {
        if (control_ != nullptr && is_current(pool)) {
            control_->send(control::ConnectFailed{pool.index(), shard});
        }
    };
    path_.ask_for_place = [this](const Pool& pool) {
        if (control_ != nullptr && is_current(pool)) {
            ++asks_open_;
            control_->send(control::ClientAsk{pool.index()});
        }
    };
    path_.give_place_back = [this](const Pool& pool) {
        if (control_ != nullptr && is_current(pool)) {
            control_->send(control::ClientGone{pool.index(), 1});
        }
    };
    path_.suspect = [this](const Pool& pool, const health::EjectorAction& suspect) {
        accuse(pool, suspect);
    };
    path_.catch_up = [this] {
        if (control_ != nullptr) {
            control_->read_now();
        }
    };
}

Worker::~Worker() {
    loop_.set_hooks(nullptr);
    control_.reset();
    listeners_.close_all();
    for_each_pool([](Pool& pool) { pool.fail_servers(ECANCELED); });
    for_each_pool([](Pool& pool) { pool.close_clients(); });
    free_closed_sessions();
    formers_.clear();
    prepared_.reset();
    current_.reset();
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
    path_.begin_turn();
    free_closed_sessions();
    path_.flush.flush_all();
    free_closed_sessions();
    while (!path_.resumed.empty()) {
        ClientSession* session = path_.resumed.back();
        path_.resumed.pop_back();
        session->go_on_parsing();
        if (path_.resumed.empty()) {
            path_.flush.flush_all();
            free_closed_sessions();
        }
    }
    memory_.look();
    if (!gate_.open()) {
        gate_.update(client_descriptors(), loop_.now_ms());
    }
    if (path_.fragments_in_flight > 0 && check_period_ms_ > 0 && !deadline_timer_.running()) {
        deadline_timer_.start(check_period_ms_, check_period_ms_);
    }
    if (path_.health_has_deadline && !health_timer_.running()) {
        health_timer_.start(kHealthCheckMs, kHealthCheckMs);
    }
    end_when_empty();
}

void Worker::after_poll() noexcept {
    // Not just the time: a turn that ends without reading anything is no reason to go on as before.
    path_.catch_up_before_read();
    if (deadlines_due_) {
        deadlines_due_ = false;
        const uint64_t now_ms = loop_.active_ms();
        UpstreamConnection::check_all(path_, now_ms);
        if (path_.fragments_in_flight == 0) {
            deadline_timer_.stop();
        }
    }
    if (health_due_) {
        health_due_ = false;
        judge_health();
    }
    if (turns_to_finish_ > 0 && --turns_to_finish_ == 0) {
        for_each_pool([](Pool& pool) { pool.finish_clients(); });
    }
    if (std::exchange(stop_due_, false)) {
        on_stop_timer();
    }
    if (std::exchange(build_due_, false)) {
        build_one_pool();
    }
    if (std::exchange(sweep_due_, false)) {
        sweep_formers();
    }
}

// Behind the deadlines of requests: a timeout of this turn is heard before a wait ends.
void Worker::judge_health() {
    bool any = false;
    for_each_pool([this, &any](Pool& pool) {
        if (is_current(pool) || !pool.clients().empty()) {
            any = pool.judge_health() || any;
        }
    });
    path_.health_has_deadline = any;
    if (!any) {
        health_timer_.stop();
    }
}

void Worker::accuse(const Pool& pool, const health::EjectorAction& suspect) {
    if (control_ == nullptr) {
        return;
    }
    control_->send(control::Suspect{
        .generation = pool.generation(),
        .pool = pool.index(),
        .server = pool.config().servers[suspect.shard].name,
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

void Worker::sweep_watched() {
    ClientSession* session = path_.watched.front_or_null();
    while (session != nullptr) {
        ClientSession* next = path_.watched.next_or_null(*session);
        session->judge();
        session = next;
    }
}

size_t Worker::client_count() const {
    int64_t count = 0;
    for_each_pool([&count](const Pool& pool) {
        count += pool.stats().get(stats::PoolStat::kClientConnections);
    });
    return static_cast<size_t>(count);
}

// ---- accepting ----

size_t Worker::client_descriptors() const {
    size_t count = client_count();
    for (const auto& pool : current_->pools) {
        count += pool->waiting_count();
    }
    return count;
}

// Often, and not just at the start: the limit can be changed from outside.
void Worker::judge_room() {
    gate_.set_room(
        config::descriptor_shares(current_->config, io::descriptor_limit(), listeners_.size())
            .clients);
}

void Worker::on_accepted(Pool& pool, int fd) {
    pool.add_client(fd);
    if (gate_.update(client_descriptors(), loop_.now_ms())) {
        pool.stats().add(stats::PoolStat::kAcceptPaused);
    }
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
    path_.hold_back_from = hold_back_requests(percent, path_.hold_back_from);
    load_cpu_us_ = cpu_us;
    load_wall_us_ = wall_us;
}

void Worker::beat() {
    sweep_watched();
    judge_load();
    sweep_due_ = !formers_.empty();
    if (control_ == nullptr) {
        return;
    }
    control::Beat message;
    message.lag_ms = static_cast<uint32_t>(std::min<uint64_t>(loop_.take_lag_ms(), UINT32_MAX));
    message.client_connections = static_cast<uint32_t>(client_count());
    message.generation = current_->number;
    message.pools.reserve(current_->pools.size());
    for (const auto& pool : current_->pools) {
        message.pools.push_back(pool->health());
    }
    control_->send(message);
}

void Worker::housekeep() {
    path_.hot.decay();
    memory_.decay();
    judge_room();
    for_each_pool([](Pool& pool) { pool.housekeep(); });
    report_stats(0);
}

void Worker::report_stats(uint64_t request_id) {
    if (control_ == nullptr) {
        return;
    }
    stats::Snapshot snapshot;
    snapshot.pools.reserve(current_->pools.size());
    for (const auto& pool : current_->pools) {
        stats::PoolSnapshot& of_pool = snapshot.pools.emplace_back();
        pool->fill(of_pool);
    }
    for (const FormerGeneration& former : formers_) {
        add_former(snapshot, *current_, *former.generation);
    }
    control::StatsReport report;
    report.request_id = request_id;
    report.generation = current_->number;
    report.total_connections = path_.total_connections;
    report.curr_connections = path_.curr_connections;
    report.values = stats::flatten(snapshot);
    control_->send(report);
}

}  // namespace ringmaster::worker
