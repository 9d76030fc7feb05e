// SPDX-License-Identifier: Apache-2.0
#include "common/proto/redis/keys.h"

#include <charconv>

#include "common/base/assert.h"

namespace ringmaster::proto::redis {
namespace {

constexpr std::string_view kNotANumber = "ERR value is not an integer or out of range";

// Any argument, by walking to it: only for those beyond the first four.
std::string_view argument_at(const RequestView& request, uint32_t index) noexcept {
    if (index < RequestView::kFirstArguments) {
        return request.arguments[index];
    }
    ArgumentCursor cursor(request.bytes);
    std::string_view argument;
    std::string_view raw;
    for (uint32_t i = 0; i <= index; ++i) {
        cursor.next(argument, raw);
    }
    return argument;
}

// The number of keys that argument `at` announces; 0 with an error when it is none.
uint32_t read_numkeys(const RequestView& request, uint32_t at, std::string_view& error) noexcept {
    if (at >= request.argument_count) {
        error = "ERR syntax error";
        return 0;
    }
    const std::string_view text = argument_at(request, at);
    uint32_t count = 0;
    // Leading zeros are fine, as they are for nutcracker.
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failure != std::errc() || end != text.data() + text.size()) {
        error = kNotANumber;
        return 0;
    }
    if (count == 0) {
        error = "ERR numkeys should be greater than 0";
    } else if (count > request.argument_count - at - 1) {
        error = "ERR Number of keys can't be greater than number of args";
        count = 0;
    }
    return count;
}

// XREAD [COUNT n] [BLOCK ms] STREAMS key... id...; XREADGROUP has GROUP and NOACK, too.
struct Streams {
    uint32_t first_key = 0;  // 0: not found
    uint32_t key_count = 0;
    bool blocks = false;
    bool unbalanced = false;
};

Streams find_streams(const RequestView& request) noexcept {
    Streams streams;
    ArgumentCursor cursor(request.bytes);
    std::string_view word;
    std::string_view raw;
    cursor.next(word, raw);
    uint32_t skip = 0;
    for (uint32_t i = 1; cursor.next(word, raw); ++i) {
        if (skip > 0) {
            --skip;
        } else if (equal_ignoring_case(word, "streams")) {
            const uint32_t rest = request.argument_count - i - 1;
            streams.first_key = i + 1;
            streams.key_count = rest / 2;
            streams.unbalanced = rest == 0 || rest % 2 != 0;
            break;
        } else if (equal_ignoring_case(word, "count")) {
            skip = 1;
        } else if (equal_ignoring_case(word, "block")) {
            skip = 1;
            streams.blocks = true;
        } else if (equal_ignoring_case(word, "group")) {
            skip = 2;
        } else if (!equal_ignoring_case(word, "noack")) {
            break;
        }
    }
    return streams;
}

bool find_first_stream(const RequestView& request, std::string_view& key, std::string_view& error) {
    const Streams streams = find_streams(request);
    if (streams.blocks) {
        error =
            "ERR the option BLOCK is not supported through a proxy: it would block a connection "
            "that others share";
    } else if (streams.first_key == 0) {
        error = "ERR syntax error";
    } else if (streams.unbalanced) {
        error = request.command->name == "xread"
                    ? "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' "
                      "must be specified."
                    : "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or "
                      "'>' must be specified.";
    } else {
        key = argument_at(request, streams.first_key);
        return true;
    }
    return false;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view lower) noexcept {
    if (a.size() != lower.size()) {
        return false;
    }
    for (size_t i = 0; i < a.size(); ++i) {
        const char byte = a[i];
        if ((byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte) != lower[i]) {
            return false;
        }
    }
    return true;
}

Subcommand classify_subcommand(const Command& command, std::string_view word) noexcept {
    if (equal_ignoring_case(word, "help")) {
        return Subcommand::kHelp;
    }
    std::string_view words = command.subcommands;
    while (!words.empty()) {
        const std::string_view known = words.substr(0, words.find(' '));
        if (equal_ignoring_case(word, known)) {
            return Subcommand::kKnown;
        }
        words.remove_prefix(known.size() == words.size() ? known.size() : known.size() + 1);
    }
    return Subcommand::kUnknown;
}

bool find_first_key(const RequestView& request, std::string_view& key, std::string_view& error) {
    RM_ASSERT(request.command != nullptr);
    const KeySpec& keys = request.command->keys;
    error = {};
    switch (keys.kind) {
        case KeySpec::Kind::kNone:
            return false;
        case KeySpec::Kind::kRange: {
            const auto first = static_cast<uint32_t>(keys.first);
            if (first >= request.argument_count) {
                error = "ERR wrong number of arguments";
                return false;
            }
            RM_DEBUG_ASSERT(first < RequestView::kFirstArguments);
            key = request.arguments[first];
            return true;
        }
        case KeySpec::Kind::kNumkeys: {
            if (keys.destination && request.argument_count > 1) {
                key = request.arguments[1];  // whatever numkeys is: the server will say
                return true;
            }
            const auto at = static_cast<uint32_t>(keys.first);
            if (read_numkeys(request, at, error) == 0) {
                return false;
            }
            key = argument_at(request, at + 1);
            return true;
        }
        case KeySpec::Kind::kStreams:
            return find_first_stream(request, key, error);
    }
    return false;
}

KeyWalker::KeyWalker(const RequestView& request) noexcept
    : cursor_(request.bytes),
      options_(request.command->keys.options),
      destination_(request.command->keys.destination) {
    const KeySpec& keys = request.command->keys;
    const int64_t count = request.argument_count;
    switch (keys.kind) {
        case KeySpec::Kind::kNone:
            break;
        case KeySpec::Kind::kRange:
            first_ = keys.first;
            last_ = keys.last < 0 ? count + keys.last : keys.last;
            step_ = keys.step;
            break;
        case KeySpec::Kind::kNumkeys: {
            std::string_view error;
            first_ = keys.first + 1;
            const auto at = static_cast<uint32_t>(keys.first);
            last_ = int64_t{at} + read_numkeys(request, at, error);
            break;
        }
        case KeySpec::Kind::kStreams: {
            const Streams streams = find_streams(request);
            first_ = streams.first_key;
            last_ = first_ + streams.key_count - 1;
            break;
        }
    }
}

bool KeyWalker::is_key(std::string_view argument) noexcept {
    if (index_ >= first_ && index_ <= last_ && (index_ - first_) % step_ == 0) {
        return true;
    }
    if (destination_ && index_ == 1) {
        return true;
    }
    if (options_ == 0 || index_ < options_) {
        return false;
    }
    if (behind_store_) {
        behind_store_ = false;
        return true;
    }
    if (skip_ > 0) {
        --skip_;
    } else if (equal_ignoring_case(argument, "store") ||
               equal_ignoring_case(argument, "storedist")) {
        behind_store_ = true;
    } else if (equal_ignoring_case(argument, "limit")) {
        skip_ = 2;
    } else if (equal_ignoring_case(argument, "by") || equal_ignoring_case(argument, "get")) {
        skip_ = 1;
    }
    return false;
}

bool KeyWalker::next(std::string_view& key) noexcept {
    std::string_view raw;
    // Nothing is looked at behind the last key, so that a long tail of values costs nothing.
    while ((options_ != 0 || index_ < last_ || (destination_ && index_ < 1)) &&
           cursor_.next(key, raw)) {
        ++index_;
        if (is_key(key)) {
            return true;
        }
    }
    return false;
}

}  // namespace ringmaster::proto::redis
