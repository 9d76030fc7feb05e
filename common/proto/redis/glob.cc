// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/glob.h"

#include <cstddef>
#include <utility>

namespace ringmaster::proto::redis {
namespace {

unsigned char lower(char c) noexcept {
    return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

// The set behind '[', which starts at `at`: whether `byte` is in it. `at` ends behind the set.
bool fits_set(std::string_view pattern, size_t& at, unsigned char byte) noexcept {
    const bool negated = at < pattern.size() && pattern[at] == '^';
    at += negated ? 1U : 0U;
    bool found = false;
    while (at < pattern.size() && pattern[at] != ']') {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) {
            ++at;
            found = found || lower(pattern[at]) == byte;
            ++at;
        } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
            unsigned char first = lower(pattern[at]);
            unsigned char last = lower(pattern[at + 2]);
            if (first > last) {
                std::swap(first, last);
            }
            found = found || (byte >= first && byte <= last);
            at += 3;
        } else {
            found = found || lower(pattern[at]) == byte;
            ++at;
        }
    }
    at += at < pattern.size() ? 1U : 0U;
    return found != negated;
}

// One element of the pattern that is no star against one byte. `at` ends behind the element.
bool fits_one(std::string_view pattern, size_t& at, char byte) noexcept {
    const char element = pattern[at++];
    if (element == '?') {
        return true;
    }
    if (element == '[') {
        return fits_set(pattern, at, lower(byte));
    }
    if (element == '\\' && at < pattern.size()) {
        return lower(pattern[at++]) == lower(byte);
    }
    return lower(element) == lower(byte);
}

}  // namespace

bool fits_pattern(std::string_view pattern, std::string_view text) noexcept {
    size_t at = 0;
    size_t done = 0;
    // Where to go on when what follows the last star does not fit: the star takes one byte more.
    size_t behind_star = std::string_view::npos;
    size_t star_from = 0;
    while (done < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            behind_star = ++at;
            star_from = done;
            continue;
        }
        size_t next = at;
        if (at < pattern.size() && fits_one(pattern, next, text[done])) {
            at = next;
            ++done;
        } else if (behind_star != std::string_view::npos) {
            at = behind_star;
            done = ++star_from;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*') {
        ++at;
    }
    return at == pattern.size();
}

bool is_pattern(std::string_view text) noexcept {
    return text.find_first_of("*?[") != std::string_view::npos;
}

}  // namespace ringmaster::proto::redis
