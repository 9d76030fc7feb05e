// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/worker/allocations/words.h"

#include <charconv>

#include "common/base/format.h"
#include "tests/unit/worker/allocations/words_memcached.h"

namespace ringmaster::allocations {
namespace {

using base::format;

constexpr uint32_t kWidth = 12;         // keys of a multi-key request
constexpr size_t kLargeBytes = 300000;  // more than kMostExpectedBytes of worker/limits.h
constexpr std::string_view kLargeKey = "large";

struct Entry {
    std::string key;
    std::string value;
};

const std::vector<Entry>& entries() {
    static const std::vector<Entry> all = [] {
        std::vector<Entry> made;
        for (uint32_t i = 0; i < kKeys; ++i) {
            const size_t size = i % 32 == 7 ? 6000 : i % 8 == 3 ? 900 : 8 + i % 40;
            std::string value = format("<{}>", i);
            while (value.size() < size) {
                value += static_cast<char>('a' + (value.size() * 7 + i) % 26);
            }
            made.push_back({format("key:{:04}", i), value});
        }
        return made;
    }();
    return all;
}

const std::string& large_value() {
    static const std::string value(kLargeBytes, 'L');
    return value;
}

void add_bulk(std::string& to, std::string_view text) {
    to += format("${}\r\n{}\r\n", text.size(), text);
}

void add_block(std::string& to, uint32_t index) {
    to += format("VALUE {} 5 {}\r\n{}\r\n", key_of(index), value_of(index).size(), value_of(index));
}

void say_redis_multi(uint32_t number, Conversation& conversation) {
    const bool is_mset = number % 4 == 1;
    const bool is_del = number % 4 == 3;
    conversation.request += format("*{}\r\n", is_mset ? 1 + 2 * kWidth : 1 + kWidth);
    add_bulk(conversation.request, is_mset ? "MSET" : is_del ? "DEL" : "MGET");
    conversation.reply += is_mset  ? std::string("+OK\r\n")
                          : is_del ? format(":{}\r\n", kWidth)
                                   : format("*{}\r\n", kWidth);
    for (uint32_t i = 0; i < kWidth; ++i) {
        const uint32_t index = spread(number * kWidth + i);
        add_bulk(conversation.request, key_of(index));
        if (is_mset) {
            add_bulk(conversation.request, value_of(index));
        } else if (!is_del) {
            add_bulk(conversation.reply, value_of(index));
        }
    }
}

constexpr std::string_view kScore = ",1.5\r\n";

void add_map(std::string& to, uint32_t index) {
    to += "%1\r\n";
    add_bulk(to, key_of(index));
    add_bulk(to, value_of(index));
}

void say_resp3(uint32_t number, uint32_t index, Conversation& conversation) {
    std::string& request = conversation.request;
    switch (number % 4) {
        case 0:
            request += "*2\r\n$3\r\nGET\r\n";
            add_bulk(request, key_of(index));
            add_bulk(conversation.reply, value_of(index));
            return;
        case 1:
            request += "*3\r\n$3\r\nSET\r\n";
            add_bulk(request, key_of(index));
            add_bulk(request, value_of(index));
            conversation.reply += "+OK\r\n";
            return;
        case 2:
            request += "*2\r\n$7\r\nHGETALL\r\n";
            add_bulk(request, key_of(index));
            add_map(conversation.reply, index);
            return;
        default:
            request += "*3\r\n$6\r\nZSCORE\r\n";
            add_bulk(request, key_of(index));
            add_bulk(request, "member");
            conversation.reply += kScore;
            return;
    }
}

// "*2" or "$5" and a line end at `at`; moves behind it.
bool take_number(std::string_view text, size_t& at, char kind, size_t& number) {
    const size_t end = text.find("\r\n", at);
    if (end == std::string_view::npos || text[at] != kind) {
        return false;
    }
    const auto [behind, error] = std::from_chars(text.data() + at + 1, text.data() + end, number);
    at = end + 2;
    return error == std::errc() && behind == text.data() + end;
}

// 0: not whole yet.
size_t take_arguments(std::string_view text, std::vector<std::string_view>& arguments) {
    size_t at = 0;
    size_t count = 0;
    arguments.clear();
    if (!take_number(text, at, '*', count)) {
        return 0;
    }
    while (arguments.size() < count) {
        size_t size = 0;
        if (at >= text.size() || !take_number(text, at, '$', size) || text.size() < at + size + 2) {
            return 0;
        }
        arguments.push_back(text.substr(at, size));
        at += size + 2;
    }
    return at;
}

bool is_right(std::string_view key, std::string_view value) {
    const uint32_t index = index_of_key(key);
    return index < kKeys ? value == value_of(index) : key == kLargeKey && value == large_value();
}

bool answer_redis_command(const std::vector<std::string_view>& words, std::string& output) {
    if (words[0] == "HELLO") {
        output += "%1\r\n$5\r\nproto\r\n:3\r\n";
        return true;
    }
    if (words[0] == "HGETALL" || words[0] == "ZSCORE") {
        const uint32_t index = index_of_key(words[1]);
        if (index >= kKeys) {
            return false;
        }
        if (words[0] == "ZSCORE") {
            output += kScore;
        } else {
            add_map(output, index);
        }
        return true;
    }
    const char first = words[0].empty() ? '\0' : words[0][0];
    const char second = words[0].size() > 1 ? words[0][1] : '\0';
    const bool is_multi = (first | ' ') == 'm';
    const bool is_set = ((is_multi ? second : first) | ' ') == 's';
    if (is_set) {
        for (size_t i = 1; i + 1 < words.size(); i += 2) {
            if (!is_right(words[i], words[i + 1])) {
                return false;
            }
        }
        output += "+OK\r\n";
        return true;
    }
    if ((first | ' ') == 'd') {
        output += format(":{}\r\n", words.size() - 1);
        return true;
    }
    if (is_multi) {
        output += format("*{}\r\n", words.size() - 1);
    }
    for (size_t i = 1; i < words.size(); ++i) {
        const uint32_t index = index_of_key(words[i]);
        if (index >= kKeys) {
            return false;
        }
        add_bulk(output, value_of(index));
    }
    return true;
}

// Behind "set KEY 5 0 SIZE\r\n" at `at` stands the value. 0: not whole yet; npos: no request of
// ours.
size_t answer_memcached_set(std::string_view text, std::string_view line, size_t at,
                            std::string& output) {
    const std::string_view key = line.substr(4, line.find(' ', 4) - 4);
    const uint32_t index = index_of_key(key);
    if (index >= kKeys) {
        return std::string_view::npos;
    }
    const std::string& value = value_of(index);
    if (line != format("set {} 5 0 {}", key, value.size())) {
        return std::string_view::npos;
    }
    if (text.size() < at + value.size() + 2) {
        return 0;
    }
    if (text.substr(at, value.size()) != value) {
        return std::string_view::npos;
    }
    output += "STORED\r\n";
    return at + value.size() + 2;
}

bool answer_memcached_get(std::string_view line, std::string& output) {
    size_t at = 4;
    while (at < line.size()) {
        const size_t end = std::min(line.find(' ', at), line.size());
        const uint32_t index = index_of_key(line.substr(at, end - at));
        if (index >= kKeys) {
            return false;
        }
        add_block(output, index);
        at = end + 1;
    }
    output += "END\r\n";
    return true;
}

}  // namespace

const std::string& key_of(uint32_t index) {
    return entries()[index].key;
}

const std::string& value_of(uint32_t index) {
    return entries()[index].value;
}

uint32_t index_of_key(std::string_view key) {
    uint32_t index = kKeys;
    if (!key.starts_with("key:")) {
        return kKeys;
    }
    std::from_chars(key.data() + 4, key.data() + key.size(), index);
    return index < kKeys && key == key_of(index) ? index : kKeys;
}

uint32_t spread(uint32_t number) {
    return (number * 2654435761U >> 7) % kKeys;
}

void say(Speech speech, uint32_t number, Conversation& conversation) {
    ++conversation.count;
    const uint32_t index = spread(number);
    const bool is_set = number % 2 == 1;
    switch (speech) {
        case Speech::kRedisSingle:
            conversation.request += is_set ? "*3\r\n$3\r\nSET\r\n" : "*2\r\n$3\r\nGET\r\n";
            add_bulk(conversation.request, key_of(index));
            if (is_set) {
                add_bulk(conversation.request, value_of(index));
                conversation.reply += "+OK\r\n";
            } else {
                add_bulk(conversation.reply, value_of(index));
            }
            return;
        case Speech::kRedisLocal:
            conversation.request += kPing;
            conversation.reply += "+PONG\r\n";
            return;
        case Speech::kResp3Single:
            say_resp3(number, index, conversation);
            return;
        case Speech::kRedisMulti:
        case Speech::kResp3Multi:
            say_redis_multi(number, conversation);
            return;
        case Speech::kMemcachedSingle:
            if (is_set) {
                conversation.request += format("set {} 5 0 {}\r\n{}\r\n", key_of(index),
                                               value_of(index).size(), value_of(index));
                conversation.reply += "STORED\r\n";
            } else {
                conversation.request += format("get {}\r\n", key_of(index));
                add_block(conversation.reply, index);
                conversation.reply += "END\r\n";
            }
            return;
        case Speech::kMemcachedMulti:
            conversation.request += "get";
            for (uint32_t i = 0; i < kWidth; ++i) {
                const uint32_t each = spread(number * kWidth + i);
                conversation.request += " " + key_of(each);
                add_block(conversation.reply, each);
            }
            conversation.request += "\r\n";
            conversation.reply += "END\r\n";
            return;
        case Speech::kMeta:
            say_meta(number, index, conversation);
            return;
        case Speech::kBinary:
            say_binary(number, index, conversation);
            return;
    }
}

void say_large_set(Conversation& conversation) {
    ++conversation.count;
    conversation.request += "*3\r\n$3\r\nSET\r\n";
    add_bulk(conversation.request, kLargeKey);
    add_bulk(conversation.request, large_value());
    conversation.reply += "+OK\r\n";
}

bool answer_redis(std::string& input, std::string& output) {
    std::vector<std::string_view> arguments;
    size_t used = 0;
    while (used < input.size()) {
        const size_t size = take_arguments(std::string_view(input).substr(used), arguments);
        if (size == 0) {
            break;
        }
        if (arguments.size() < 2 || !answer_redis_command(arguments, output)) {
            return false;
        }
        used += size;
    }
    input.erase(0, used);
    return true;
}

bool answer_memcached(std::string& input, std::string& output) {
    size_t used = 0;
    while (true) {
        const std::string_view text = std::string_view(input).substr(used);
        const size_t end = text.find("\r\n");
        if (end == std::string_view::npos) {
            break;
        }
        const std::string_view line = text.substr(0, end);
        if (line.starts_with("get ")) {
            if (!answer_memcached_get(line, output)) {
                return false;
            }
            used += end + 2;
            continue;
        }
        const bool is_meta = line.starts_with('m');
        if (!is_meta && !line.starts_with("set ")) {
            return false;
        }
        const size_t size = is_meta ? answer_meta(text, line, output)
                                    : answer_memcached_set(text, line, end + 2, output);
        if (size == std::string_view::npos) {
            return false;
        }
        if (size == 0) {
            break;
        }
        used += size;
    }
    input.erase(0, used);
    return true;
}

}  // namespace ringmaster::allocations
