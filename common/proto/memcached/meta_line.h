// SPDX-License-Identifier: Apache-2.0
// The words of a line of the meta protocol, and what a server would say is wrong with them.
//
// For the request parser, except decode_meta_key(). Pure, allocates nothing. Only what decides on
// framing and routing is judged here: the key, the length of an ms, how many flags an ms has. All
// other errors are the server's to tell: it answers such a line once.
//
// Source: memcached 1.6.18's answers, observed (tests/golden/meta_cases.jsonl).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/proto/limits.h"
#include "common/proto/memcached/commands.h"

namespace ringmaster::proto::memcached {

// What the flag q asks of the proxy.
enum class Quiet : uint8_t {
    kNo,
    kMiss,    // mg: forwarded without its q; a reply that says EN is dropped
    kFenced,  // forwarded with its q and kFence behind; the reply is what comes before kFenceReply
};

// The server itself knows best what q suppresses, and that differs between its versions: a
// command that is always answered, behind the quiet one, shows where the reply ends, if any.
inline constexpr std::string_view kFence = "mn\r\n";
inline constexpr std::string_view kFenceReply = "MN\r\n";

// An ms with more flags is refused by 1.6.18 without its data block, which it then runs.
inline constexpr uint32_t kMaxSetFlags = 16;

struct MetaLine {
    std::string_view key;         // as it stands in the line
    std::string_view count;       // ms: the length of the data block
    std::string_view quiet_flag;  // Quiet::kMiss: the word q
    uint32_t flags = 0;
    Quiet quiet = Quiet::kNo;
    bool is_base64 = false;  // the key is encoded

    // `rest` is the line behind the command's name. `command` is a meta command with a key.
    MetaLine(const Command& command, std::string_view rest) noexcept;
    // Null = the line may be forwarded, and every server answers it exactly once (with its fence).
    [[nodiscard]] const char* problem_or_null(const Command& command) const noexcept;

  private:
    void take_flag(const Command& command, std::string_view flag) noexcept;
};

// The key that the server makes of one that came with the flag b; empty when it cannot.
// Requires: text.size() <= kMaxMemcachedKeyBytes. Points into `room`.
std::string_view decode_meta_key(std::string_view text,
                                 std::span<char, kMaxMemcachedKeyBytes> room) noexcept;

}  // namespace ringmaster::proto::memcached
