// SPDX-License-Identifier: Apache-2.0
#include "master/worker_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "master/worker_environment.h"

namespace ringmaster::master {

namespace {

using base::format;

// Ours, with the worker's variable.
std::vector<std::string> environment_with(const std::string& value) {
    const std::string prefix = format("{}=", kWorkerVariable);
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (!std::string_view(*entry).starts_with(prefix)) {
            environment.emplace_back(*entry);
        }
    }
    environment.push_back(prefix + value);
    return environment;
}

}  // namespace

std::string exit_text(io::ProcessExit exit) {
    if (exit.signal == 0) {
        return format("exit code {}", exit.code);
    }
    const char* description = sigdescr_np(exit.signal);
    return format("signal {} ({})", exit.signal, description != nullptr ? description : "unknown");
}

WorkerProcess::WorkerProcess(io::Loop& loop, size_t slot, WorkerEvents& events)
    : loop_(loop), slot_(slot), events_(events), deadline_(loop, [this] { on_deadline(); }) {}

base::Status WorkerProcess::start(const WorkerLaunch& launch) {
    born_ms_ = loop_.now_ms();
    cpu_ = launch.cpu;
    const auto ends = io::make_channel_pair();
    if (!ends) {
        return ends.error();
    }
    const auto [ours, theirs] = *ends;
    io::SpawnOptions options;
    // Still the binary this process is, also after a package upgrade.
    options.file = "/proc/self/exe";
    options.arguments = {format("ringmaster: worker {}", slot_)};
    const int log_fd = base::log_fd();
    const bool has_log = log_fd != STDERR_FILENO;
    options.environment =
        environment_with(write_worker_environment({.slot = static_cast<uint32_t>(slot_),
                                                   .log_level = launch.log_level,
                                                   .master_pid = ::getpid(),
                                                   .has_log = has_log,
                                                   .cpu = cpu_ ? static_cast<int>(*cpu_) : -1,
                                                   .credentials = launch.credentials}));
    options.descriptors = {{kWorkerControlFd, theirs}};
    if (has_log) {
        options.descriptors.emplace_back(kWorkerLogFd, log_fd);
    }
    const int null_fd = launch.detached ? ::open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (null_fd >= 0) {
        for (int fd = 0; fd <= 2; ++fd) {
            options.descriptors.emplace_back(fd, null_fd);
        }
    }
    base::Status status =
        process_.spawn(loop_, options, [this](io::ProcessExit exit) { on_exit(exit); });
    ::close(theirs);
    if (null_fd >= 0) {
        ::close(null_fd);
    }
    if (!status) {
        ::close(ours);
        state_ = State::kDead;
        return status;
    }
    pid_ = process_.pid();
    link_.emplace(loop_, ours, static_cast<WorkerLinkHandler&>(*this));
    deadline_.start(kReadyTimeoutMs);
    return {};
}

// What each message does. An answer is why the worker must end, or nothing.
struct WorkerProcess::Receiver {
    using Complaint = std::optional<std::string>;
    WorkerProcess& worker;

    Complaint operator()(const control::Hello& hello) {
        if (worker.state_ != State::kStarting || hello.schema != control::kSchema ||
            hello.slot != worker.slot_ || hello.pid != static_cast<uint32_t>(worker.pid_)) {
            return "a HELLO that is not its own";
        }
        worker.state_ = State::kConfigured;
        worker.events_.on_worker_hello(worker);
        return {};
    }
    Complaint operator()(const control::Ready& ready) {
        if (worker.state_ != State::kConfigured || ready.generation != worker.generation_) {
            return "READY out of turn";
        }
        worker.state_ = State::kReady;
        worker.deadline_.stop();
        worker.events_.on_worker_ready(worker);
        return {};
    }
    Complaint operator()(const control::Failed& failed) {
        worker.events_.on_worker_failed(worker, failed.reason);
        return {};
    }
    Complaint operator()(const control::Beat& beat) {
        worker.last_beat_ = beat;
        worker.beat_at_ms_ = worker.loop_.now_ms();
        if (!worker.events_.on_worker_beat(worker, beat)) {
            return "a beat that does not fit the configuration";
        }
        return {};
    }
    Complaint operator()(const control::Prepared& vote) {
        worker.events_.on_worker_prepared(worker, vote);
        return {};
    }
    Complaint operator()(const control::Committed& message) {
        if (message.generation > worker.expected_generation_ ||
            message.generation < worker.generation_) {
            return "a generation it was not told to commit";
        }
        worker.generation_ = message.generation;
        if (!worker.events_.on_worker_committed(worker, message)) {
            return "places of pools that do not exist";
        }
        return {};
    }
    Complaint operator()(const control::Suspect& suspect) {
        if (!worker.events_.on_worker_suspect(worker, suspect)) {
            return "an accusation of a server that does not exist";
        }
        return {};
    }
    Complaint operator()(const control::StatsReport& report) {
        if (!worker.events_.on_worker_stats(worker, report)) {
            return "stats that do not fit the configuration";
        }
        return {};
    }
    Complaint operator()(const control::ConnectFailed& message) {
        if (!worker.events_.on_worker_connect_failed(worker, message)) {
            return "a server that does not exist";
        }
        return {};
    }
    Complaint operator()(const control::AcceptStopped& /*message*/) {
        worker.accept_stopped_ = true;
        worker.events_.on_worker_accept_stopped(worker);
        return {};
    }
    Complaint operator()(const control::ClientAsk& ask) {
        if (!worker.events_.on_worker_client_ask(worker, ask)) {
            return "a client of a pool that does not exist";
        }
        return {};
    }
    Complaint operator()(const control::ClientGone& gone) {
        if (!worker.events_.on_worker_client_gone(worker, gone)) {
            return "clients gone that never were admitted";
        }
        return {};
    }
    template <class Other>
    Complaint operator()(const Other& /*message*/) {
        return "a message only the master sends";
    }
};

void WorkerProcess::expect_generation(uint64_t generation) noexcept {
    expected_generation_ = generation;
    if (state_ == State::kConfigured && generation_ == 0) {
        generation_ = generation;  // what READY will name
    }
}

void WorkerProcess::on_link_message(const control::Message& message) {
    if (state_ == State::kStarting && !std::holds_alternative<control::Hello>(message) &&
        !std::holds_alternative<control::Failed>(message)) {
        on_link_bad("something before HELLO");
        return;
    }
    if (const auto complaint = std::visit(Receiver{*this}, message)) {
        on_link_bad(*complaint);
    }
}

void WorkerProcess::on_link_bad(const std::string& reason) {
    RM_LOG(kErr, "worker {} (pid {}) is ended because of what it sent: {}", slot_, pid_, reason);
    link_->stop_listening();
    kill(SIGKILL);
}

// Usually the process is ending, and its exit status is worth more than our signal's.
void WorkerProcess::on_link_closed() {
    if (running()) {
        deadline_.start(kExitAfterCloseMs);
    }
}

void WorkerProcess::on_deadline() {
    RM_LOG(kErr, "worker {} (pid {}) {}: ending it", slot_, pid_,
           state_ == State::kStarting || state_ == State::kConfigured
               ? "does not become ready"
               : "closed its control channel and goes on");
    kill(SIGKILL);
}

void WorkerProcess::on_exit(io::ProcessExit exit) {
    deadline_.stop();
    link_->read_now();  // its last report, or why it failed
    state_ = State::kDead;
    events_.on_worker_exit(*this, exit);
}

}  // namespace ringmaster::master
