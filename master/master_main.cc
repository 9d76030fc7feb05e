// SPDX-License-Identifier: Apache-2.0
#include "master/master_main.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <unistd.h>

#include "common/base/format.h"
#include "common/base/log.h"
#include "common/io/loop.h"
#include "common/io/signal.h"
#include "common/io/sockets.h"
#include "common/stats/stats.h"
#include "master/client_room.h"
#include "master/config_file.h"
#include "master/control_client.h"
#include "master/daemonize.h"
#include "master/identity.h"
#include "master/machine.h"
#include "master/master.h"
#include "master/options.h"
#include "master/process_title.h"
#include "master/settings.h"

namespace ringmaster::master {

namespace {

using base::format;

void print(std::FILE* stream, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

void print_lines(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        print(stderr, line + "\n");
    }
}

int fail(const std::string& problem) {
    print(stderr, format("ringmaster: {}\n", problem));
    return 1;
}

// Once there is a log, it hears of it too; a log on stderr would say it twice.
int fail_logged(const Settings& settings, const std::string& problem) {
    if (!settings.log_file.empty()) {
        RM_LOG(kCrit, "{}", problem);
    }
    return fail(problem);
}

Machine this_machine() {
    return {.cpus = usable_cpu_count(), .memory_bytes = usable_memory_bytes()};
}

// What would fail or hurt if it were started here, now, by this user; elsewhere it may be right.
void warn_about_this_machine(const config::Config& config) {
    const ClientRoom room = client_room(config, io::raise_descriptor_limit(), config.pools.size());
    for (const std::string& text : {room_problem(room), room_warning(room)}) {
        if (!text.empty()) {
            print(stderr, format("ringmaster: warning: {}\n", text));
        }
    }
    if (const auto credentials = worker_credentials(config.process); !credentials) {
        print(stderr, format("ringmaster: warning: {}\n", credentials.error().message));
    }
}

int test_config(const Options& options) {
    const ConfigFile file = load_config_file(options.config_file);
    print_lines(file.errors);
    print_lines(file.warnings);
    if (!file.config) {
        print(stderr, format("ringmaster: configuration file '{}' syntax is invalid\n",
                             options.config_file));
        return 1;
    }
    const Settings settings = merge_settings(options, file.config->process, this_machine());
    const ServerConnections connections = count_server_connections(*file.config, settings.workers);
    print(stderr,
          format("ringmaster: {} workers, {}\n", settings.workers, connections_text(connections)));
    if (const std::string warning = connections_warning(connections); !warning.empty()) {
        print(stderr, format("ringmaster: warning: {}\n", warning));
    }
    warn_about_this_machine(*file.config);
    print(stderr,
          format("ringmaster: configuration file '{}' syntax is ok\n", options.config_file));
    return 0;
}

// With the background process when asked for: everything from the log to the end.
int serve(const Options& options, ConfigFile file, std::optional<io::Credentials> credentials) {
    const auto merge = [options](const config::ProcessConfig& process) {
        return merge_settings(options, process, this_machine());
    };
    Settings settings = merge(file.config->process);
    settings.worker_credentials = std::move(credentials);
    Daemon daemon;
    if (settings.daemonize) {
        if (const base::Status status = daemon.enter(); !status) {
            return fail(status.error().message);
        }
    }
    // A log that may not grow any more must not end us; the write fails instead.
    io::ignore_signal(SIGXFSZ);
    const base::Status status = base::log_open(settings.log_file, settings.log_level, "master");
    if (!status) {
        return fail(status.error().message);
    }
    if (!settings.daemonize) {  // else stderr is given back once it is started
        base::log_open_stderr_again();
    }
    set_process_title(format("ringmaster: master {}", settings.config_file));

    // Before the first of the descriptors that are needed, so that it is told as what it is.
    const ClientRoom room =
        client_room(*file.config, io::raise_descriptor_limit(), file.config->pools.size());
    if (const std::string problem = room_problem(room); !problem.empty()) {
        return fail_logged(settings, problem);
    }
    auto loop = std::make_unique<io::Loop>();
    auto master = std::make_unique<Master>(*loop, settings, std::move(file), merge, daemon);
    int code = 1;
    if (const base::Status prepared = master->prepare(); !prepared) {
        fail_logged(settings, prepared.error().message);
    } else {
        code = master->run();
        if (code != 0) {
            fail_logged(settings, master->problem());
        }
    }
    const bool lookups_pending = master->lookups_pending();
    master.reset();  // removes pid file and socket paths
    if (code == 0) {
        RM_LOG(kNotice, "done");
    }
    if (lookups_pending) {
        // A look-up may take many seconds and cannot be called off; leaving must not wait for it.
        ::_exit(code);
    }
    return code;
}

}  // namespace

int master_main(const std::vector<std::string>& arguments) {
    if (is_command_line(arguments)) {
        return run_command_line(arguments);
    }
    const auto options = parse_options(arguments);
    if (!options) {
        return fail(options.error().message);
    }
    if (options->help || options->version || options->describe_stats) {
        print(stdout, options->help ? help_text() : version_text());
        if (options->describe_stats) {
            print(stdout, stats::describe());
        }
        return 0;
    }
    if (options->test_config) {
        return test_config(*options);
    }
    ConfigFile file = load_config_file(options->config_file);
    if (!file.config) {
        print_lines(file.errors);
        print_lines(file.warnings);
        return 1;
    }
    auto credentials = worker_credentials(file.config->process);
    if (!credentials) {
        return fail(credentials.error().message);
    }
    return serve(*options, std::move(file), std::move(*credentials));
}

}  // namespace ringmaster::master
