// SPDX-License-Identifier: Apache-2.0
#include "worker/worker_main.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "common/control/codec.h"
#include "common/io/descriptors.h"
#include "common/io/signal.h"
#include "worker/orphan_guard.h"
#include "worker/worker.h"

namespace ringmaster::worker {

namespace {

// Opens nothing, so that it works whoever this process is: the master has opened the file.
void open_log(const WorkerOptions& options) {
    const base::Status to_stderr =
        base::log_open("", options.log_level, base::format("worker {}", options.slot));
    if (to_stderr.ok() && options.log_fd >= 0) {
        ::fcntl(options.log_fd, F_SETFD, FD_CLOEXEC);
        base::log_use(options.log_fd);
    }
}

// 0 or an errno: then it runs wherever it may.
int run_on(int cpu) {
    if (cpu < 0) {
        return 0;
    }
    const auto index = static_cast<size_t>(cpu);
    std::vector<cpu_set_t> mask(index / CPU_SETSIZE + 1);
    const size_t size_bytes = mask.size() * sizeof(cpu_set_t);
    CPU_SET_S(index, size_bytes, mask.data());
    return ::sched_setaffinity(0, size_bytes, mask.data()) == 0 ? 0 : errno;
}

// To the master and the log, before there is a loop.
void say_failed(const WorkerOptions& options, const std::string& reason) {
    RM_LOG(kCrit, "{}", reason);
    std::string frame;
    control::encode(control::Failed{reason}, frame);
    [[maybe_unused]] const ssize_t sent =
        ::send(options.control_fd, frame.data(), frame.size(), MSG_NOSIGNAL);
}

}  // namespace

int worker_main(const WorkerOptions& options) {
    // First of all: memory comes from the node of the CPU that touches it first.
    const int affinity_error = run_on(options.cpu);
    // Started from /proc/self/exe the process would be called "exe"; pgrep must find it.
    ::prctl(PR_SET_NAME, "ringmaster");
    // What whoever started the master left open is none of ours.
    io::close_descriptors_from(std::max(options.control_fd, options.log_fd) + 1);
    // A worker takes orders from its channel: a HUP may reach all processes of a terminal.
    for (const int number :
         {SIGPIPE, SIGXFSZ, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGTTIN, SIGTTOU}) {
        io::ignore_signal(number);
    }
    open_log(options);
    if (affinity_error != 0) {
        RM_LOG(kWarn, "cannot run on CPU {} alone: {}", options.cpu,
               base::errno_text(affinity_error));
    }
    if (options.credentials) {
        if (const base::Status status = io::become(*options.credentials); !status) {
            say_failed(options, status.error().message);
            return 1;
        }
    }
    if (!arm_orphan_guard(options.master_pid)) {
        return 1;
    }
    Memory::tune_allocator();
    Worker worker(options);
    return worker.run();
}

}  // namespace ringmaster::worker
