// SPDX-License-Identifier: Apache-2.0
#include "man/tables.h"

#include <functional>
#include <span>

#include "common/base/format.h"
#include "common/stats/stats.h"
#include "config/load.h"
#include "man/mdoc.h"
#include "master/option_table.h"
#include "master/settings.h"

namespace ringmaster::man {

namespace {

using base::format;

// Process keys without a default of their own say what an option says as well.
struct KeyOfOption {
    std::string_view key;
    std::string_view option;
};
constexpr KeyOfOption kOptions[] = {
    {.key = "workers", .option = "workers"},          {.key = "log_file", .option = "output"},
    {.key = "log_level", .option = "verbose"},        {.key = "pid_file", .option = "pid-file"},
    {.key = "stats_address", .option = "stats-addr"}, {.key = "stats_port", .option = "stats-port"},
    {.key = "control", .option = "control"},
};

const master::OptionRow* option_of_key_or_null(std::string_view key) {
    for (const KeyOfOption& pair : kOptions) {
        for (const master::OptionRow& row : master::option_table()) {
            if (pair.key == key && row.long_name == pair.option) {
                return &row;
            }
        }
    }
    return nullptr;
}

std::string spelling(const master::OptionRow& row) {
    return row.short_name != '\0' ? format("-{}", row.short_name) : format("--{}", row.long_name);
}

std::string key_facts(const config::KeyInfo& key, const master::OptionRow* option) {
    std::string text = format("Takes {}", key.form());
    const std::string_view default_text =
        key.default_text.empty() && option != nullptr ? option->default_text : key.default_text;
    text += default_text.empty() ? std::string(".") : format("; default: {}.", default_text);
    if (option != nullptr) {
        text += format(" Option {} wins.", spelling(*option));
    }
    return text;
}

std::string key_list(std::span<const config::KeyInfo> keys, bool of_process) {
    std::string text = ".Bl -tag -width Ds\n";
    for (const config::KeyInfo& key : keys) {
        text += format(".It Ic {}\n", key.name) + paragraph(key.doc);
        text += paragraph(key_facts(key, of_process ? option_of_key_or_null(key.name) : nullptr));
    }
    return text + ".El\n";
}

std::string_view kind_text(stats::Kind kind) {
    switch (kind) {
        case stats::Kind::kCounter:
            return "counter";
        case stats::Kind::kGauge:
            return "level";
        case stats::Kind::kHighest:
            return "highest";
        case stats::Kind::kTimestamp:
            return "time";
    }
    return "";
}

std::string stat_list(std::span<const stats::StatInfo> infos, bool in_document) {
    std::string text = ".Bl -tag -width Ds\n";
    for (const stats::StatInfo& info : infos) {
        if (info.in_document == in_document) {
            text += format(".It Ic {} Pq {}\n", info.name, kind_text(info.kind));
            text += paragraph(info.text);
        }
    }
    return text + ".El\n";
}

}  // namespace

std::optional<std::string> expand(std::string_view name) {
    if (name == "POOL_KEYS") {
        return key_list(config::pool_keys(), false);
    }
    if (name == "PROCESS_KEYS") {
        return key_list(config::process_keys(), true);
    }
    if (name == "POOL_STATS") {
        return stat_list(stats::pool_stats(), true);
    }
    if (name == "POOL_STATS_OWN") {
        return stat_list(stats::pool_stats(), false);
    }
    if (name == "SERVER_STATS") {
        return stat_list(stats::server_stats(), true);
    }
    if (name == "VERSION") {
        return RM_VERSION;
    }
    if (name == "CONTROL_PATH") {
        return master::kDefaultControlPath;
    }
    return std::nullopt;
}

}  // namespace ringmaster::man
