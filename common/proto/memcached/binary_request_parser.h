// SPDX-License-Identifier: Apache-2.0
// Parses one memcached binary request: its header, then its body by length.
//
// Pure, allocates nothing. Contract of parse(): see proto/parse_status.h. A header decides alone:
//   - a first byte that is not 0x80 is kBad (there is no text to answer with);
//   - lengths that contradict each other, a key over 250 bytes, missing or surplus extras, key or
//     value are kDone at the end of the header, with view().refusal and view().ends: a server
//     answers that and closes, whatever the body would have been;
//   - an unknown opcode and a value beyond any server's are kDone behind their body, with
//     view().refusal. The body need not be kept: see discardable().
// Source: memcached 1.6.18, observed. It differs where that loses its place in the stream: the body
// of an unknown command is skipped exactly, and a value behind touch, gat or stat is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/proto/memcached/binary_commands.h"
#include "common/proto/memcached/binary_protocol.h"
#include "common/proto/parse_status.h"

namespace ringmaster::proto::memcached {

// A whole request. Points into the caller's buffer; valid as long as that is.
struct BinaryRequestView {
    std::string_view bytes;                  // as it came; of a refused one what was not dropped
    const BinaryCommand* command = nullptr;  // null: unknown, and refused
    uint8_t opcode = 0;
    uint32_t opaque = 0;
    std::string_view key;                           // empty when refused
    std::string_view value;                         // empty when refused
    BinaryStatus refusal = BinaryStatus::kSuccess;  // anything else: answer it, forward nothing
    bool ends = false;  // the connection ends with that answer: what follows cannot be told

    [[nodiscard]] bool refused() const noexcept { return refusal != BinaryStatus::kSuccess; }
};

class BinaryRequestParser {
  public:
    ParseStatus parse(const char* begin, size_t size) noexcept;
    [[nodiscard]] size_t position() const noexcept { return position_; }
    [[nodiscard]] size_t bytes_needed() const noexcept { return needed_; }
    // After kDone.
    [[nodiscard]] BinaryRequestView view(const char* begin) const noexcept;
    // The header of the request is there: command(), refuse().
    [[nodiscard]] bool has_header() const noexcept { return has_header_; }
    // Null: unknown.
    [[nodiscard]] const BinaryCommand* command() const noexcept {
        return find_binary_command_or_null(opcode_);
    }
    // After kNeedMore. The body that is still arriving is not wanted: the request will be kDone
    // with this refusal unless it has one already. No effect before its header has come.
    void refuse(BinaryStatus status) noexcept;
    // How many of the `size` bytes that have arrived nobody will look at again: those of a refused
    // request. The caller may drop them and say so with rebase(); `begin` then means the byte
    // behind them, and so does view().bytes.
    [[nodiscard]] size_t discardable(size_t size) const noexcept;
    void rebase(size_t bytes_taken) noexcept;
    void reset() noexcept { std::construct_at(this); }
    [[nodiscard]] bool at_start() const noexcept { return !has_header_; }

  private:
    void judge(const BinaryHeader& header) noexcept;

    size_t position_ = 0;  // with its header: the end of the request
    size_t needed_ = 1;
    uint32_t opaque_ = 0;
    BinaryStatus refusal_ = BinaryStatus::kSuccess;
    uint16_t key_bytes_ = 0;
    uint8_t extras_bytes_ = 0;
    uint8_t opcode_ = 0;
    bool has_header_ = false;
    bool ends_ = false;
};

}  // namespace ringmaster::proto::memcached
