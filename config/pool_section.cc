// SPDX-License-Identifier: Apache-2.0
// One pool: node -> PoolConfig, key by key.
//
// Compat: nutcracker wants exactly one list per pool but does not tie it to `servers`. A single
// list under another key applies that key once per item, and `servers` may then be plain text.
// Kept, as it costs nothing: only what counts as a second list is an error.

#include "common/base/format.h"
#include "config/sections.h"
#include "config/value_forms.h"

namespace ringmaster::config {

namespace {

struct PoolKeyRow {
    Problem (*read)(std::string_view text, PoolConfig& pool);
    bool is_secret;
    bool is_server_list;
};

constexpr PoolKeyRow kRows[] = {
#define RM_POOL_KEY(name, member, reader, default_text, doc)                                   \
    {[](std::string_view text, PoolConfig& pool) { return read_##reader(text, pool.member); }, \
     std::string_view(#reader) == "secret", std::string_view(#reader) == "server"},
#include "config/pool_keys.def"
#undef RM_POOL_KEY
};

constexpr KeyInfo kKeys[] = {
#define RM_POOL_KEY(name, member, reader, default_text, doc) \
    {#name, form_##reader, default_text, doc},
#include "config/pool_keys.def"
#undef RM_POOL_KEY
};

constexpr const char* kServersHint = "write one server per line: - host:port:weight [name]";

class PoolReader {
  public:
    PoolReader(PoolSection& section, Report& report) : section_(section), report_(report) {}

    void read(const Node& body) {
        list_count_ = 0;
        for (size_t i = 0; i + 1 < body.children.size(); i += 2) {
            if (body.children[i + 1].kind == Node::Kind::kSequence) {
                ++list_count_;
            }
        }
        for (size_t i = 0; i + 1 < body.children.size() && !report_.full(); i += 2) {
            read_entry(body.children[i], body.children[i + 1]);
        }
    }

  private:
    void read_entry(const Node& key, const Node& value) {
        if (!check_key(key, report_)) {
            return;
        }
        const KeyInfo* info = find_key_or_null(kKeys, key.text);
        if (info == nullptr) {
            report_unknown_key(key, pool_keys(), process_keys(), "into the ringmaster: section",
                               report_);
            return;
        }
        const auto index = static_cast<size_t>(info - kKeys);
        const bool is_first = section_.key_marks[index].line == 0;
        if (value.kind == Node::Kind::kSequence) {
            read_list(index, is_first, key, value);
            return;
        }
        if (kRows[index].is_server_list && list_count_ == 0 && value.kind == Node::Kind::kScalar) {
            mark_bad(index, key.mark);
            report_.error(value.mark, "'servers' is not a list", kServersHint);
            return;
        }
        apply(index, key.mark, value);
    }

    void read_list(size_t index, bool is_first, const Node& key, const Node& value) {
        const bool is_server_list = kRows[index].is_server_list;
        if (is_server_list && !is_first && lists_seen_ > 0) {
            report_duplicate_key(key.mark, key.text, section_.key_marks[index], report_);
            return;
        }
        if (!is_server_list && list_count_ > 1) {
            mark_bad(index, key.mark);
            report_.error(key.mark, base::format("'{}' takes one value, not a list", key.text),
                          "only 'servers' is a list");
            return;
        }
        ++lists_seen_;
        if (is_server_list && value.children.empty()) {
            mark_bad(index, key.mark);  // only [] is empty, whose style was reported
        }
        for (const Node& item : value.children) {
            if (report_.full()) {
                return;
            }
            // The places of list items are their own; the key stands for the first.
            apply(index, section_.key_marks[index].line == 0 ? key.mark : item.mark, item);
        }
    }

    void apply(size_t index, Mark place, const Node& value) {
        const PoolKeyRow& row = kRows[index];
        const std::string_view name = kKeys[index].name;
        Mark& first = section_.key_marks[index];
        if (first.line > 0 && !row.is_server_list) {
            report_duplicate_key(place, name, first, report_);
            return;
        }
        if (first.line == 0) {
            first = place;
        }
        if (!check_value(name, value, report_)) {
            section_.key_bad[index] = true;
            return;
        }
        Problem problem = row.read(value.text, section_.pool);
        if (!problem.none()) {
            section_.key_bad[index] = true;
            report_bad_value(name, value, row.is_secret, std::move(problem), report_);
            return;
        }
        if (row.is_server_list) {
            section_.server_marks.push_back(value.mark);
        }
    }

    void mark_bad(size_t index, Mark mark) {
        if (section_.key_marks[index].line == 0) {
            section_.key_marks[index] = mark;
        }
        section_.key_bad[index] = true;
    }

    PoolSection& section_;
    Report& report_;
    size_t list_count_ = 0;  // in the whole pool
    size_t lists_seen_ = 0;  // applied so far
};

}  // namespace

std::span<const KeyInfo> pool_keys() noexcept {
    return kKeys;
}

PoolSection read_pool_section(const Node& name, const Node& body, Report& report) {
    PoolSection section;
    section.pool.name = name.text;
    section.pool.hash = hash::find_hash_or_null(hash::kDefaultHash);
    section.mark = name.mark;
    PoolReader(section, report).read(body);
    return section;
}

}  // namespace ringmaster::config
