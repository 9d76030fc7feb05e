// SPDX-License-Identifier: Apache-2.0
// Parses one memcached ASCII request: a command line and, for storage commands, its data block.
//
// Pure, allocates nothing; data blocks are skipped by length. Contract of parse(): see
// proto/parse_status.h. A line that is wrong but whose end is known is kDone with a non-empty
// view().error_reply: the proxy answers it in its place and the connection lives, as a server's
// would. kBad/kTooBig only when the framing is lost: an endless line, a byte count beyond any
// server's, the binary protocol.
// Lines end in CRLF or, as memcached accepts, in LF alone. Keys: 1..250 bytes, no byte below 0x21,
// no 0x7f. Numbers are digits, with a '-' only in an exptime. What is forwarded gets exactly one
// reply from any server: the words a server ignores (the 0 of "delete key 0", a word in noreply's
// place) are cut out, and numbers are within what servers read.
//
// Data blocks: when the byte count can be read the block is taken with its line, whatever else is
// wrong with that line (memcached 1.6 would run the block as commands; a client has sent it
// anyway). A block that does not end in CRLF is "CLIENT_ERROR bad data chunk" and is taken up to
// the first LF at or behind its counted end (memcached goes on in the middle of that line); there
// must be one within kMaxMemcachedLineBytes. An unreadable byte count takes the line alone, as
// memcached. A block that is refused with its line need not be kept: see discardable().
//
// Source: the texts and noreply's rules are memcached 1.6.18's, observed
// (tests/golden/memcache_cases.jsonl).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/proto/memcached/commands.h"
#include "common/proto/memcached/meta_line.h"
#include "common/proto/parse_status.h"

namespace ringmaster::proto::memcached {

// A whole request. Points into the caller's buffer; valid as long as that is.
struct RequestView {
    std::string_view bytes;            // the request as it came, data block and line ends included
    std::string_view line;             // the command line without its line end
    const Command* command = nullptr;  // null only together with error_reply
    std::string_view argument;         // gat, gats: the exptime; stats: what is asked for
    std::string_view key;              // the first key
    uint32_t key_count = 0;            // > 1 only for get, gets, gat, gats; 0 for gat and gats, too
    bool noreply = false;
    Quiet quiet = Quiet::kNo;    // meta commands
    bool key_is_base64 = false;  // meta commands: decode_meta_key() tells the server's key
    std::string_view
        error_reply;  // static storage; not empty: answer it unless noreply, forward nothing; of
                      // the others only bytes, command and noreply are set then
    // What to send to a server: `forward_head`, then `forward_rest`, then kFence with
    // Quiet::kFenced. Differs from `bytes` where " noreply" was cut out (the proxy always asks for
    // the reply and drops it itself), or the q of an mg, or the line end was a bare LF. The bare LF
    // of a line with a data block stays.
    std::string_view
        forward_head;  // the line up to its last needed word; retrieval: the whole line
    std::string_view forward_rest;  // CRLF; storage: line end, data block and CRLF as they came;
                                    // mg with q: what stands behind that
};

class RequestParser {
  public:
    ParseStatus parse(const char* begin, size_t size) noexcept;
    // The quick way for the most frequent requests when they are there as a whole: "get key", and
    // "set key flags exptime bytes" with numbers of up to six digits. Its size, and `key` is set;
    // it is forwarded as it came. 0 says nothing about the bytes: ask parse(). Requires at_start().
    static size_t whole_request_bytes(const char* begin, size_t size,
                                      std::string_view& key) noexcept;
    // The same for "mg key flags" without b: its size; `key`, and the word q in `quiet` if there is
    // one, are set. It is forwarded as it came, but without q and the space before it.
    static size_t whole_meta_get_bytes(const char* begin, size_t size, std::string_view& key,
                                       std::string_view& quiet) noexcept;
    // The same for "ms key bytes flags" without b and q, with a block of below a million bytes: its
    // size, and `key` is set. It is forwarded as it came.
    static size_t whole_meta_set_bytes(const char* begin, size_t size,
                                       std::string_view& key) noexcept;
    [[nodiscard]] size_t position() const noexcept { return position_; }
    [[nodiscard]] size_t bytes_needed() const noexcept { return needed_; }
    // After kBad or kTooBig: the whole error line with CRLF.
    [[nodiscard]] const char* problem() const noexcept { return problem_; }
    // After kDone.
    [[nodiscard]] RequestView view(const char* begin) const noexcept;
    // After kNeedMore. The data block that is still arriving is not wanted: the request will be
    // kDone with this error_reply (static storage) unless it has one already. No effect on a
    // request without a block.
    void refuse_block(const char* error_reply) noexcept;
    // How many of the `size` bytes that have arrived nobody will look at again: those of a refused
    // request. The caller may drop them and say so with rebase(); `begin` then means the byte
    // behind them, and so does view().bytes.
    [[nodiscard]] size_t discardable(size_t size) const noexcept;
    // After kNeedMore: the line is whole, and a data block follows it.
    [[nodiscard]] bool has_block() const noexcept { return has_block_; }
    void rebase(size_t bytes_taken) noexcept;
    void reset() noexcept { std::construct_at(this); }
    [[nodiscard]] bool at_start() const noexcept { return position_ == 0 && line_bytes_ == 0; }

  private:
    ParseStatus find_line_end(const char* begin, size_t size) noexcept;
    ParseStatus parse_line(const char* begin) noexcept;
    void parse_keys(const char* begin, std::string_view rest) noexcept;
    ParseStatus parse_words(const char* begin, std::string_view name,
                            std::string_view rest) noexcept;
    ParseStatus parse_meta(const char* begin, std::string_view rest) noexcept;
    void set_argument(const char* begin, std::string_view word) noexcept;
    void set_first_key(const char* begin, std::string_view key) noexcept;
    [[nodiscard]] RequestView view_of_quiet_get(const char* begin) const noexcept;
    ParseStatus begin_block(std::string_view count) noexcept;
    ParseStatus finish_block(const char* begin, size_t size) noexcept;
    ParseStatus need(size_t bytes) noexcept;
    ParseStatus fail(ParseStatus status, const char* problem) noexcept;

    size_t position_ = 0;  // next byte to look at; may lie beyond what has arrived
    size_t needed_ = 1;
    size_t block_end_ = 0;  // from begin; its CRLF comes behind it
    const char* problem_ = nullptr;
    const char* error_reply_ = nullptr;
    const Command* command_ = nullptr;
    uint32_t line_bytes_ = 0;       // with its line end; 0 = the line has not ended yet
    uint32_t forward_bytes_ = 0;    // of the line, up to its last needed word
    uint32_t argument_offset_ = 0;  // mg: of the q that is cut out
    uint32_t key_offset_ = 0;
    uint32_t key_count_ = 0;
    uint16_t argument_bytes_ = 0;
    uint16_t key_bytes_ = 0;
    uint8_t line_end_bytes_ = 0;  // 1 or 2
    bool noreply_ = false;
    bool key_is_base64_ = false;
    Quiet quiet_ = Quiet::kNo;
    bool has_block_ = false;
    bool bad_block_ = false;  // no CRLF behind the block: looking for an LF
};

// Walks the keys of a retrieval line.
class KeyCursor {
  public:
    explicit KeyCursor(const RequestView& request) noexcept;
    bool next(std::string_view& key) noexcept;

  private:
    const char* at_;
    const char* end_;
};

}  // namespace ringmaster::proto::memcached
