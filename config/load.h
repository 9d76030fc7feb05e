// SPDX-License-Identifier: Apache-2.0
// Bytes of a config file -> a validated Config, or every problem found in it.
//
// The same call serves `-t`, the start and a reload. No config, however broken, crashes it. Does no
// I/O itself: a listen name is resolved through the function in LoadOptions (nutcracker refuses a
// config whose listen name does not resolve, also under -t), and so are user and group. Server
// names are never resolved here. Source: nutcracker's YAML subset and pool directives; verdicts in
// tests/golden/config_cases.jsonl.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace ringmaster::config {

enum class Severity { kError, kWarning };

// One problem. line and column count from 1; 0 means "the file as a whole".
struct Diagnostic {
    Severity severity = Severity::kError;
    size_t line = 0;
    size_t column = 0;
    std::string message;  // what is wrong
    std::string hint;     // what to do, or empty
};

// "FILE:LINE:COLUMN: error: MESSAGE (HINT)"
std::string format_diagnostic(std::string_view file_name, const Diagnostic& diagnostic);

// What is wrong with the user or group of the workers. An empty message: nothing.
struct IdentityProblem {
    bool in_group = false;  // else in `user`
    std::string message;    // completes "bad value 'x' for 'user': ..."
    std::string hint;
};

struct LoadOptions {
    // Returns an empty string when `host`/`port` resolves, else why not. Unset: names are not
    // tried.
    std::function<std::string(const std::string& host, const std::string& port)> resolve_listen;
    // Looks up who the workers shall be; `group` is empty when not given. Unset: not looked up.
    std::function<IdentityProblem(const std::string& user, const std::string& group)>
        check_identity;
};

struct LoadResult {
    std::optional<Config> config;  // set exactly when no diagnostic is an error
    std::vector<Diagnostic> diagnostics;
};

LoadResult load(std::string_view bytes, const LoadOptions& options);

// One key the file may contain; all text lives for ever. From pool_keys.def and process_keys.def,
// for the manual page and for tests.
struct KeyInfo {
    std::string_view name;
    std::string (*form)();          // what it takes, in words; completes "takes ..."
    std::string_view default_text;  // empty = not set
    std::string_view doc;
};
std::span<const KeyInfo> pool_keys() noexcept;
std::span<const KeyInfo> process_keys() noexcept;

// One `servers` entry, "host:port:weight [name]" or "/path:weight [name]". On failure returns the
// reason, without the key's name. Public for the placement golden test.
struct ServerEntry {
    ServerConfig server;
    std::string problem;  // empty = good
};
ServerEntry parse_server_entry(std::string_view text);

}  // namespace ringmaster::config
