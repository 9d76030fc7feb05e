// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/floor/messages.h"

#include <cstdlib>
#include <cstring>

namespace bench {
namespace {

const char* after_line(const char* at, const char* end) {
    const void* found = at == end ? nullptr : std::memchr(at, '\n', std::size_t(end - at));
    return found == nullptr ? nullptr : static_cast<const char*>(found) + 1;
}

// The place behind the next space of a line, or behind its end.
const char* next_word(const char* at, const char* line_end) {
    const void* space = std::memchr(at, ' ', std::size_t(line_end - at));
    return space == nullptr ? line_end : static_cast<const char*>(space) + 1;
}

}  // namespace

std::uint32_t hash_of(std::string_view key) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : key) {
        hash = (hash ^ std::uint8_t(byte)) * 0x100000001b3;
    }
    return std::uint32_t(hash >> 16);
}

const char* redis_end(const char* at, const char* end, std::string_view& key) {
    for (long left = 1, index = 0; left > 0; --left, ++index) {
        if (end - at < 4) {
            return nullptr;
        }
        const char type = *at++;
        if ((type != '$' && type != '*') || *at == '-') {
            at = after_line(at, end);
            if (at == nullptr) {
                return nullptr;
            }
            continue;
        }
        long number = 0;
        for (; at != end && *at >= '0'; ++at) {
            number = number * 10 + (*at - '0');
        }
        at += 2;
        if (type == '*') {
            left += number;
        } else {
            if (index == 2) {  // after the array and the command
                key = {at, std::size_t(number)};
            }
            at += number + 2;
        }
        if (at > end) {
            return nullptr;
        }
    }
    return at;
}

const char* memcached_end(const char* at, const char* end, std::string_view& key, bool is_reply) {
    while (const char* body = after_line(at, end)) {
        const bool is_value = is_reply && *at == 'V';
        const bool is_meta = is_reply ? at[2] == ' ' : *at == 'm';
        const bool has_body = is_value || (!is_reply && *at != 'g' && at[1] != 'g');
        if (is_reply && !has_body) {
            return body;
        }
        const char* word = next_word(at, body - 1);
        if (!is_reply) {
            const char* rest = next_word(word, body - 1);
            key = {word, std::size_t(rest - word - 1)};
            if (!has_body) {
                return body;
            }
            word = rest;
        }
        // VALUE key flags SIZE, VA SIZE; set key flags exptime SIZE, ms key SIZE
        for (int skip = is_meta ? 0 : 2; skip > 0; --skip) {
            word = next_word(word, body - 1);
        }
        long size = 0;
        for (; *word >= '0'; ++word) {
            size = size * 10 + (*word - '0');
        }
        if (end - body < size + 2) {
            return nullptr;
        }
        at = body + size + 2;
        if (!is_value || is_meta) {
            return at;
        }
    }
    return nullptr;
}

}  // namespace bench
