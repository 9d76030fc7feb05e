// SPDX-License-Identifier: Apache-2.0
// Finds the end of one Redis request (an array of bulk strings, or an inline line) and its first
// arguments.
//
// Pure, allocates nothing. Payloads are skipped by length, never scanned. Strict: no signs, no
// spaces, CRLF everywhere, at least one argument, limits of proto/limits.h.
// bytes_needed(): the end of the argument that is being skipped; in a header line one byte more.
// Contract of parse(): see proto/parse_status.h. After kDone call view(), then reset().
// Source: RESP2 as Redis 7 reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/proto/parse_status.h"
#include "common/proto/redis/commands.h"

namespace ringmaster::proto::redis {

// A whole request. Points into the caller's buffer; valid as long as that is.
struct RequestView {
    static constexpr uint32_t kFirstArguments = 4;

    std::string_view bytes;  // the request as it came
    uint32_t argument_count = 0;
    // The first arguments (fewer when argument_count is less).
    std::string_view arguments[kFirstArguments];
    const Command* command = nullptr;  // null: not in our table
};

class RequestParser {
  public:
    ParseStatus parse(const char* begin, size_t size) noexcept;
    // The quick way for a request that is there as a whole, has at most 999 arguments and none
    // over 999 bytes: true, and `view` is set. False says nothing about the bytes: ask parse().
    // Requires at_start(); changes nothing.
    static bool parse_whole(const char* begin, size_t size, RequestView& view) noexcept;
    [[nodiscard]] size_t position() const noexcept { return position_; }
    [[nodiscard]] size_t bytes_needed() const noexcept { return needed_; }
    // After kBad or kTooBig: the rest of the error line, e.g. "Protocol error: invalid bulk
    // length".
    [[nodiscard]] const char* problem() const noexcept { return problem_; }
    // After kDone: the request is a line as a person types it; line() is the line, and there is no
    // view(). See inline_request.h.
    [[nodiscard]] bool is_inline() const noexcept { return is_inline_; }
    [[nodiscard]] std::string_view line(const char* begin) const noexcept;
    // After kDone. Looks the command up.
    [[nodiscard]] RequestView view(const char* begin) const noexcept;
    // Forgets the request. Cheap: the first arguments need no clearing, they are counted.
    void reset() noexcept {
        position_ = 0;
        needed_ = 1;
        problem_ = nullptr;
        arguments_total_ = 0;
        arguments_seen_ = 0;
        in_payload_ = false;
        is_inline_ = false;
    }
    // After kNeedMore, for a request that is not wanted: how many of the `size` bytes that have
    // arrived parse() will not look at again. The caller may drop them and say so with rebase();
    // `begin` then means the byte behind them, and there will be no view().
    [[nodiscard]] size_t discardable(size_t size) const noexcept {
        return size < position_ ? size : position_;
    }
    void rebase(size_t bytes_taken) noexcept {
        position_ -= bytes_taken;
        needed_ -= bytes_taken;
    }
    // True when no byte of a request has been accepted yet.
    [[nodiscard]] bool at_start() const noexcept { return position_ == 0; }

  private:
    ParseStatus parse_line(const char* begin, size_t size) noexcept;
    ParseStatus need(size_t bytes) noexcept;
    ParseStatus fail(ParseStatus status, const char* bad, const char* too_big) noexcept;

    size_t position_ = 0;  // next byte to look at; may lie beyond what has arrived
    size_t needed_ = 1;
    const char* problem_ = nullptr;
    uint32_t arguments_total_ = 0;
    uint32_t arguments_seen_ = 0;
    bool in_payload_ = false;  // position_ is the CRLF behind an argument, not a header
    bool is_inline_ = false;   // position_ is where the search for the line's end goes on
    uint32_t first_length_[RequestView::kFirstArguments] = {};
    uint32_t first_offset_[RequestView::kFirstArguments] = {};
};

// Walks the arguments of a whole, already parsed request.
class ArgumentCursor {
  public:
    explicit ArgumentCursor(std::string_view request) noexcept;
    // The next argument, or false behind the last one. `raw` is the argument with its "$len" header
    // and CRLF.
    bool next(std::string_view& argument, std::string_view& raw) noexcept;

  private:
    const char* at_;
    const char* end_;
};

}  // namespace ringmaster::proto::redis
