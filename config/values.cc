// SPDX-License-Identifier: Apache-2.0
#include "config/values.h"

#include <algorithm>
#include <initializer_list>
#include <span>

#include "common/base/format.h"
#include "config/suggest.h"
#include "config/value_forms.h"

namespace ringmaster::config {

namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

Problem not_a_number() {
    return {"not " + form_number(), "write digits only, without sign, point or unit"};
}

template <class Row>
Problem unknown_name(std::string_view text, std::span<const Row> rows, const char* what) {
    std::vector<std::string_view> names;
    for (const Row& row : rows) {
        names.push_back(row.name);
    }
    return {base::format("no such {}", what), suggestion(text, names, "valid")};
}

}  // namespace

std::optional<uint32_t> parse_wrapping_number(std::string_view text) noexcept {
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) {
        return std::nullopt;
    }
    uint32_t value = 0;
    for (const char c : text) {
        value = value * 10 + static_cast<uint32_t>(c - '0');  // unsigned: wraps
    }
    if (value > kMaxNumber) {
        return std::nullopt;
    }
    return value;
}

std::optional<uint64_t> parse_number(std::string_view text, uint64_t max) noexcept {
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) {
        return std::nullopt;
    }
    uint64_t value = 0;
    for (const char c : text) {
        const auto digit = static_cast<uint64_t>(c - '0');
        if (digit > max || value > (max - digit) / 10) {
            return std::nullopt;
        }
        value = value * 10 + digit;
    }
    return value;
}

Problem check_socket_path(std::string_view path) {
    if (path.size() <= kMaxUnixPathBytes) {
        return {};
    }
    return {
        base::format("path of {} bytes, at most {} are possible", path.size(), kMaxUnixPathBytes),
        {}};
}

Problem read_number(std::string_view text, uint32_t& target) {
    const auto value = parse_wrapping_number(text);
    if (!value) {
        return not_a_number();
    }
    target = *value;
    return {};
}

Problem read_count(std::string_view text, uint32_t& target) {
    const auto value = parse_wrapping_number(text);
    if (!value) {
        return not_a_number();
    }
    if (*value == 0) {
        return {"must be at least 1", {}};
    }
    target = *value;
    return {};
}

Problem read_bool(std::string_view text, bool& target) {
    if (text == "true" || text == "false") {
        target = text == "true";
        return {};
    }
    std::string lowered(text.substr(0, 8));
    for (char& c : lowered) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    const auto is_one_of = [&lowered](std::initializer_list<const char*> words) {
        return std::find(words.begin(), words.end(), lowered) != words.end();
    };
    std::string hint;
    if (is_one_of({"true", "yes", "on", "1", "y"})) {
        hint = "write true";
    } else if (is_one_of({"false", "no", "off", "0", "n"})) {
        hint = "write false";
    }
    return {choice_bool().neither(), std::move(hint)};
}

Problem read_secret(std::string_view text, std::string& target) {
    target = text;
    return {};
}

Problem read_hash(std::string_view text, const hash::HashRow*& target) {
    const hash::HashRow* row = hash::find_hash_or_null(text);
    if (row == nullptr) {
        return unknown_name(text, hash::all_hashes(), "hash");
    }
    target = row;
    return {};
}

Problem read_hash_tag(std::string_view text, std::optional<std::pair<char, char>>& target) {
    if (text.size() != 2) {
        return {base::format("{} bytes, must be exactly 2", text.size()),
                "one opening and one closing character, e.g. \"{}\""};
    }
    target.emplace(text[0], text[1]);
    return {};
}

Problem read_distribution(std::string_view text, ring::Distribution& target) {
    const ring::DistributionRow* row = ring::find_distribution_or_null(text);
    if (row == nullptr) {
        return unknown_name(text, ring::all_distributions(), "distribution");
    }
    target = row->distribution;
    return {};
}

Problem read_cross_shard(std::string_view text, CrossShard& target) {
    if (text != "first" && text != "error") {
        return {choice_cross_shard().neither(), {}};
    }
    target = text == "first" ? CrossShard::kFirst : CrossShard::kError;
    return {};
}

Problem read_resp3(std::string_view text, Resp3& target) {
    if (text != "auto" && text != "on" && text != "off") {
        return {"not " + form_resp3(), {}};
    }
    target = text == "auto" ? Resp3::kAuto : text == "on" ? Resp3::kOn : Resp3::kOff;
    return {};
}

Problem read_eject_mode(std::string_view text, health::EjectMode& target) {
    if (text != "rehash" && text != "hold") {
        return {choice_eject_mode().neither(), {}};
    }
    target = text == "rehash" ? health::EjectMode::kRehash : health::EjectMode::kHold;
    return {};
}

Problem read_percent(std::string_view text, uint32_t& target) {
    const auto value = parse_number(text, kMaxPercent);
    if (!value || *value == 0) {
        return {"not " + form_percent(), "write digits only, without a percent sign"};
    }
    target = static_cast<uint32_t>(*value);
    return {};
}

Problem read_switch(std::string_view text, bool& target) {
    if (text != "on" && text != "off") {
        return {choice_switch().neither(), {}};
    }
    target = text == "on";
    return {};
}

Problem read_readmit(std::string_view text, bool& flush) {
    if (text != "keep" && text != "flush") {
        return {choice_readmit().neither(), {}};
    }
    flush = text == "flush";
    return {};
}

// It stands in a line of a reply.
Problem read_version(std::string_view text, std::string& target) {
    const bool is_word =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (!is_word || text.size() > kMaxVersionBytes) {
        return {"not " + form_version(), {}};
    }
    target = text;
    return {};
}

Problem read_workers(std::string_view text, std::optional<uint32_t>& target) {
    const auto value = text == "auto" ? uint64_t{0} : parse_number(text, kMaxWorkers);
    if (!value || (*value == 0 && text != "auto")) {
        return {choice_workers().neither(), {}};
    }
    target = static_cast<uint32_t>(*value);
    return {};
}

Problem read_cpu_affinity(std::string_view text, bool& target) {
    if (text != "off" && text != "auto") {
        return {choice_cpu_affinity().neither(), {}};
    }
    target = text == "auto";
    return {};
}

Problem read_log_level(std::string_view text, std::optional<int>& target) {
    const auto value = parse_number(text, kMaxLogLevel);
    if (!value) {
        return {"not " + form_log_level(), {}};
    }
    target = static_cast<int>(*value);
    return {};
}

Problem read_port(std::string_view text, std::optional<uint16_t>& target) {
    const auto value = parse_number(text, kMaxPort);
    if (!value || *value == 0) {
        return {"not " + form_port(), {}};
    }
    target = static_cast<uint16_t>(*value);
    return {};
}

Problem read_text(std::string_view text, std::optional<std::string>& target) {
    if (text.find('\0') != std::string_view::npos) {
        return {"contains a NUL byte", {}};
    }
    target = text;
    return {};
}

Problem read_path(std::string_view text, std::optional<std::string>& target) {
    return read_text(text, target);
}

Problem read_socket_path(std::string_view text, std::optional<std::string>& target) {
    Problem problem = check_socket_path(text);
    return problem.none() ? read_text(text, target) : problem;
}

Problem read_host_or_path(std::string_view text, std::optional<std::string>& target) {
    return text.substr(0, 1) == "/" ? read_socket_path(text, target) : read_text(text, target);
}

Problem read_milliseconds(std::string_view text, uint32_t& target) {
    const auto value = parse_number(text, kMaxNumber);
    if (!value) {
        return {"not " + form_milliseconds(), "write digits only, without unit"};
    }
    target = static_cast<uint32_t>(*value);
    return {};
}

Problem read_memory(std::string_view text, uint64_t& target) {
    if (text == "auto") {
        target = 0;
        return {};
    }
    uint64_t unit = 1;
    std::string_view digits = text;
    const size_t power = std::string_view("kKmMgG").find(text.empty() ? '\0' : text.back());
    if (power != std::string_view::npos) {
        unit = uint64_t{1} << (10 * (power / 2 + 1));
        digits.remove_suffix(1);
    }
    const auto value = parse_number(digits, kMaxMemoryBytes / unit);
    if (!value) {
        return {"not an amount of memory", form_memory()};
    }
    if (*value * unit < kMinMemoryBytes) {
        return {"less than 1m", "bytes need no unit; for megabytes write e.g. 512m"};
    }
    target = *value * unit;
    return {};
}

}  // namespace ringmaster::config
