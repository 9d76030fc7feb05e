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
    CHECK(contains(only_warning(pool_with("  auto_eject_hosts: true\n")),
                   "f:3:3: warning: 'auto_eject_hosts' has no effect yet"));
    CHECK(only_warning(pool_with("  auto_eject_hosts: false\n")) == "");
    CHECK(contains(only_warning(pool_with("  redis: true\n  flush_all: true\n")),
                   "f:4:3: warning: 'flush_all' has no effect in a redis pool"));
    CHECK(only_warning(pool_with("  flush_all: true\n")) == "");
}
