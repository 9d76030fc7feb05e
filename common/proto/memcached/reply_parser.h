// SPDX-License-Identifier: Apache-2.0
// Finds the end of one memcached ASCII reply: a line, or VALUE blocks up to END.
//
// Pure, allocates nothing; values are skipped by length. Contract of parse(): see
// proto/parse_status.h; rebase() as in redis/reply_parser.h.
// Accepted: what a forwarded command can cause, that is
//   a number (spaces may follow), STORED, NOT_STORED, EXISTS, NOT_FOUND, DELETED, TOUCHED, OK, END,
//   ERROR, CLIENT_ERROR, SERVER_ERROR and VERSION, the last four with or without text,
//   VALUE blocks ("VALUE key flags bytes [cas]" CRLF, value, CRLF) up to END.
// Everything else is kBad: RESET, STAT, lines that end in LF alone, negative flags, anything
// but VALUE or END behind a VALUE block. A line without end beyond kMaxMemcachedLineBytes is
// kTooBig.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/proto/parse_status.h"

namespace ringmaster::proto::memcached {

class ReplyParser {
  public:
    ParseStatus parse(const char* begin, size_t size) noexcept;
    // The quick way for the common replies, when they are there as a whole: VALUE blocks of below a
    // million bytes each without a cas, END, STORED. The size; 0 says nothing about the bytes: ask
    // parse(). For the beginning of a reply.
    static size_t whole_reply_bytes(const char* begin, size_t size) noexcept;
    [[nodiscard]] size_t position() const noexcept { return position_; }
    [[nodiscard]] size_t bytes_needed() const noexcept { return needed_; }
    // `bytes_taken` <= position() and <= what has arrived: from now on `begin` means the byte
    // behind them. position() may lie beyond what has arrived: the rest of a value is skipped
    // unseen.
    void rebase(size_t bytes_taken) noexcept;
    void reset() noexcept { *this = ReplyParser(); }
    [[nodiscard]] bool at_start() const noexcept { return position_ == 0 && !in_values_; }

  private:
    size_t position_ = 0;
    size_t needed_ = 1;
    bool in_values_ = false;  // a VALUE block has begun: only VALUE or END may follow
    bool crlf_due_ = false;   // position_ is behind a value: its CRLF is still to be checked
};

}  // namespace ringmaster::proto::memcached
