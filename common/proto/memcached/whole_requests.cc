// SPDX-License-Identifier: Apache-2.0
// RequestParser: the quick ways, for the requests that nearly all are. What they take is a part of
// what parse() takes; what they leave says nothing about the bytes.
#include <algorithm>

#include "common/proto/limits.h"
#include "common/proto/memcached/meta_line.h"
#include "common/proto/memcached/request_parser.h"
#include "common/proto/memcached/words.h"

namespace ringmaster::proto::memcached {

size_t RequestParser::whole_request_bytes(const char* begin, size_t size,
                                          std::string_view& key) noexcept {
    constexpr std::string_view kGet = "get ";
    constexpr std::string_view kSet = "set ";
    const bool is_get = begins_with(begin, size, kGet);
    if (!is_get && !begins_with(begin, size, kSet)) {
        return 0;
    }
    const char* const end = begin + size;
    const char* const first = begin + kGet.size();
    const char* at = find_key_end(
        first, first + std::min(static_cast<size_t>(end - first), kMaxMemcachedKeyBytes + 1));
    const auto key_bytes = static_cast<size_t>(at - first);
    if (key_bytes == 0 || key_bytes > kMaxMemcachedKeyBytes) {
        return 0;
    }
    key = std::string_view(first, key_bytes);
    size_t block_bytes = 0;
    if (!is_get) {
        size_t flags = 0;
        size_t exptime = 0;
        if (!read_short_number(at, end, flags) || !read_short_number(at, end, exptime) ||
            !read_short_number(at, end, block_bytes)) {
            return 0;
        }
    }
    if (!begins_with(at, static_cast<size_t>(end - at), kCrLf)) {
        return 0;
    }
    at += kCrLf.size();
    if (!is_get) {
        const auto left = static_cast<size_t>(end - at);
        if (left < block_bytes || !begins_with(at + block_bytes, left - block_bytes, kCrLf)) {
            return 0;
        }
        at += block_bytes + kCrLf.size();
    }
    return static_cast<size_t>(at - begin);
}

size_t RequestParser::whole_meta_get_bytes(const char* begin, size_t size, std::string_view& key,
                                           std::string_view& quiet) noexcept {
    constexpr std::string_view kMetaGet = "mg ";
    if (!begins_with(begin, size, kMetaGet)) {
        return 0;
    }
    const char* const end = begin + std::min(size, kMaxMemcachedLineBytes);
    const char* const first = begin + kMetaGet.size();
    const char* at = find_key_end(first, end);
    const auto key_bytes = static_cast<size_t>(at - first);
    if (key_bytes == 0 || key_bytes > kMaxMemcachedKeyBytes) {
        return 0;
    }
    key = std::string_view(first, key_bytes);
    quiet = {};
    while (at != end && *at == ' ') {
        const char* const flag = at + 1;
        at = find_flag_end(flag, end);
        if (at == flag || *flag == 'b') {
            return 0;
        }
        if (*flag == 'q') {
            if (!quiet.empty()) {
                return 0;
            }
            quiet = {flag, static_cast<size_t>(at - flag)};
        }
    }
    return begins_with(at, static_cast<size_t>(end - at), kCrLf)
               ? static_cast<size_t>(at - begin) + kCrLf.size()
               : 0;
}

size_t RequestParser::whole_meta_set_bytes(const char* begin, size_t size,
                                           std::string_view& key) noexcept {
    constexpr std::string_view kMetaSet = "ms ";
    if (!begins_with(begin, size, kMetaSet)) {
        return 0;
    }
    const char* const end = begin + size;
    const char* const line_end = begin + std::min(size, kMaxMemcachedLineBytes);
    const char* const first = begin + kMetaSet.size();
    const char* at = find_key_end(first, line_end);
    const auto key_bytes = static_cast<size_t>(at - first);
    size_t block_bytes = 0;
    if (key_bytes == 0 || key_bytes > kMaxMemcachedKeyBytes ||
        !read_short_number(at, line_end, block_bytes)) {
        return 0;
    }
    key = std::string_view(first, key_bytes);
    uint32_t flags = 0;
    while (at != line_end && *at == ' ') {
        const char* const flag = at + 1;
        at = find_flag_end(flag, line_end);
        if (at == flag || *flag == 'b' || *flag == 'q' || ++flags > kMaxSetFlags) {
            return 0;
        }
    }
    if (!begins_with(at, static_cast<size_t>(line_end - at), kCrLf)) {
        return 0;
    }
    at += kCrLf.size();
    const auto left = static_cast<size_t>(end - at);
    if (left < block_bytes || !begins_with(at + block_bytes, left - block_bytes, kCrLf)) {
        return 0;
    }
    return static_cast<size_t>(at - begin) + block_bytes + kCrLf.size();
}

}  // namespace ringmaster::proto::memcached
