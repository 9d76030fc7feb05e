// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tests/unit/config/support.h"

using namespace ringmaster::config;

TEST_CASE("config diagnostics: every problem is reported in one run, in the file's order") {
    const LoadResult result = load_text(
        "alpha:\n"
        "  lisen: 127.0.0.1:1\n"
        "  hash: fnv1_65\n"
        "  timeout: soon\n"
        "  servers:\n"
        "    - a:1\n"
        "    - b:0:1\n"
        "beta:\n"
        "  listen: 127.0.0.1:99999\n"
        "  redis: yes\n");
    CHECK_FALSE(result.config);
    CHECK(text_of(result) ==
          "f:1:1: error: pool 'alpha' has no 'listen' (add e.g. listen: 127.0.0.1:22121)\n"
          "f:2:3: error: unknown key 'lisen' (did you mean 'listen'?)\n"
          "f:3:9: error: bad value 'fnv1_65' for 'hash': no such hash (did you mean 'fnv1_64'?)\n"
          "f:4:12: error: bad value 'soon' for 'timeout': not a number from 0 to 2147483647 "
          "(write digits only, without sign, point or unit)\n"
          "f:6:7: error: bad value 'a:1' for 'servers': fields are missing; expected "
          "host:port:weight [name] or /path:weight [name]\n"
          "f:7:7: error: bad value 'b:0:1' for 'servers': bad port (1 to 65535); expected "
          "host:port:weight [name] or /path:weight [name]\n"
          "f:8:1: error: pool 'beta' has no 'servers' (add a list: servers:, then one "
          "'- host:port:weight' per line)\n"
          "f:9:11: error: bad value '127.0.0.1:99999' for 'listen': bad port (the port after the "
          "last colon is a number from 1 to 65535)\n"
          "f:10:10: error: bad value 'yes' for 'redis': neither true nor false (write true)\n");
}

TEST_CASE("config diagnostics: duplicates name the line of the first") {
    CHECK(contains(text_of(load_text(pool_with("  hash: md5\n  hash: md5\n"))),
                   "f:4:3: error: key 'hash' is given twice (the first is on line 3)"));
    CHECK(contains(text_of(load_text("a:\n  listen: x:1\n  servers:\n    - h:1:1\n    - h:1:2\n")),
                   "f:5:7: error: a server named 'h:1' is already on line 4"));
    const std::string pool = ":\n  listen: x:1\n  servers:\n    - h:1:1\n";
    const std::string both = text_of(load_text("a" + pool + "a" + pool));
    CHECK(contains(both, "f:5:1: error: a pool named 'a' is already on line 1"));
    CHECK(contains(both, "f:6:3: error: pool 'a' already listens on 'x:1', line 2"));
}

TEST_CASE("config diagnostics: three servers of one name all point at the first") {
    const std::string text =
        text_of(load_text("a:\n  listen: x:1\n  servers:\n    - h:1:1\n    - z:1:1\n    - h:1:2\n"
                          "    - h:1:3\n"));
    CHECK(contains(text, "f:6:7: error: a server named 'h:1' is already on line 4"));
    CHECK(contains(text, "f:7:7: error: a server named 'h:1' is already on line 4"));
}

TEST_CASE("config diagnostics: an empty list of servers is one error") {
    CHECK(text_of(load_text("a:\n  listen: x:1\n  servers: []\n")) ==
          "f:3:12: error: flow style '[...]' is not allowed (write one item per line, each after "
          "'- '; to mean the character itself, use quotes)\n");
}

TEST_CASE("config diagnostics: a socket's path that no address has room for") {
    const std::string fits = "/" + std::string(106, 'x');
    const auto process = [](const std::string& keys) {
        return text_of(load_text("ringmaster:\n" + keys + pool_with("")));
    };
    CHECK(process("  control: " + fits + "\n  stats_address: " + fits + "\n").empty());
    const std::string text = process("  control: " + fits + "x\n  stats_address: " + fits + "x\n");
    CHECK(contains(text, "f:2:12: error: bad value '/xxx"));
    CHECK(contains(text, "for 'control': path of 108 bytes, at most 107 are possible"));
    CHECK(contains(text, "f:3:18: error: bad value '/xxx"));
    CHECK(contains(text, "for 'stats_address': path of 108 bytes, at most 107 are possible"));
    CHECK(process("  stats_address: " + std::string(200, 'h') + "\n").empty());  // a host

    const auto server = [](const std::string& path) {
        return load_text("a:\n  listen: x:1\n  servers:\n    - h:1:1\n    - " + path + ":1 n\n");
    };
    CHECK(text_of(server(fits)).find("cannot be reached") == std::string::npos);
    const LoadResult too_long = server(fits + "x");
    CHECK(too_long.config.has_value());
    CHECK(contains(text_of(too_long),
                   "f:5:7: warning: server 'n' cannot be reached: path of 108 "
                   "bytes, at most 107 are possible"));
}

TEST_CASE("config diagnostics: an unknown key without a near one lists the valid keys") {
    const std::string text = text_of(load_text(pool_with("  colour: blue\n")));
    CHECK(contains(text, "unknown key 'colour' (valid keys: listen, hash, "));
    CHECK_FALSE(contains(text, "blue"));
}

TEST_CASE("config diagnostics: no password is ever shown") {
    const char* const bodies[] = {
        "  redis: true\n  redis_auht: hunter2\n",
        "  redis: true\n  password: hunter2\n",
        "  redis: true\n  redis_auth=hunter2: x\n",
        "  redis: true\n  redis_auth:hunter2: x\n",
        "  redis_auth: hunter2\n",
        "  redis: true\n  redis_auth: hunter1\n  redis_auth: hunter2\n",
        "  redis: true\n  redis_auth:\n    - hunter2\n",
        "  redis: true\n  redis_auth:\n    hunter2: x\n",
        "  redis: true\n  redis_auth: [hunter2]\n",
        "  redis: true\n  redis_auth: !hunter2 x\n",
        "  redis: true\n  redis_auth: *hunter2\n",
        "  redis: true\n  redis_auth: \"hunter2\n",
        "  redis: true\n  redis_auth: hunter2: x\n",
        "  redis: true\n  timeout: 1\n    redis_auth hunter2\n",
        "  redis: true\n  memcached_auth: user:hunter2\n",
        "  memcached_auth: hunter2\n",
        "  memcached_auth: :hunter2\n",
        "  memcached_auth: [user:hunter2]\n",
    };
    for (const char* const body : bodies) {
        const LoadResult result = load_text(pool_with(body));
        INFO(body, text_of(result));
        CHECK_FALSE(result.config);
        CHECK_FALSE(contains(text_of(result), "hunter"));
    }
}

TEST_CASE("config diagnostics: a login that no client could send is refused") {
    CHECK(load_text(pool_with("  memcached_auth: u:" + std::string(1022, 'p') + "\n")).config);
    const LoadResult result =
        load_text(pool_with("  memcached_auth: u:" + std::string(1023, 'p') + "\n"));
    CHECK_FALSE(result.config);
    CHECK(contains(text_of(result), "'memcached_auth' is too long (up to 1024 bytes)"));
}

TEST_CASE("config diagnostics: syntax errors carry libyaml's words and the place") {
    const std::string text = text_of(load_text("alpha:\n\tlisten: x\n"));
    CHECK(contains(text, "f:2:1: error: YAML syntax: "));
    CHECK(contains(text, "cannot start any token"));
    const std::string control = text_of(load_text("alpha:\n  li\001sten: x\n"));
    CHECK(contains(control, "f:2:5: error: not readable as text: control characters"));
}

TEST_CASE("config diagnostics: behind a forbidden part the rest is still checked") {
    const std::string text = text_of(
        load_text("---\nalpha:\n  lisen: &a x\n  hash: *a\n  servers: [a:1, b:1:1]\n...\n"));
    CHECK(contains(text, "f:1:1: error: document start"));
    CHECK(contains(text, "f:3:3: error: unknown key 'lisen'"));
    CHECK(contains(text, "f:3:10: error: anchors"));
    CHECK(contains(text, "f:4:9: error: aliases"));
    CHECK(contains(text, "f:5:12: error: flow style"));
    CHECK(contains(text, "f:5:13: error: bad value 'a:1' for 'servers'"));
    CHECK(contains(text, "f:6:1: error: document end"));
}

TEST_CASE("config diagnostics: lists in the wrong place say what is expected") {
    CHECK(contains(text_of(load_text(pool_with("  hash:\n    - md5\n"))),
                   "f:3:3: error: 'hash' takes one value, not a list (only 'servers' is a list)"));
    CHECK(contains(text_of(load_text("a:\n  listen: x:1\n  servers: h:1:1\n")),
                   "f:3:12: error: 'servers' is not a list"));
    CHECK(contains(text_of(load_text("a:\n  listen: x:1\n  servers:\n    - k: v\n")),
                   "f:4:7: error: 'servers' contains nested keys"));
    CHECK(contains(text_of(load_text("- a\n")), "f:1:1: error: the file does not begin with a "));
    CHECK(contains(text_of(load_text("a:\n  - b\n")),
                   "f:1:1: error: pool 'a' contains a list instead of its settings"));
    CHECK(contains(text_of(load_text("listen: x:1\n")),
                   "this is a key of a pool: indent it below the pool's name"));
}

TEST_CASE("config diagnostics: a flood of problems is cut, and still refused") {
    std::string text = "alpha:\n";
    for (int i = 0; i < 5000; ++i) {
        text += "  key" + std::to_string(i) + ": x\n";
    }
    const LoadResult result = load_text(text);
    CHECK_FALSE(result.config);
    CHECK(result.diagnostics.size() == 101);
    CHECK(contains(result.diagnostics.back().message, "too many errors"));
}

TEST_CASE("config diagnostics: the resolver's answer for a listen name is reported at the key") {
    LoadOptions options;
    std::string asked;
    options.resolve_listen = [&asked](const std::string& host, const std::string& port) {
        asked += host + "|" + port;
        return std::string("no such host");
    };
    const LoadResult result =
        load("alpha:\n  listen: ::1:00022\n  servers:\n    - a:1:1\n", options);
    CHECK(asked == "::1|22");
    CHECK_FALSE(result.config);
    CHECK(contains(text_of(result),
                   "f:2:3: error: cannot resolve the listen address '::1': no such host"));
}

TEST_CASE("config diagnostics: user and group are looked up, and blamed each for its own") {
    std::string asked;
    LoadOptions options;
    options.check_identity = [&asked](const std::string& user, const std::string& group) {
        asked = user + "/" + group;
        return user == "bad" ? IdentityProblem{false, "no such user", ""}
                             : IdentityProblem{group == "bad",
                                               group == "bad" ? "no such group" : "", "a hint"};
    };
    const auto lines = [&](const std::string& keys) {
        return text_of(load("ringmaster:\n" + keys + pool_with(""), options));
    };
    CHECK(lines("  group: web\n  user: www\n").empty());
    CHECK(asked == "www/web");
    CHECK(lines("  user: 33\n").empty());
    CHECK(asked == "33/");
    CHECK(lines("  workers: 1\n  user: bad\n  group: web\n") ==
          "f:3:9: error: bad value 'bad' for 'user': no such user\n");
    CHECK(lines("  user: www\n  group: bad\n") ==
          "f:3:10: error: bad value 'bad' for 'group': no such group (a hint)\n");
    asked.clear();
    CHECK(lines("  group: web\n") ==
          "f:2:10: error: 'group' stands without 'user' (name the user whose workers shall have "
          "that group)\n");
    CHECK(asked.empty());
    // One mistake is one line.
    CHECK(lines("  group: web\n  user:\n    - x\n") ==
          "f:4:5: error: 'user' contains a list (one plain value stands here)\n");
}
