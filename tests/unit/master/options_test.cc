// SPDX-License-Identifier: Apache-2.0
#include "master/options.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "master/option_table.h"

namespace ringmaster::master {
namespace {

using Words = std::vector<std::string>;

Options good(const Words& words) {
    const auto options = parse_options(words);
    REQUIRE_MESSAGE(options.has_value(), options.error().message);
    return *options;
}

std::string problem(const Words& words) {
    const auto options = parse_options(words);
    return options ? "taken" : options.error().message;
}

TEST_CASE("options: nothing said leaves everything to the config and the defaults") {
    const Options options = good({});
    CHECK(options.config_file == "conf/nutcracker.yml");
    CHECK_FALSE(options.help);
    CHECK_FALSE(options.version);
    CHECK_FALSE(options.describe_stats);
    CHECK_FALSE(options.test_config);
    CHECK_FALSE(options.daemonize);
    CHECK_FALSE(options.log_level.has_value());
    CHECK_FALSE(options.log_file.has_value());
    CHECK_FALSE(options.pid_file.has_value());
    CHECK_FALSE(options.stats_address.has_value());
    CHECK_FALSE(options.stats_port.has_value());
    CHECK_FALSE(options.workers.has_value());
}

TEST_CASE("options: every flag without a value, short and long") {
    CHECK(good({"-h"}).help);
    CHECK(good({"-?"}).help);
    CHECK(good({"--help"}).help);
    CHECK(good({"-V"}).version);
    CHECK(good({"--version"}).version);
    CHECK(good({"-t"}).test_config);
    CHECK(good({"--test-conf"}).test_config);
    CHECK(good({"-d"}).daemonize);
    CHECK(good({"--daemonize"}).daemonize);
    CHECK(good({"-D"}).describe_stats);
    CHECK(good({"--describe-stats"}).describe_stats);
}

TEST_CASE("options: every flag with a value, in every spelling") {
    CHECK(good({"-v", "7"}).log_level == 7);
    CHECK(good({"-v7"}).log_level == 7);
    CHECK(good({"--verbose", "7"}).log_level == 7);
    CHECK(good({"--verbose=7"}).log_level == 7);
    CHECK(good({"-o", "f"}).log_file == "f");
    CHECK(good({"-of"}).log_file == "f");
    CHECK(good({"--output=f"}).log_file == "f");
    CHECK(good({"-c", "f"}).config_file == "f");
    CHECK(good({"--conf-file", "f"}).config_file == "f");
    CHECK(good({"-s", "1234"}).stats_port == 1234);
    CHECK(good({"--stats-port=1234"}).stats_port == 1234);
    CHECK(good({"-a", "::1"}).stats_address == "::1");
    CHECK(good({"--stats-addr", "/run/s"}).stats_address == "/run/s");
    CHECK(good({"-p", "f"}).pid_file == "f");
    CHECK(good({"--pid-file", "f"}).pid_file == "f");
    CHECK(good({"--workers", "3"}).workers == 3U);
    CHECK(good({"--workers=auto"}).workers == 0U);
    CHECK(good({"-i", "0", "-m", "512"}).config_file == "conf/nutcracker.yml");
    CHECK(good({"--stats-interval=30000", "--mbuf-size=16777216"}).workers == std::nullopt);
}

TEST_CASE("options: short flags can be bundled, the last with its value") {
    const Options options = good({"-tdv3", "-Dc", "file"});
    CHECK(options.test_config);
    CHECK(options.daemonize);
    CHECK(options.describe_stats);
    CHECK(options.log_level == 3);
    CHECK(options.config_file == "file");
}

TEST_CASE("options: a long name may be shortened while it is unambiguous") {
    CHECK(good({"--verb=3"}).log_level == 3);
    CHECK(good({"--stats-p", "1"}).stats_port == 1);
    CHECK(good({"--w", "2"}).workers == 2U);
    CHECK(problem({"--stats", "1"}).find("ambiguous option '--stats'") == 0);
    CHECK(problem({"--ver"}).find("ambiguous") == 0);
}

TEST_CASE("options: a value is never taken for a flag") {
    CHECK(good({"-o", "-V"}).log_file == "-V");
    CHECK_FALSE(good({"-o", "-V"}).version);
    CHECK(good({"--conf-file", "--help"}).config_file == "--help");
    CHECK(good({"-o", "--"}).log_file == "--");
    CHECK(good({"-o", "[a,b]"}).log_file == "[a,b]");
    CHECK(good({"-o", "a,b c"}).log_file == "a,b c");
}

TEST_CASE("options: an empty log file means stderr") {
    CHECK(good({"-o", ""}).log_file == "");
    CHECK(good({"--output="}).log_file == "");
    CHECK(good({"--output=", "-t"}).test_config);
}

TEST_CASE("options: the last of a repeated flag wins") {
    CHECK(good({"-v", "1", "--verbose=2"}).log_level == 2);
    CHECK(good({"-t", "-t"}).test_config);
}

TEST_CASE("options: verbosity is clamped, leading zeros are fine") {
    CHECK(good({"-v", "99"}).log_level == 11);
    CHECK(good({"-v", "99999999999999999999999"}).log_level == 11);
    CHECK(good({"-v", "007"}).log_level == 7);
}

TEST_CASE("options: numbers are digits in range, everything else is one line that names the flag") {
    const Words flags = {"-v", "-s", "-i", "-m", "--workers"};
    for (const std::string& flag : flags) {
        for (const char* value : {"x", "-1", "+1", "", "1x", " 1", "0x10", "1.5"}) {
            CAPTURE(flag);
            CAPTURE(value);
            CHECK(problem({flag, value}).find("option " + flag) == 0);
        }
    }
    for (const Words& words : {Words{"-s", "0"}, Words{"-s", "65536"}, Words{"-s", "4294967297"},
                               Words{"-m", "0"}, Words{"-m", "511"}, Words{"-m", "16777217"},
                               Words{"--workers", "0"}, Words{"--workers", "1025"}}) {
        CAPTURE(words[1]);
        CHECK(problem(words).find("option " + words[0] + " must be between") == 0);
    }
}

TEST_CASE("options: a missing value is one line that names the flag") {
    for (const OptionRow& row : option_table()) {
        if (!row.takes_value()) {
            continue;
        }
        const std::string long_name = "--" + std::string(row.long_name);
        const std::string text = problem({long_name});
        CAPTURE(text);
        CHECK(text.find("requires " + std::string(row.value_kind)) != std::string::npos);
        if (row.short_name != '\0') {
            CHECK(problem({"-t", std::string("-") + row.short_name}) == text);
        }
    }
    for (const char* name : {"-c", "-p", "-a"}) {
        CHECK(problem({name, ""}).find("requires") != std::string::npos);
    }
}

TEST_CASE("options: what nobody knows is refused in one line") {
    CHECK(problem({"-z"}).find("unknown option '-z'") == 0);
    CHECK(problem({"-tz"}).find("unknown option '-z'") == 0);
    CHECK(problem({"--nonsense"}).find("unknown option '--nonsense'") == 0);
    CHECK(problem({"--help=3"}) == "option --help takes no value");
    CHECK(problem({"word"}).find("unexpected word 'word'") == 0);
    CHECK(problem({"--", "word"}).find("unexpected word 'word'") == 0);
    CHECK(problem({"-"}).find("unexpected word '-'") == 0);
    CHECK(problem({"--non\nsense"}).find('\n') == std::string::npos);
}

TEST_CASE("options: help has a line for every flag, version names the one version") {
    const std::string help = help_text();
    for (const OptionRow& row : option_table()) {
        CHECK(help.find("--" + std::string(row.long_name)) != std::string::npos);
    }
    CHECK(version_text().find("This is ringmaster-" RM_VERSION "\n") == 0);
}

}  // namespace
}  // namespace ringmaster::master
