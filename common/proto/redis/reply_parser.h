// SPDX-License-Identifier: Apache-2.0
// Finds the end of one RESP2 or RESP3 reply, however nested, without building anything.
//
// Pure, allocates nothing; nesting costs no stack: one counter of elements still to come.
// Contract of parse(): see proto/parse_status.h. For a reply that is passed on while it still
// arrives, rebase() tells the parser that bytes in front were taken away.
// bytes_needed(): the end of the bulk string that is being skipped; elsewhere one byte more.
// A line may be of any length, as a bulk string may: position() goes on within both.
// Legal in RESP2: + - : $ * with null and empty forms. Anything else, RESP3 types included, is
// kBad. Legal in RESP3: these and _ # , ( ! = % ~ | and >. An attribute (|) belongs to the reply
// behind it: the two are one message. A push (>) is a message of its own that answers no request:
// is_push(). Why not the streamed strings and aggregates of the specification ($? *? and the like):
// no server sends them. They are kBad. Source: the RESP3 specification; Redis 7.0, which takes a
// null array and a null bulk string in RESP3, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/proto/parse_status.h"
#include "common/proto/redis/protocol.h"

namespace ringmaster::proto::redis {

class ReplyParser {
  public:
    explicit ReplyParser(Protocol protocol = Protocol::kResp2) noexcept
        : resp3_(protocol == Protocol::kResp3) {}

    ParseStatus parse(const char* begin, size_t size) noexcept;
    // The quick way for the common replies, when they are there as a whole: a bulk string of up to
    // 999 bytes, +OK, null, an integer of up to three digits. The size; 0 says nothing about the
    // bytes: ask parse(). For the beginning of a reply.
    static size_t whole_reply_bytes(const char* begin, size_t size) noexcept;
    [[nodiscard]] size_t position() const noexcept { return position_; }
    [[nodiscard]] size_t bytes_needed() const noexcept { return needed_; }
    // `bytes_taken` <= min(position(), bytes that have arrived): from now on `begin` means the byte
    // behind them.
    void rebase(size_t bytes_taken) noexcept;
    // The protocol stays.
    void reset() noexcept { *this = ReplyParser(resp3_ ? Protocol::kResp3 : Protocol::kResp2); }
    // True when nothing of a reply is remembered.
    [[nodiscard]] bool at_start() const noexcept { return !started_; }

    // The message is a push. Known as soon as a byte behind its header line is waited for.
    [[nodiscard]] bool is_push() const noexcept { return is_push_; }

  private:
    ParseStatus parse_element(const char* begin, size_t size) noexcept;
    ParseStatus parse_line_end(const char* begin, size_t size) noexcept;
    ParseStatus parse_resp3_element(const char* begin, size_t size) noexcept;
    ParseStatus parse_bulk(const char* begin, size_t size) noexcept;
    ParseStatus parse_aggregate(const char* begin, size_t size, uint64_t width) noexcept;
    ParseStatus parse_exactly(std::string_view text, const char* begin, size_t size) noexcept;
    ParseStatus need(size_t bytes) noexcept;
    void accept(size_t position) noexcept;

    // Start of the next element, or of the CRLF behind a payload, or the last byte there is of a
    // line whose end is searched for.
    size_t position_ = 0;
    size_t needed_ = 1;
    uint64_t pending_ = 1;  // elements still to come, this one included
    bool in_payload_ = false;
    bool in_line_ = false;
    bool started_ = false;
    bool is_push_ = false;
    bool resp3_;
};

}  // namespace ringmaster::proto::redis
