// SPDX-License-Identifier: Apache-2.0
#include "config/sections.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/format.h"
#include "config/suggest.h"

namespace ringmaster::config {

const KeyInfo* find_key_or_null(std::span<const KeyInfo> keys, std::string_view name) noexcept {
    const auto row = std::find_if(keys.begin(), keys.end(),
                                  [name](const KeyInfo& key) { return key.name == name; });
    return row == keys.end() ? nullptr : &*row;
}

bool check_key(const Node& key, Report& report) {
    if (key.kind == Node::Kind::kAlias) {
        return false;
    }
    if (key.kind != Node::Kind::kScalar) {
        report.error(key.mark, "a list or mapping stands where a key is expected");
        return false;
    }
    if (key.text.empty()) {
        report.error(key.mark, "empty key");
        return false;
    }
    return true;
}

void report_unknown_key(const Node& key, std::span<const KeyInfo> keys,
                        std::span<const KeyInfo> other_keys, std::string_view other_place,
                        Report& report) {
    if (report.full()) {
        report.error(key.mark, "unknown key");  // only counts; saves searching for words
        return;
    }
    std::string hint;
    if (find_key_or_null(other_keys, key.text) != nullptr) {
        hint = base::format("this key belongs {}", other_place);
    } else {
        std::vector<std::string_view> names;
        for (const KeyInfo& info : keys) {
            names.push_back(info.name);
        }
        hint = suggestion(key.text, names, "valid keys");
    }
    report.error(key.mark, "unknown key " + quoted_key(key.text), std::move(hint));
}

void report_duplicate_key(Mark mark, std::string_view key, Mark first, Report& report) {
    report.error(mark, base::format("key '{}' is given twice", key),
                 base::format("the first is on line {}", first.line));
}

bool check_value(std::string_view key, const Node& value, Report& report) {
    switch (value.kind) {
        case Node::Kind::kAlias:
            return false;
        case Node::Kind::kMapping:
            report.error(value.mark, base::format("'{}' contains nested keys", key),
                         "only plain values stand here; put text with ': ' or a final ':' in "
                         "quotes");
            return false;
        case Node::Kind::kSequence:
            report.error(value.mark, base::format("'{}' contains a list", key),
                         "one plain value stands here");
            return false;
        case Node::Kind::kScalar:
            break;
    }
    if (value.text.empty()) {
        report.error(value.mark, base::format("'{}' has no value", key),
                     "give a value or remove the line");
        return false;
    }
    return true;
}

void report_bad_value(std::string_view key, const Node& value, bool secret, Problem&& problem,
                      Report& report) {
    std::string shown;
    if (!secret && !value.several_lines) {
        shown = quoted(value.text) + " ";
    }
    // A value that runs on is nearly always a mistake of indentation; it may have swallowed a
    // password, so it is not shown.
    std::string hint = value.several_lines
                           ? "the value goes on over several lines: check the indentation below it"
                           : std::move(problem.hint);
    report.error(value.mark, base::format("bad value {}for '{}': {}", shown, key, problem.message),
                 std::move(hint));
}

}  // namespace ringmaster::config
