// SPDX-License-Identifier: Apache-2.0
// Joins the replies of a split request's fragments into the one reply its client gets.
//
// Pure, never trusts a reply: a fragment that answers with another type, too few or too many
// elements gives one clear error for the whole request, and no byte of it leaks.
// Shapes:  replies[f] is the whole reply of fragment f (as ReplyParser delimited it);
//          fragment_of_key and keys_of_fragment as the Splitter planned them.
// Types:   the elements keep theirs, so replies of RESP3 are joined to one of RESP3. Attributes of
//          the fragments' replies are dropped.
// Errors:  the first error reply in fragment order is the request's reply, in the server's words;
//          a bulk error of RESP3 is one, too;
//          replies that do not fit give nutcracker's "-ERR Invalid argument".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/proto/redis/commands.h"

namespace ringmaster::proto::redis {

// What to send to the client: head(), then all pieces of next_piece().
class Joiner {
  public:
    // The spans must stay valid until the last next_piece(). `cursors` is scratch of
    // replies.size(). Returns false when the joined reply is an error line, which is then in head()
    // alone.
    bool begin(JoinPolicy policy, std::span<const std::string_view> replies,
               std::span<const uint32_t> fragment_of_key, std::span<size_t> cursors);

    // The first bytes of the reply: all of it, unless the policy is kArray.
    [[nodiscard]] std::string_view head() const noexcept { return head_; }
    // kArray: the elements in key order, one a call, pointing into the replies; false behind the
    // last.
    bool next_piece(std::string_view& piece) noexcept;

  private:
    bool fail(std::string_view error_line);
    bool sum(std::span<const std::string_view> replies);
    bool begin_array();

    std::string head_;  // keeps its capacity
    std::span<const std::string_view> replies_;
    std::span<const uint32_t> fragment_of_key_;
    std::span<size_t> cursors_;
    size_t next_key_ = 0;
};

}  // namespace ringmaster::proto::redis
