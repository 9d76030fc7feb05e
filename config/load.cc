// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/assert.h"
#include "common/base/format.h"
#include "common/ring/server_name.h"
#include "config/report.h"
#include "config/sections.h"
#include "config/yaml_tree.h"

namespace ringmaster::config {

namespace {

// What a worker reports of each, and what a reload tells it, has to fit one control message of 32
// MB.
constexpr size_t kMaxMembers = 100000;

// A top-level key whose value is no mapping.
void report_bad_pool_body(const Node& name, const Node& body, Report& report) {
    std::string hint = "put listen:, servers: and so on below it, indented";
    if (find_key_or_null(pool_keys(), name.text) != nullptr) {
        hint = "this is a key of a pool: indent it below the pool's name";
    } else if (find_key_or_null(process_keys(), name.text) != nullptr) {
        hint = "this key belongs into the ringmaster: section";
    }
    const char* found = "nothing";
    if (body.kind == Node::Kind::kSequence) {
        found = "a list";
    } else if (!body.text.empty()) {
        found = "a single value";
    }
    report.error(
        name.mark,
        base::format("pool {} contains {} instead of its settings", quoted_key(name.text), found),
        std::move(hint));
}

void check_unique_names(const std::vector<PoolSection>& sections, Report& report) {
    std::map<std::string_view, Mark> first;
    for (const PoolSection& section : sections) {
        const auto [place, is_new] = first.emplace(section.pool.name, section.mark);
        if (!is_new) {
            report.error(section.mark,
                         base::format("a pool named {} is already on line {}",
                                      quoted(section.pool.name), place->second.line),
                         "give each pool a name of its own");
        }
    }
}

// Compat: compares what is written, so two spellings of one address pass here and fail at bind.
void check_unique_listeners(const std::vector<PoolSection>& sections, Report& report) {
    std::map<std::string_view, const PoolSection*> first;
    for (const PoolSection& section : sections) {
        if (!section.has(kKey_listen) || section.key_bad[kKey_listen]) {
            continue;
        }
        const auto [place, is_new] = first.emplace(section.pool.listen.text, &section);
        if (!is_new) {
            const PoolSection& other = *place->second;
            report.error(
                section.key_marks[kKey_listen],
                base::format("pool {} already listens on {}, line {}", quoted(other.pool.name),
                             quoted(section.pool.listen.text), other.key_marks[kKey_listen].line),
                "give each pool an address of its own");
        }
    }
}

class Loader {
  public:
    Loader(const LoadOptions& options, Report& report) : options_(options), report_(report) {}

    Config load(const Node& root) {
        if (root.kind != Node::Kind::kMapping) {
            report_.error(root.mark, "the file does not begin with a pool",
                          "write the pool's name and a colon, then its keys indented below");
            return {};
        }
        for (size_t i = 0; i + 1 < root.children.size() && !report_.full(); i += 2) {
            read_entry(root.children[i], root.children[i + 1]);
        }
        if (sections_.empty() && !report_.has_errors()) {
            report_.error({}, "the file contains no pool", "at least one pool is needed");
        }
        check_unique_names(sections_, report_);
        check_unique_listeners(sections_, report_);

        for (PoolSection& section : sections_) {
            config_.pools.push_back(std::move(section.pool));
        }
        std::sort(config_.pools.begin(), config_.pools.end(),
                  [](const PoolConfig& a, const PoolConfig& b) {
                      return ring::sorts_before(a.name, b.name);
                  });
        return std::move(config_);
    }

  private:
    void read_entry(const Node& name, const Node& body) {
        if (!check_key(name, report_)) {
            return;
        }
        if (name.text == kProcessSectionName) {
            read_process_entry(name, body);
            return;
        }
        if (body.kind == Node::Kind::kAlias) {
            return;
        }
        if (body.kind != Node::Kind::kMapping) {
            report_bad_pool_body(name, body, report_);
            return;
        }
        sections_.push_back(read_pool_section(name, body, report_));
        const size_t before = members_;
        members_ += 1 + sections_.back().pool.servers.size();
        if (before <= kMaxMembers && members_ > kMaxMembers) {
            report_.error(name.mark,
                          base::format("more than {} pools and servers in one file", kMaxMembers),
                          "start several proxies, each with some of the pools");
        }
        check_pool_section(sections_.back(), options_, report_);
    }

    void read_process_entry(const Node& name, const Node& body) {
        if (looks_like_pool(body)) {
            report_.error(name.mark, "a pool cannot be named 'ringmaster'",
                          "the name is reserved for process settings; rename this pool");
            return;
        }
        if (process_mark_.line > 0) {
            report_duplicate_key(name.mark, name.text, process_mark_, report_);
            return;
        }
        process_mark_ = name.mark;
        read_process_section(name, body, options_, config_.process, report_);
    }

    const LoadOptions& options_;
    Report& report_;
    Config config_;
    std::vector<PoolSection> sections_;
    Mark process_mark_;
    size_t members_ = 0;  // pools and servers
};

}  // namespace

LoadResult load(std::string_view bytes, const LoadOptions& options) {
    LoadResult result;
    Report report;
    Config config;
    if (const std::optional<Node> root = read_yaml(bytes, report)) {
        config = Loader(options, report).load(*root);
    }
    if (!report.has_errors()) {
        RM_ASSERT(!config.pools.empty());
        result.config = std::move(config);
    }
    result.diagnostics = report.take();
    return result;
}

}  // namespace ringmaster::config
