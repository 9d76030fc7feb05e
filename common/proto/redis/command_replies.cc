// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/command_replies.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/assert.h"
#include "common/proto/redis/command_facts.h"
#include "common/proto/redis/command_key_specs.h"
#include "common/proto/redis/glob.h"
#include "common/proto/redis/keys.h"

namespace ringmaster::proto::redis {
namespace {

// Null unless the proxy allows it.
const Command* allowed_or_null(std::string_view name) {
    const Command* command = find_command_or_null(name);
    return command != nullptr && command->split != SplitPolicy::kRefused ? command : nullptr;
}

std::vector<const Command*> allowed_commands() {
    std::vector<const Command*> commands;
    for (const Command& command : all_commands()) {
        if (command.split != SplitPolicy::kRefused) {
            commands.push_back(&command);
        }
    }
    return commands;
}

// ---- COMMAND INFO ----

void write_range(const Command& command, const CommandFacts& facts, ReplyWriter& writer) {
    const KeySpec& keys = command.keys;
    int64_t first = 0;
    int64_t last = 0;
    int64_t step = 0;
    if (facts.key_flags.empty()) {
        // no key, or one that belongs to a subcommand
    } else if (keys.kind == KeySpec::Kind::kRange) {
        first = keys.first;
        last = keys.last;
        step = keys.step;
    } else if (keys.destination) {
        first = last = step = 1;
    }
    writer.integer(first);
    writer.integer(last);
    writer.integer(step);
}

void write_one_info(const Command& command, ReplyWriter& writer) {
    const CommandFacts* facts = command_facts_or_null(command.name);
    RM_ASSERT(facts != nullptr);  // a unit test looks for all of them
    writer.array(10);
    writer.bulk(command.name);
    writer.integer(facts->arity);
    write_word_set(facts->flags, "", writer);
    write_range(command, *facts, writer);
    write_word_set(facts->categories, "@", writer);
    const auto tips = split_text(facts->tips, ' ');
    writer.set(tips.size());
    for (const std::string_view tip : tips) {
        writer.bulk(tip);
    }
    write_key_specs(command, *facts, writer);
    writer.set(0);
}

// ---- COMMAND DOCS ----

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

bool is_literal(std::string_view word) {
    return !word.empty() && word[0] >= 'A' && word[0] <= 'Z';
}

bool is_key_name(std::string_view word) {
    for (const std::string_view name :
         {"key", "key1", "key2", "newkey", "destkey", "sourcekey", "source", "destination"}) {
        if (word == name) {
            return true;
        }
    }
    return false;
}

struct ArgumentMarks {
    bool optional = false;
    bool multiple = false;
};

// Takes the marks off a word of the syntax.
ArgumentMarks take_marks(std::string_view& word) {
    ArgumentMarks marks;
    marks.optional = word.starts_with('[');
    if (marks.optional) {
        word = word.substr(1, word.size() - 2);
    }
    marks.multiple = word.ends_with("...");
    if (marks.multiple) {
        word.remove_suffix(3);
    }
    return marks;
}

void write_argument(std::string_view word, ArgumentMarks marks, ReplyWriter& writer);

// A block, or a choice: an argument of arguments.
void write_group(std::string_view type, const std::vector<std::string_view>& parts,
                 ReplyWriter& writer) {
    std::string name;
    for (const std::string_view part : parts) {
        name += (name.empty() ? "" : "_") + lower(part);
    }
    write_text_pair("name", name, writer);
    write_text_pair("type", type, writer);
    writer.bulk("arguments");
    writer.array(parts.size());
    for (const std::string_view part : parts) {
        write_argument(part, {}, writer);
    }
}

void write_simple_argument(std::string_view word, ReplyWriter& writer) {
    const size_t colon = word.find(':');
    const std::string_view name = colon == std::string_view::npos ? word : word.substr(colon + 1);
    if (!is_literal(word)) {
        write_text_pair("name", name, writer);
        write_text_pair("type", is_key_name(name) ? "key" : "string", writer);
        return;
    }
    write_text_pair("name", lower(name), writer);
    write_text_pair("type", colon == std::string_view::npos ? "pure-token" : "string", writer);
    write_text_pair("token", word.substr(0, colon), writer);
}

void write_argument(std::string_view word, ArgumentMarks marks, ReplyWriter& writer) {
    const bool has_flags = marks.optional || marks.multiple;
    const auto choices = split_text(word, '|');
    const auto block = split_text(word, '~');
    const bool is_group = choices.size() > 1 || block.size() > 1;
    writer.map((is_group || is_literal(word) ? 3U : 2U) + (has_flags ? 1U : 0U));
    if (choices.size() > 1) {
        write_group("oneof", choices, writer);
    } else if (block.size() > 1) {
        write_group("block", block, writer);
    } else {
        write_simple_argument(word, writer);
    }
    if (has_flags) {
        writer.bulk("flags");
        writer.set((marks.optional ? 1U : 0U) + (marks.multiple ? 1U : 0U));
        if (marks.optional) {
            writer.simple("optional");
        }
        if (marks.multiple) {
            writer.simple("multiple");
        }
    }
}

void write_one_docs(const Command& command, ReplyWriter& writer) {
    const CommandFacts* facts = command_facts_or_null(command.name);
    RM_ASSERT(facts != nullptr);
    const auto arguments = split_text(facts->syntax, ' ');
    writer.bulk(command.name);
    writer.map(arguments.empty() ? 3 : 4);
    write_text_pair("summary", facts->summary, writer);
    write_text_pair("since", facts->since, writer);
    write_text_pair("group", facts->group, writer);
    if (!arguments.empty()) {
        writer.bulk("arguments");
        writer.array(arguments.size());
        for (std::string_view word : arguments) {
            const ArgumentMarks marks = take_marks(word);
            write_argument(word, marks, writer);
        }
    }
}

}  // namespace

size_t count_allowed_commands() noexcept {
    const auto commands = all_commands();
    return static_cast<size_t>(std::count_if(
        commands.begin(), commands.end(),
        [](const Command& command) { return command.split != SplitPolicy::kRefused; }));
}

void write_command_info(WordList names, ReplyWriter& writer) {
    if (names.empty()) {
        const auto commands = allowed_commands();
        writer.array(commands.size());
        for (const Command* command : commands) {
            write_one_info(*command, writer);
        }
        return;
    }
    writer.array(names.size());
    for (const std::string_view name : names) {
        if (const Command* command = allowed_or_null(name)) {
            write_one_info(*command, writer);
        } else {
            writer.null();
        }
    }
}

void write_command_docs(WordList names, ReplyWriter& writer) {
    std::vector<const Command*> commands;
    if (names.empty()) {
        commands = allowed_commands();
    }
    for (const std::string_view name : names) {
        if (const Command* command = allowed_or_null(name)) {
            commands.push_back(command);
        }
    }
    writer.map(commands.size());
    for (const Command* command : commands) {
        write_one_docs(*command, writer);
    }
}

void write_command_list(WordList filter, ReplyWriter& writer) {
    enum class Kind : uint8_t { kAll, kNone, kCategory, kPattern } kind = Kind::kAll;
    if (!filter.empty()) {
        if (filter.size() != 3 || !equal_ignoring_case(filter[0], "filterby")) {
            writer.error("ERR syntax error");
            return;
        }
        if (equal_ignoring_case(filter[1], "module")) {
            kind = Kind::kNone;
        } else if (equal_ignoring_case(filter[1], "aclcat")) {
            kind = Kind::kCategory;
        } else if (equal_ignoring_case(filter[1], "pattern")) {
            kind = Kind::kPattern;
        } else {
            writer.error("ERR syntax error");
            return;
        }
    }
    const std::string wanted = filter.empty() ? std::string() : lower(filter[2]);
    std::vector<std::string_view> names;
    for (const Command* command : allowed_commands()) {
        bool fits = kind == Kind::kAll;
        if (kind == Kind::kPattern) {
            fits = fits_pattern(wanted, command->name);
        } else if (kind == Kind::kCategory) {
            const auto categories =
                split_text(command_facts_or_null(command->name)->categories, ' ');
            fits = std::find(categories.begin(), categories.end(), wanted) != categories.end();
        }
        if (fits) {
            names.push_back(command->name);
        }
    }
    writer.array(names.size());
    for (const std::string_view name : names) {
        writer.bulk(name);
    }
}

void write_command_keys(const RequestView& request, bool with_flags, ReplyWriter& writer) {
    const Command* command = request.command;
    if (command == nullptr || command->split == SplitPolicy::kRefused) {
        writer.error("ERR Invalid command specified");
        return;
    }
    const CommandFacts* facts = command_facts_or_null(command->name);
    RM_ASSERT(facts != nullptr);
    if (!command->subcommands.empty() &&
        (request.argument_count < 2 ||
         classify_subcommand(*command, request.arguments[1]) == Subcommand::kUnknown)) {
        writer.error("ERR Invalid command specified");
        return;
    }
    const auto count = static_cast<int64_t>(request.argument_count);
    if (command->keys.kind == KeySpec::Kind::kNone) {
        writer.error("ERR The command has no key arguments");
        return;
    }
    if (facts->arity < 0 ? count < -facts->arity : count != facts->arity) {
        writer.error("ERR Invalid number of arguments specified for command");
        return;
    }
    std::string_view key;
    std::string_view problem;
    if (!find_first_key(request, key, problem)) {
        const auto flags = split_text(facts->flags, ' ');
        if (std::find(flags.begin(), flags.end(), "no_mandatory_keys") != flags.end()) {
            writer.array(0);
        } else {
            writer.error("ERR Invalid arguments specified for command");
        }
        return;
    }
    std::vector<std::string_view> keys;
    KeyWalker walker(request);
    while (walker.next(key)) {
        keys.push_back(key);
    }
    writer.array(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
        if (with_flags) {
            writer.array(2);
        }
        writer.bulk(keys[i]);
        if (with_flags) {
            write_word_set(key_flags(request, *facts, i), "", writer);
        }
    }
}

}  // namespace ringmaster::proto::redis
