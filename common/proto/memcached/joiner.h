// SPDX-License-Identifier: Apache-2.0
// Joins the replies of a split request's fragments into one: the VALUE blocks of a get, or the OKs
// of a flush_all.
//
// Pure, never trusts a reply: the first that is not VALUE blocks and END (not OK) gives one error
// line for the whole request (a server's own SERVER_ERROR or CLIENT_ERROR line is kept, anything
// else becomes "SERVER_ERROR Invalid argument"), and no other byte leaks. Linear in the bytes of
// the VALUE lines and the number of keys; the values are not looked at. Order: for each key the
// next unused VALUE block of its shard, if any is left (nutcracker's rule; clients match by key, as
// with a server). Blocks beyond the number of keys asked are dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringmaster::proto::memcached {

class Joiner {
  public:
    // The spans must stay valid until the last next_piece(). `cursors` is scratch of
    // replies.size(). A request without keys is a flush_all. Returns false when the joined reply is
    // an error line, which is then in error().
    bool begin(std::span<const std::string_view> replies, std::span<const uint32_t> fragment_of_key,
               std::span<size_t> cursors);
    [[nodiscard]] std::string_view error() const noexcept { return error_; }
    // VALUE blocks in order, then "END\r\n" (flush_all: "OK\r\n"); false behind that.
    bool next_piece(std::string_view& piece) noexcept;

  private:
    static constexpr size_t kNoMoreBlocks = 0;   // no block ends there
    static constexpr size_t kKeptBlocks = 4096;  // room for so many is kept from one to the next

    void forget_blocks();
    bool find_blocks(std::string_view reply);

    std::string error_;
    std::span<const std::string_view> replies_;
    std::span<const uint32_t> fragment_of_key_;
    std::span<size_t> cursors_;  // by reply: its next one in block_ends_
    // Where the VALUE blocks of each reply end in it, kNoMoreBlocks behind the last.
    std::vector<size_t> block_ends_;
    size_t next_key_ = 0;
    bool ended_ = false;
};

}  // namespace ringmaster::proto::memcached
