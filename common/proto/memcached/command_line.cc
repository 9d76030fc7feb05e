// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/command_line.h"

#include <cstdint>

#include "common/proto/limits.h"

namespace ringmaster::proto::memcached {
namespace {

constexpr const char* kBadDelete =
    "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
constexpr const char* kBadDelta = "CLIENT_ERROR invalid numeric delta argument\r\n";
// A server's own words, unless it was started with -A.
constexpr const char* kNoShutdown = "ERROR: shutdown not enabled\r\n";
constexpr const char* kStatsNotServed = "CLIENT_ERROR stats not supported by the proxy\r\n";

struct WordCount {
    size_t least;
    size_t most;
};

// The command's name and noreply are words, too.
WordCount word_count(const Command& command) noexcept {
    switch (command.shape) {
        case Shape::kStorage:
            return command.has_cas ? WordCount{6, 7} : WordCount{5, 6};
        case Shape::kArithmetic:
        case Shape::kTouch:
            return {3, 4};
        case Shape::kDelete:
            return {2, 4};
        case Shape::kFlushAll:
            return {1, 3};
        case Shape::kVerbosity:
            return {2, 3};
        case Shape::kRetrieval:
        case Shape::kVersion:
        case Shape::kStats:
        case Shape::kQuit:
        case Shape::kMetaGet:
        case Shape::kMetaSet:
        case Shape::kMeta:
        case Shape::kMetaDebug:
        case Shape::kMetaNoop:
        case Shape::kConfig:
        case Shape::kRefused:
            break;
    }
    return {1, Words::kMost};
}

// "delete noreply" has a key of that name; the other commands have no key.
size_t words_before_noreply(const Command& command) noexcept {
    switch (command.shape) {
        case Shape::kFlushAll:
        case Shape::kVerbosity:
        case Shape::kRefused:
            return 1;
        case Shape::kStorage:
        case Shape::kArithmetic:
        case Shape::kTouch:
        case Shape::kDelete:
        case Shape::kRetrieval:
        case Shape::kVersion:
        case Shape::kStats:
        case Shape::kQuit:
        case Shape::kMetaGet:
        case Shape::kMetaSet:
        case Shape::kMeta:
        case Shape::kMetaDebug:
        case Shape::kMetaNoop:
        case Shape::kConfig:
            break;
    }
    return 2;
}

const char* stats_problem_or_null(std::string_view what) noexcept {
    if (is_stats_group(what)) {
        return nullptr;
    }
    return what == "detail" || what == "cachedump" ? kStatsNotServed : kError;
}

}  // namespace

bool is_stats_group(std::string_view what) noexcept {
    for (const std::string_view known :
         {"", "reset", "items", "slabs", "sizes", "settings", "conns", "extstore"}) {
        if (what == known) {
            return true;
        }
    }
    return false;
}

bool is_signed_number(std::string_view word) noexcept {
    uint64_t number = 0;
    if (word.starts_with('-')) {
        word.remove_prefix(1);
    }
    return parse_number(word, number) && number <= static_cast<uint64_t>(INT64_MAX);
}

Words::Words(const Command& command, std::string_view name, std::string_view rest) noexcept {
    for (std::string_view word = name; !word.empty() && count < kMost; word = take_word(rest)) {
        words[count++] = word;
    }
    const WordCount allowed = word_count(command);
    count_is_right = count >= allowed.least && count <= allowed.most;
    // With a wrong number of words memcached does not look for noreply.
    noreply = command.takes_noreply && count_is_right && words[count - 1] == "noreply" &&
              count > words_before_noreply(command);
}

size_t Words::needed(const Command& command) const noexcept {
    if (command.shape == Shape::kFlushAll) {
        const size_t without_noreply = count - (noreply ? 1 : 0);
        return without_noreply > 1 ? 2 : 1;  // the delay
    }
    return word_count(command).least;
}

const char* Words::problem_or_null(const Command& command) const noexcept {
    if (!count_is_right) {
        return kError;
    }
    uint64_t number = 0;
    switch (command.shape) {
        case Shape::kRefused:
            return command.name == "shutdown" ? kNoShutdown : kError;
        case Shape::kStats:
            return stats_problem_or_null(count > 1 ? words[1] : std::string_view());
        case Shape::kFlushAll:
            return needed(command) == 1 || is_signed_number(words[1]) ? nullptr : kBadExptime;
        case Shape::kVerbosity:
            return noreply || parse_number(words[1], number) ? nullptr : kBadFormat;
        case Shape::kRetrieval:
        case Shape::kVersion:
        case Shape::kQuit:
        case Shape::kMetaGet:
        case Shape::kMetaSet:
        case Shape::kMeta:
        case Shape::kMetaDebug:
        case Shape::kMetaNoop:
            return nullptr;
        case Shape::kConfig:
            return count == 3 && words[1] == "get" && words[2] == "cluster" ? nullptr : kError;
        case Shape::kDelete:
            return is_delete_right() ? key_problem_or_null() : kBadDelete;
        case Shape::kStorage:
            return are_numbers_right(command) ? key_problem_or_null() : kBadFormat;
        case Shape::kArithmetic:
        case Shape::kTouch:
            break;
    }
    if (const char* problem = key_problem_or_null(); problem != nullptr) {
        return problem;
    }
    if (command.shape == Shape::kArithmetic) {
        return parse_number(words[2], number) ? nullptr : kBadDelta;
    }
    return is_signed_number(words[2]) ? nullptr : kBadExptime;
}

const char* Words::key_problem_or_null() const noexcept {
    return words[1].size() > kMaxMemcachedKeyBytes ? kBadFormat : nullptr;
}

bool Words::are_numbers_right(const Command& command) const noexcept {
    uint64_t flags = 0;
    uint64_t cas = 0;
    return parse_number(words[2], flags) && flags <= static_cast<uint64_t>(INT64_MAX) &&
           is_signed_number(words[3]) && is_digits(words[4]) &&
           (!command.has_cas || parse_number(words[5], cas));
}

// "delete key", "delete key 0", "delete key noreply", "delete key 0 noreply".
bool Words::is_delete_right() const noexcept {
    const bool zero = count > 2 && words[2] == "0";
    switch (count) {
        case 2:
            return true;
        case 3:
            return zero || noreply;
        default:
            return zero && noreply;
    }
}

}  // namespace ringmaster::proto::memcached
