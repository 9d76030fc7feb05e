// SPDX-License-Identifier: Apache-2.0
// One executable, two roles. The only file that sees both.
#include <cstdlib>
#include <string>
#include <vector>

#include "master/daemonize.h"
#include "master/master_main.h"
#include "master/process_title.h"
#include "master/worker_environment.h"
#include "worker/worker_main.h"

int main(int argument_count, char** arguments) {
    using namespace ringmaster;
    master::fill_standard_descriptors();
    if (const auto environment = master::worker_environment_of_this_process()) {
        ::unsetenv(master::kWorkerVariable);
        return worker::worker_main({.slot = environment->slot,
                                    .control_fd = master::kWorkerControlFd,
                                    .log_fd = environment->has_log ? master::kWorkerLogFd : -1,
                                    .log_level = environment->log_level,
                                    .master_pid = environment->master_pid,
                                    .cpu = environment->cpu,
                                    .credentials = environment->credentials});
    }
    std::vector<std::string> words;
    for (int i = 1; i < argument_count; ++i) {
        words.emplace_back(arguments[i]);
    }
    master::init_process_title(argument_count, arguments);
    return master::master_main(words);
}
