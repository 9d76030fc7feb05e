// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <doctest/doctest.h>

#include "config/value_forms.h"
#include "config/values.h"
#include "tests/unit/config/support.h"

using namespace ringmaster::config;

namespace {

// The field's initial value as a file would write it; empty = not set.
std::string shown(uint32_t value) {
    return std::to_string(value);
}
std::string shown(bool value) {
    return value ? "true" : "false";
}
std::string shown(const std::string& value) {
    return value;
}
std::string shown(const Address& value) {
    return value.text;
}
std::string shown(const std::vector<ServerConfig>& value) {
    return value.empty() ? "" : "some";
}
std::string shown(const ringmaster::hash::HashRow* value) {
    return std::string(value == nullptr ? ringmaster::hash::kDefaultHash : value->name);
}
std::string shown(CrossShard value) {
    return value == CrossShard::kFirst ? "first" : "error";
}
std::string shown(ringmaster::config::Resp3 value) {
    using enum ringmaster::config::Resp3;
    return value == kAuto ? "auto" : value == kOn ? "on" : "off";
}
std::string shown(ringmaster::health::EjectMode value) {
    return value == ringmaster::health::EjectMode::kRehash ? "rehash" : "hold";
}
std::string shown(ringmaster::ring::Distribution value) {
    for (const auto& row : ringmaster::ring::all_distributions()) {
        if (row.distribution == value) {
            return std::string(row.name);
        }
    }
    return "unknown";
}
template <class T>
std::string shown(const std::optional<T>& value) {
    return value ? "set" : "";
}
// Some readers have words of their own for true and false.
template <class T>
std::string shown_by(std::string_view reader, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        if (reader == "switch") {
            return value ? "on" : "off";
        }
        if (reader == "readmit") {
            return value ? "flush" : "keep";
        }
    }
    return shown(value);
}

}  // namespace

TEST_CASE("config keys: each row's default is the initial value of its field") {
    const PoolConfig pool;
#define RM_POOL_KEY(name, member, reader, default_text, doc) \
    CHECK_MESSAGE(shown_by(#reader, pool.member) == (default_text), #name);
#include "config/pool_keys.def"
#undef RM_POOL_KEY
}

TEST_CASE("config keys: a process key without value in the file is unset or has its default") {
    const auto result = load_text(pool_with(""));
    REQUIRE(result.config);
    const ProcessConfig& process = result.config->process;
    CHECK_FALSE(process.workers);
    CHECK_FALSE(process.cpu_affinity);
    CHECK_FALSE(process.log_file);
    CHECK_FALSE(process.log_level);
    CHECK_FALSE(process.stats_port);
    for (const KeyInfo& key : process_keys()) {
        if (key.name == "shutdown_timeout") {
            CHECK(key.default_text == std::to_string(process.shutdown_timeout_ms));
        } else if (key.name == "drain_timeout") {
            CHECK(key.default_text == std::to_string(process.drain_timeout_ms));
        }
    }
}

TEST_CASE("config keys: names are unique over both sections and every key is documented") {
    std::map<std::string_view, int> uses;
    for (const KeyInfo& key : pool_keys()) {
        CHECK(++uses[key.name] == 1);
        CHECK_FALSE(key.doc.empty());
    }
    for (const KeyInfo& key : process_keys()) {
        CHECK(++uses[key.name] == 1);
        CHECK_FALSE(key.doc.empty());
    }
    CHECK(pool_keys().size() == 29);
    CHECK(process_keys().size() == 13);
}

TEST_CASE("config keys: every default that has a text can be written into a file") {
    for (const KeyInfo& key : pool_keys()) {
        if (!key.default_text.empty()) {
            const auto line =
                "  " + std::string(key.name) + ": " + std::string(key.default_text) + "\n";
            const LoadResult result = load_text(pool_with(line));
            INFO(line, text_of(result));
            CHECK(result.config.has_value());
        }
    }
    for (const KeyInfo& key : process_keys()) {
        if (!key.default_text.empty()) {
            const auto section = "ringmaster:\n  " + std::string(key.name) + ": " +
                                 std::string(key.default_text) + "\n";
            const LoadResult result = load_text(section + pool_with(""));
            INFO(section, text_of(result));
            CHECK(result.config.has_value());
        }
    }
}

TEST_CASE("config keys: each says what it takes, and an error says the same") {
    for (const auto keys : {pool_keys(), process_keys()}) {
        for (const KeyInfo& key : keys) {
            CHECK_MESSAGE(!key.form().empty(), key.name);
        }
    }
    const auto result = load_text("ringmaster:\n  workers: some\n" + pool_with("  timeout: 1s\n"));
    std::string errors;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        errors += diagnostic.message + "\n";
    }
    CHECK(errors.find("not " + form_number()) != std::string::npos);
    CHECK(errors.find(choice_workers().neither()) != std::string::npos);
}
