// SPDX-License-Identifier: Apache-2.0
#include "common/proto/memcached/request_parser.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/proto/limits.h"
#include "common/proto/memcached/words.h"

namespace ringmaster::proto::memcached {
namespace {

constexpr const char* kError = "ERROR\r\n";
constexpr const char* kBadFormat = "CLIENT_ERROR bad command line format\r\n";
constexpr const char* kBadDelete =
    "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
constexpr const char* kBadDelta = "CLIENT_ERROR invalid numeric delta argument\r\n";
constexpr const char* kBadExptime = "CLIENT_ERROR invalid exptime argument\r\n";
constexpr const char* kBadChunk = "CLIENT_ERROR bad data chunk\r\n";
constexpr const char* kTooLarge = "SERVER_ERROR object too large for cache\r\n";
constexpr const char* kNotServed = "CLIENT_ERROR command not supported by the proxy\r\n";
constexpr const char* kLineTooLong = "CLIENT_ERROR line too long\r\n";
constexpr const char* kBinary = "CLIENT_ERROR binary protocol not supported\r\n";

constexpr std::string_view kCrLf = "\r\n";
constexpr char kBinaryMagic = '\x80';
// The most memcached reads as a byte count; swallowing more than that makes no sense.
constexpr uint64_t kMaxCountedBytes = 0x7fffffff - 2;
// A line has at most 7 words; the one more shows that there were too many.
constexpr size_t kMaxWords = 8;

// Looks at the first kMaxMemcachedLineBytes bytes only, so that the answer does not depend on how
// many have arrived.
bool is_long_retrieval(const char* begin) noexcept {
    std::string_view text(begin, kMaxMemcachedLineBytes);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    return text.starts_with("get ") || text.starts_with("gets ");
}

bool is_signed_number(std::string_view word) noexcept {
    uint64_t number = 0;
    if (word.starts_with('-')) {
        word.remove_prefix(1);
    }
    return parse_number(word, number) && number <= static_cast<uint64_t>(INT64_MAX);
}

// The words of one line; the command's name is words[0].
struct Words {
    std::string_view words[kMaxWords];
    size_t count = 0;

    Words(std::string_view name, std::string_view rest) noexcept {
        for (std::string_view word = name; !word.empty() && count < kMaxWords;
             word = take_word(rest)) {
            words[count++] = word;
        }
    }
    [[nodiscard]] std::string_view last() const noexcept { return words[count - 1]; }
};

// Words a command must have, its name included.
size_t required_words(const Command& command) noexcept {
    switch (command.shape) {
        case Shape::kStorage:
            return command.has_cas ? 6 : 5;
        case Shape::kArithmetic:
        case Shape::kTouch:
            return 3;
        case Shape::kDelete:
        case Shape::kRetrieval:
            return 2;
        case Shape::kVersion:
        case Shape::kQuit:
        case Shape::kRefused:
            break;
    }
    return 1;
}

bool is_word_count_right(const Command& command, size_t count) noexcept {
    const size_t required = required_words(command);
    if (command.shape == Shape::kVersion || command.shape == Shape::kQuit ||
        command.shape == Shape::kRefused) {
        return true;
    }
    const size_t optional = command.shape == Shape::kDelete ? 2 : 1;
    return count >= required && count <= required + optional;
}

const char* storage_problem_or_null(const Command& command, const Words& line) noexcept {
    uint64_t number = 0;
    if (!parse_number(line.words[2], number) || number > static_cast<uint64_t>(INT64_MAX) ||
        !is_signed_number(line.words[3]) || !is_digits(line.words[4])) {
        return kBadFormat;
    }
    if (command.has_cas && !parse_number(line.words[5], number)) {
        return kBadFormat;
    }
    return nullptr;
}

// "delete key", "delete key 0", "delete key noreply", "delete key 0 noreply".
bool is_delete_right(const Words& line, bool noreply) noexcept {
    const bool zero = line.count > 2 && line.words[2] == "0";
    switch (line.count) {
        case 2:
            return true;
        case 3:
            return zero || noreply;
        default:
            return zero && noreply;
    }
}

// memcached's order of checks; null = the line can be forwarded (or is quit).
const char* line_problem_or_null(const Command& command, const Words& line, bool noreply) noexcept {
    if (command.shape == Shape::kVersion || command.shape == Shape::kQuit) {
        return nullptr;
    }
    if (command.shape == Shape::kRefused) {
        return kNotServed;
    }
    if (!is_word_count_right(command, line.count)) {
        return kError;
    }
    if (command.shape == Shape::kDelete && !is_delete_right(line, noreply)) {
        return kBadDelete;
    }
    if (line.words[1].size() > kMaxMemcachedKeyBytes) {
        return kBadFormat;
    }
    uint64_t number = 0;
    if (command.shape == Shape::kArithmetic && !parse_number(line.words[2], number)) {
        return kBadDelta;
    }
    if (command.shape == Shape::kTouch && !is_signed_number(line.words[2])) {
        return kBadExptime;
    }
    if (command.shape == Shape::kStorage) {
        return storage_problem_or_null(command, line);
    }
    return nullptr;
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
        position_ = line_bytes_ + block_bytes_;
    }
    return finish_block(begin, size);
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

// The most frequent line, "get key", without the general walk over words. False = not of that form.
bool RequestParser::try_single_get(std::string_view line) noexcept {
    constexpr std::string_view kGet = "get ";
    if (!line.starts_with(kGet)) {
        return false;
    }
    const std::string_view key = line.substr(kGet.size());
    if (key.empty() || key.size() > kMaxMemcachedKeyBytes ||
        std::memchr(key.data(), ' ', key.size()) != nullptr || has_control_byte(key)) {
        return false;
    }
    command_ = find_command_or_null("get");
    key_offset_ = kGet.size();
    key_bytes_ = static_cast<uint32_t>(key.size());
    key_count_ = 1;
    forward_bytes_ = static_cast<uint32_t>(line.size());
    return true;
}

ParseStatus RequestParser::parse_line(const char* begin) noexcept {
    const std::string_view line(begin, line_bytes_ - line_end_bytes_);
    if (try_single_get(line)) {
        return ParseStatus::kDone;
    }
    std::string_view rest = line;
    const std::string_view name = take_word(rest);
    forward_bytes_ = static_cast<uint32_t>(line.size());
    command_ = find_command_or_null(name);
    if (command_ == nullptr) {
        error_reply_ = kError;
        return ParseStatus::kDone;
    }
    ParseStatus status = ParseStatus::kDone;
    if (command_->shape == Shape::kRetrieval) {
        parse_keys(begin, rest);
    } else {
        rest =
            std::string_view(name.data(), static_cast<size_t>(begin + line.size() - name.data()));
        status = parse_words(begin, rest);
    }
    // Anywhere in the line: servers cut words at a NUL, other servers may end lines at a CR.
    if (error_reply_ == nullptr && has_control_byte(line)) {
        error_reply_ = kBadFormat;
    }
    return status;
}

void RequestParser::parse_keys(const char* begin, std::string_view rest) noexcept {
    std::string_view key = take_word(rest);
    if (key.empty()) {
        error_reply_ = kError;
        return;
    }
    key_offset_ = static_cast<uint32_t>(key.data() - begin);
    key_bytes_ = static_cast<uint32_t>(key.size());
    for (; !key.empty(); key = take_word(rest)) {
        ++key_count_;
        if (key.size() > kMaxMemcachedKeyBytes) {
            error_reply_ = kBadFormat;
            return;
        }
    }
}

ParseStatus RequestParser::parse_words(const char* begin, std::string_view rest) noexcept {
    const std::string_view name = take_word(rest);
    const Words line(name, rest);
    // With a wrong number of words memcached does not look for noreply. "delete noreply" has a key.
    const size_t words_before = command_->shape == Shape::kRefused ? 1 : 2;
    noreply_ = command_->takes_noreply && line.count > words_before && line.last() == "noreply" &&
               is_word_count_right(*command_, line.count);
    error_reply_ = line_problem_or_null(*command_, line, noreply_);
    if (error_reply_ == nullptr) {
        const std::string_view last_needed = line.words[required_words(*command_) - 1];
        const char* const end = last_needed.data() + last_needed.size();
        forward_bytes_ = static_cast<uint32_t>(end - begin);
        if (required_words(*command_) > 1) {
            key_offset_ = static_cast<uint32_t>(line.words[1].data() - begin);
            key_bytes_ = static_cast<uint32_t>(line.words[1].size());
            key_count_ = 1;
        }
    }
    const size_t count_word = command_->count_word;
    if (count_word != 0 && line.count > count_word && is_digits(line.words[count_word])) {
        return begin_block(line.words[count_word]);
    }
    return ParseStatus::kDone;
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
    block_bytes_ = static_cast<size_t>(bytes);
    return ParseStatus::kDone;
}

ParseStatus RequestParser::finish_block(const char* begin, size_t size) noexcept {
    const size_t value_end = line_bytes_ + block_bytes_;
    if (!bad_block_) {
        if (size < value_end + kCrLf.size()) {
            return need(value_end + kCrLf.size());
        }
        if (std::memcmp(begin + value_end, kCrLf.data(), kCrLf.size()) == 0) {
            position_ = value_end + kCrLf.size();
            return ParseStatus::kDone;
        }
        bad_block_ = true;
        if (error_reply_ == nullptr) {
            error_reply_ = kBadChunk;
        }
    }
    const size_t limit = value_end + kMaxMemcachedLineBytes;
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
    const size_t text_bytes = line_bytes_ - line_end_bytes_;
    RequestView view;
    view.bytes = {begin, position_};
    view.line = {begin, text_bytes};
    view.command = command_;
    view.key = {begin + key_offset_, key_bytes_};
    view.key_count = key_count_;
    view.noreply = noreply_;
    if (error_reply_ != nullptr) {
        view.error_reply = error_reply_;
        return view;
    }
    view.forward_head = {begin, forward_bytes_};
    view.forward_rest = has_block_ ? view.bytes.substr(text_bytes) : kCrLf;
    return view;
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
    std::string_view rest(at_, static_cast<size_t>(end_ - at_));
    key = take_word(rest);
    if (key.empty()) {
        at_ = end_;
        return false;
    }
    at_ = key.data() + key.size();
    return true;
}

}  // namespace ringmaster::proto::memcached
