// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <algorithm>
#include <array>
#include <utility>

#include <yaml.h>

#include "common/base/assert.h"
#include "common/base/format.h"

namespace ringmaster::config {

namespace {

// Forbidden parts after which the file is not looked at further: it is not written for us, and
// libyaml's cost per token grows with the depth of flow style.
constexpr size_t kMaxForbidden = 20;

struct ForbiddenToken {
    yaml_token_type_t type;
    const char* message;
    const char* hint;
};

constexpr auto kForbiddenTokens = std::to_array<ForbiddenToken>({
    {YAML_VERSION_DIRECTIVE_TOKEN, "YAML directives are not allowed", "remove the %YAML line"},
    {YAML_TAG_DIRECTIVE_TOKEN, "YAML directives are not allowed", "remove the %TAG line"},
    {YAML_DOCUMENT_START_TOKEN, "document start '---' is not allowed", "remove the line"},
    {YAML_DOCUMENT_END_TOKEN, "document end '...' is not allowed", "remove the line"},
    {YAML_FLOW_SEQUENCE_START_TOKEN, "flow style '[...]' is not allowed",
     "write one item per line, each after '- '; to mean the character itself, use quotes"},
    {YAML_FLOW_MAPPING_START_TOKEN, "flow style '{...}' is not allowed",
     "write one 'key: value' per line; to mean the characters themselves, use quotes"},
    {YAML_ANCHOR_TOKEN, "anchors '&name' are not allowed",
     "remove it; to mean the character itself, use quotes"},
    {YAML_ALIAS_TOKEN, "aliases '*name' are not allowed",
     "write the value out; to mean the character itself, use quotes"},
    {YAML_TAG_TOKEN, "tags '!name' are not allowed",
     "remove it; to mean the character itself, use quotes"},
});

// A libyaml parser over borrowed bytes.
class Parser {
  public:
    explicit Parser(std::string_view bytes) : bytes_(bytes) {
        RM_ASSERT(yaml_parser_initialize(&parser_) == 1);  // fails only without memory
        // An empty view may have no address; libyaml asserts that there is one.
        const char* const begin = bytes.empty() ? "" : bytes.data();
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(begin),
                                     bytes.size());
    }
    ~Parser() { yaml_parser_delete(&parser_); }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    yaml_parser_t* get() noexcept { return &parser_; }

    void report_problem(Report& report) const {
        const char* problem = parser_.problem != nullptr ? parser_.problem : "cannot be read";
        if (parser_.error == YAML_READER_ERROR) {
            report.error(mark_of_offset(parser_.problem_offset),
                         base::format("not readable as text: {}", problem),
                         "the file must be UTF-8 without control characters");
            return;
        }
        std::string hint;
        if (parser_.context != nullptr) {
            hint = base::format("{} that began on line {}", parser_.context,
                                parser_.context_mark.line + 1);
        }
        report.error({parser_.problem_mark.line + 1, parser_.problem_mark.column + 1},
                     base::format("YAML syntax: {}", problem), std::move(hint));
    }

  private:
    // Reader errors come as an offset only.
    Mark mark_of_offset(size_t offset) const {
        const std::string_view before = bytes_.substr(0, std::min(offset, bytes_.size()));
        const auto line_breaks =
            static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
        const size_t last_break = before.rfind('\n');
        const size_t line_begin = last_break == std::string_view::npos ? 0 : last_break + 1;
        return {line_breaks + 1, before.size() - line_begin + 1};
    }

    yaml_parser_t parser_{};
    std::string_view bytes_;
};

// False when there are so many forbidden parts that the tree is not worth building. Syntax errors
// are left to the second pass, which meets the same ones.
bool check_tokens(std::string_view bytes, Report& report) {
    Parser parser(bytes);
    size_t forbidden_count = 0;
    for (bool at_end = false; !at_end;) {
        yaml_token_t token;
        if (yaml_parser_scan(parser.get(), &token) == 0) {
            return true;
        }
        at_end = token.type == YAML_STREAM_END_TOKEN || token.type == YAML_NO_TOKEN;
        const auto* row = std::find_if(
            kForbiddenTokens.begin(), kForbiddenTokens.end(),
            [&token](const ForbiddenToken& forbidden) { return forbidden.type == token.type; });
        if (row != kForbiddenTokens.end()) {
            report.error({token.start_mark.line + 1, token.start_mark.column + 1}, row->message,
                         row->hint);
            ++forbidden_count;
        }
        yaml_token_delete(&token);
        if (forbidden_count >= kMaxForbidden) {
            return false;
        }
    }
    return true;
}

// Builds the tree from events; the open collections are kept on a stack.
class TreeBuilder {
  public:
    explicit TreeBuilder(Report& report) : report_(report) {}

    // False: stop, with the reason in the report.
    bool on_event(const yaml_event_t& event) {
        const Mark mark{event.start_mark.line + 1, event.start_mark.column + 1};
        if (event.type == YAML_DOCUMENT_START_EVENT && ++document_count_ > 1) {
            report_.error(mark, "a second YAML document begins here",
                          "a configuration is one document; put all pools into it");
            return false;
        }
        if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
            leave();
            return true;
        }
        Node node;
        node.mark = mark;
        if (event.type == YAML_MAPPING_START_EVENT) {
            node.kind = Node::Kind::kMapping;
        } else if (event.type == YAML_SEQUENCE_START_EVENT) {
            node.kind = Node::Kind::kSequence;
        } else if (event.type == YAML_ALIAS_EVENT) {
            node.kind = Node::Kind::kAlias;
        } else if (event.type == YAML_SCALAR_EVENT) {
            const auto& scalar = event.data.scalar;
            node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
            node.several_lines = event.end_mark.line > event.start_mark.line;
        } else {
            return true;  // starts and ends of stream and document
        }
        return enter(std::move(node));
    }

    std::optional<Node> take_root() { return std::move(root_); }

  private:
    bool enter(Node&& node) {
        if (++node_count_ > kMaxNodes) {
            report_.error(node.mark, base::format("more than {} values in one file", kMaxNodes));
            return false;
        }
        const bool is_collection =
            node.kind == Node::Kind::kMapping || node.kind == Node::Kind::kSequence;
        if (!is_collection) {
            if (skipped_depth_ == 0) {
                attach(std::move(node));
            }
            return true;
        }
        if (skipped_depth_ > 0 || open_.size() >= kMaxTreeDepth) {
            ++skipped_depth_;
            return true;
        }
        open_.push_back(std::move(node));
        return true;
    }

    void leave() {
        if (skipped_depth_ > 0) {
            --skipped_depth_;
            return;
        }
        RM_ASSERT(!open_.empty());
        Node node = std::move(open_.back());
        open_.pop_back();
        attach(std::move(node));
    }

    void attach(Node&& node) {
        if (open_.empty()) {
            root_ = std::move(node);
        } else {
            open_.back().children.push_back(std::move(node));
        }
    }

    Report& report_;
    std::vector<Node> open_;
    std::optional<Node> root_;
    size_t document_count_ = 0;
    size_t node_count_ = 0;
    size_t skipped_depth_ = 0;
};

}  // namespace

std::optional<Node> read_yaml(std::string_view bytes, Report& report) {
    if (bytes.size() > kMaxFileBytes) {
        report.error({}, base::format("the file is larger than {} MB", kMaxFileBytes >> 20));
        return std::nullopt;
    }
    if (!check_tokens(bytes, report)) {
        return std::nullopt;
    }
    Parser parser(bytes);
    TreeBuilder builder(report);
    for (bool at_end = false; !at_end;) {
        yaml_event_t event;
        if (yaml_parser_parse(parser.get(), &event) == 0) {
            parser.report_problem(report);
            return std::nullopt;
        }
        at_end = event.type == YAML_STREAM_END_EVENT || event.type == YAML_NO_EVENT;
        const bool go_on = builder.on_event(event);
        yaml_event_delete(&event);
        if (!go_on) {
            return std::nullopt;
        }
    }
    std::optional<Node> root = builder.take_root();
    if (!root && !report.has_errors()) {
        report.error({}, "the file is empty", "at least one pool is needed");
    }
    return root;
}

}  // namespace ringmaster::config
