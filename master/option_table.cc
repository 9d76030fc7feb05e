// SPDX-License-Identifier: Apache-2.0
#include "master/option_table.h"

#include <string>

#include "common/base/format.h"
#include "master/build_info.h"
#include "master/control_client.h"
#include "master/options.h"
#include "master/settings.h"

namespace ringmaster::master {

namespace {

constexpr OptionRow kOptions[] = {
    {.short_name = 'h', .long_name = "help", .text = "print this help and exit"},
    {.short_name = 'V', .long_name = "version", .text = "print the version and exit"},
    {.short_name = 't',
     .long_name = "test-conf",
     .text = "check the configuration, print every problem and exit"},
    {.short_name = 'd', .long_name = "daemonize", .text = "run in the background once started"},
    {.short_name = 'D', .long_name = "describe-stats", .text = "print what each stat is and exit"},
    {.short_name = 'v',
     .long_name = "verbose",
     .argument = "LEVEL",
     .value_kind = "a number",
     .text = "log level, 0 (emergencies) to 11 (everything)",
     .default_text = "5"},
    {.short_name = 'o',
     .long_name = "output",
     .argument = "FILE",
     .value_kind = "a file name",
     .text = "log file",
     .default_text = "stderr"},
    {.short_name = 'c',
     .long_name = "conf-file",
     .argument = "FILE",
     .value_kind = "a file name",
     .text = "configuration file",
     .default_text = "conf/nutcracker.yml"},
    {.short_name = 's',
     .long_name = "stats-port",
     .argument = "N",
     .value_kind = "a number",
     .text = "port that serves the stats",
     .default_text = "22222"},
    {.short_name = 'a',
     .long_name = "stats-addr",
     .argument = "ADDRESS",
     .value_kind = "an address",
     .text = "address that serves the stats: a host or an absolute path",
     .default_text = "0.0.0.0"},
    {.short_name = 'i',
     .long_name = "stats-interval",
     .argument = "MSEC",
     .value_kind = "a number",
     .text = "accepted for nutcracker's sake: stats are always current",
     .default_text = "30000"},
    {.short_name = 'p',
     .long_name = "pid-file",
     .argument = "FILE",
     .value_kind = "a file name",
     .text = "file for the master's process id",
     .default_text = "none"},
    {.short_name = 'm',
     .long_name = "mbuf-size",
     .argument = "BYTES",
     .value_kind = "a number",
     .text = "accepted for nutcracker's sake: there are no mbufs",
     .default_text = "16384"},
    {.long_name = "workers",
     .argument = "N|auto",
     .value_kind = "a number or 'auto'",
     .text = "worker processes; auto is one per available CPU",
     .default_text = "auto"},
    {.long_name = "control",
     .argument = "PATH",
     .value_kind = "a path",
     .text = "Unix socket that takes the commands below",
     .default_text = kDefaultControlPath},
};

// The two lines nutcracker prints as well.
constexpr const char* kBanner = "This is ringmaster-" RM_VERSION "\nasync event backend: libuv\n\n";

}  // namespace

std::span<const OptionRow> option_table() noexcept {
    return kOptions;
}

std::string version_text() {
    return base::format("{}commit {}\n{}\n{}\n", kBanner, build_commit(), library_versions(),
                        toolchain_versions());
}

std::string help_text() {
    std::string text = kBanner;
    text +=
        "Usage: ringmaster [-?hVdDt] [-v LEVEL] [-o FILE] [-c FILE] [-s PORT]\n"
        "                  [-a ADDRESS] [-i MSEC] [-p FILE] [-m BYTES]\n"
        "                  [--workers N|auto] [--control PATH]\n\n";
    for (const OptionRow& row : option_table()) {
        const std::string short_name =
            row.short_name != '\0' ? base::format("-{},", row.short_name) : "   ";
        std::string names = base::format("{} --{}", short_name, row.long_name);
        if (row.takes_value()) {
            names += base::format("={}", row.argument);
        }
        text += base::format("  {:<27} {}", names, row.text);
        if (!row.default_text.empty()) {
            text += base::format(" (default: {})", row.default_text);
        }
        text += '\n';
    }
    return text + commands_help();
}

}  // namespace ringmaster::master
