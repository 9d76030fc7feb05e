// SPDX-License-Identifier: Apache-2.0
#include "master/master.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <ctime>
#include <utility>

#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/base/log.h"
#include "common/io/sockets.h"

namespace ringmaster::master {

namespace {

using base::format;

// Reloads will count on from here.
constexpr uint64_t kFirstGeneration = 1;

// Said at whatever level is on, as nutcracker's "always" lines.
void log_always(const std::string& text) {
    const int level = base::log_level();
    base::log_set_level(std::max(level, static_cast<int>(base::LogLevel::kNotice)));
    RM_LOG(kNotice, "{}", text);
    base::log_set_level(level);
}

std::string host_name() {
    char name[HOST_NAME_MAX + 1] = {};
    return ::gethostname(name, HOST_NAME_MAX) == 0 ? std::string(name) : std::string("unknown");
}

}  // namespace

Master::Master(io::Loop& loop, Settings settings, ConfigFile file, MergeSettings merge,
               Daemon& daemon)
    : loop_(loop),
      settings_(std::move(settings)),
      file_(std::move(file)),
      config_bytes_{.generation = kFirstGeneration,
                    .memory_bytes = settings_.memory_per_worker_bytes,
                    .file_name = settings_.config_file,
                    .bytes = file_.bytes},
      merge_(std::move(merge)),
      daemon_(daemon),
      born_ms_(loop.now_ms()),
      stats_names_(names_of(*file_.config)),
      pools_at_most_(stats_names_.size()),
      resolver_(make_resolver(*file_.config, kFirstGeneration, nullptr)),
      health_(loop, *file_.config, kFirstGeneration,
              {.ring_to_all = [this](size_t pool) { supervisor_.broadcast_ring(pool); },
               .ring_to = [this](size_t slot, size_t pool) { supervisor_.send_ring(slot, pool); },
               .reconnect =
                   [this](size_t slot, const control::Reconnect& message) {
                       supervisor_.send(slot, message);
                   },
               .address = [this](size_t pool,
                                 size_t shard) { return resolver_->address(pool, shard); }}),
      supervisor_(loop, settings_.workers,
                  {.config = *file_.config,
                   .config_bytes = config_bytes_,
                   .listeners = listeners_,
                   .ring = [this](size_t pool) { return ring(pool); },
                   .credentials = settings_.worker_credentials,
                   .one_cpu_each = settings_.cpu_affinity == "auto",
                   .detached = settings_.daemonize},
                  *this),
      stats_server_(loop,
                    [this](std::function<void(std::string)> on_document) {
                        make_stats_document(std::move(on_document));
                    }),
      stop_(loop, supervisor_, listeners_, [this] { loop_.stop(); }),
      reload_(loop, kFirstGeneration,
              {.supervisor = supervisor_,
               .listeners = listeners_,
               .file = file_,
               .settings = settings_,
               .merge = merge_,
               .make_resolver =
                   [this](const config::Config& config, uint64_t generation) {
                       return make_resolver(config, generation, resolver_.get());
                   },
               .room =
                   [this](const config::Config& config) {
                       return client_room(config, client_room_.descriptor_limit,
                                          listeners_.of_slot(0).size());
                   },
               .adopt = [this](ReloadPlan plan) { adopt(std::move(plan)); },
               .on_begin = [this] { notifier_.reloading(); },
               .on_end = [this](const ReloadOutcome&) { notifier_.reloaded(control_.summary()); }}),
      notifier_(loop, settings_.daemonize),
      control_(control_parts()),
      control_server_(
          loop,
          [this](const std::vector<std::string>& words, ControlServer::OnAnswer on_answer) {
              run_command(control_, words, std::move(on_answer));
          }),
      pulse_(loop, [this] { pulse(); }) {
    loop_.set_hooks(this);
    // First of all, so that an order that comes early is obeyed and not died of.
    install_signals();
}

Master::~Master() {
    // Without their handlers they would end this process before it has cleaned up.
    io::block_signals();
    loop_.set_hooks(nullptr);
}

base::Status Master::prepare() {
    const uint64_t descriptor_limit = io::raise_descriptor_limit();
    if (!settings_.pid_file.empty()) {
        if (base::Status status = pid_file_.open(settings_.pid_file); !status) {
            return status;
        }
    }
    if (base::Status status = listeners_.open(*file_.config, settings_.workers); !status) {
        return status;
    }
    base::Status status = stats_server_.open(settings_.stats_address, settings_.stats_port);
    if (!status) {
        return base::Error{"stats: " + status.error().message};
    }
    client_room_ = client_room(*file_.config, descriptor_limit, listeners_.of_slot(0).size());
    if (std::string problem = room_problem(client_room_); !problem.empty()) {
        return base::Error{std::move(problem)};
    }
    return open_control();
}

// Last: a second proxy must fail for the reason that matters.
base::Status Master::open_control() {
    const base::Status status = control_server_.open(settings_.control_path);
    if (status) {
        return {};
    }
    if (settings_.control_is_asked_for) {
        return base::Error{"control: " + status.error().message};
    }
    control_problem_ = status.error().message;
    return {};
}

ControlParts Master::control_parts() {
    return {
        .loop = loop_,
        .supervisor = supervisor_,
        .health = health_,
        .address = [this](size_t pool, size_t shard) { return resolver_->address(pool, shard); },
        .config = [this]() -> const config::Config& { return *file_.config; },
        .generation = [this] { return config_bytes_.generation; },
        .stopping = [this] { return stop_.begun(); },
        .stop =
            [this](bool drain) {
                begin_stop(drain ? StopSequence::Kind::kDrain : StopSequence::Kind::kGraceful,
                           drain ? settings_.drain_timeout_ms : settings_.shutdown_timeout_ms);
            },
        .set_log_level =
            [this](int level) {
                set_log_level(level);
                log_always(format("log level to {}", level));
            },
        .reload = [this](ReloadSequence::OnDone on_done) { reload_.request(std::move(on_done)); },
        .reloads_done = [this] { return reload_.success_count(); },
        .reloads_failed = [this] { return reload_.failure_count(); },
        .config_file = settings_.config_file};
}

int Master::run() {
    resolver_->start([this] {
        if (!stop_.begun()) {
            supervisor_.start();
        }
    });
    loop_.run();
    return problem_.empty() ? 0 : 1;
}

// ---- what the workers tell ----

void Master::on_workers_ready() {
    if (stop_.begun()) {
        return;
    }
    report_started();
    // Before the process that was started ends: it is no longer the one to watch.
    notifier_.ready(control_.summary());
    daemon_.report_success();
    pulse_.start(RateKeeper::kPeriodMs, RateKeeper::kPeriodMs);
    reload_.allow();
}

void Master::on_workers_cannot_start(const std::string& reason) {
    if (!stop_.begun()) {
        problem_ = reason;
        stop_at_once();
    }
}

bool Master::on_connect_failed(size_t pool, size_t shard) {
    return resolver_->on_connect_failed(pool, shard);
}

void Master::on_worker_up(size_t slot) {
    health_.on_worker_up(slot);
}

void Master::on_worker_gone(size_t slot) {
    health_.on_worker_gone(slot);
}

bool Master::on_suspect(size_t slot, const control::Suspect& suspect) {
    return health_.on_suspect(slot, suspect);
}

bool Master::on_beat(size_t slot, const control::Beat& beat) {
    return health_.on_beat(slot, beat);
}

control::RingState Master::ring(size_t pool) const {
    control::RingState ring = health_.ring(pool);
    for (size_t shard = 0; shard < ring.servers.size(); ++shard) {
        ring.servers[shard].address = std::string(resolver_->address(pool, shard).bytes());
    }
    return ring;
}

void Master::after_poll() noexcept {
    health_.after_poll();
    supervisor_.after_poll();
    reload_.after_poll();
}

void Master::on_worker_stopped() {
    stop_.on_worker_stopped();
}

void Master::report_started() {
    const config::Config& config = *file_.config;
    const ServerConnections connections = count_server_connections(config, settings_.workers);
    for (const std::string& line : file_.warnings) {
        RM_LOG(kWarn, "{}", line);
    }
    if (const std::string warning = connections_warning(connections); !warning.empty()) {
        RM_LOG(kWarn, "{}", warning);
    }
    if (const std::string warning = room_warning(client_room_); !warning.empty()) {
        RM_LOG(kWarn, "{}", warning);
    }
    if (const auto& who = settings_.worker_credentials) {
        RM_LOG(kInfo, "workers run as uid={} gid={}", who->uid, who->gid);
    } else if (::geteuid() == 0) {
        RM_LOG(kInfo, "workers run as root; 'user' in the configuration changes that");
    }
    if (stats_server_.is_wide()) {
        RM_LOG(kWarn, "stats on {} can be read from other machines; -a 127.0.0.1 keeps them here",
               stats_server_.text());
    }
    RM_LOG(kNotice,
           "started: {} workers, {} pools, listening on {}, stats on {}, {}, "
           "ringmaster-" RM_VERSION " pid={}",
           settings_.workers, config.pools.size(), listeners_.text(), stats_server_.text(),
           connections_text(connections), ::getpid());
    if (!control_problem_.empty()) {
        RM_LOG(kNotice, "no control socket: {}; --control PATH makes one elsewhere",
               control_problem_);
    }
}

void Master::pulse() {
    control_.take_sample();
    notifier_.status(control_.summary());
}

void Master::make_stats_document(std::function<void(std::string)> on_document) {
    supervisor_.gather_stats([this, on_document = std::move(on_document)] {
        stats::Snapshot snapshot = supervisor_.stats();
        health_.add_to(snapshot);
        // twemproxy: one listener per pool counts as a connection.
        snapshot.total_connections += static_cast<int64_t>(pools_at_most_);
        snapshot.curr_connections += static_cast<int64_t>(stats_names_.size());
        const stats::Header header{
            .source = host_name(),
            .version = RM_VERSION,
            .uptime_s = static_cast<int64_t>((loop_.now_ms() - born_ms_) / 1000),
            .timestamp_s = static_cast<int64_t>(std::time(nullptr))};
        on_document(stats::to_json(header, stats_names_, snapshot));
    });
}

// ---- signals ----

void Master::on_signal(int number, const char* name, const char* effect,
                       const std::function<void()>& act) {
    signals_.push_back(std::make_unique<io::Signal>(loop_, number, [=] {
        log_always(format("signal {} ({}) received{}", number, name, effect));
        act();
    }));
}

void Master::install_signals() {
    io::ignore_signal(SIGPIPE);
    io::ignore_signal(SIGWINCH);
    on_signal(SIGTERM, "SIGTERM", ", stopping",
              [this] { begin_stop(StopSequence::Kind::kGraceful, settings_.shutdown_timeout_ms); });
    on_signal(SIGQUIT, "SIGQUIT", ", draining",
              [this] { begin_stop(StopSequence::Kind::kDrain, settings_.drain_timeout_ms); });
    on_signal(SIGINT, "SIGINT", ", exiting", [this] { stop_at_once(); });
    on_signal(SIGHUP, "SIGHUP", ", reopening log file, reloading", [this] { on_hup(); });
    on_signal(SIGUSR1, "SIGUSR1", ", reopening log file", [this] { reopen_logs(); });
    on_signal(SIGUSR2, "SIGUSR2", "", [] { RM_LOG(kNotice, "binary upgrade is not supported"); });
    on_signal(SIGTTIN, "SIGTTIN", ", up logging level", [this] { change_log_level(+1); });
    on_signal(SIGTTOU, "SIGTTOU", ", down logging level", [this] { change_log_level(-1); });
}

void Master::on_hup() {
    reopen_logs();
    reload_.request({});
}

void Master::begin_stop(StopSequence::Kind kind, uint32_t timeout_ms) {
    notifier_.stopping(kind == StopSequence::Kind::kDrain ? "draining" : "stopping");
    reload_.cancel("the process is stopping");
    stop_.begin(kind, timeout_ms);
}

void Master::stop_at_once() {
    notifier_.stopping("stopping");
    reload_.cancel("the process is stopping");
    stop_.at_once();
}

// ---- reload ----

std::unique_ptr<ServerResolver> Master::make_resolver(const config::Config& config,
                                                      uint64_t generation,
                                                      const ServerResolver* former_or_null) {
    return std::make_unique<ServerResolver>(
        loop_, config,
        ServerResolver::Callbacks{.on_change =
                                      [this, generation](size_t pool, size_t shard) {
                                          if (generation == config_bytes_.generation) {
                                              health_.on_address_change(pool, shard);
                                          }
                                      },
                                  .ever_answered =
                                      [this, generation](size_t pool, size_t shard) {
                                          return generation != config_bytes_.generation ||
                                                 supervisor_.ever_answered(pool, shard);
                                      }},
        former_or_null);
}

void Master::adopt(ReloadPlan plan) {
    if (plan.settings.log_level != settings_.log_level) {
        set_log_level(plan.settings.log_level);
    }
    file_ = std::move(plan.file);
    settings_ = std::move(plan.settings);
    config_bytes_ = {.generation = plan.generation,
                     .memory_bytes = settings_.memory_per_worker_bytes,
                     .file_name = settings_.config_file,
                     .bytes = file_.bytes};
    client_room_ =
        client_room(*file_.config, client_room_.descriptor_limit, listeners_.of_slot(0).size());
    stats_names_ = names_of(*file_.config);
    pools_at_most_ = std::max(pools_at_most_, stats_names_.size());
    lookups_abandoned_ = lookups_abandoned_ || resolver_->lookups_pending();
    resolver_ = std::move(plan.resolver);
    health_.reload(*file_.config, plan.generation);
}

void Master::on_prepared(size_t slot, const control::Prepared& vote) {
    reload_.on_prepared(slot, vote);
}

void Master::on_worker_exit(size_t slot, const std::string& how) {
    reload_.on_worker_exit(slot, how);
}

void Master::on_committed(size_t /*slot*/) {
    reload_.on_committed();
}

void Master::reopen_logs() {
    if (const base::Status status = base::log_reopen(); !status) {
        RM_LOG(kErr, "{}", status.error().message);
        return;  // the workers, too, go on with the old one
    }
    supervisor_.broadcast_log();
}

void Master::change_log_level(int step) {
    const int level = std::clamp(base::log_level() + step, 0, base::kLogLevelMax);
    set_log_level(level);
    log_always(format("{} log level to {}", step > 0 ? "up" : "down", level));
}

void Master::set_log_level(int level) {
    base::log_set_level(level);
    supervisor_.broadcast(control::LogLevel{.level = static_cast<uint32_t>(level)});
}

}  // namespace ringmaster::master
