// SPDX-License-Identifier: Apache-2.0
// The config file as the master meets it: read, checked, and told about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "config/load.h"

namespace ringmaster::master {

// Never blocks on a pipe; reads no more than a little over the largest config there may be, which
// load() then refuses.
base::Result<std::string> read_config_file(const std::string& path);

struct ConfigFile {
    std::string bytes;
    std::optional<config::Config> config;  // set when it is good
    std::vector<std::string> errors;       // whole lines
    std::vector<std::string> warnings;
};

// Checks, looking up listen names (which blocks). `path` is for the messages.
ConfigFile check_config(const std::string& path, std::string bytes);
// Reads and checks.
ConfigFile load_config_file(const std::string& path);

}  // namespace ringmaster::master
