// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tests/unit/config/support.h"

using namespace ringmaster::config;

namespace {

// The one warning of an accepted file, or "" when there is none.
std::string only_warning(const std::string& text) {
    const LoadResult result = load_text(text);
    INFO(text, text_of(result));
    CHECK(result.config.has_value());
    CHECK(result.diagnostics.size() <= 1);
    return result.diagnostics.empty() ? "" : text_of(result);
}

}  // namespace

TEST_CASE("config warnings: crc32 with ketama") {
    CHECK(contains(only_warning(pool_with("  hash: crc32\n")),
                   "f:3:3: warning: crc32 with ketama puts nearly all keys on one server"));
    CHECK(only_warning(pool_with("  hash: crc32\n  distribution: modula\n")) == "");
    CHECK(only_warning(pool_with("  hash: crc32a\n")) == "");
}

TEST_CASE("config warnings: a server whose weight gives it no place on the ring") {
    const std::string text = "a:\n  listen: x:1\n  servers:\n    - h:1:1\n    - i:1:100000\n";
    CHECK(contains(only_warning(text), "warning: server 'h:1' of pool 'a' gets no keys"));
    CHECK(only_warning("a:\n  listen: x:1\n  servers:\n    - h:1:1\n    - i:1:2\n") == "");
}

TEST_CASE("config warnings: redis_db that nutcracker did not select") {
    CHECK(contains(only_warning(pool_with("  redis: true\n  redis_auth: pw\n  redis_db: 2\n")),
                   "f:5:3: warning: nutcracker ignored 'redis_db' beside 'redis_auth'"));
    CHECK(contains(only_warning("a:\n  listen: x:1\n  redis: true\n  redis_db: 2\n  servers:\n"
                                "    - /s:1\n"),
                   "f:4:3: warning: nutcracker ignored 'redis_db' for servers on Unix sockets"));
    CHECK(only_warning(pool_with("  redis: true\n  redis_db: 2\n")) == "");
    CHECK(only_warning(pool_with("  redis: true\n  redis_auth: pw\n  redis_db: 0\n")) == "");
    CHECK(only_warning(pool_with("  redis_db: 2\n")) == "");
    CHECK(only_warning(pool_with("  redis: true\n  redis_auth: pw\n  redis_db: 2\n"
                                 "  redis_db_compat: true\n")) == "");
}

TEST_CASE("config warnings: client_connections and reuseport") {
    CHECK(contains(only_warning(pool_with("  client_connections: 5\n")),
                   "f:3:3: warning: nutcracker ignored 'client_connections'"));
    CHECK(only_warning(pool_with("  client_connections: 0\n")) == "");
    CHECK(contains(only_warning(pool_with("  reuseport: true\n")),
                   "f:3:3: warning: 'reuseport' has no effect"));
}

TEST_CASE("config warnings: however many there are, the file is read to its end") {
    std::string text;
    for (int i = 0; i < 300; ++i) {
        const std::string number = std::to_string(i);
        text += "p" + number + ":\n  listen: /s" + number +
                "\n  reuseport: true\n  servers:\n    - a:1:1\n";
    }
    const LoadResult result = load_text(text);
    REQUIRE(result.config);
    CHECK(result.config->pools.size() == 300);
    CHECK(result.diagnostics.size() == 101);
}

TEST_CASE("config warnings: keys that are taken and do nothing") {
    CHECK(contains(only_warning(pool_with("  redis: true\n  flush_all: true\n")),
                   "f:4:3: warning: 'flush_all' has no effect in a redis pool"));
    CHECK(only_warning(pool_with("  flush_all: true\n")) == "");
    CHECK(contains(only_warning(pool_with("  redis: true\n  memcached_version: 1.6.40\n")),
                   "f:4:3: warning: 'memcached_version' has no effect in a redis pool"));
    CHECK(only_warning(pool_with("  memcached_version: 1.6.40\n")) == "");
}

TEST_CASE("config: the version that memcached clients are told is one word") {
    CHECK(load_text(pool_with("  memcached_version: 1.6.40_x-y\n"))
              .config->pools[0]
              .memcached_version == "1.6.40_x-y");
    for (const std::string& bad : {std::string("'1.6 40'"), std::string("\"1\\r\\nMN\""),
                                   std::string(33, '1'), std::string("1.6.40\xc3\xa9")}) {
        CHECK(contains(text_of(load_text(pool_with("  memcached_version: " + bad + "\n"))),
                       "not a word of at most 32 printable ASCII characters"));
    }
}

TEST_CASE("config warnings: keys of ejection that do nothing, and ejection that cannot work") {
    for (const char* line : {"max_ejection_percent: 50", "eject_probe: off"}) {
        const std::string text = std::string("  ") + line + "\n";
        const std::string key = std::string(line).substr(0, std::string_view(line).find(':'));
        CHECK(contains(
            only_warning(pool_with(text)),
            "f:3:3: warning: '" + key + "' has no effect: servers are ejected by hand only"));
    }
    for (const char* line : {"eject_mode: hold", "probe_timeout: 100", "readmit: flush"}) {
        CHECK(only_warning(pool_with(std::string("  ") + line + "\n")) == "");
    }
    const std::string two = "a:\n  listen: x:1\n  servers:\n    - h:1:1\n    - i:1:1\n";
    CHECK(only_warning(two + "  auto_eject_hosts: true\n  timeout: 400\n") == "");
    CHECK(contains(only_warning(two + "  auto_eject_hosts: true\n"),
                   "f:6:3: warning: without 'timeout' a server that hangs is never noticed"));
    const std::string one = "a:\n  listen: x:1\n  timeout: 400\n  servers:\n    - h:1:1\n";
    CHECK(contains(only_warning(one + "  auto_eject_hosts: true\n"),
                   "f:6:3: warning: a pool's only server is never ejected"));
    CHECK(only_warning(one + "  auto_eject_hosts: true\n  eject_mode: hold\n") == "");
    CHECK(contains(only_warning(one + "  auto_eject_hosts: true\n  eject_mode: hold\n"
                                      "  readmit: flush\n"),
                   "f:8:3: warning: 'readmit: flush' throws away what nothing has overwritten"));
}

TEST_CASE("config: resp3 is auto, on or off") {
    const std::string one = "a:\n  listen: x:1\n  redis: true\n  servers:\n    - h:1:1\n";
    CHECK(load_text(one).config->pools[0].resp3 == Resp3::kAuto);
    CHECK(load_text(one + "  resp3: auto\n").config->pools[0].resp3 == Resp3::kAuto);
    CHECK(load_text(one + "  resp3: on\n").config->pools[0].resp3 == Resp3::kOn);
    CHECK(load_text(one + "  resp3: off\n").config->pools[0].resp3 == Resp3::kOff);
    CHECK_FALSE(load_text(one + "  resp3: true\n").config);
}

TEST_CASE("config: what ejection is told, and what it refuses") {
    const std::string two =
        "a:\n  listen: x:1\n  timeout: 400\n  auto_eject_hosts: true\n  servers:\n    - h:1:1\n"
        "    - i:1:1\n";
    const LoadResult all = load_text(two +
                                     "  eject_mode: hold\n  max_ejection_percent: 25\n"
                                     "  probe_timeout: 70\n  readmit: flush\n");
    REQUIRE(all.config);
    const auto& eject = all.config->pools[0].eject;
    CHECK(eject.mode == ringmaster::health::EjectMode::kHold);
    CHECK(eject.max_ejection_percent == 25);
    CHECK(eject.probe_timeout_ms == 70);
    CHECK(eject.flush_on_return);
    CHECK(eject.probe);
    const auto problem = [&two](const std::string& lines) {
        return text_of(load_text(two + lines));
    };
    CHECK(contains(problem("  eject_mode: drop\n"), "neither rehash nor hold"));
    CHECK(contains(problem("  max_ejection_percent: 0\n"), "not a number from 1 to 100"));
    CHECK(contains(problem("  max_ejection_percent: 101\n"), "not a number from 1 to 100"));
    CHECK(contains(problem("  eject_probe: true\n"), "neither on nor off"));
    CHECK(contains(problem("  probe_timeout: 0\n"), "must be at least 1"));
    CHECK(contains(problem("  readmit: empty\n"), "neither keep nor flush"));
    CHECK(contains(problem("  eject_probe: off\n  readmit: flush\n"),
                   "f:9:3: error: 'readmit: flush' needs probes"));
}
