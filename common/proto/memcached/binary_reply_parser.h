// SPDX-License-Identifier: Apache-2.0
// Finds the end of one memcached binary reply: a header and the body it counts.
//
// Pure, allocates nothing; bodies are skipped by length. Contract of parse(): see
// proto/parse_status.h; rebase() as in redis/reply_parser.h. A reply to stat is several packets of
// which the last has neither key nor value; they are one reply here.
// kBad: a magic that is not 0x81, lengths that contradict each other, another opcode among the
// packets of a stat. kTooBig: a body beyond any value of a server.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/proto/parse_status.h"

namespace ringmaster::proto::memcached {

class BinaryReplyParser {
  public:
    ParseStatus parse(const char* begin, size_t size) noexcept;
    [[nodiscard]] size_t position() const noexcept { return position_; }
    [[nodiscard]] size_t bytes_needed() const noexcept { return needed_; }
    // `bytes_taken` <= position() and <= what has arrived: from now on `begin` means the byte
    // behind them. position() may lie beyond what has arrived: the rest of a body is skipped
    // unseen.
    void rebase(size_t bytes_taken) noexcept;
    void reset() noexcept { *this = BinaryReplyParser(); }
    [[nodiscard]] bool at_start() const noexcept { return position_ == 0 && !in_reply_; }

  private:
    size_t position_ = 0;  // in front of the next header, or at the end
    size_t needed_ = 1;
    bool in_reply_ = false;  // a header has been read
    bool in_stats_ = false;  // another packet follows
};

}  // namespace ringmaster::proto::memcached
