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

long number_in_word(const char* line, int word) {
    while (word-- > 0) {
        line = std::strchr(line, ' ') + 1;
    }
    return std::atol(line);
}

}  // namespace

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
        if (!is_reply) {
            const char* name = std::strchr(at, ' ') + 1;
            key = {name, std::strcspn(name, " \r")};
        }
        if (!is_value && (is_reply || *at == 'g' || at[1] == 'g')) {
            return body;
        }
        // VALUE key flags SIZE, VA SIZE; set key flags exptime SIZE, ms key SIZE
        const int word = is_reply ? (is_meta ? 1 : 3) : (is_meta ? 2 : 4);
        const long size = number_in_word(at, word) + 2;
        if (end - body < size) {
            return nullptr;
        }
        at = body + size;
        if (!is_value || is_meta) {
            return at;
        }
    }
    return nullptr;
}

}  // namespace bench
