// SPDX-License-Identifier: Apache-2.0
// The `ringmaster:` section: settings of the whole process group. Unlike a pool it needs no list.
#include <array>
#include <iterator>

#include "common/base/format.h"
#include "config/sections.h"
#include "config/value_forms.h"

namespace ringmaster::config {

namespace {

using ReadProcessValue = Problem (*)(std::string_view text, ProcessConfig& process);

constexpr ReadProcessValue kReaders[] = {
#define RM_PROCESS_KEY(name, member, reader, default_text, doc) \
    [](std::string_view text, ProcessConfig& process) {         \
        return read_##reader(text, process.member);             \
    },
#include "config/process_keys.def"
#undef RM_PROCESS_KEY
};

constexpr KeyInfo kKeys[] = {
#define RM_PROCESS_KEY(name, member, reader, default_text, doc) \
    {#name, form_##reader, default_text, doc},
#include "config/process_keys.def"
#undef RM_PROCESS_KEY
};

// The value of each key, where there is one that was taken.
using Values = std::array<const Node*, std::size(kKeys)>;

size_t index_of(std::string_view key) {
    return static_cast<size_t>(find_key_or_null(kKeys, key) - kKeys);
}

void check_identity(const Values& values, bool user_given, const LoadOptions& options,
                    Report& report) {
    const Node* user = values[index_of("user")];
    const Node* group = values[index_of("group")];
    if (user == nullptr) {
        if (group != nullptr && !user_given) {
            report.error(group->mark, "'group' stands without 'user'",
                         "name the user whose workers shall have that group");
        }
        return;
    }
    if (!options.check_identity) {
        return;
    }
    IdentityProblem found =
        options.check_identity(user->text, group != nullptr ? group->text : std::string());
    if (!found.message.empty()) {
        const bool in_group = found.in_group && group != nullptr;
        report_bad_value(in_group ? "group" : "user", in_group ? *group : *user, false,
                         {std::move(found.message), std::move(found.hint)}, report);
    }
}

}  // namespace

std::span<const KeyInfo> process_keys() noexcept {
    return kKeys;
}

bool looks_like_pool(const Node& body) {
    for (size_t i = 0; i < body.children.size() && body.kind == Node::Kind::kMapping; i += 2) {
        const std::string& key = body.children[i].text;
        if (key == "listen" || key == "servers") {
            return true;
        }
    }
    return false;
}

void read_process_section(const Node& name, const Node& body, const LoadOptions& options,
                          ProcessConfig& process, Report& report) {
    const bool is_empty = body.kind == Node::Kind::kScalar && body.text.empty();
    if (is_empty || body.kind == Node::Kind::kAlias) {
        return;  // all lines commented out; an alias was reported
    }
    if (body.kind != Node::Kind::kMapping) {
        report.error(name.mark, "'ringmaster' must contain process settings, one per line",
                     "e.g. workers: auto, indented below it");
        return;
    }
    std::array<Mark, std::size(kKeys)> first_marks = {};
    Values values = {};
    for (size_t i = 0; i + 1 < body.children.size() && !report.full(); i += 2) {
        const Node& key = body.children[i];
        const Node& value = body.children[i + 1];
        if (!check_key(key, report)) {
            continue;
        }
        const KeyInfo* info = find_key_or_null(kKeys, key.text);
        if (info == nullptr) {
            report_unknown_key(key, process_keys(), pool_keys(), "into a pool", report);
            continue;
        }
        const size_t index = index_of(key.text);
        if (first_marks[index].line > 0) {
            report_duplicate_key(key.mark, key.text, first_marks[index], report);
            continue;
        }
        first_marks[index] = key.mark;
        if (!check_value(key.text, value, report)) {
            continue;
        }
        Problem problem = kReaders[index](value.text, process);
        if (!problem.none()) {
            report_bad_value(key.text, value, false, std::move(problem), report);
        } else {
            values[index] = &value;
        }
    }
    check_identity(values, first_marks[index_of("user")].line > 0, options, report);
}

}  // namespace ringmaster::config
