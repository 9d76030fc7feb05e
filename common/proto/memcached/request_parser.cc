// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/request_parser.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/proto/limits.h"
#include "common/proto/memcached/command_line.h"
#include "common/proto/memcached/words.h"

namespace ringmaster::proto::memcached {
namespace {

constexpr const char* kBadChunk = "CLIENT_ERROR bad data chunk\r\n";
constexpr const char* kTooLarge = "SERVER_ERROR object too large for cache\r\n";
constexpr const char* kLineTooLong = "CLIENT_ERROR line too long\r\n";
constexpr const char* kBinary = "CLIENT_ERROR binary request on a connection that speaks text\r\n";

constexpr char kBinaryMagic = '\x80';
// The most memcached reads as a byte count; swallowing more than that makes no sense.
constexpr uint64_t kMaxCountedBytes = 0x7fffffff - 2;
// memcached hangs up, on all of us, when a line of more than kMaxMemcachedLineBytes does not say
// get or gets behind at most this many spaces. gat does not count.
constexpr size_t kMaxSpacesBeforeGet = 100;

// Looks at the first kMaxMemcachedLineBytes bytes only, so that the answer does not depend on how
// many have arrived.
bool is_long_retrieval(const char* begin) noexcept {
    std::string_view text(begin, kMaxMemcachedLineBytes);
    const size_t spaces = text.find_first_not_of(' ');
    if (spaces > kMaxSpacesBeforeGet) {
        return false;
    }
    text.remove_prefix(spaces);
    return text.starts_with("get ") || text.starts_with("gets ");
}

bool has_key(const Command& command) noexcept {
    switch (command.shape) {
        case Shape::kStorage:
        case Shape::kArithmetic:
        case Shape::kTouch:
        case Shape::kDelete:
        case Shape::kRetrieval:
        case Shape::kMetaGet:
        case Shape::kMetaSet:
        case Shape::kMeta:
        case Shape::kMetaDebug:
            return true;
        case Shape::kFlushAll:
        case Shape::kVersion:
        case Shape::kVerbosity:
        case Shape::kStats:
        case Shape::kQuit:
        case Shape::kMetaNoop:
        case Shape::kConfig:
        case Shape::kRefused:
            break;
    }
    return false;
}

bool is_meta_with_key(const Command& command) noexcept {
    return command.shape == Shape::kMetaGet || command.shape == Shape::kMetaSet ||
           command.shape == Shape::kMeta || command.shape == Shape::kMetaDebug;
}

}  // namespace

ParseStatus RequestParser::parse(const char* begin, size_t size) noexcept {
    if (line_bytes_ == 0) {
        ParseStatus status = find_line_end(begin, size);
        if (status == ParseStatus::kDone) {
            status = parse_line(begin);
        }
        if (status != ParseStatus::kDone) {
            return status;
        }
        if (!has_block_) {
            position_ = line_bytes_;
            return ParseStatus::kDone;
        }
        position_ = block_end_;
    }
    return finish_block(begin, size);
}

void RequestParser::refuse_block(const char* error_reply) noexcept {
    if (has_block_ && error_reply_ == nullptr) {
        error_reply_ = error_reply;
    }
}

size_t RequestParser::discardable(size_t size) const noexcept {
    return has_block_ && error_reply_ != nullptr ? std::min(block_end_, size) : 0;
}

void RequestParser::rebase(size_t bytes_taken) noexcept {
    RM_ASSERT(bytes_taken <= discardable(bytes_taken));
    RM_DEBUG_ASSERT(bytes_taken <= position_);
    position_ -= bytes_taken;
    block_end_ -= bytes_taken;
    needed_ -= bytes_taken;
}

ParseStatus RequestParser::need(size_t bytes) noexcept {
    needed_ = bytes;
    return ParseStatus::kNeedMore;
}

ParseStatus RequestParser::fail(ParseStatus status, const char* problem) noexcept {
    problem_ = problem;
    return status;
}

ParseStatus RequestParser::find_line_end(const char* begin, size_t size) noexcept {
    if (size <= position_) {
        return need(position_ + 1);
    }
    if (begin[0] == kBinaryMagic) {
        return fail(ParseStatus::kBad, kBinary);
    }
    size_t limit = kMaxMemcachedLineBytes;
    if (size >= limit && is_long_retrieval(begin)) {
        limit = kMaxMemcachedGetLineBytes;
    }
    const size_t end = std::min(size, limit);
    const void* newline =
        position_ < end ? std::memchr(begin + position_, '\n', end - position_) : nullptr;
    if (newline == nullptr) {
        if (size >= limit) {
            return fail(ParseStatus::kTooBig, kLineTooLong);
        }
        position_ = size;
        return need(size + 1);
    }
    const auto text_bytes = static_cast<uint32_t>(static_cast<const char*>(newline) - begin);
    line_bytes_ = text_bytes + 1;
    line_end_bytes_ = text_bytes > 0 && begin[text_bytes - 1] == '\r' ? 2 : 1;
    return ParseStatus::kDone;
}

ParseStatus RequestParser::parse_line(const char* begin) noexcept {
    const std::string_view line(begin, line_bytes_ - line_end_bytes_);
    std::string_view rest = line;
    const std::string_view name = take_word(rest);
    forward_bytes_ = static_cast<uint32_t>(line.size());
    command_ = find_command_or_null(name);
    if (command_ == nullptr) {
        error_reply_ = kError;
        return ParseStatus::kDone;
    }
    // No control byte anywhere in the line: servers cut words at a NUL, other servers may end lines
    // at a CR.
    if (command_->shape == Shape::kRetrieval) {
        parse_keys(begin, rest);
        return ParseStatus::kDone;
    }
    const ParseStatus status =
        is_meta_with_key(*command_) ? parse_meta(begin, rest) : parse_words(begin, name, rest);
    if (error_reply_ == nullptr && has_control_byte(line)) {
        error_reply_ = kBadFormat;
    }
    return status;
}

void RequestParser::set_argument(const char* begin, std::string_view word) noexcept {
    argument_offset_ = static_cast<uint32_t>(word.data() - begin);
    static_assert(kMaxMemcachedLineBytes <= UINT16_MAX);
    argument_bytes_ = static_cast<uint16_t>(word.size());
}

void RequestParser::set_first_key(const char* begin, std::string_view key) noexcept {
    key_offset_ = static_cast<uint32_t>(key.data() - begin);
    key_bytes_ = static_cast<uint16_t>(key.size());  // one that is longer is refused
}

void RequestParser::parse_keys(const char* begin, std::string_view rest) noexcept {
    if (command_->has_exptime) {
        const std::string_view exptime = take_word(rest);
        if (!is_signed_number(exptime)) {
            error_reply_ = exptime.empty() ? kError : kBadExptime;
            return;
        }
        set_argument(begin, exptime);
    }
    std::string_view key = take_word(rest);
    if (key.empty()) {
        if (!command_->has_exptime) {
            error_reply_ = kError;
        }
        return;  // a gat of no key finds nothing
    }
    set_first_key(begin, key);
    const char* at = key.data();
    const char* const end = rest.data() + rest.size();
    while (at != end) {
        const char* const stop = find_key_end(at, end);
        if (static_cast<size_t>(stop - at) > kMaxMemcachedKeyBytes ||
            (stop != end && *stop != ' ')) {
            error_reply_ = kBadFormat;
            return;
        }
        ++key_count_;
        at = stop;
        while (at != end && *at == ' ') {
            ++at;
        }
    }
}

ParseStatus RequestParser::parse_words(const char* begin, std::string_view name,
                                       std::string_view rest) noexcept {
    const Words words(*command_, name, rest);
    noreply_ = words.noreply;
    error_reply_ = words.problem_or_null(*command_);
    if (error_reply_ == nullptr) {
        const std::string_view last = words.words[words.needed(*command_) - 1];
        forward_bytes_ = static_cast<uint32_t>(last.data() + last.size() - begin);
        if (command_->shape == Shape::kStats) {
            if (words.count > 1) {
                set_argument(begin, words.words[1]);
            }
        } else if (has_key(*command_)) {
            set_first_key(begin, words.words[1]);
            key_count_ = 1;
        }
    }
    const size_t count_word = command_->count_word;
    if (count_word != 0 && words.count > count_word && is_digits(words.words[count_word])) {
        return begin_block(words.words[count_word]);
    }
    return ParseStatus::kDone;
}

ParseStatus RequestParser::parse_meta(const char* begin, std::string_view rest) noexcept {
    const MetaLine line(*command_, rest);
    error_reply_ = line.problem_or_null(*command_);
    if (error_reply_ == nullptr) {
        set_first_key(begin, line.key);
        key_count_ = 1;
        key_is_base64_ = line.is_base64;
        quiet_ = line.quiet;
        if (quiet_ == Quiet::kMiss) {
            set_argument(begin, line.quiet_flag);
            forward_bytes_ = argument_offset_ - 1;  // the space goes, too
        }
    }
    return is_digits(line.count) ? begin_block(line.count) : ParseStatus::kDone;
}

ParseStatus RequestParser::begin_block(std::string_view count) noexcept {
    uint64_t bytes = 0;
    if (!parse_number(count, bytes) || bytes > kMaxCountedBytes) {
        return fail(ParseStatus::kTooBig, kTooLarge);
    }
    if (bytes > kMaxMemcachedValueBytes && error_reply_ == nullptr) {
        error_reply_ = kTooLarge;
    }
    has_block_ = true;
    block_end_ = line_bytes_ + static_cast<size_t>(bytes);
    return ParseStatus::kDone;
}

ParseStatus RequestParser::finish_block(const char* begin, size_t size) noexcept {
    if (!bad_block_) {
        if (size < block_end_ + kCrLf.size()) {
            return need(block_end_ + kCrLf.size());
        }
        if (std::memcmp(begin + block_end_, kCrLf.data(), kCrLf.size()) == 0) {
            position_ = block_end_ + kCrLf.size();
            return ParseStatus::kDone;
        }
        bad_block_ = true;
        if (error_reply_ == nullptr) {
            error_reply_ = kBadChunk;
        }
    }
    const size_t limit = block_end_ + kMaxMemcachedLineBytes;
    const size_t end = std::min(size, limit);
    const void* newline =
        position_ < end ? std::memchr(begin + position_, '\n', end - position_) : nullptr;
    if (newline != nullptr) {
        position_ = static_cast<size_t>(static_cast<const char*>(newline) - begin) + 1;
        return ParseStatus::kDone;
    }
    if (size >= limit) {
        return fail(ParseStatus::kTooBig, kBadChunk);
    }
    position_ = size;
    return need(size + 1);
}

RequestView RequestParser::view(const char* begin) const noexcept {
    if (error_reply_ != nullptr) {
        RequestView refused;
        refused.bytes = {begin, position_};
        refused.command = command_;
        refused.noreply = noreply_;
        refused.error_reply = error_reply_;
        return refused;
    }
    // In one expression: filling in an empty view costs a get as much as finding its end.
    const size_t text_bytes = line_bytes_ - line_end_bytes_;
    if (quiet_ == Quiet::kMiss) [[unlikely]] {
        return view_of_quiet_get(begin);
    }
    return {.bytes = {begin, position_},
            .line = {begin, text_bytes},
            .command = command_,
            .argument = {begin + argument_offset_, argument_bytes_},
            .key = {begin + key_offset_, key_bytes_},
            .key_count = key_count_,
            .noreply = noreply_,
            .quiet = quiet_,
            .key_is_base64 = key_is_base64_,
            .error_reply = {},
            .forward_head = {begin, forward_bytes_},
            // As it came where that is right, so that the whole is one piece.
            .forward_rest =
                has_block_ || (line_end_bytes_ == kCrLf.size() && forward_bytes_ == text_bytes)
                    ? std::string_view(begin + text_bytes, position_ - text_bytes)
                    : kCrLf};
}

RequestView RequestParser::view_of_quiet_get(const char* begin) const noexcept {
    const size_t behind_quiet = argument_offset_ + argument_bytes_;
    return {.bytes = {begin, position_},
            .line = {begin, line_bytes_ - line_end_bytes_},
            .command = command_,
            .argument = {},
            .key = {begin + key_offset_, key_bytes_},
            .key_count = key_count_,
            .noreply = noreply_,
            .quiet = quiet_,
            .key_is_base64 = key_is_base64_,
            .error_reply = {},
            .forward_head = {begin, forward_bytes_},
            .forward_rest = {begin + behind_quiet, position_ - behind_quiet}};
}

KeyCursor::KeyCursor(const RequestView& request) noexcept
    : at_(request.line.data()), end_(request.line.data() + request.line.size()) {
    RM_DEBUG_ASSERT(request.command != nullptr);
    RM_DEBUG_ASSERT(request.command->shape == Shape::kRetrieval);
    if (request.key_count == 0) {
        at_ = end_;
    } else {
        at_ = request.key.data();
    }
}

bool KeyCursor::next(std::string_view& key) noexcept {
    // The line has no other byte below 0x21 than spaces, so that the end of a key is one.
    while (at_ != end_ && *at_ == ' ') {
        ++at_;
    }
    const char* const first = at_;
    at_ = find_key_end(first, end_);
    key = {first, static_cast<size_t>(at_ - first)};
    return at_ != first;
}

}  // namespace ringmaster::proto::memcached
