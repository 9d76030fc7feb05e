// SPDX-License-Identifier: Apache-2.0
#include "worker/worker_main.h"

#include <string>

#include <signal.h>
#include <sys/prctl.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "common/io/signal.h"
#include "worker/orphan_guard.h"
#include "worker/worker.h"

namespace ringmaster::worker {

int worker_main(const WorkerOptions& options) {
    // Started from /proc/self/exe the process would be called "exe"; pgrep must find it.
    ::prctl(PR_SET_NAME, "ringmaster");
    // A worker takes orders from its channel: a HUP may reach all processes of a terminal.
    for (const int number : {SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGTTIN, SIGTTOU}) {
        io::ignore_signal(number);
    }
    const base::Status log = base::log_open(std::string(options.log_file), options.log_level,
                                            base::format("worker {}", options.slot));
    if (!log) {
        RM_LOG(kErr, "{}", log.error().message);  // to stderr; serving matters more
    }
    if (!arm_orphan_guard()) {
        return 1;
    }
    Worker worker(options);
    return worker.run();
}

}  // namespace ringmaster::worker
