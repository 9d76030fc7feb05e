// SPDX-License-Identifier: Apache-2.0
// Finds the end of one memcached ASCII reply: a line, VALUE blocks up to END, or a VA block.
//
// Pure, allocates nothing; values are skipped by length. Contract of parse(): see
// proto/parse_status.h; rebase() as in redis/reply_parser.h.
// Accepted: what a forwarded command can cause, that is
//   a number (spaces may follow), STORED, NOT_STORED, EXISTS, NOT_FOUND, DELETED, TOUCHED, OK, END,
//   ERROR, CLIENT_ERROR, SERVER_ERROR and VERSION, the last four with or without text,
//   VALUE blocks ("VALUE key flags bytes [cas]" CRLF, value, CRLF) up to END;
//   of the meta commands HD, EN, NF, NS and EX with or without flags, ME with text, and one VA
//   block
//   ("VA bytes [flags]" CRLF, value, CRLF).
// Everything else is kBad: RESET, STAT, MN where expect_fence() was not called, lines that end in
// LF alone, negative flags, anything but VALUE or END behind a VALUE block. A line without end
// beyond kMaxMemcachedLineBytes is kTooBig.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/proto/parse_status.h"

namespace ringmaster::proto::memcached {

class ReplyParser {
  public:
    ParseStatus parse(const char* begin, size_t size) noexcept;
    // The quick way for the common replies, when they are there as a whole: VALUE blocks of below a
    // million bytes each without a cas, END, STORED. The size; 0 says nothing about the bytes: ask
    // parse(). For the beginning of a reply.
    static size_t whole_reply_bytes(const char* begin, size_t size) noexcept;
    // The quick way for the common replies of meta commands: HD and EN without flags, VA with a
    // value of below a million bytes.
    static size_t whole_meta_reply_bytes(const char* begin, size_t size) noexcept;
    // The request was Quiet::kFenced: what comes is a reply or none, and then kFenceReply, in one
    // message. Except for ERROR, which comes alone: that server knows neither the request nor the
    // fence. Requires at_start().
    void expect_fence() noexcept { fenced_ = true; }
    // The reply may show this key as it is, line ends in it included: memcached 1.6.18 forgets that
    // a key came in base64 when an item is made by mg N, by ma N or by appending. Borrowed until
    // reset(). Requires at_start().
    void expect_raw_key(std::string_view key) noexcept { raw_key_ = key; }
    [[nodiscard]] size_t position() const noexcept { return position_; }
    [[nodiscard]] size_t bytes_needed() const noexcept { return needed_; }
    // `bytes_taken` <= position() and <= what has arrived: from now on `begin` means the byte
    // behind them. position() may lie beyond what has arrived: the rest of a value is skipped
    // unseen.
    void rebase(size_t bytes_taken) noexcept;
    void reset() noexcept { *this = ReplyParser(); }
    [[nodiscard]] bool at_start() const noexcept { return position_ == 0 && !has_begun_; }

  private:
    ParseStatus parse_one(const char* begin, size_t size) noexcept;
    ParseStatus find_line(const char* begin, size_t size, std::string_view& line) noexcept;
    [[nodiscard]] size_t bytes_to_raw_key_end(std::string_view text) const noexcept;

    size_t position_ = 0;
    size_t needed_ = 1;
    std::string_view raw_key_;    // for the first line
    bool has_begun_ = false;      // a line was taken; rebase() may have made position_ 0 since
    bool in_values_ = false;      // a VALUE block has begun: only VALUE or END may follow
    bool crlf_due_ = false;       // position_ is behind a value: its CRLF is still to be checked
    bool in_meta_value_ = false;  // that value is a VA's: the reply ends behind it
    bool fenced_ = false;         // kFenceReply follows, or comes alone
    bool at_fence_ = false;       // the reply was there: only kFenceReply may follow
};

}  // namespace ringmaster::proto::memcached
