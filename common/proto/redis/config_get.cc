// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/config_get.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "common/proto/redis/glob.h"
#include "common/proto/redis/keys.h"

namespace ringmaster::proto::redis {
namespace {

constexpr std::string_view kDatabases = "databases";

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kSettings = {{
    {"appendonly", "no"},
    {kDatabases, ""},  // the pool's
    {"maxmemory", "0"},
    {"maxmemory-policy", "noeviction"},
    {"notify-keyspace-events", ""},
    {"replica-read-only", "yes"},
    {"save", ""},
    {"slave-read-only", "yes"},
    {"timeout", "0"},
}};

}  // namespace

void write_config(std::span<const std::string_view> patterns, uint32_t databases,
                  ReplyWriter& writer) {
    const std::string databases_text = std::to_string(databases);
    std::vector<std::pair<std::string_view, std::string_view>> found;
    for (const auto& [name, value] : kSettings) {
        const std::string_view setting = name;
        const auto asked =
            std::find_if(patterns.begin(), patterns.end(), [setting](std::string_view pattern) {
                return is_pattern(pattern) ? fits_pattern(pattern, setting)
                                           : equal_ignoring_case(pattern, setting);
            });
        if (asked != patterns.end()) {
            found.emplace_back(is_pattern(*asked) ? name : *asked,
                               name == kDatabases ? std::string_view(databases_text) : value);
        }
    }
    writer.map(found.size());
    for (const auto& [name, value] : found) {
        writer.bulk(name);
        writer.bulk(value);
    }
}

}  // namespace ringmaster::proto::redis
