// SPDX-License-Identifier: Apache-2.0
// Writes the replies that the proxy makes itself, in the words of the client's protocol.
//
// Pure: appends to a string of the caller's, which outlives the writer. A caller says what a value
// is; RESP2 has fewer kinds, and gets what a server sends there in its place:
//   map(n)      RESP3 %n, RESP2 an array of 2n        null()     RESP3 _,  RESP2 a null bulk string
//   set(n)      RESP3 ~n, RESP2 an array              boolean()  RESP3 #,  RESP2 the integer 0 or 1
//   number()    RESP3 ,   RESP2 a bulk string         big_number, verbatim: the same
// Headers (array, map, set) are followed by that many elements; nothing checks it.
// Source: the RESP3 specification, and Redis 7.0's addReply functions for what RESP2 gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/proto/redis/protocol.h"

namespace ringmaster::proto::redis {

class ReplyWriter {
  public:
    ReplyWriter(Protocol protocol, std::string& out) noexcept
        : out_(out), resp3_(protocol == Protocol::kResp3) {}

    [[nodiscard]] Protocol protocol() const noexcept {
        return resp3_ ? Protocol::kResp3 : Protocol::kResp2;
    }

    // A status such as "OK". A line break in it becomes a space, as in an error.
    void simple(std::string_view text);
    // With its code and without the '-': "ERR syntax error".
    void error(std::string_view text);
    void integer(int64_t value);
    void bulk(std::string_view bytes);
    void null();
    // Where a server has no array to give: RESP2's *-1, RESP3's null.
    void null_array();
    void boolean(bool value);
    // The shortest text that reads as the same number; inf, -inf and nan as a server writes them.
    void number(double value);
    // Digits with an optional sign, of any length.
    void big_number(std::string_view digits);
    // Text for a person's eyes; `format` is "txt" or "mkd".
    void verbatim(std::string_view format, std::string_view text);

    void array(size_t elements);
    void map(size_t pairs);
    void set(size_t elements);

  private:
    void header(char kind, size_t count);
    void line(char kind, std::string_view text);

    std::string& out_;
    bool resp3_;
};

}  // namespace ringmaster::proto::redis
