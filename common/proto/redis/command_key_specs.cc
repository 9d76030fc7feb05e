// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/command_key_specs.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string>

#include "common/proto/redis/keys.h"

namespace ringmaster::proto::redis {
namespace {

constexpr std::string_view kVariable = " variable_flags";

struct KeyPlace {
    enum class Find : uint8_t { kRange, kNumber, kWord, kUnknown };
    Find find = Find::kRange;
    int index = 0;
    int last = 0;  // counted from `index`, negative: from the end
    int step = 1;
    std::string_view word = {};  // kWord: what they stand behind
    int start = 1;               // and where it stands at the earliest
    int limit = 0;               // 2: the first half of what is there
};

// What the key flags of a specification begin with, if that says where the keys stand.
std::string_view place_word(std::string_view flags) {
    const std::string_view word = flags.substr(0, flags.find(' '));
    return word == "?" || word.find('@') != std::string_view::npos ? word : std::string_view();
}

std::string_view without_place(std::string_view flags) {
    const std::string_view word = place_word(flags);
    return word.empty() ? flags : flags.substr(word.size() + 1);
}

KeyPlace marked_place(std::string_view word) {
    if (word == "?") {
        return {.find = KeyPlace::Find::kUnknown};
    }
    const size_t at = word.find('@');
    KeyPlace place{.find = KeyPlace::Find::kWord, .word = word.substr(0, at)};
    std::from_chars(word.data() + at + 1, word.data() + word.size(), place.start);
    return place;
}

// As a server cuts them: a specification for each kind of use, which the key flags number.
std::vector<KeyPlace> fixed_places(const Command& command, size_t kinds) {
    const KeySpec& keys = command.keys;
    using Find = KeyPlace::Find;
    switch (keys.kind) {
        case KeySpec::Kind::kNone:
            return {};
        case KeySpec::Kind::kStreams:
            // Behind it there are a key and an id at least.
            return {{.find = Find::kWord,
                     .last = -1,
                     .word = "STREAMS",
                     .start = -command.arity - 3,
                     .limit = 2}};
        case KeySpec::Kind::kNumkeys: {
            const KeyPlace counted{.find = Find::kNumber, .index = keys.first};
            return keys.destination ? std::vector<KeyPlace>{{.index = 1}, counted}
                                    : std::vector<KeyPlace>{counted};
        }
        case KeySpec::Kind::kRange:
            break;
    }
    const int first = keys.first;
    if (kinds < 2) {
        return {{.index = first,
                 .last = keys.last < 0 ? keys.last : keys.last - first,
                 .step = keys.step}};
    }
    return {{.index = first}, {.index = first + 1, .last = keys.last < 0 ? keys.last : 0}};
}

void write_number_pair(std::string_view name, int64_t value, ReplyWriter& writer) {
    writer.bulk(name);
    writer.integer(value);
}

void write_begin_search(const KeyPlace& place, ReplyWriter& writer) {
    writer.bulk("begin_search");
    writer.map(2);
    switch (place.find) {
        case KeyPlace::Find::kUnknown:
            write_text_pair("type", "unknown", writer);
            writer.bulk("spec");
            writer.map(0);
            return;
        case KeyPlace::Find::kWord:
            write_text_pair("type", "keyword", writer);
            writer.bulk("spec");
            writer.map(2);
            write_text_pair("keyword", place.word, writer);
            write_number_pair("startfrom", place.start, writer);
            return;
        case KeyPlace::Find::kRange:
        case KeyPlace::Find::kNumber:
            break;
    }
    write_text_pair("type", "index", writer);
    writer.bulk("spec");
    writer.map(1);
    write_number_pair("index", place.index, writer);
}

void write_find_keys(const KeyPlace& place, ReplyWriter& writer) {
    writer.bulk("find_keys");
    writer.map(2);
    switch (place.find) {
        case KeyPlace::Find::kUnknown:
            write_text_pair("type", "unknown", writer);
            writer.bulk("spec");
            writer.map(0);
            return;
        case KeyPlace::Find::kNumber:
            write_text_pair("type", "keynum", writer);
            writer.bulk("spec");
            writer.map(3);
            write_number_pair("keynumidx", 0, writer);
            write_number_pair("firstkey", 1, writer);
            write_number_pair("keystep", 1, writer);
            return;
        case KeyPlace::Find::kRange:
        case KeyPlace::Find::kWord:
            break;
    }
    write_text_pair("type", "range", writer);
    writer.bulk("spec");
    writer.map(3);
    write_number_pair("lastkey", place.last, writer);
    write_number_pair("keystep", place.step, writer);
    write_number_pair("limit", place.limit, writer);
}

bool has_any_word(const RequestView& request, size_t from,
                  std::initializer_list<std::string_view> words) {
    ArgumentCursor cursor(request.bytes);
    std::string_view argument;
    std::string_view raw;
    for (size_t i = 0; cursor.next(argument, raw); ++i) {
        const auto is_it = [&](std::string_view word) {
            return equal_ignoring_case(argument, word);
        };
        if (i >= from && std::any_of(words.begin(), words.end(), is_it)) {
            return true;
        }
    }
    return false;
}

// SET and BITFIELD do not always do all that their specification allows for.
std::string_view flags_of_use(const RequestView& request, std::string_view all) {
    all.remove_suffix(kVariable.size());
    if (request.command->name == "set") {
        return has_any_word(request, 3, {"get"}) ? all : "OW update";
    }
    return has_any_word(request, 2, {"set", "incrby"}) ? all : "RO access";
}

}  // namespace

std::vector<std::string_view> split_text(std::string_view text, char between) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const size_t end = std::min(text.find(between), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

void write_word_set(std::string_view words, std::string_view prefix, ReplyWriter& writer) {
    const auto parts = split_text(words, ' ');
    writer.set(parts.size());
    for (const std::string_view part : parts) {
        writer.simple(std::string(prefix) + std::string(part));
    }
}

void write_text_pair(std::string_view name, std::string_view value, ReplyWriter& writer) {
    writer.bulk(name);
    writer.bulk(value);
}

void write_key_specs(const Command& command, const CommandFacts& facts, ReplyWriter& writer) {
    const auto flags = split_text(facts.key_flags, '|');
    if (flags.empty()) {  // no key, or one that belongs to a subcommand
        writer.set(0);
        return;
    }
    const auto marked =
        static_cast<size_t>(std::count_if(flags.begin(), flags.end(), [](std::string_view words) {
            return !place_word(words).empty();
        }));
    auto places = fixed_places(command, flags.size() - marked);
    for (size_t i = flags.size() - marked; i < flags.size(); ++i) {  // they come last
        places.push_back(marked_place(place_word(flags[i])));
    }
    writer.set(places.size());
    for (size_t i = 0; i < places.size(); ++i) {
        writer.map(3);
        writer.bulk("flags");
        write_word_set(without_place(flags[std::min(i, flags.size() - 1)]), "", writer);
        write_begin_search(places[i], writer);
        write_find_keys(places[i], writer);
    }
}

std::string_view key_flags(const RequestView& request, const CommandFacts& facts, size_t number) {
    const auto flags = split_text(facts.key_flags, '|');
    if (flags.empty()) {
        return "RO";
    }
    if (flags[0].ends_with(kVariable)) {
        return flags_of_use(request, flags[0]);
    }
    const bool is_behind_option = number > 0 && request.command->keys.options != 0;
    const size_t last = flags.size() - 1;
    return without_place(flags[is_behind_option ? last : std::min(number, last)]);
}

}  // namespace ringmaster::proto::redis
