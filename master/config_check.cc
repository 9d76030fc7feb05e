// SPDX-License-Identifier: Apache-2.0
#include "master/config_check.h"

#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/format.h"
#include "master/worker_process.h"

namespace ringmaster::master {

namespace {

constexpr int kConfigFd = 3;

bool write_all(int fd, const std::string& bytes) {
    for (size_t written = 0; written < bytes.size();) {
        const ssize_t count = ::write(fd, bytes.data() + written, bytes.size() - written);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        written += count > 0 ? static_cast<size_t>(count) : 0;
    }
    return true;
}

std::vector<std::string> own_environment() {
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        environment.emplace_back(*entry);
    }
    return environment;
}

}  // namespace

ConfigCheck::ConfigCheck(io::Loop& loop, uint64_t patience_ms)
    : loop_(loop), patience_ms_(patience_ms), patience_(loop, [this] {
          too_slow_ = true;
          process_.kill(SIGKILL);
      }) {}

base::Status ConfigCheck::start(const std::string& bytes,
                                std::function<void(base::Status)> on_done) {
    const int fd = ::memfd_create("ringmaster-config", MFD_CLOEXEC);
    const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    base::Status status;
    if (fd < 0 || null_fd < 0 || !write_all(fd, bytes)) {
        status = base::Error{base::format(
            "cannot check the configuration in a process of its own: {}", base::errno_text(errno))};
    } else {
        io::SpawnOptions options;
        options.file = "/proc/self/exe";
        options.arguments = {"ringmaster", "-t", "-c", base::format("/proc/self/fd/{}", kConfigFd)};
        options.environment = own_environment();
        options.descriptors = {{0, null_fd}, {1, null_fd}, {2, null_fd}, {kConfigFd, fd}};
        on_done_ = std::move(on_done);
        too_slow_ = false;
        process_ = io::Process();
        status = process_.spawn(loop_, options, [this](io::ProcessExit exit) { on_exit(exit); });
        patience_.start(patience_ms_);
    }
    for (const int used : {fd, null_fd}) {
        if (used >= 0) {
            ::close(used);
        }
    }
    if (!status) {
        cancel();
    }
    return status;
}

void ConfigCheck::cancel() noexcept {
    on_done_ = nullptr;
    patience_.stop();
    process_.kill(SIGKILL);
}

void ConfigCheck::on_exit(io::ProcessExit exit) {
    patience_.stop();
    const auto on_done = std::exchange(on_done_, nullptr);
    if (!on_done) {
        return;
    }
    // Who ended by itself was in time: it was this process that did not look.
    if (too_slow_ && exit.signal != 0) {
        on_done(base::Error{
            base::format("checking the configuration took over {} s", patience_ms_ / 1000)});
    } else if (exit.signal != 0) {
        on_done(base::Error{base::format("the process that checked the configuration ended by {}",
                                         exit_text(exit))});
    } else {
        on_done({});
    }
}

}  // namespace ringmaster::master
